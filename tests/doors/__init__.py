"""Promises of the doors: doors."""
