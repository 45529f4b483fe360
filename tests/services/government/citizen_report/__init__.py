"""Tests of the pack of citizens' reports."""
