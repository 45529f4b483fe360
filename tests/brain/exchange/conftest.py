"""The world of exchange's tests: a catalogue in a real store, and a reader over rows as the guard binds one."""

import pytest

from citybrain.brain import exchange
from citybrain.engines.transactions import SqlTransactions
from citybrain.kernel.access import Guarded, Query
from citybrain.kernel.clock import FixedClock
from citybrain.kernel.datasets import Column, Dataset
from citybrain.kernel.errors import ForbiddenError
from citybrain.kernel.predicate import holds
from citybrain.kernel.text import Json, Text, same
from citybrain.kernel.things import Access, Origin

COLUMNS = (
    Column("id", same("id"), "text"),
    Column("name", same("name"), "text"),
    Column("value", same("value"), "number", "ug/m3"),
    Column("count", same("count"), "integer"),
    Column("live", same("live"), "boolean"),
    Column("time", same("time"), "instant"),
    Column("title", same("title"), "json"),
)


def dataset(name: str = "air_station", access: Access = "unconditional", origin: Origin = "demo") -> Dataset:
    return Dataset(
        name, Text("监测站", "Stations"), same("about"), "environment", "observe", COLUMNS, access, origin, same("source")
    )


def row(key: str, **changes: Json) -> dict[str, Json]:
    first: dict[str, Json] = {
        "id": key,
        "name": "一号街监测点",
        "value": 35.5,
        "count": 3,
        "live": True,
        "time": "2026-11-22T07:00:00Z",
        "title": {"zh": "一号", "en": "One"},
    }
    return first | changes


class RowReader:
    """A reader over rows in memory, small pages; refuses where it is told to."""

    def __init__(self, rows: list[dict[str, Json]], page: int = 2, *, allowed: bool = True) -> None:
        self.rows = rows
        self.page = page
        self.allowed = allowed

    def read(self, query: Query) -> Guarded:
        if not self.allowed:
            raise ForbiddenError(Text("没有权限", "Not permitted"))
        kept = [one for one in self.rows if holds(query.where, one)]
        start = int(query.cursor or 0)
        more = start + self.page < len(kept)
        return Guarded(tuple(kept[start : start + self.page]), str(start + self.page) if more else None, None, (), ())


@pytest.fixture
def catalogue(transactions: SqlTransactions, clock: FixedClock) -> exchange.CatalogueBook:
    with transactions.begin() as tx:
        exchange.METADATA.create_all(tx.connection)
    return exchange.CatalogueBook(transactions, clock)
