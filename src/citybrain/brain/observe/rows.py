"""Reading what a door was sent: JSON in, columns out, with a refusal for each row that has not the shape of one.

One typed decode takes the good case; only a body that fails it is read row by row, so that one bad row spoils no other.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Annotated, Final, Literal, TypeAlias

import msgspec
import numpy as np

from citybrain.kernel.errors import CityError, UnreadableError
from citybrain.kernel.instant import SECOND, at
from citybrain.kernel.observations import Floats, Ints, Refusal
from citybrain.kernel.text import Json, Text

_Time: TypeAlias = Annotated[datetime, msgspec.Meta(tz=True)]
_Stored: TypeAlias = Literal["measured", "computed", "corrected"]
"""What a row that was read from here says that it is, where there is a reading."""
_NONE: Final = ("struck", "estimated")
Reason: TypeAlias = tuple[str, Text]
"""The code of a refusal, which programs go by, and its words."""
SHAPELESS: Final = "bad_row", Text("每行须有 stream、time、value 三项。", "A row needs a stream, a time and a value.")
_NO_NUMBER: Final = "bad_value", Text("值不是数。", "The value is no number.")
_NO_UNIT: Final = "wrong_unit", Text("unit 不是 UCUM 单位代码。", "The unit is no UCUM code.")
_NO_TIME: Final = (
    "bad_time",
    Text(
        "time 须为带时区的 RFC 3339 时刻，如 2026-11-22T07:00:00Z。",
        "The time is no RFC 3339 instant with an offset, such as 2026-11-22T07:00:00Z.",
    ),
)
_TOO_GREAT: Final = "not_a_number", Text("值过大，无法保存。", "The value is too great to be held.")
INFINITE: Final = "not_a_number", Text("值不是有限的数。", "The value is not a finite number.")
_NO_READING: Final = (
    "no_reading",
    Text(
        "该行是估计值或已作废的读数，并未测得。", "The row is an estimate, or a reading that was struck out: nothing was measured."
    ),
)
UNREAD: Final[tuple[Reason, ...]] = (SHAPELESS, _NO_READING, _NO_NUMBER, _NO_UNIT, _NO_TIME, _TOO_GREAT, INFINITE)
"""Why a row cannot be read."""


class _Row(msgspec.Struct, gc=False):
    stream: str
    time: str
    value: float
    unit: str | None = None
    word: None = None
    mark: _Stored | None = None


class _Observations(msgspec.Struct, gc=False):
    observations: list[_Row]


@dataclass(frozen=True, slots=True)
class _Read:
    stream: str
    time: int
    value: float
    unit: str | None
    said: Json = None


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of a sending, by column (n,): stream ids, times in µs UTC, values, units where given (None: as the stream has it).

    ``row`` is each one's place in the sending, counted from 0; ``refused`` are the rows that could not be read. ``said`` gives by that
    place the values that are no numbers, in whose stead NaN stands: whether the stream takes them is for the intake to judge.
    """

    streams: Sequence[str]
    time: Ints
    value: Floats
    units: Sequence[str | None] | None
    row: Ints
    refused: tuple[Refusal, ...] = ()
    said: Mapping[int, Json] = field(default_factory=dict)

    @property
    def sent(self) -> int:
        """All rows of the sending."""
        return len(self.time) + len(self.refused)

    @property
    def infinite(self) -> tuple[Refusal, ...]:
        """The refusals of rows whose value is said to be a number and is no finite one."""
        return tuple(Refusal(row, *INFINITE) for row in self.row[~np.isfinite(self.value)].tolist() if row not in self.said)


_Body: TypeAlias = _Observations | list[_Row]
_FAST: msgspec.json.Decoder[_Body] = msgspec.json.Decoder(_Body)
_LINES = msgspec.json.Decoder(_Row)


def read_rows(body: bytes) -> Rows:
    """Read ``{"observations": [{"stream", "time", "value", "unit"?}, …]}`` or the bare list; raises UnreadableError.

    Rows as they were read from here are taken too: ``word``, where it says something, is the value, and ``mark`` must be of a reading.
    """
    try:
        decoded = _FAST.decode(body)
        return _columns(decoded if isinstance(decoded, list) else decoded.observations)
    except (msgspec.MsgspecError, UnicodeDecodeError, OverflowError):
        return read_each(_listed(body))


def read_series(streams: Sequence[str], times: list[str], values: list[float]) -> Rows | None:
    """Columns (n,) of the right types as rows; None where a time is no instant or a value is too great, to be read one by one then."""
    try:
        return Rows(streams, _micros(times), np.array(values, np.float64), None, np.arange(len(times)))
    except (msgspec.ValidationError, OverflowError):
        return None


def whole(rows: Rows, pieces: Sequence[int]) -> Rows:
    """The rows of whole pieces: with one that was refused, or is no finite number, all of its piece are, and for its reason.

    ``pieces`` (sent,) says of each row of the sending which piece it is of.
    """
    bad = {pieces[each.row]: each for each in (*rows.infinite, *reversed(rows.refused))}
    if not bad:
        return rows
    kept = np.array([pieces[row] not in bad for row in rows.row.tolist()], np.bool_)
    places = np.flatnonzero(kept).tolist()
    units = None if rows.units is None else [rows.units[place] for place in places]
    beside = ((row, bad[pieces[row]]) for row in rows.row[~kept].tolist())
    refused = (*rows.refused, *(Refusal(row, each.code, each.why) for row, each in beside))
    streams = [rows.streams[place] for place in places]
    return Rows(streams, rows.time[kept], rows.value[kept], units, rows.row[kept], refused, rows.said)


