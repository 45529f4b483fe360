"""What of a sending its sender may write: the rest becomes refusals, row by row."""

from collections.abc import Callable

import numpy as np

from citybrain.brain.observe.rows import Rows
from citybrain.kernel.observations import Refusal

_WHY = "This sender may not write this stream. Ask the administrator to entrust it to the device."


def permitted(rows: Rows, may: Callable[[str], bool]) -> Rows:
    """The sending with the rows of streams that ``may`` denies refused as ``forbidden_stream``."""
    allowed = {stream: may(stream) for stream in set(rows.streams)}
    if all(allowed.values()):
        return rows
    keep = np.array([allowed[stream] for stream in rows.streams])
    kept = np.flatnonzero(keep).tolist()
    units = None if rows.units is None else [rows.units[index] for index in kept]
    refused = tuple(Refusal(int(row), "forbidden_stream", _WHY) for row in rows.row[~keep])
    streams = [rows.streams[index] for index in kept]
    return Rows(streams, rows.time[keep], rows.value[keep], units, rows.row[keep], (*rows.refused, *refused))
