"""The studio: what a limit would have told over the days gone by, against what the limits in force tell of them.

Series.scan → roster → moments as they were lived → the same compiled rules with either limits → episodes → their difference.
"""

import threading
from collections.abc import Sequence
from dataclasses import replace

import msgspec
import numpy as np
import pyarrow as pa

from citybrain.brain.detect.difference import Retold, Shift, Tally, day, shifts, tallies
from citybrain.brain.detect.episodes import Lived
from citybrain.brain.detect.kindwatch import KindWatch
from citybrain.brain.detect.limits import Limit, Limits
from citybrain.brain.detect.roster import Roster, Things
from citybrain.brain.detect.rulebook import Rulebook
from citybrain.kernel.clock import Clock
from citybrain.kernel.errors import BadInputError, BusyError
from citybrain.kernel.instant import DAY, SECOND, Duration, Instant
from citybrain.kernel.observations import SeriesQuery
from citybrain.kernel.pack import Pack
from citybrain.kernel.ports import Series
from citybrain.kernel.text import Text

MONTH = 31
"""Days that are replayed unless fewer are asked for, and at most."""
_LEAD = DAY
"""History before the days asked for, so that what lasted into them is known."""
_MOST_ROWS = 1_500_000
"""Readings that one replay looks at; where there are more, it covers fewer days and says so."""
_PATIENCE = 10.0
"""Wall seconds to wait for another replay to end: one runs at a time."""
SWEEP = SECOND
"""Wall time between two looks of the running watch."""


class Difference(msgspec.Struct, frozen=True):
    """What a limit would have changed over [since, until): of ``days`` asked for, as far as there is history.

    ``first`` is the first reading there is; ``rows`` readings of ``entities`` were looked at; ``cut`` says that the span was
    shortened to stay within bounds. ``rules``, ``by_day`` and ``by_entity`` count alerts before and after.
    """

    limit: Limit
    value: float
    days: int
    since: Instant
    until: Instant
    first: Instant | None
    rows: int
    entities: int
    cut: bool
    before: int
    after: int
    rules: tuple[Tally, ...]
    by_day: tuple[Tally, ...]
    by_entity: tuple[Tally, ...]
    shifts: tuple[Shift, ...]
    contradictions: tuple[Text, ...]


