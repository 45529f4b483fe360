"""Tests of the pages door, over a whole city without a browser."""
