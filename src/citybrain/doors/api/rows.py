"""Lists: the guard's reader answers, every row that is not real says so, and the page says where its rows are from."""

from collections.abc import Mapping

import msgspec

from citybrain.doors.api import asking, caller
from citybrain.doors.api.parts import ApiParts, Call
from citybrain.kernel.access import Query
from citybrain.kernel.datasets import Dataset
from citybrain.kernel.errors import NotFoundError
from citybrain.kernel.predicate import Compare, Predicate, both
from citybrain.kernel.text import Json, Text
from citybrain.kernel.things import Origin

Row = Mapping[str, object]


class Provenance(msgspec.Struct, frozen=True):
    """Where the rows of a dataset are from, and whether they are real, demonstration or generated."""

    kind: Origin
    source: Text


class Rows(msgspec.Struct, frozen=True, omit_defaults=True):
    """A page of rows: ``next`` is the cursor of the page after, ``total`` stands only when ``count=true`` asked for it.

    ``masked`` names the columns that were hidden, and ``reasons`` which policies did so; a row with ``demo`` is not real. ``struck``
    says how many readings of the span are not among them, for a person struck them out.
    """

    items: tuple[Row, ...]
    next: str | None
    origin: Provenance
    total: int | None = None
    masked: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    struck: int = 0


def listed(parts: ApiParts, call: Call, name: str, *also: str, where: Predicate | None = None) -> Rows:
    """The rows of a dataset that an address asks for, within ``where``; ``also`` names words the address reads itself."""
    dataset = parts.catalogue.describe(name)
    asked = asking.query(dataset, caller.words(call), also)
    if where is not None:
        asked = msgspec.structs.replace(asked, where=both(where, asked.where))
    return page(parts, call, dataset, asked)


def page(parts: ApiParts, call: Call, dataset: Dataset, asked: Query) -> Rows:
    """What the caller may see of a query, marked."""
    found = parts.guard.reader(call.user, caller.purpose(call)).read(asked)
    items = tuple(marked(row, dataset.origin) for row in found.rows)
    return Rows(items, found.next, Provenance(dataset.origin, dataset.source), found.total, found.masked, found.reasons)


def one(parts: ApiParts, call: Call, name: str, value: str, column: str | None = None) -> Row:
    """The row of a dataset with a key; raises NotFoundError, the same whether it is not there or not for this caller."""
    dataset = parts.catalogue.describe(name)
    found = page(parts, call, dataset, Query(name, Compare(column or dataset.key, "eq", value), limit=1))
    if not found.items:
        what = Text(f"没有找到“{value}”（{dataset.title.zh}）。", f"There is no '{value}' among: {dataset.title.en}.")
        raise NotFoundError(what, id=value)
    return found.items[0]


def marked(row: Mapping[str, Json], origin: Origin) -> Row:
    """The row with ``demo: true`` when its own origin, or else its dataset's, is not real."""
    return row if row.get("origin", origin) == "real" else {**row, "demo": True}