class Studio:
    """Tries limits on history; blocks, so call it in a thread."""

    def __init__(self, limits: Limits, packs: Sequence[Pack], series: Series, things: Things, clock: Clock) -> None:
        self._limits = limits
        self._packs = {pack.name: pack for pack in packs}
        self._series = series
        self._things = things
        self._clock = clock
        self._busy = threading.Lock()

    def trial(self, key: str, value: float, unit: str, days: int = MONTH) -> Difference:
        """Replay the last days with a limit at this value; raises BadInputError, NotFoundError, and BusyError while others try."""
        limit = self._limits.checked(key, value, unit)
        if not 1 <= days <= MONTH:
            what = Text(f"回放天数须为 1 至 {MONTH}，收到 {days}。", f"A replay takes 1 to {MONTH} days, not {days}.")
            raise BadInputError(what, field="days")
        if not self._busy.acquire(timeout=_PATIENCE):
            what = Text("另一次试算正在进行，请稍后再试。", "Another trial is running. Try again in a moment.")
            raise BusyError(what, retry_after=int(_PATIENCE))
        try:
            return self._tried(limit, value, days)
        finally:
            self._busy.release()

    def retold(self, pack: str, rules: tuple[str, ...], since: Instant, until: Instant) -> tuple[Retold, ...]:
        """What rules would have told in [since, until) with the limits in force, in the order of entities."""
        book = self._book(pack, rules, None)
        past, _ = self._history(book, Instant(since - _LEAD), until)
        return self._told(book, past, since, until)

    def _tried(self, limit: Limit, value: float, days: int) -> Difference:
        until = self._clock.city()
        now, then = self._book(limit.pack, limit.rules, None), self._book(limit.pack, limit.rules, (limit, value))
        wanted = Instant(until - days * DAY)
        since, first, cut = self._bounded(now, wanted, until)
        past, rows = self._history(now, Instant(since - _LEAD), until)
        before, after = (self._told(book, past, since, until) for book in (now, then))
        return Difference(
            limit=limit,
            value=value,
            days=days,
            since=since if first is None else Instant(max(since, min(first, until))),
            until=until,
            first=first,
            rows=rows,
            entities=sum(len(watch.entities) for watch, _ in past),
            cut=cut,
            before=len(before),
            after=len(after),
            rules=tallies((each.rule for each in before), (each.rule for each in after)),
            by_day=tallies(map(day, before), map(day, after)),
            by_entity=tallies((each.entity for each in before), (each.entity for each in after)),
            shifts=shifts(before, after),
            contradictions=self._limits.contradictions(limit, value),
        )

    def _book(self, pack: str, rules: tuple[str, ...], supposed: tuple[Limit, float] | None) -> Rulebook:
        """The rules under trial, under the limits in force or with one of them supposed otherwise."""
        whole = self._packs[pack]
        some = replace(whole, rules=tuple(rule for rule in whole.rules if rule.name in rules))
        published = self._limits.published()
        if supposed is not None:
            published = (*published, self._limits.supposed(*supposed))
        return Rulebook((some,), self._clock, lambda: published)

    def _bounded(self, book: Rulebook, since: Instant, until: Instant) -> tuple[Instant, Instant | None, bool]:
        """Since when there are no more readings than one replay looks at; the first reading there is; whether that cut days off."""
        counted = self._series.scan(SeriesQuery(self._streams(book), Instant(0), Instant(until + 1), DAY))
        if not counted.num_rows:
            return since, None, False
        days: dict[int, int] = {}
        for time, count in zip(counted["time"].to_numpy().tolist(), counted["count"].to_numpy().tolist(), strict=True):
            days[int(time)] = days.get(int(time), 0) + int(count)
        first, total = Instant(min(days)), 0
        for time in sorted(days, reverse=True):
            total += days[time]
            if total > _MOST_ROWS and time + DAY > since:
                return Instant(min(time + DAY, until)), first, True
        return since, first, False

    def _history(self, book: Rulebook, since: Instant, until: Instant) -> tuple[list[tuple[KindWatch, Lived]], int]:
        roster = Roster(book, self._things)
        rows = _as_if_lived(self._series.scan(SeriesQuery(self._streams(book), since, Instant(until + 1))))
        past = [(roster.watches[kind], roster.watches[kind].relive(new, until)) for kind, new in roster.split(rows)]
        return past, rows.num_rows

    def _streams(self, book: Rulebook) -> tuple[int, ...]:
        wanted = {(kind, field.name) for kind, rules in book.by_kind.items() for field in rules.measured}
        return tuple(stream.no for stream in self._things.streams() if (stream.kind, stream.field) in wanted)

    def _told(self, limits: Rulebook, past: list[tuple[KindWatch, Lived]], since: Instant, until: Instant) -> tuple[Retold, ...]:
        pause = Duration(int(SWEEP * self._clock.speed))
        return tuple(
            Retold(state.rule.key, watch.entities[each.entity].id, each.began, each.told, each.cleared)
            for watch, lived in past
            for state in watch.states
            for each in watch.retell(state, lived, limits.parameters(state.rule.pack), pause)
            if since <= each.told <= until
        )


def _as_if_lived(rows: pa.Table) -> pa.Table:
    """Rows with imported ones (their sequence number is negative) as if each had come in when it was measured."""
    imported = rows["seq"].to_numpy() < 0
    came = np.where(imported, rows["time"].to_numpy(), rows["received"].to_numpy())
    return rows.set_column(rows.schema.get_field_index("received"), "received", pa.array(came, pa.int64()))
