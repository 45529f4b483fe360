"""Observations of more Datastreams than the store is asked for at once, by time: the pages of each group, put together."""

from typing import Final

import msgspec

from citybrain.doors.sensorthings import spans
from citybrain.doors.sensorthings.refusals import not_held, wrong
from citybrain.doors.sensorthings.shape import Row
from citybrain.kernel.access import Guarded, Order, Query
from citybrain.kernel.instant import Instant, parse
from citybrain.kernel.ports import Reader
from citybrain.kernel.predicate import Compare, Predicate, both

GROUPS: Final = 50
"""Groups of Datastreams that one page is put together from."""
_PAGE: Final = 1000
_SIGN: Final = "t"
_DIGITS: Final = 18

Place = tuple[int, int]
"""Time (µs) and stream number of an observation: its place in the order."""


def merged(
    reader: Reader, streams: tuple[str, ...], rest: Predicate, order: Order, limit: int, cursor: str | None
) -> tuple[list[Row], str | None]:
    """At most ``limit`` rows in the order asked for, and the mark of those after; raises 501 for too many Datastreams."""
    if len(streams) > GROUPS * spans.MOST:
        most = GROUPS * spans.MOST
        raise not_held(
            f"按时间排列时至多 {most} 条数据流：请用 Datastreams('…')/Observations，或以 Datastream/id 筛选。",
            f"By time at most {most} Datastreams: use Datastreams('…')/Observations or filter by Datastream/id.",
        )
    mark = None if cursor is None else _place(cursor)
    if mark is not None:
        rest = both(rest, Compare("time", "le" if order.descending else "ge", spans.written(Instant(mark[0]))))
    sign = -1 if order.descending else 1
    found: list[tuple[Place, Row]] = []
    edges: list[Place] = []
    for begin in range(0, len(streams), spans.MOST):
        part = Compare("stream", "in", streams[begin : begin + spans.MOST])
        # As many more as may stand at the instant of the mark and were shown already.
        page = _some(reader, Query("observation", both(part, rest), order, min(limit + spans.MOST, _PAGE)))
        rows = [(_of(row, sign), row) for row in page.rows]
        edges += [rows[-1][0]] if page.next is not None else []
        found += [(place, row) for place, row in rows if mark is None or place > (sign * mark[0], sign * mark[1])]
    # Past the end of a page that has another one after it nothing is known of its group.
    known = sorted((one for one in found if not edges or one[0] <= min(edges)), key=lambda one: one[0])
    more = len(known) > limit or len(known) < len(found) or bool(edges)
    taken = known[:limit]
    last = taken[-1][0] if taken and more else None
    return [row for _, row in taken], None if last is None else f"{_SIGN}{sign * last[0]}.{sign * last[1]}"


def _some(reader: Reader, query: Query) -> Guarded:
    """The first page that holds rows: one for which much was looked through may hold none, and have one after it."""
    page = reader.read(query)
    while page.next is not None and not page.rows:
        page = reader.read(msgspec.structs.replace(query, cursor=page.next))
    return page


def _of(row: Row, sign: int) -> Place:
    return sign * parse(str(row["time"])), sign * int(str(row["id"]).partition(".")[0])


def _place(cursor: str) -> Place:
    time, dot, number = cursor.removeprefix(_SIGN).partition(".")
    sound = all(part.isascii() and part.isdigit() and len(part) < _DIGITS for part in (time, number))
    if not cursor.startswith(_SIGN) or not dot or not sound:
        raise wrong("$skiptoken 无法识别，请从第一页开始。", "$skiptoken cannot be read. Start from the first page.", "$skiptoken")
    return int(time), int(number)
