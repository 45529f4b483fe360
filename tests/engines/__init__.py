"""Tests of the engines: one suite over every engine of a port."""
