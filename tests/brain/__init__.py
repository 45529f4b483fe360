"""Promises of the faculties."""
