"""Where the program starts: what modules make while they are read stays, so nobody looks for what has died in it, then or later."""

import gc
import sys

from citybrain.app import cli


def main() -> int:
    """Read what the command that the process was started with needs, and run it; returns its exit status."""
    gc.disable()
    run = cli.chosen()
    gc.freeze()
    gc.enable()
    return run()


if __name__ == "__main__":
    sys.exit(main())
