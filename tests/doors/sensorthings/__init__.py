"""SensorThings, by conformance class."""
