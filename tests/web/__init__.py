"""Tests of the pages: values in, HTML out."""
