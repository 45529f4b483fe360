"""Keeping latest values current in a process that takes nothing in: by following what another process makes durable."""

import asyncio

import numpy as np

from citybrain.brain.observe.latest import Latest
from citybrain.brain.observe.striking import renew
from citybrain.kernel.instant import Instant
from citybrain.kernel.ports import Series

_MOST = 200_000


class Following:
    """Feeds the latest values from the sequence of a series; ``since`` is a sequence number that they hold already."""

    def __init__(self, latest: Latest, series: Series, since: int) -> None:
        self._latest = latest
        self._series = series
        self._at = since

    async def run_once(self) -> int:
        """Take what is new; returns how many observations that were. The latest values are fed on the loop, as by an intake."""
        rows = await asyncio.to_thread(self._series.after, self._at, _MOST)
        if not rows.num_rows:
            return 0
        stream_no, time, value = (rows[name].to_numpy() for name in ("stream_no", "time", "value"))
        received, doors = rows["received"].to_numpy(), rows["door"].combine_chunks().dictionary_encode()
        door, names = doors.indices.to_numpy(), doors.dictionary.to_pylist()
        # What came in together came by one door and was received at one instant.
        cuts = np.flatnonzero((np.diff(received) != 0) | (np.diff(door) != 0)) + 1
        for begin, end in zip(np.r_[0, cuts], np.r_[cuts, len(received)], strict=True):
            part = slice(begin, end)
            at, name = Instant(int(received[begin])), str(names[door[begin]])
            struck = self._latest.feed(stream_no[part], time[part], value[part], at, name)
            await renew(self._latest, self._series, struck)
        self._at = int(rows["seq"][-1].as_py())
        return rows.num_rows
