"""What the facts come to, kept from one question to the next: only facts that are new are folded in."""

from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from citybrain.brain.see.facts import STATES, carried, fresh, latest, state_of
from citybrain.kernel.instant import Instant
from citybrain.kernel.ports import Facts


class _Fold(NamedTuple):
    """The rows of a noun, the outbox positions that its fact tables had reached, and the latest time among their facts."""

    rows: pa.Table
    reached: tuple[int, ...]
    newest: int


class Folds:
    """The present state of each noun (``case``, ``alert`` …), one row each.

    Folding every fact anew for each figure costs more the longer a district works; carrying the state on costs what is new.
    """

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._kept: dict[str, _Fold] = {}

    def at(self, name: str, now: Instant) -> pa.Table:
        """The rows of a noun as it stood at an instant."""
        # Read before the rows: what is committed in between is folded in twice, and a fact counts once however often it is.
        reached = tuple(self._facts.position(table) for table in STATES[name])
        known = self._kept.get(name)
        if known is None:
            return self._whole(name, reached, now)
        if known.newest > now:
            return self._facts.query(state_of(self._facts, name), {"now": now})
        if known.reached == reached:
            return known.rows
        return self._carried(name, known, reached, now)

    def _whole(self, name: str, reached: tuple[int, ...], now: Instant) -> pa.Table:
        rows = self._facts.query(state_of(self._facts, name), {"now": now})
        return self._keep(name, rows, reached, _newest(self._facts.query(latest(self._facts, name), {}), 0), now)

    def _carried(self, name: str, known: _Fold, reached: tuple[int, ...], now: Instant) -> pa.Table:
        news = self._facts.query(fresh(self._facts, name), dict(zip(STATES[name], known.reached, strict=True)))
        newest = _newest(news, known.newest)
        if newest > now:
            return self._facts.query(state_of(self._facts, name), {"now": now})
        rows = self._facts.query(carried(name), {}, {"before": known.rows, "fresh": news}) if news.num_rows else known.rows
        return self._keep(name, rows, reached, newest, now)

    def _keep(self, name: str, rows: pa.Table, reached: tuple[int, ...], newest: int, now: Instant) -> pa.Table:
        """Rows of a time at which every fact had happened are right until another comes."""
        if newest <= now:
            self._kept[name] = _Fold(rows, reached, newest)
        return rows


def _newest(facts: pa.Table, before: int) -> int:
    latest = pc.max(facts.column("time")).as_py()
    return before if latest is None else max(before, int(latest))
