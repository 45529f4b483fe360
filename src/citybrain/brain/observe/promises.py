"""Promises of streams that nobody promised anything of: proposed from what they sent, agreed on by a person, taken back by one.

A stream without a contract can be neither late nor stuck: it looks alive whatever becomes of it. What a pack declares, or a maker
states, is changed there and not here.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
from sqlalchemy import Connection, Row, func, insert, select
from sqlalchemy.exc import IntegrityError

from citybrain.brain.observe.learning import Learned, learn
from citybrain.brain.observe.registry import Registry
from citybrain.brain.observe.store import PROMISE
from citybrain.brain.observe.worded import UNMEASURED, promising
from citybrain.kernel.clock import Clock
from citybrain.kernel.errors import BadInputError, ConflictError, NotFoundError, StaleError
from citybrain.kernel.instant import DAY, Duration, Instant
from citybrain.kernel.observations import SeriesQuery
from citybrain.kernel.ports import Series, Transactions
from citybrain.kernel.text import Text
from citybrain.kernel.things import Contract, Stream

_DAYS: Final = 28
"""City days that are learned from: four whole weeks."""
_MOST: Final = 500_000
"""Readings that are learned from; where four weeks hold more, the newest days of them."""
_SHORTEST: Final = 4
"""Characters of a reason that can be one."""
_SIGNED: Final = frozenset(("Cel", "[degF]", "deg", "m"))
"""Units whose zero is no end: what was never below it may be."""
_MINUTES: Final = 24 * 60
_LONGEST: Final = 3660 * DAY
"""Ten years: nobody would notice a longer silence."""
_GREATEST: Final = 1e15
"""No quantity of a city is beyond it."""


class Promise(msgspec.Struct, frozen=True):
    """What was agreed on for a stream (its number), or that it was taken back (None); by whom, why and when."""

    no: int
    stream: int
    contract: Contract | None
    by: str
    why: str
    at: Instant
    wall: Instant


class Promises:
    """Proposals, and what became of them; every change is a new version, durable when it returns."""

    def __init__(self, registry: Registry, series: Series, transactions: Transactions[Connection], clock: Clock) -> None:
        self._registry = registry
        self._series = series
        self._transactions = transactions
        self._clock = clock

    def proposal(self, stream: Stream) -> Learned | None:
        """What the last four weeks of a stream promise; None where too little was sent."""
        until = Instant(self._clock.city() + 1)
        since = self._since(stream, until)
        found = self._series.scan(SeriesQuery((stream.no,), since, until))
        time, value = found["time"].to_numpy(), found["value"].to_numpy()
        sound = np.isfinite(value)
        learned = learn(time[sound], value[sound], below_nothing=stream.unit in _SIGNED)
        return learned if learned is None or stream.sort not in UNMEASURED else _silence(learned)

    def history(self, stream: Stream) -> tuple[Promise, ...]:
        """What was agreed on for a stream, newest first."""
        wanted = select(PROMISE).where(PROMISE.c.stream == stream.no).order_by(PROMISE.c.no.desc())
        with self._transactions.read() as connection:
            return tuple(_promise(row) for row in connection.execute(wanted))

    def version(self, stream: Stream) -> int:
        """The number of the newest version of a stream, 0 for none: what whoever changes it must have seen."""
        newest = self.history(stream)
        return newest[0].no if newest else 0

    def free(self, stream: Stream) -> bool:
        """Whether a promise may be agreed on here: nobody else made one."""
        return stream.contract == Contract() or self._registry.agreed(stream)

    def agree(self, stream: Stream, contract: Contract, seen: int, by: str, why: str) -> None:
        """Have a stream promise so much from now on, over the version that was seen.

        Raises BadInputError for a contract that contradicts itself or no reason, ConflictError for a stream whose contract is
        declared elsewhere, StaleError when somebody else was faster.
        """
        _sound(contract)
        if contract != promising(stream.sort, contract):
            what = Text("该监测项的结果不是数量，没有量程。", "The results of this stream are no quantities: it has no range.")
            raise BadInputError(what, field="high" if contract.low is None else "low")
        self._append(stream, contract, seen, by, why)

    def take_back(self, stream: Stream, seen: int, by: str, why: str) -> None:
        """Have a stream promise nothing again; raises as ``agree`` does, and BadInputError where nothing was agreed on."""
        if not self._registry.agreed(stream):
            raise BadInputError(Text("该监测项没有可撤回的约定。", "Nothing was agreed on for this stream."), field="why")
        self._append(stream, None, seen, by, why)

    def _append(self, stream: Stream, contract: Contract | None, seen: int, by: str, why: str) -> None:
        if len(why.strip()) < _SHORTEST:
            what = Text(f"请写明理由（至少 {_SHORTEST} 个字）。", f"Say why, in {_SHORTEST} characters at least.")
            raise BadInputError(what, field="why")
        try:
            self._registry.promise(
                stream.no, contract, lambda connection, held: self._write(connection, held, contract, seen, by, why)
            )
        except IntegrityError as error:
            raise _stale(seen) from error

    def _write(self, connection: Connection, stream: Stream, contract: Contract | None, seen: int, by: str, why: str) -> None:
        """Leave the record, for the stream as it is in this moment."""
        if stream.ended is not None:
            raise NotFoundError(Text("该监测项已停用。", "This stream has ended."), stream=stream.id)
        if not self.free(stream):
            what = Text(
                "该监测项的约定由应用包或接入方声明，请在声明处修改。",
                "The contract of this stream is declared by its pack or its maker: change it there.",
            )
            raise ConflictError(what, stream=stream.id)
        newest = select(func.coalesce(func.max(PROMISE.c.no), 0))
        have = int(connection.execute(newest.where(PROMISE.c.stream == stream.no)).scalar_one())
        if have != seen:
            raise _stale(seen)
        row = {
            "no": int(connection.execute(newest).scalar_one()) + 1,
            "stream": stream.no,
            "contract": None if contract is None else msgspec.json.encode(contract).decode(),
            "by": by,
            "why": why.strip(),
            "at": self._clock.city(),
            "wall": self._clock.wall(),
        }
        connection.execute(insert(PROMISE).values(row))

    def _since(self, stream: Stream, until: Instant) -> Instant:
        """Where four weeks begin, or the newest days that hold as many readings as are learned from."""
        days = self._series.scan(SeriesQuery((stream.no,), Instant(until - _DAYS * DAY), until, Duration(DAY)))
        begins, counts = days["time"].to_numpy()[::-1], days["count"].to_numpy()[::-1]
        enough = np.flatnonzero(np.cumsum(counts) >= _MOST)
        return Instant(int(begins[enough[0]])) if len(enough) else Instant(until - _DAYS * DAY)


def _silence(found: Learned) -> Learned:
    """Of a proposal what can be said of results that are no quantities: how often they come. A door that stays shut is not stuck."""
    contract = msgspec.structs.replace(found.contract, stuck_after=None, low=None, high=None)
    broken = msgspec.structs.replace(found.broken, stuck=0, out_of_range=0)
    return msgspec.structs.replace(found, contract=contract, broken=broken)


def _sound(contract: Contract) -> None:
    """Raises BadInputError, with the field, for a contract that promises nothing or contradicts itself."""
    wrong: Sequence[tuple[str, bool, Text]] = (
        ("every", not _promised(contract), Text("请至少填写一项约定。", "Promise at least one thing.")),
        (
            "every",
            _odd(contract.every),
            Text("上报间隔须大于 0，不超过十年。", "The interval must be above 0 and at most ten years."),
        ),
        (
            "silent_after",
            _odd(contract.silent_after) or _below(contract.silent_after, contract.every),
            Text(
                "中断时限须大于 0，不短于上报间隔，不超过十年。",
                "The silence must be above 0, no shorter than the interval and at most ten years.",
            ),
        ),
        (
            "stuck_after",
            _odd(contract.stuck_after) or _below(contract.stuck_after, contract.every),
            Text(
                "不变时限须大于 0，不短于上报间隔，不超过十年。",
                "The time of standing still must be above 0, no shorter than the interval and at most ten years.",
            ),
        ),
        ("low", _below(contract.high, contract.low), Text("量程下限不得高于上限。", "The lowest must not be above the highest.")),
        *(
            (
                name,
                limit is not None and not abs(limit) <= _GREATEST,
                Text("量程须为有限的数。", "A limit must be a finite number."),
            )
            for name, limit in (("low", contract.low), ("high", contract.high))
        ),
        (
            "opens",
            not _hours(contract),
            Text("上报时段须同时填写起止，且起早于止。", "Give both hours, the first before the second."),
        ),
    )
    for field, is_wrong, what in wrong:
        if is_wrong:
            raise BadInputError(what, field=field)


def _promised(contract: Contract) -> bool:
    """Whether anything is promised that this stream can keep by itself: to agree with neighbours is for packs to declare."""
    return contract.agrees is None and msgspec.structs.replace(contract, within=Contract().within) != Contract()


def _odd(span: int | None) -> bool:
    return span is not None and not 0 < span <= _LONGEST


def _below(one: float | None, other: float | None) -> bool:
    return one is not None and other is not None and one < other


def _hours(contract: Contract) -> bool:
    opens, closes = contract.opens, contract.closes
    return (opens is None) == (closes is None) and (opens is None or closes is None or 0 <= opens < closes <= _MINUTES)


def _promise(row: Row[tuple[object, ...]]) -> Promise:
    contract = None if row.contract is None else msgspec.json.decode(row.contract, type=Contract)
    return Promise(row.no, row.stream, contract, row.by, row.why, Instant(row.at), Instant(row.wall))


def _stale(seen: int) -> StaleError:
    what = Text("约定已被他人更新，请刷新后再试。", "Somebody else changed the promise meanwhile. Reload and try again.")
    return StaleError(what, seen=seen)
