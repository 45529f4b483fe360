"""Observe, with real engines."""
