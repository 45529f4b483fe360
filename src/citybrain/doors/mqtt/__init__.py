"""MQTT: devices speak on ``citybrain/v1/…``; the broker of app calls ``authorise`` on connecting and ``take`` for each message."""

from citybrain.doors.mqtt.door import BULK, PREFIX, MqttDoor

__all__ = ["BULK", "PREFIX", "MqttDoor"]
