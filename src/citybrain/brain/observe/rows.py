"""Reading what a door was sent: JSON bytes in, columns out, with a refusal for each row that has not the shape of one.

One typed decode takes the good case; only a body that fails it is read row by row, so that one bad row spoils no other.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, TypeAlias

import msgspec
import numpy as np

from citybrain.kernel.errors import UnreadableError
from citybrain.kernel.instant import at
from citybrain.kernel.observations import Floats, Ints, Refusal
from citybrain.kernel.text import Json, Text


class _Row(msgspec.Struct, gc=False):
    stream: str
    time: Annotated[datetime, msgspec.Meta(tz=True)]
    value: float
    unit: str | None = None


class _Observations(msgspec.Struct, gc=False):
    observations: list[_Row]


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of a sending, by column (n,): stream ids, times in µs UTC, values, units where given (None: as the stream has it).

    ``row`` is each one's place in the sending, counted from 0; ``refused`` are the rows that could not be read.
    """

    streams: Sequence[str]
    time: Ints
    value: Floats
    units: Sequence[str | None] | None
    row: Ints
    refused: tuple[Refusal, ...] = ()

    @property
    def sent(self) -> int:
        """All rows of the sending."""
        return len(self.time) + len(self.refused)


_Body: TypeAlias = _Observations | list[_Row]
_FAST: msgspec.json.Decoder[_Body] = msgspec.json.Decoder(_Body)
_MICRO = 1_000_000


def read_rows(body: bytes) -> Rows:
    """Read ``{"observations": [{"stream", "time", "value", "unit"?}, …]}`` or the bare list; raises UnreadableError."""
    try:
        decoded = _FAST.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return _one_by_one(body)
    rows = decoded if isinstance(decoded, list) else decoded.observations
    units = [row.unit for row in rows]
    return Rows(
        [row.stream for row in rows],
        _micros([row.time for row in rows]),
        np.array([row.value for row in rows], np.float64),
        units if any(units) else None,
        np.arange(len(rows)),
    )


def _micros(times: list[datetime]) -> Ints:
    """Whole µs: a double holds seconds of this century to a quarter of a µs, so rounding gives them exactly."""
    seconds = np.fromiter(map(datetime.timestamp, times), np.float64, len(times))
    return np.rint(seconds * _MICRO).astype(np.int64)


def _one_by_one(body: bytes) -> Rows:
    listed = _listed(body)
    streams: list[str] = []
    times: list[int] = []
    values: list[float] = []
    units: list[str | None] = []
    rows: list[int] = []
    refused: list[Refusal] = []
    for number, raw in enumerate(listed):
        read = _read(raw)
        if isinstance(read, tuple):
            refused.append(Refusal(number, *read))
            continue
        streams.append(read.stream)
        times.append(at(read.time))
        values.append(read.value)
        units.append(read.unit)
        rows.append(number)
    return Rows(streams, np.array(times, np.int64), np.array(values), units, np.array(rows, np.int64), tuple(refused))


def _listed(body: bytes) -> list[Json]:
    """The rows as plain JSON; NaN and Infinity, which many senders write, are let in here to be refused by name."""
    try:
        # msgspec refuses a whole body for one NaN, the standard library reads on.
        decoded: Json = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _unreadable(str(error)) from error
    listed = decoded.get("observations") if isinstance(decoded, dict) else decoded
    if not isinstance(listed, list):
        raise _unreadable("no list of observations")
    return listed


def _read(raw: Json) -> _Row | tuple[str, str]:
    """The row, or the code and words of its refusal."""
    if not isinstance(raw, dict) or not isinstance(raw.get("stream"), str):
        return "bad_row", "A row needs a stream, a time and a value."
    value, unit = raw.get("value"), raw.get("unit")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "bad_value", "The value is no number."
    if unit is not None and not isinstance(unit, str):
        return "wrong_unit", "The unit is no UCUM code."
    try:
        number = float(value)
        time = msgspec.convert(raw.get("time"), Annotated[datetime, msgspec.Meta(tz=True)])
        at(time)
    except msgspec.ValidationError:
        return "bad_time", "The time is no RFC 3339 instant with an offset, such as 2026-11-22T07:00:00Z."
    except OverflowError:
        return "not_a_number", "The value is too great to be held."
    if not math.isfinite(number):
        return "not_a_number", "The value is not a finite number."
    return _Row(str(raw["stream"]), time, number, unit)


def _unreadable(why: str) -> UnreadableError:
    what = Text(
        f'内容不是观测数据的 JSON：{why}。应为 {{"observations": [{{"stream", "time", "value"}}]}}。',
        f'The body is no JSON of observations: {why}. Expected {{"observations": [{{"stream", "time", "value"}}]}}.',
    )
    return UnreadableError(what, why=why)