def read_lines(body: bytes) -> Rows:
    """Read one object a line (NDJSON); empty lines are passed over and not counted. A broken line is refused alone."""
    try:
        return _columns(_LINES.decode_lines(body))
    except (msgspec.MsgspecError, UnicodeDecodeError, OverflowError):
        return read_each(lenient(line) for line in body.splitlines() if line.strip())


def lenient(body: bytes) -> Json:
    """JSON as plain values, with NaN and Infinity, which many senders write and a row is refused for alone; None for what is no JSON."""
    try:
        decoded: Json = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return decoded


def unread(why: CityError) -> Rows:
    """A sending of which no row was read, as one row that is refused: for a door whose sender is told nothing."""
    return replace(read_each(()), refused=(Refusal(0, why.code, why.what),))


def because(refusal: Refusal) -> str:
    """The code of a refusal and its words in both languages, for answers and logs that have one line for it."""
    return f"{refusal.code}: {refusal.why.zh} {refusal.why.en}"


def read_each(listed: Iterable[Json]) -> Rows:
    """Rows as plain values, read one by one."""
    read: list[_Read] = []
    rows: list[int] = []
    refused: list[Refusal] = []
    for number, raw in enumerate(listed):
        found = _read(raw)
        if isinstance(found, tuple):
            refused.append(Refusal(number, *found))
        else:
            read.append(found)
            rows.append(number)
    return Rows(
        [each.stream for each in read],
        np.array([each.time for each in read], np.int64),
        np.array([each.value for each in read], np.float64),
        [each.unit for each in read],
        np.array(rows, np.int64),
        tuple(refused),
        {row: each.said for row, each in zip(rows, read, strict=True) if each.said is not None},
    )


def _columns(rows: list[_Row]) -> Rows:
    """Rows of the right shape as columns; raises msgspec.ValidationError and OverflowError for their times."""
    times = _micros([row.time for row in rows])
    units = [row.unit for row in rows]
    return Rows(
        [row.stream for row in rows],
        times,
        np.array([row.value for row in rows], np.float64),
        units if any(units) else None,
        np.arange(len(rows)),
    )


def _micros(times: list[str]) -> Ints:
    """Whole µs of RFC 3339 instants (n,); raises msgspec.ValidationError, OverflowError."""
    # Each instant is read once: a gateway sends many things as they stood together.
    once = set(times)
    different = times if len(once) == len(times) else list(once)
    # A double holds seconds of this century to a quarter of a µs, so rounding gives them exactly.
    seconds = np.fromiter(map(datetime.timestamp, msgspec.convert(different, list[_Time])), np.float64, len(different))
    micros = np.rint(seconds * SECOND).astype(np.int64)
    if different is times:
        return micros
    known = dict(zip(different, micros.tolist(), strict=True))
    return np.fromiter(map(known.__getitem__, times), np.int64, len(times))


def _listed(body: bytes) -> list[Json]:
    """The rows as plain JSON; NaN and Infinity, which many senders write, are let in here to be refused by name."""
    try:
        # msgspec refuses a whole body for one NaN, the standard library reads on.
        decoded: Json = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise unreadable(str(error)) from error
    listed = decoded.get("observations") if isinstance(decoded, dict) else decoded
    if not isinstance(listed, list):
        raise unreadable("no list of observations")
    return listed


def _read(raw: Json) -> _Read | Reason:
    """The row, or why it is refused."""
    if not isinstance(raw, dict) or not isinstance(raw.get("stream"), str):
        return SHAPELESS
    if raw.get("mark") in _NONE:
        return _NO_READING
    # What was read from here says the result of an unlike stream beside the number that stands for it.
    value, unit = raw.get("value") if raw.get("word") is None else raw["word"], raw.get("unit")
    if value is None:
        return _NO_NUMBER
    said = None if isinstance(value, int | float) and not isinstance(value, bool) else value
    if unit is not None and not isinstance(unit, str):
        return _NO_UNIT
    try:
        number = float(value) if said is None and isinstance(value, int | float) else math.nan
        instant = at(msgspec.convert(raw.get("time"), _Time))
    except msgspec.ValidationError:
        return _NO_TIME
    except OverflowError:
        return _TOO_GREAT
    if said is None and not math.isfinite(number):
        return INFINITE
    return _Read(str(raw["stream"]), instant, number, unit, said)


def unreadable(why: str) -> UnreadableError:
    """A body of which not even the rows can be told apart."""
    what = Text(
        f"内容不是观测数据：{why}。应含 stream、time、value 三项，格式见接入说明。",
        f"The body is no set of observations: {why}. Each row holds stream, time and value; the how-to shows the forms.",
    )
    return UnreadableError(what, why=why)
