"""Benchmarks: each prints versions, seed, size, the machine's fsync and its figures; `make bench` writes them into the docs."""
