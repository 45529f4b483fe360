"""The case book keeps its promises: one case a key, numbers without gaps, history that only grows."""

from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from citybrain.brain.act import MOVED, OPENED, CaseBook
from citybrain.engines.transactions import SqlTransactions
from citybrain.kernel.cases import Case
from citybrain.kernel.clock import FixedClock
from citybrain.kernel.errors import BadInputError, ForbiddenError, NotFoundError, RefusedMoveError, StaleError
from citybrain.kernel.instant import HOUR, Instant, parse
from tests.brain.act.conftest import CITIZEN, DISPATCHER, HANDLER, STRANGER, request


def test_a_reported_matter_goes_from_filing_to_closing_and_the_city_clock_times_every_step(
    book: CaseBook, clock: FixedClock
) -> None:
    opened = parse("2026-11-22T07:00:00Z")
    case_id = book.open(request("k1", cause="report:r1"))
    version = 1
    script = [
        ("accept", DISPATCHER, "", None, "filed"),
        ("assign", DISPATCHER, "", "unit-street", "assigned"),
        ("take", HANDLER, "", None, "handling"),
        ("finish", HANDLER, "已洒水降尘", None, "finished"),
        ("return", DISPATCHER, "仍有扬尘", None, "handling"),
        ("finish", HANDLER, "已覆盖", None, "finished"),
        ("approve", DISPATCHER, "", None, "closed"),
    ]
    for hours, (move, caller, note, unit, state) in enumerate(script, 1):
        clock.set(Instant(opened + hours * HOUR), wall=Instant(opened + hours))
        case = book.move(case_id, move, caller, note, version, unit)
        assert case.state == state
        version = case.version
    assert case.number == "NK-20261122-000001"
    assert (case.unit, case.handler, case.version) == ("unit-street", "acc-h", 8)
    assert case.due == opened + 2 * HOUR
    assert case.closed == opened + 7 * HOUR
    steps = book.steps(case_id)
    assert [step.move for step in steps] == ["open", *(row[0] for row in script)]
    assert steps[-1].at == opened + 7 * HOUR
    assert steps[-1].wall == opened + 7
    assert book.by_number("NK-20261122-000001") == case


def test_an_alert_goes_straight_to_the_unit_of_the_street(book: CaseBook) -> None:
    case = book.case(book.open(request("k1")))
    assert (case.state, case.unit, case.origin) == ("assigned", "unit-street", "demo")
    assert [move.name for move in book.moves_for(case, HANDLER)] == ["take", "transfer"]
    assert [move.name for move in book.moves_for(case, DISPATCHER)] == ["transfer"]
    assert book.moves_for(case, STRANGER) == ()


def test_fifty_openings_of_one_key_at_once_make_one_case(book: CaseBook) -> None:
    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(lambda _: book.open(request("same")), range(50)))
    assert len(ids) == 1
    assert [step.move for step in book.steps(ids.pop())] == ["open"]


def test_numbers_of_a_day_have_no_gap_and_no_double_under_concurrency(book: CaseBook) -> None:
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda n: book.open(request(f"k{n}")), range(40)))
    numbers = sorted(book.case(case_id).number for case_id in ids)
    assert numbers == [f"NK-20261122-{n:06d}" for n in range(1, 41)]


def test_a_day_begins_at_local_midnight(book: CaseBook) -> None:
    before = book.case(book.open(request("k1", at="2026-11-22T15:59:59Z")))
    after = book.case(book.open(request("k2", at="2026-11-22T16:00:00Z")))
    assert (before.number, after.number) == ("NK-20261122-000001", "NK-20261123-000001")


def test_another_cause_joins_the_open_case_and_a_repeat_adds_nothing(book: CaseBook) -> None:
    first = book.open(request("k1"))
    assert book.open(request("k1", cause="alert:a2")) == first
    assert book.open(request("k1", cause="alert:a2")) == first
    assert [step.move for step in book.steps(first)] == ["open", "join"]


def test_a_closed_case_is_not_joined_again(book: CaseBook) -> None:
    first = book.open(request("k1", cause="report:r1"))
    book.move(first, "dismiss", DISPATCHER, "不属本区", 1)
    assert book.open(request("k1", cause="report:r2")) != first


