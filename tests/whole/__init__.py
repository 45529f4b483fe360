"""The whole program in its own process, used and killed as in life."""
