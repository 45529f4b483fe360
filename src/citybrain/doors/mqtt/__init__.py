"""MQTT: devices speak on ``citybrain/v1/…``; the broker of app calls ``authorise`` on connecting and ``take`` for each message."""

from citybrain.doors.mqtt.door import BULK, PREFIX, MqttDoor
from citybrain.doors.mqtt.mapping import Topic, mapped

__all__ = ["BULK", "PREFIX", "MqttDoor", "Topic", "mapped"]
