"""Promises of protect."""
