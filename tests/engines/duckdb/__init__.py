"""Tests of the series store."""
