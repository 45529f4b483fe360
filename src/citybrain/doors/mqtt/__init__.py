"""MQTT: devices speak on ``citybrain/v1/…``; the broker of app calls ``authorise`` on connecting and ``take`` for each message."""

from citybrain.doors.mqtt.door import BULK, PREFIX, MqttDoor, Reads
from citybrain.doors.mqtt.mapping import Topic, mapped

__all__ = ["BULK", "PREFIX", "MqttDoor", "Reads", "Topic", "mapped"]
