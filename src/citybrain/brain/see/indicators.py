"""Indicators: declared once, computed from facts and latest values, kept as figures that know how fresh and how sure they are."""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from math import isnan
from typing import TypeVar

import pyarrow as pa
import structlog
from sqlalchemy import Connection

from citybrain.brain.see import behind, figures, wording
from citybrain.brain.see.facts import STATES
from citybrain.brain.see.folds import Folds
from citybrain.brain.see.house import HOUSE
from citybrain.brain.see.pace import Pace
from citybrain.brain.see.tables import IbisTables, Plan, plan
from citybrain.kernel.clock import Clock
from citybrain.kernel.datasets import Edge, Figure
from citybrain.kernel.errors import DeclarationError, NotFoundError
from citybrain.kernel.instant import Instant
from citybrain.kernel.pack import Indicator, Pack
from citybrain.kernel.places import Area
from citybrain.kernel.ports import Facts, Transactions
from citybrain.kernel.text import Json, Text
from citybrain.kernel.things import Origin

log = structlog.get_logger()
T = TypeVar("T")


def no_areas() -> Sequence[Area]:
    """No areas: figures are of the district alone."""
    return ()


class Indicators:
    """All indicators of the house and the packs; ``streams`` hands over the latest values (tables.STREAM)."""

    def __init__(
        self,
        packs: Sequence[Pack],
        facts: Facts,
        streams: Callable[[], pa.Table],
        clock: Clock,
        transactions: Transactions[Connection],
        areas: Callable[[], Sequence[Area]] = no_areas,
    ) -> None:
        self._declared = _declared(packs)
        self._facts = facts
        self._folds = Folds(facts)
        self._streams = streams
        self._clock = clock
        self._transactions = transactions
        self._areas = areas
        self._pace = Pace()
        self._turns = deque(self._declared.values())
        self._plans: dict[str, Plan] = {}
        self._newest: dict[str, tuple[Figure, ...]] = {}
        self.made = 0
        """How often figures were made: it changes with them."""
        self._lock = threading.Lock()

    def all(self) -> tuple[Indicator, ...]:
        """Every indicator, the house's own first."""
        return tuple(self._declared.values())

    def indicator(self, name: str) -> Indicator:
        """An indicator by name; raises NotFoundError."""
        try:
            return self._declared[name]
        except KeyError:
            raise NotFoundError(Text(f"没有指标“{name}”。", f"There is no indicator '{name}'."), indicator=name) from None

    def touch(self) -> None:
        """Latest values have changed: figures of streams are due again."""
        self._pace.touch("stream")

    def run_once(self) -> int:
        """Compute what is due (at most once a wall second each, on every change, and each city hour); returns how many indicators."""
        count = 0
        while self.run_next():
            count += 1
        return count

    def run_next(self) -> bool:
        """Compute the next indicator that is due, each in its turn; whether there was one.

        One at a time: all together would keep the alerts waiting for as long as they take.
        """
        now, wall = self._clock.city(), self._clock.wall()
        versions = {name: sum(map(self._facts.position, parts)) for name, parts in STATES.items()}
        for _ in range(len(self._turns)):
            one = self._turns[0]
            self._turns.rotate(-1)
            if self._pace.due(one.name, wanted(one), versions, wall, now):
                self._keep(one, self._measured(one, self._tables(now)))
                return True
        return False

    def hold(self, found: Iterable[Figure]) -> None:
        """Hold the newest figures that another process has made; for one that makes none itself."""
        held: dict[str, tuple[Figure, ...]] = {}
        for figure in found:
            held[figure.indicator] = (*held.get(figure.indicator, ()), figure)
        self._newest.update(held)
        self.made += 1

    def compute(self, name: str, at: Instant | None = None) -> tuple[Figure, ...]:
        """The figures of an indicator now, or as the facts stood at an instant, district first.

        Now is kept in the history, the past is only answered. Latest values are always those of now: raises BadInputError for
        the past of a figure that rests on streams, whose past stands in ``history``.
        """
        one, now = self.indicator(name), self._clock.city()
        if at is None or at >= now:
            return self._keep(one, self._measured(one, self._tables(now)))
        if "stream" in wanted(one):
            raise wording.no_past(one)
        return self._measured(one, self._tables(at))

    def figures(self) -> tuple[Figure, ...]:
        """The newest figures of every indicator, in the order of declaration, the district first."""
        return tuple(figure for name in self._declared for figure in self.of(name))

    def of(self, name: str, at: Instant | None = None) -> tuple[Figure, ...]:
        """The newest figures of an indicator, or those that were shown at an instant; raises NotFoundError."""
        self.indicator(name)
        if at is None and name in self._newest:
            return self._newest[name]
        with self._transactions.read() as connection:
            return figures.of(connection, name, at)

    def history(self, name: str, since: Instant, until: Instant | None = None, area: str | None = None) -> tuple[Figure, ...]:
        """The figures shown in [since, until), oldest first, of the district or an area; a step lasts until the next."""
        self.indicator(name)
        end = Instant(self._clock.city() + 1) if until is None else until
        with self._transactions.read() as connection:
            return figures.between(connection, name, area, since, end)

    def rows(self, name: str, area: str | None = None, limit: int = 1000) -> tuple[dict[str, Json], ...]:
        """The rows behind an indicator as they are now: cases, alerts or streams, of the district or an area; raises NotFoundError."""
        tables = self._tables(self._clock.city())
        return behind.rows(tables, self.indicator(name), area, limit)

    def rested(self, name: str, shown: Sequence[Figure], ask: Callable[[Sequence[str], Sequence[Instant]], Sequence[T]]) -> list[T]:
        """For each of the figures of an indicator (n,) what ``ask`` says of the streams it counts and when it was computed.

        Nothing, (0,), for an indicator that counts no streams.
        """
        counted = behind.streams(self._tables(self._clock.city()), self.indicator(name))
        if not counted:
            return []
        said: dict[int, T] = {}
        for area in {figure.area for figure in shown}:
            own = [place for place, figure in enumerate(shown) if figure.area == area]
            names = [stream for stream, of in counted if area is None or of.startswith(area)]
            said |= zip(own, ask(names, [shown[place].computed for place in own]), strict=True)
        return [said[place] for place in range(len(shown))]

    def edges(self) -> tuple[Edge, ...]:
        """Lineage: from each input (a table, or ``kind.field``) to the figure it makes."""
        return tuple(
            Edge(given.removeprefix("stream:"), f"figure:{one.name}", f"indicator {one.name} v{one.version}")
            for one in self.all()
            for given in one.inputs
        )

    def _measured(self, one: Indicator, tables: IbisTables) -> tuple[Figure, ...]:
        origin: Origin = tables.origin(wanted(one))
        try:
            found = tables.answer(self._plan(one, tables)).to_pylist()
        except Exception:
            # A fence around the measures of packs: one that fails has no value and says so, the others go on.
            log.exception("indicator_failed", indicator=one.name, version=one.version)
            return (Figure(one.name, one.version, None, None, 0, wording.FAILED, tables.now, tables.now, origin),)
        made = (_figure(one, row, tables.now, origin) for row in found)
        return tuple(sorted(made, key=lambda figure: figure.area or ""))

    def _plan(self, one: Indicator, tables: IbisTables) -> Plan:
        """What to ask for an indicator; kept where it does not depend on the time, for building costs more than asking."""
        known = self._plans.get(one.name)
        if known is None:
            known = plan(one.measure(tables))
            if tables.timeless:
                self._plans[one.name] = known
        return known

    def _keep(self, one: Indicator, made: tuple[Figure, ...]) -> tuple[Figure, ...]:
        with self._lock, self._transactions.begin() as tx:
            figures.keep(tx.connection, made)
            self._newest[one.name] = made
            self.made += 1
        return made

    def _tables(self, now: Instant) -> IbisTables:
        return IbisTables(self._facts, self._streams, self._areas, now, self._folds)


