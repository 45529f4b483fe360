"""The composition root's tests."""
