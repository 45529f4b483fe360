"""Promises of act."""
