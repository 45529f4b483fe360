"""What of a sending its sender may write: the rest becomes refusals, row by row."""

from collections.abc import Callable

import numpy as np

from citybrain.brain.observe.rows import Rows
from citybrain.kernel.observations import Refusal

_WHY = "This sender may not write this stream. Ask the administrator to entrust it to the device."


def permitted(rows: Rows, may: Callable[[str], bool]) -> Rows:
    """The sending with the rows of streams that ``may`` denies refused as ``forbidden_stream``."""
    allowed = np.fromiter(map(may, rows.streams), np.bool_, len(rows.streams))
    if allowed.all():
        return rows
    kept = np.flatnonzero(allowed).tolist()
    units = None if rows.units is None else [rows.units[index] for index in kept]
    refused = tuple(Refusal(int(row), "forbidden_stream", _WHY) for row in rows.row[~allowed])
    streams = [rows.streams[index] for index in kept]
    return Rows(streams, rows.time[allowed], rows.value[allowed], units, rows.row[allowed], (*rows.refused, *refused))
