"""Tests of the history on Spark; Sail stands in for it."""
