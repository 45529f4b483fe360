"""What a command says to whoever started it."""

import sys


def say(words: str) -> None:
    """Write a line to the standard output, at once."""
    sys.stdout.write(words + "\n")
    sys.stdout.flush()