def test_of_moves_with_the_same_version_exactly_one_wins(book: CaseBook) -> None:
    case_id = book.open(request("k1"))

    def take(_: int) -> str:
        try:
            book.move(case_id, "take", HANDLER, "", 1)
        except StaleError:
            return "stale"
        return "won"

    with ThreadPoolExecutor(8) as pool:
        ends = list(pool.map(take, range(20)))
    assert sorted(ends) == ["stale"] * 19 + ["won"]
    assert len(book.steps(case_id)) == 2


def test_a_closed_case_cannot_be_reopened_by_anybody(book: CaseBook) -> None:
    case_id = book.open(request("k1", cause="report:r1"))
    closed = book.move(case_id, "dismiss", DISPATCHER, "重复", 1)
    assert book.moves_for(closed, DISPATCHER) == ()
    with pytest.raises(RefusedMoveError, match="Possible: nothing"):
        book.move(case_id, "accept", CITIZEN, "", 2)


def test_who_may_not_take_a_move_is_refused(book: CaseBook) -> None:
    case_id = book.open(request("k1"))
    with pytest.raises(ForbiddenError):
        book.move(case_id, "take", CITIZEN, "", 1)
    with pytest.raises(ForbiddenError, match="own unit"):
        book.move(case_id, "take", STRANGER, "", 1)
    with pytest.raises(ForbiddenError):
        book.note(case_id, CITIZEN, "看看")
    assert book.case(case_id).version == 1


def test_a_transfer_needs_words_and_a_unit_that_exists_and_frees_the_handler(book: CaseBook) -> None:
    case_id = book.open(request("k1"))
    book.move(case_id, "take", HANDLER, "", 1)
    with pytest.raises(BadInputError, match="needs a note"):
        book.move(case_id, "transfer", HANDLER, "  ", 2, "unit-district")
    with pytest.raises(BadInputError, match="needs a unit"):
        book.move(case_id, "transfer", HANDLER, "跨街道", 2)
    with pytest.raises(BadInputError, match="no unit 'unit-x'"):
        book.move(case_id, "transfer", HANDLER, "跨街道", 2, "unit-x")
    moved = book.move(case_id, "transfer", HANDLER, "跨街道", 2, "unit-district")
    assert (moved.state, moved.unit, moved.handler) == ("assigned", "unit-district", None)


def test_notes_are_kept_without_moving_the_case(book: CaseBook) -> None:
    case_id = book.open(request("k1"))
    book.note(case_id, HANDLER, "正在前往")
    assert book.steps(case_id)[-1].note == "正在前往"
    assert book.case(case_id).version == 1
    with pytest.raises(BadInputError):
        book.note(case_id, HANDLER, " ")


def test_events_carry_the_whole_case_and_its_step(book: CaseBook, transactions: SqlTransactions) -> None:
    case_id = book.open(request("k1"))
    book.move(case_id, "take", HANDLER, "", 1)
    events = [event for _, event in transactions.events_after(0, 10)]
    assert [(event.type, event.subject) for event in events] == [(OPENED, case_id), (MOVED, case_id)]
    assert msgspec.convert(events[1].body["case"], Case) == book.case(case_id)
    step = events[1].body["step"]
    assert isinstance(step, dict)
    assert step["move"] == "take"


def test_states_and_steps_have_words(book: CaseBook) -> None:
    assert book.state_title("standard", "finished").zh == "已处置，待核查"
    assert book.state_title("standard", "of_an_older_version").zh == "of_an_older_version"
    titles = book.move_titles("standard")
    assert (titles["assign"].zh, titles["open"].zh, titles["note"].zh) == ("派遣", "登记", "补充说明")


def test_a_refused_opening_leaves_no_number_behind(book: CaseBook) -> None:
    with pytest.raises(NotFoundError):
        book.open(msgspec.structs.replace(request("k1"), duty="unheard_of"))
    with pytest.raises(NotFoundError):
        book.open(msgspec.structs.replace(request("k1"), flow="unheard_of"))
    assert book.case(book.open(request("k2"))).number == "NK-20261122-000001"
