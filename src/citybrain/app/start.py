"""Where the program starts: what modules make while they are read stays, so nobody looks for what has died until all are read."""

import gc
import sys
from collections.abc import Callable
from importlib import import_module


def main() -> int:
    """Read the program and run the command that the process was started with; returns its exit status."""
    gc.disable()
    run: Callable[[], int] = import_module("citybrain.app.cli").main
    gc.enable()
    return run()


if __name__ == "__main__":
    sys.exit(main())
