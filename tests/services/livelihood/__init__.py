"""Tests of the livelihood packs."""
