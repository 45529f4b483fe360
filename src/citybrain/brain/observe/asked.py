"""A question about observations: what it asks for, in which order, and from which place on. Pure."""

import base64
import binascii
from typing import Final, NamedTuple, TypeAlias

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from citybrain.brain.observe.marked import STRUCK_OUT
from citybrain.kernel.errors import BadInputError
from citybrain.kernel.instant import Instant
from citybrain.kernel.observations import Ints
from citybrain.kernel.predicate import And, Compare, Predicate
from citybrain.kernel.text import Json, Text

BEGIN, END = Instant(0), Instant(2**62)
Mark: TypeAlias = tuple[int | float, ...]
"""The place of the last row of a page: what it is sorted by, the last of which is its place among those of its time."""
PLACE: Final = "place"
LAST: Final = 2**40
"""After every place among rows of one time."""
ESTIMATE: Final = "e"
"""What stands behind the stream's number in the id of an estimate."""


class Asked(NamedTuple):
    """A question: streams by number, [since, until), rows of which marks, what must hold of them, and their order.

    ``exact``: nothing else must hold of them than that.
    """

    numbers: tuple[int, ...]
    since: Instant
    until: Instant
    marks: frozenset[str]
    where: Predicate
    exact: bool
    keys: tuple[str, ...]
    descending: bool
    mark: Mark | None
    limit: int

    @property
    def struck(self) -> bool:
        """Whether what was struck out is wanted."""
        return STRUCK_OUT in self.marks


def bounds(where: Predicate) -> tuple[Instant, Instant]:
    """The span [since, until) that the top of a predicate asks for."""
    since, until = int(BEGIN), int(END)
    for part in where.parts if isinstance(where, And) else (where,):
        if isinstance(part, And):
            low, high = bounds(part)
            since, until = max(since, low), min(until, high)
        if isinstance(part, Compare) and part.field == "time" and isinstance(part.value, int):
            since = max(since, part.value + (part.op == "gt")) if part.op in ("gt", "ge", "eq") else since
            until = min(until, part.value + (part.op != "lt")) if part.op in ("lt", "le", "eq") else until
    return Instant(since), Instant(until)


def ordered(table: pa.Table, asked: Asked) -> pa.Table:
    """The rows in the order asked for that come after the mark."""
    columns = [_places(table) if key == PLACE else table[key].to_numpy() for key in asked.keys]
    order = np.lexsort(columns[::-1])[:: -1 if asked.descending else 1]
    if asked.mark is not None:
        order = order[_after(columns, asked.mark, descending=asked.descending)[order]]
    return table.take(order)


def _places(table: pa.Table) -> Ints:
    """Where rows stand among those of their time: an estimate may be of the very time of a reading that was struck out."""
    places: Ints = table["stream_no"].to_numpy().astype(np.int64) * 2 + np.asarray(table["seq"].is_null())
    return places


def _after(columns: list[NDArray[np.int64]], mark: Mark, *, descending: bool) -> NDArray[np.bool_]:
    """Which rows come after a place, by the first column in which they differ from it."""
    later, same = np.zeros(len(columns[0]), np.bool_), np.ones(len(columns[0]), np.bool_)
    for column, at in zip(columns, mark, strict=True):
        later |= same & ((column < at) if descending else (column > at))
        same &= column == at
    return later


def spanned(where: Predicate) -> bool:
    """Whether a predicate says no more than which streams, from when to when and which marks, which the scan holds to already."""
    parts = where.parts if isinstance(where, And) else (where,)
    return all(spanned(part) if isinstance(part, And) else _bound(part) for part in parts) and _named(where) == 1


def _bound(part: Predicate) -> bool:
    if not isinstance(part, Compare):
        return False
    if part.field in ("stream", "mark"):
        return part.op in ("eq", "in")
    return part.field == "time" and part.op in ("lt", "le", "gt", "ge", "eq") and isinstance(part.value, int)


def _named(where: Predicate) -> int:
    """How often a predicate names streams: the scan knows the first list alone."""
    parts = where.parts if isinstance(where, And) else (where,)
    return sum(_named(part) if isinstance(part, And) else isinstance(part, Compare) and part.field == "stream" for part in parts)


def place(row: dict[str, Json], keys: tuple[str, ...]) -> Mark:
    """The place of a row in the order of some keys."""
    word = str(row["id"]).split(".", 1)[0]
    cells = {**row, PLACE: int(word.removesuffix(ESTIMATE)) * 2 + word.endswith(ESTIMATE)}
    return tuple(cell for key in keys if isinstance(cell := cells[key], int | float))


def encode(mark: Mark) -> str:
    """A cursor that stands for a place."""
    return base64.urlsafe_b64encode(msgspec.json.encode(mark)).decode()


def decode(cursor: str | None, keys: int) -> Mark | None:
    """The place that a cursor stands for, of so many keys; raises BadInputError."""
    if cursor is None:
        return None
    try:
        mark = msgspec.json.decode(base64.urlsafe_b64decode(cursor), type=tuple[int | float, ...])
    except (ValueError, binascii.Error, msgspec.MsgspecError):
        mark = ()
    if len(mark) != keys or not all(isinstance(part, int) for part in mark[-2:]):
        what = Text(
            "游标无法识别或属于另一种排序，请从第一页开始。",
            "The cursor cannot be read or belongs to another order. Start from the first page.",
        )
        raise BadInputError(what, cursor=cursor)
    return mark