def wanted(one: Indicator) -> tuple[str, ...]:
    """The tables an indicator reads: its inputs before the colon (``stream:air_station.pm25`` reads ``stream``)."""
    return tuple(dict.fromkeys(given.partition(":")[0] for given in one.inputs))


def _declared(packs: Sequence[Pack]) -> dict[str, Indicator]:
    found = {one.name: one for one in HOUSE}
    for pack in packs:
        for one in pack.indicators:
            if one.name in found:
                what = Text(
                    f"应用包 {pack.name} 的指标“{one.name}”与已有指标重名。",
                    f"Pack {pack.name}: there is an indicator '{one.name}' already. Choose another name.",
                )
                raise DeclarationError(what, pack=pack.name, indicator=one.name)
            found[one.name] = one
    return found


def _figure(one: Indicator, row: Mapping[str, object], now: Instant, origin: Origin) -> Figure:
    row = {**row, **{name: _whole(row.get(name)) for name in ("unknown", "as_of", "silent_since", "closed")}}
    value, unknown, area, as_of = row["value"], row["unknown"], row["area"], row.get("as_of")
    known = float(value) if isinstance(value, int | float | Decimal) and not isnan(value) else None
    return Figure(
        indicator=one.name,
        version=one.version,
        area=area if isinstance(area, str) else None,
        value=known,
        unknown=unknown if isinstance(unknown, int) else 0,
        reason=wording.reason(row, missing=known is None, now=now),
        as_of=Instant(as_of) if isinstance(as_of, int) else now,
        computed=now,
        origin=origin,
    )


def _whole(cell: object) -> int | None:
    """A count or a time; sums come back wider than 64 bits."""
    return int(cell) if isinstance(cell, int | float | Decimal) else None
