"""Whoever a case waits for is told once, and a reading leaves a receipt."""

import pytest

from citybrain.brain.act import STANDARD_FLOW, CaseBook, Notices
from citybrain.engines.transactions import SqlTransactions
from citybrain.kernel.access import ANYONE
from citybrain.kernel.clock import FixedClock
from citybrain.kernel.errors import BadInputError, NotFoundError
from citybrain.kernel.text import Text
from tests.brain.act.conftest import DISPATCHER, HANDLER, STRANGER, request


@pytest.fixture
def notices(book: CaseBook, transactions: SqlTransactions, clock: FixedClock) -> Notices:
    assert book is not None
    return Notices(transactions, clock, {"standard": STANDARD_FLOW})


def test_an_alert_born_case_tells_its_unit_once_however_often_events_are_read(book: CaseBook, notices: Notices) -> None:
    case_id = book.open(request("k1"))
    assert notices.run_once() == 1
    assert notices.run_once() == 0
    (told,) = notices.unread(HANDLER)
    assert told.subject == case_id
    assert told.origin == "demo"
    assert told.words.zh == "新案件 NK-20261122-000001：扬尘。已派遣，待处置，办理期限 2026-11-22 17:00。"
    assert notices.unread(STRANGER) == ()


def test_a_finished_case_waits_for_the_dispatchers(book: CaseBook, notices: Notices) -> None:
    case_id = book.open(request("k1"))
    book.move(case_id, "take", HANDLER, "", 1)
    notices.run_once()
    before = len(notices.unread(DISPATCHER))
    book.move(case_id, "finish", HANDLER, "已处置", 2)
    notices.run_once()
    assert len(notices.unread(DISPATCHER)) == before + 1


def test_a_read_notice_is_unread_no_more_for_its_reader_and_leaves_a_receipt(notices: Notices, clock: FixedClock) -> None:
    notices.send("unit:unit-street", Text("停水", "No water"), "k")
    notices.send("unit:unit-street", Text("停水", "No water"), "k")
    (told,) = notices.unread(HANDLER)
    notices.read(told.id, HANDLER)
    notices.read(told.id, HANDLER)
    assert notices.unread(HANDLER) == ()
    assert notices.receipts(told.id) == {"acc-h": clock.wall()}


def test_nobody_reads_the_notices_of_others(notices: Notices) -> None:
    notices.send("account:acc-h", Text("一", "One"), "k")
    (told,) = notices.unread(HANDLER)
    for caller in (STRANGER, ANYONE):
        with pytest.raises(NotFoundError):
            notices.read(told.id, caller)
    assert notices.unread(ANYONE) == ()
    with pytest.raises(BadInputError):
        notices.send("everybody", Text("一", "One"), "k")
