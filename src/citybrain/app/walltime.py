"""The one place that reads the machine's clock for the program's Clock."""

import time

from citybrain.kernel.instant import Instant


def wall() -> Instant:
    """The time on the wall, in µs since 1970 UTC."""
    return Instant(time.time_ns() // 1000)
