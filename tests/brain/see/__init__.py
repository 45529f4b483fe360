"""Tests of see."""
