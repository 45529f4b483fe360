"""Where the program starts: what modules make while they are read stays, so nobody looks for what has died in it, then or later."""

import ctypes
import gc
import sys

from citybrain.app import cli

_ARENA_MAX = -8
"""glibc's name for how many heaps its malloc keeps (mallopt(3))."""
_HEAPS = 2


def main() -> int:
    """Read what the command that the process was started with needs, and run it; returns its exit status."""
    few_heaps()
    gc.disable()
    run = cli.chosen()
    gc.freeze()
    gc.enable()
    return run()


def few_heaps() -> bool:
    """Let threads share their heaps: glibc gives each of many threads its own, and each keeps what a flood once needed of it.

    Returns whether it could be asked for: another C library has no such heaps. To be called before any thread begins.
    """
    ask = getattr(ctypes.CDLL(None), "mallopt", None)
    return ask is not None and ask(_ARENA_MAX, _HEAPS) == 1


if __name__ == "__main__":
    sys.exit(main())
