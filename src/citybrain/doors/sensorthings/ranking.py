"""Observations of Datastreams whose results are words, or true and false: in the order of what they say, and found by what is asked of that.

The list of words is looked through, which is bounded, and readings are asked for by their codes: a history is read no further than a page.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from citybrain.brain.observe import Registry
from citybrain.doors.sensorthings import spans
from citybrain.doors.sensorthings.refusals import not_held, wrong
from citybrain.doors.sensorthings.results import some
from citybrain.doors.sensorthings.shape import Row
from citybrain.kernel.access import Order, Query
from citybrain.kernel.instant import Instant, parse
from citybrain.kernel.ports import Reader
from citybrain.kernel.predicate import Compare, Predicate, both
from citybrain.kernel.text import Json

MOST: Final = 100_000
"""Words that are put in order."""
_SIZE: Final = 16_000_000
"""Characters that all of them take."""
_NAMED: Final = 5000
"""Words that a question names."""
_PAGE: Final = 1000
_FIRST: Final = 64
"""Words that are asked for at once, as long as nothing is known of how often they are said."""
_DIGITS: Final = 18
_INNER: Final = "c"
"""What stands before a mark of the store."""


class Word(NamedTuple):
    """What readings of a stream may say, and the code that stands for it in the store."""

    stream: str
    no: int
    code: int
    value: Json


class _Mark(NamedTuple):
    """A word, and where its readings are gone on with: before a time (µs), or at a mark of the store; at the first where both are None."""

    no: int
    code: int
    time: int | None = None
    inner: str | None = None


def words(registry: Registry, streams: Sequence[str], most: int = MOST) -> list[Word] | None:
    """All that streams say; None for more than is looked through."""
    known = [registry.stream(name) for name in streams]
    found = [Word(stream.id, stream.no, int(value), value) for stream in known if stream.sort == "truth" for value in (False, True)]
    listed = registry.worded.listed([stream.no for stream in known if stream.sort != "truth"], most, _SIZE)
    names = {stream.no: stream.id for stream in known}
    return None if listed is None else found + [Word(names[no], no, code, value) for no, code, value in listed]


def saying(listed: Sequence[Word], fits: Callable[[Json], bool]) -> Predicate | None:
    """The readings whose words fit; None where those are more than a question names."""
    found = [word for word in listed if fits(word.value)]
    return _of(found) if len(found) <= _NAMED else None


def ranked(
    reader: Reader,
    listed: Sequence[Word] | None,
    rank: Callable[[Json], tuple[int, float, str]],
    rest: Predicate,
    limit: int,
    cursor: str | None,
    *,
    descending: bool,
) -> tuple[list[Row], str | None]:
    """At most ``limit`` readings in the order of what they say, of one word the newest first, and the mark of those after.

    Raises 501 for more words than are put in order, BadInputError for a mark that is none.
    """
    if listed is None:
        raise not_held(
            f"这些数据流的取值超过 {MOST} 个，不能按结果排列：请以 Datastream/id 筛选。",
            f"These Datastreams have more than {MOST} words and are not ordered by result. Filter by Datastream/id.",
        )
    order = sorted(listed, key=lambda word: (rank(word.value), word.no, word.code), reverse=descending)
    mark = None if cursor is None else _mark(cursor)
    at = 0 if mark is None else next((place for place, word in enumerate(order) if word[1:3] == mark[:2]), len(order))
    found: list[Row] = []
    size = _FIRST if mark is None or mark[2:] == (None, None) else 1
    while at < len(order) and len(found) < limit:
        part = order[at : at + size]
        page = reader.read(_query(part, rest, mark))
        if page.next is not None and len(part) > 1:
            # Too many to be put in order here: fewer words at a time, in the end one, whose readings come in order.
            size = max(1, size // 8)
            continue
        places = {(word.stream, word.code): place for place, word in enumerate(part)}
        rows = sorted(page.rows, key=lambda row: places[str(row["stream"]), _code(row)])
        taken = rows[: limit - len(found)]
        found += taken
        if len(taken) < len(rows):
            last = taken[-1]
            here = part[places[str(last["stream"]), _code(last)]]
            return found, f"{here.no}.{here.code}.{parse(str(last['time']))}"
        if page.next is not None:
            return found, f"{part[0].no}.{part[0].code}.{_INNER}{page.next}"
        at, mark, size = at + len(part), None, min(_PAGE, size * 2)
    return found, None if at >= len(order) else f"{order[at].no}.{order[at].code}."


def _query(part: Sequence[Word], rest: Predicate, mark: _Mark | None) -> Query:
    before = None if mark is None or mark.time is None else Compare("time", "lt", spans.written(Instant(mark.time)))
    where = both(_of(part), rest if before is None else both(rest, before))
    return Query("observation", where, Order("time", descending=True), _PAGE, None if mark is None else mark.inner)


def _of(part: Sequence[Word]) -> Predicate:
    codes: dict[str, list[float]] = {}
    for word in part:
        codes.setdefault(word.stream, []).append(float(word.code))
    return some([((stream,), Compare("value", "in", tuple(each))) for stream, each in codes.items()])


def _code(row: Row) -> int:
    value = row["value"]
    return int(value) if isinstance(value, int | float) else -1


def _mark(cursor: str) -> _Mark:
    no, _, rest = cursor.partition(".")
    code, dot, place = rest.partition(".")
    inner = place.removeprefix(_INNER) if place.startswith(_INNER) else None
    numbers = (no, code, *([place] if place and inner is None else []))
    if not dot or not all(part.isascii() and part.isdigit() and len(part) < _DIGITS for part in numbers):
        raise _unread()
    return _Mark(int(no), int(code), int(place) if place and inner is None else None, inner)


def _unread() -> Exception:
    return wrong("$skiptoken 无法识别，请从第一页开始。", "$skiptoken cannot be read. Start from the first page.", "$skiptoken")
