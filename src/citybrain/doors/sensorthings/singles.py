"""What devices send most, answered before the routes: one reading to ``Observations``, or arrays of them to ``CreateObservations``.

Of plain bodies for streams that the device may write; everything else, and what cannot be stored, is left to the routes: the
answers are the same. Readings that arrive together are stored together.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache, partial
from typing import Annotated, Final, NamedTuple

import msgspec
import numpy as np

from citybrain.brain.observe import AS_BEFORE, Rows, Together, plausible
from citybrain.doors.sensorthings import answers, links, saying, sending
from citybrain.doors.sensorthings.keeping import Keeping
from citybrain.doors.sensorthings.openapi import PROBLEM
from citybrain.doors.sensorthings.parts import SensorThingsParts
from citybrain.doors.sensorthings.paths import ROOT, Segment, segments
from citybrain.doors.sensorthings.writing import DOOR, FEATURE, Writer, refused
from citybrain.kernel.access import Caller
from citybrain.kernel.errors import CityError
from citybrain.kernel.instant import Instant, at

_ENDING: Final = b"Observations"
_ARRAYS: Final = "CreateObservations"
_LARGEST: Final = 4096
"""Bytes of a body that is read here; a greater one is no single reading."""
_LARGEST_ARRAYS: Final = 1_048_576
_TOGETHER: Final = 1000
"""Readings that are stored together at most."""
_ACTION: Final = "observation.write"


class _Reference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str = msgspec.field(name="@iot.id")


class _Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An observation as most devices send it."""

    result: float
    time: Annotated[datetime, msgspec.Meta(tz=True)] | None = msgspec.field(name="phenomenonTime", default=None)
    datastream: _Reference | None = msgspec.field(name="Datastream", default=None)


_PROBLEM: Final = ((b"content-type", PROBLEM.encode()), (b"cache-control", b"no-store"))
_BODY: Final = msgspec.json.Decoder(_Body)


class _Named(NamedTuple):
    """What an address takes: arrays of readings, or one, of the Datastream that it names if it does."""

    arrays: bool
    stream: str | None


class _Answer(NamedTuple):
    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()


class Aim(NamedTuple):
    """What an address takes: the action that it is, the bytes of a body at most, and what answers one; None leaves it to the routes."""

    action: str
    largest: int
    answer: Callable[[Caller, str, Mapping[bytes, bytes], bytes], Awaitable[_Answer | None]]
    """Given who sends, scheme and host, the headers and the body."""


class _Reading(NamedTuple):
    stream: str
    time: Instant
    value: float
    said: str | None


class Singles:
    """The ways of the door."""

    def __init__(self, parts: SensorThingsParts) -> None:
        self._parts = parts
        self._together = Together(self._store, _TOGETHER)

    def aim(self, raw: bytes) -> Aim | None:
        """What a path takes; None for one that takes neither single readings nor arrays."""
        named = _named(raw) if raw.endswith(_ENDING) else None
        if named is None:
            return None
        if named.arrays:
            return Aim(_ACTION, _LARGEST_ARRAYS, self._many)
        return Aim(_ACTION, _LARGEST, partial(self._one, named.stream))

    async def _many(self, caller: Caller, host: str, _headers: Mapping[bytes, bytes], sent: bytes) -> _Answer | None:
        """The answer to arrays of readings; None for those that are not stored here."""
        parts = self._parts
        writer = Writer(parts.intake, parts.accounts, caller, parts.registry.stream_numbers(), None)
        try:
            told = await writer.arrays(sent, None, links.around(host, "Observations"))
        except CityError:
            # Nothing was stored: the routes try again, and say what is wrong.
            return None
        return None if told is None else _Answer(201, told)

    async def _one(
        self, stream: str | None, caller: Caller, host: str, _headers: Mapping[bytes, bytes], sent: bytes
    ) -> _Answer | None:
        """The answer to one reading, of the Datastream that the address names; None for what is not stored here."""
        found = await self._stored(stream, caller, sent)
        if isinstance(found, CityError):
            return _Answer(found.status, msgspec.json.encode(answers.told(found, english=False)), _PROBLEM)
        return None if found is None else _Answer(201, b"", ((b"location", links.entity(host, "Observations", found).encode()),))

    async def _stored(self, addressed: str | None, caller: Caller, sent: bytes) -> str | CityError | None:
        """The id of the reading that a body holds, when it is durable, or why it was refused; None for what is not stored here."""
        found = _read(sent)
        if found is None:
            return None
        body, said = found
        named = None if body.datastream is None else body.datastream.id
        stream = addressed or named
        if stream is None or named not in (None, stream):
            return None
        number = self._parts.registry.stream_numbers().get(stream)
        if number is None or not self._parts.accounts.may_write(caller, stream):
            return None
        now = self._parts.clock.city()
        time = now if body.time is None else at(body.time)
        if not plausible(time, now):
            return None
        if said is None and number not in self._parts.featured.recalled:
            said = AS_BEFORE
        denied, place = await self._together.put(_Reading(stream, time, body.result, said))
        if denied is None:
            return None
        # It stands in the ledger by now: the routes would enter it there once more.
        return denied.get(place, f"{number}.{time}")

    async def _store(self, group: Sequence[_Reading]) -> Mapping[int, CityError] | None:
        """Store readings together; the places of those that were refused, and why. None where nothing was stored."""
        times = np.array([reading.time for reading in group], np.int64)
        values = np.array([reading.value for reading in group], np.float64)
        rows = Rows([reading.stream for reading in group], times, values, None, np.arange(len(group)))
        told = any(reading.said != AS_BEFORE for reading in group)
        takes = Keeping(self._parts, lambda row: (AS_BEFORE, group[row].said)) if told else self._parts.intake
        try:
            verdict = await takes.take(rows, DOOR, None)
        except CityError:
            # Nothing was stored: the routes try each again by itself, and say what is wrong.
            return None
        return {one.row: refused(one) for one in verdict.refused}


def _read(sent: bytes) -> tuple[_Body, str | None] | None:
    """The observation of a body, and what else it says; None for what the routes have to judge."""
    try:
        return _BODY.decode(sent), AS_BEFORE
    except (msgspec.MsgspecError, UnicodeDecodeError):
        pass
    try:
        fields = msgspec.json.decode(sent)
        if not isinstance(fields, dict) or FEATURE in fields:
            return None
        return msgspec.convert(sending.bare(fields), _Body), saying.said(fields)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, CityError):
        return None


@lru_cache(maxsize=4096)
def _named(raw: bytes) -> _Named | None:
    """What a path below the root takes; None for one that takes neither single readings nor arrays."""
    if not raw.startswith(ROOT.encode()):
        return None
    try:
        found = segments(raw.decode("ascii"))
    except (CityError, UnicodeDecodeError):
        return None
    match found:
        case (Segment(name, None),) if name == _ARRAYS:
            return _Named(arrays=True, stream=None)
        case (Segment("Observations", None),):
            return _Named(arrays=False, stream=None)
        case (Segment("Datastreams", str(key)), Segment("Observations", None)) if key:
            return _Named(arrays=False, stream=key)
        case _:
            return None
