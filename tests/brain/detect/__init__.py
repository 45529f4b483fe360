"""Detect, with real engines."""
