"""Tests of the packs, in the folders of the packs."""
