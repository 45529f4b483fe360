"""The ports, asked from another process."""
