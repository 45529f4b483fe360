"""Tests of the air pack's algorithms."""
