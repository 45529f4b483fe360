"""What of a sending its sender may write: the rest becomes refusals, row by row."""

from collections.abc import Callable, Sequence

import numpy as np

from citybrain.brain.observe.rows import Rows
from citybrain.brain.observe.texts import different
from citybrain.kernel.observations import Refusal
from citybrain.kernel.text import Text

_WHY = Text(
    "该发送者无权写入此数据流，请由管理员授权给该设备。",
    "This sender may not write this stream. Ask the administrator to entrust it to the device.",
)


def permitted(rows: Rows, barred: Callable[[Sequence[str]], frozenset[str]]) -> Rows:
    """The sending with the rows of streams that are ``barred`` to its sender refused as ``forbidden_stream``."""
    denied = barred(different(rows.streams))
    if not denied:
        return rows
    allowed = np.array([stream not in denied for stream in rows.streams])
    kept = np.flatnonzero(allowed).tolist()
    units = None if rows.units is None else [rows.units[index] for index in kept]
    refused = tuple(Refusal(int(row), "forbidden_stream", _WHY) for row in rows.row[~allowed])
    streams = [rows.streams[index] for index in kept]
    return Rows(streams, rows.time[allowed], rows.value[allowed], units, rows.row[allowed], (*rows.refused, *refused), rows.said)
