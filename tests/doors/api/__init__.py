"""Promises of the doors: api."""
