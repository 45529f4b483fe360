"""A small district: three units, two flows' worth of people, and a case book over a real store."""

import pytest

from citybrain.brain.act import METADATA, STANDARD_FLOW, CaseBook, Units, Working
from citybrain.engines.transactions import SqlTransactions
from citybrain.kernel.access import Caller
from citybrain.kernel.calendar import Allowance
from citybrain.kernel.cases import CaseRequest
from citybrain.kernel.clock import FixedClock
from citybrain.kernel.instant import parse
from citybrain.kernel.parties import Unit
from citybrain.kernel.places import Place
from citybrain.kernel.text import Text

DISPATCHER = Caller("acc-d", "派遣", frozenset({"dispatcher"}), "unit-command")
HANDLER = Caller("acc-h", "处置", frozenset({"handler"}), "unit-street")
STRANGER = Caller("acc-s", "外单位", frozenset({"handler"}), "unit-district")
CITIZEN = Caller("acc-c", "市民", frozenset({"citizen"}))
STREET = "120104001"


def request(key: str, cause: str = "alert:a1", at: str = "2026-11-22T07:00:00Z") -> CaseRequest:
    """A case request of the environment in the first street."""
    return CaseRequest(
        key=key,
        matter="dust",
        title=Text("扬尘", "Dust"),
        flow="standard",
        duty="environment",
        allowance=Allowance(2, "hours"),
        place=Place(117.1, 39.1),
        area=STREET,
        entity="air-01",
        cause=cause,
        words="PM10 持续偏高",
        at=parse(at),
        grade=3,
        origin="demo",
    )


@pytest.fixture
def units(transactions: SqlTransactions) -> Units:
    with transactions.begin() as tx:
        METADATA.create_all(tx.connection)
    book = Units(transactions)
    book.put(Unit("unit-command", Text("指挥中心", "Command"), ("command",), None))
    book.put(Unit("unit-district", Text("区生态环境局", "District environment"), ("environment",), "120104"))
    book.put(Unit("unit-street", Text("示例街道", "Sample subdistrict"), ("environment", "waste"), STREET))
    return book


@pytest.fixture
def book(transactions: SqlTransactions, units: Units, clock: FixedClock) -> CaseBook:
    return CaseBook(transactions, {"standard": STANDARD_FLOW}, units, Working(transactions), clock, "NK")
