"""Promises of the doors: mqtt."""
