"""Engines: what opens a store, a broker or a cluster; the clients of products live here alone."""
