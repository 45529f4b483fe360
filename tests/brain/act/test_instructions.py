"""Instructions of leaders: a clock of their own, answered by the unit, closed or sent back, each step on its case in one commit."""

import pytest

from citybrain.brain.act import STANDARD_FLOW, CaseBook, Following, Instructions, Notices, Working, sources
from citybrain.engines.transactions import SqlTransactions
from citybrain.kernel.access import Caller, Order, Query
from citybrain.kernel.clock import FixedClock
from citybrain.kernel.errors import BadInputError, ForbiddenError, NotFoundError, RefusedMoveError
from citybrain.kernel.instant import DAY, HOUR, Instant, parse
from citybrain.kernel.predicate import Compare
from tests.brain.act.conftest import CITIZEN, DISPATCHER, HANDLER, STRANGER, request

LEADER = Caller("acc-l", "领导", frozenset({"leader"}))


@pytest.fixture
def told(transactions: SqlTransactions, clock: FixedClock) -> Instructions:
    return Instructions(transactions, Working(transactions), clock, "demo")


def test_an_instruction_has_a_clock_of_its_own_and_leaves_that_of_its_case(
    book: CaseBook, told: Instructions, clock: FixedClock
) -> None:
    clock.set(parse("2026-11-23T02:00:00Z"))
    case = book.case(book.open(request("k1")))
    made = told.give(case.id, LEADER, "  请当日反馈 ", "4h")
    assert (made.words, made.state, made.due) == ("请当日反馈", "open", parse("2026-11-23T06:00:00Z"))
    assert told.give(case.id, LEADER, "限期办结", "3d").due == parse("2026-11-26T09:30:00Z")
    assert book.case(case.id) == case
    assert [step.move for step in book.steps(case.id)] == ["open", "instruct", "instruct"]


def test_the_unit_answers_a_leader_sends_back_and_closes_and_each_step_is_on_the_case(book: CaseBook, told: Instructions) -> None:
    case = book.open(request("k1"))
    made = told.give(case, LEADER, "请说明原因", "1d")
    assert told.follow(made.id, "answer", HANDLER, "雾炮车故障").state == "answered"
    back = told.follow(made.id, "back", LEADER, "何时修复？")
    assert (back.state, back.answered, back.answer) == ("open", None, "雾炮车故障")
    told.follow(made.id, "answer", DISPATCHER, "今日 18 时前修复")
    done = told.follow(made.id, "close", LEADER, "")
    assert (done.state, done.answer, done.closed is not None) == ("done", "今日 18 时前修复", True)
    steps = book.steps(case)
    assert [(step.move, step.by) for step in steps[1:]] == [
        ("instruct", "acc-l"),
        ("instruct_answer", "acc-h"),
        ("instruct_back", "acc-l"),
        ("instruct_answer", "acc-d"),
        ("instruct_close", "acc-l"),
    ]
    assert {step.move for step in steps} <= set(book.move_titles("standard"))


def test_only_leaders_instruct_and_only_those_who_answer_for_the_case_answer(book: CaseBook, told: Instructions) -> None:
    case = book.open(request("k1"))
    for caller in (DISPATCHER, HANDLER, CITIZEN):
        with pytest.raises(ForbiddenError):
            told.give(case, caller, "请当日反馈", "1d")
    made = told.give(case, LEADER, "请当日反馈", "1d")
    for caller in (LEADER, STRANGER, CITIZEN):
        with pytest.raises(ForbiddenError):
            told.follow(made.id, "answer", caller, "已办")
    with pytest.raises(ForbiddenError):
        told.follow(made.id, "close", HANDLER, "已办")
    with pytest.raises(ForbiddenError):
        told.follow(made.id, "back", HANDLER, "已办")
    assert [told.open_to(made, book.case(case), who) for who in (LEADER, HANDLER, STRANGER)] == [("close",), ("answer",), ()]


def test_what_does_not_fit_is_refused_and_nothing_of_it_is_kept(book: CaseBook, told: Instructions) -> None:
    case = book.open(request("k1"))
    with pytest.raises(NotFoundError):
        told.give("none", LEADER, "请当日反馈", "1d")
    for words, term in (("  ", "1d"), ("请当日反馈", "9d"), ("长" * 2001, "1d")):
        with pytest.raises(BadInputError):
            told.give(case, LEADER, words, term)
    made = told.give(case, LEADER, "请当日反馈", "1d")
    with pytest.raises(RefusedMoveError):
        told.follow(made.id, "back", LEADER, "再查")
    with pytest.raises(BadInputError):
        told.follow(made.id, "answer", HANDLER, " ")
    told.follow(made.id, "close", LEADER, "")
    refused: tuple[tuple[Following, Caller], ...] = (("answer", HANDLER), ("close", LEADER), ("back", LEADER))
    for following, who in refused:
        with pytest.raises(RefusedMoveError):
            told.follow(made.id, following, who, "再查")
    with pytest.raises(NotFoundError):
        told.follow("none", "close", LEADER, "")
    assert told.of(case) == (told.instruction(made.id),)
    assert [step.move for step in book.steps(case)] == ["open", "instruct", "instruct_close"]


def test_the_unit_is_told_of_it_and_the_leader_of_the_answer(
    book: CaseBook, told: Instructions, transactions: SqlTransactions, clock: FixedClock
) -> None:
    notices = Notices(transactions, clock, {"standard": STANDARD_FLOW})
    case = book.open(request("k1"))
    made = told.give(case, LEADER, "请说明原因", "1d")
    notices.run_once()
    (words,) = (one.words.zh for one in notices.unread(HANDLER) if one.words.zh.startswith("督办"))
    assert words.startswith("督办事项（NK-20261122-000001）：请说明原因。待反馈，期限 ")
    told.follow(made.id, "answer", HANDLER, "雾炮车故障")
    notices.run_once()
    (answer,) = notices.unread(LEADER)
    assert "已反馈" in answer.words.zh
    assert answer.subject == case


def test_a_case_that_is_followed_says_so_and_an_instruction_past_its_time_is_overdue_until_it_is_closed(
    book: CaseBook, told: Instructions, transactions: SqlTransactions, clock: FixedClock
) -> None:
    shelves = sources(transactions, clock)
    first, other = book.open(request("k1")), book.open(request("k2"))
    made = told.give(first, LEADER, "请说明原因", "4h")
    followed = shelves["case"](Query("case", Compare("instructed", "eq", value=True), Order("opened")))
    assert [row["id"] for row in followed.rows] == [first]
    assert other != first
    late = Query("instruction", Compare("overdue", "eq", value=True))
    assert shelves["instruction"](late).rows == ()
    clock.set(Instant(made.due + HOUR))
    (row,) = shelves["instruction"](late).rows
    assert (row["number"], row["state"], row["unit"]) == ("NK-20261122-000001", "open", "unit-street")
    told.follow(made.id, "close", LEADER, "")
    clock.set(Instant(made.due + DAY))
    assert shelves["case"](Query("case", Compare("instructed", "eq", value=True), Order("opened"))).rows == ()
