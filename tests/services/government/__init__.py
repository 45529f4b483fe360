"""Tests of the government packs."""
