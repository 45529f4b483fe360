"""The newest observations, kept in memory for those who follow the sequence."""

import threading
from bisect import bisect_right
from collections import deque

import pyarrow as pa

from citybrain.engines.duckdb.columns import Columns, joined


class Ring:
    """The last commits, at most ``size`` rows (a greater single commit is kept whole)."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._commits: deque[tuple[int, Columns]] = deque()
        self._rows = 0
        self._lock = threading.Lock()

    def push(self, last_seq: int, rows: Columns) -> None:
        """Take in a commit that ends at a sequence number."""
        with self._lock:
            self._commits.append((last_seq, rows))
            self._rows += rows.rows
            while self._rows > self._size and len(self._commits) > 1:
                self._rows -= self._commits.popleft()[1].rows

    def clear(self) -> None:
        """Forget everything: after a failed commit nobody knows whether the next one follows on."""
        with self._lock:
            self._commits.clear()
            self._rows = 0

    def after(self, seq: int, limit: int) -> pa.Table | None:
        """Rows (STORED) with a greater sequence number to the end of a commit, or None when some of them are no longer here."""
        with self._lock:
            commits = tuple(self._commits)
        if not commits or seq < commits[0][0] - commits[0][1].rows:
            return None
        start = bisect_right(commits, seq, key=lambda commit: commit[0])
        taken: list[Columns] = []
        count = 0
        for _, rows in commits[start:]:
            part = rows.after(seq)
            taken.append(part)
            count += part.rows
            if count >= limit:
                break
        return joined(taken).table()
