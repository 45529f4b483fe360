"""Reports: once, with a number and a key, in the right hands, rated in five grades, reopened where not solved."""

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import text

from citybrain.brain.act import CaseBook, Units
from citybrain.brain.act.tries import Allowed
from citybrain.engines.transactions import SqlTransactions
from citybrain.kernel.cases import Case
from citybrain.kernel.clock import FixedClock
from citybrain.kernel.errors import BadInputError, BusyError, ConflictError, NotFoundError
from citybrain.kernel.instant import DAY, HOUR, Instant
from citybrain.kernel.places import Place
from tests.brain.act.conftest import DISPATCHER, HANDLER, STREET
from tests.brain.act.reporting import KEY, SPOT, Desk, desk, said
from tests.brain.act.test_photos import picture

Make = Callable[..., Desk]


@pytest.fixture
def make(transactions: SqlTransactions, units: Units, book: CaseBook, clock: FixedClock, tmp_path: Path) -> Make:
    return partial(desk, transactions, units, book, clock, tmp_path)


def close(work: Desk, number: str) -> Case:
    """Walk the case of a number to its checked end; returns it."""
    case = work.cases.by_number(number)
    steps = [
        ("accept", DISPATCHER, ""),
        ("assign", DISPATCHER, ""),
        ("take", HANDLER, ""),
        ("finish", HANDLER, "灯泡已更换"),
        ("approve", DISPATCHER, ""),
    ]
    for move, who, note in steps[0 if case.state == "reported" else 2 :]:
        to = case.unit if move == "assign" else None
        case = work.cases.move(case.id, move, who, note, case.version, to)
    return case


def test_a_report_becomes_a_case_with_a_number_its_class_its_unit_and_its_promised_time(make: Make) -> None:
    work = make()

    receipt = work.file(said("井盖坏了，车过就响", "01023"))

    case = work.cases.by_number(receipt.number)
    assert receipt.number == "NK-20261122-000001"
    assert (case.unit, case.area, case.state) == ("unit-street", "120104001001", "reported")
    assert case.due - case.opened == 2 * HOUR
    assert case.title.zh == "不明井盖异常"


def test_a_class_that_nobody_answers_for_goes_to_the_unit_of_the_form(make: Make) -> None:
    work = make()

    assert work.cases.by_number(work.file(said(code="01037")).number).unit == "unit-street"


def test_the_reporters_words_stand_in_no_case_event_or_notice(make: Make) -> None:
    work = make()

    work.file(said("我家住三号楼王奶奶，路灯不亮"))

    with work.transactions.read() as connection:
        told = "".join(
            str(row) for table in ('"case"', "step", "outbox") for row in connection.execute(text(f"SELECT * FROM {table}"))
        )
    assert "王奶奶" not in told
    assert "13800138000" not in told


def test_the_same_report_twice_is_one_report_with_the_same_number_and_key(make: Make) -> None:
    work = make()
    with ThreadPoolExecutor(8) as many:
        receipts = set(many.map(lambda _: work.file(), range(8)))

    with work.transactions.read() as connection:
        counted = connection.execute(
            text('SELECT (SELECT COUNT(*) FROM report), (SELECT COUNT(*) FROM "case"), (SELECT COUNT(*) FROM step)')
        ).one()
    assert len(receipts) == 1
    assert tuple(counted) == (1, 1, 1)


def test_one_key_for_two_reports_is_refused(make: Make) -> None:
    work = make()
    work.file()

    with pytest.raises(ConflictError):
        work.file(said("完全是另一件事"))


def test_a_short_key_is_refused_for_others_could_guess_it(make: Make) -> None:
    with pytest.raises(BadInputError):
        make().file(said(key="1"))


@pytest.mark.parametrize("partition", ["surveyed", "generated"])
def test_a_point_outside_the_district_is_refused_clearly(make: Make, partition: str) -> None:
    with pytest.raises(BadInputError, match="outside this district"):
        make(partition=partition).file(said(place=Place(116.4, 39.9)))


def test_without_a_point_and_an_area_the_place_is_asked_for(make: Make) -> None:
    with pytest.raises(BadInputError, match="where it is"):
        make().file(said(place=None))


def test_an_area_that_was_chosen_places_a_report_without_a_point(make: Make) -> None:
    work = make()

    case = work.cases.by_number(work.file(said(place=None, area=STREET)).number)

    assert (case.area, case.place) == (STREET, None)


def test_a_generated_partition_never_routes_a_real_report(make: Make) -> None:
    work = make(partition="generated")

    case = work.cases.by_number(work.file().number)

    assert (case.area, case.unit) == ("120104", "unit-district")


def test_in_a_demonstration_the_generated_partition_routes(make: Make) -> None:
    work = make(partition="generated", origin="demo")

    assert work.cases.by_number(work.file().number).area == "120104001001"


def test_a_report_like_an_open_one_is_shown_before_it_is_made(make: Make) -> None:
    work = make()
    number = work.file(said("小区东门路灯不亮，晚上看不清")).number
    near = Place(SPOT.lon + 0.001, SPOT.lat)

    found = work.book.alike(said("东门外的路灯晚上不亮", key="f" * 16, place=near))

    assert [one.case.number for one in found] == [number]
    assert found[0].metres == pytest.approx(86.3, abs=0.5)


def test_far_away_long_ago_or_of_another_sort_is_not_alike(make: Make, clock: FixedClock) -> None:
    work = make()
    work.file()
    far, other = said(place=Place(117.19, 39.19)), said("垃圾没人收", "06010")

    assert work.book.alike(far) == ()
    assert work.book.alike(other) == ()
    clock.set(city=Instant(clock.city() + 4 * DAY))
    assert work.book.alike(said()) == ()


def test_who_joins_gets_the_same_number_and_a_key_of_their_own(make: Make) -> None:
    work = make()
    first = work.file()

    second = work.file(said("路灯还是不亮", key="f" * 16), joins=first.number)

    assert second.number == first.number
    assert second.secret != first.secret
    assert len(work.cases.steps(work.cases.by_number(first.number).id)) == 2


def test_joining_what_was_closed_meanwhile_opens_a_case_of_its_own(make: Make) -> None:
    work = make()
    first = work.file()
    close(work, first.number)

    assert work.file(said(key="f" * 16), joins=first.number).number != first.number


def test_progress_opens_to_number_and_key_alone(make: Make) -> None:
    work = make()
    receipt = work.file()
    spaced = "-".join(receipt.secret[at : at + 4] for at in range(0, 16, 4)).upper()

    assert work.book.follow(receipt.number, spaced, "10.0.0.1").report.words == "小区门口路灯不亮"
    with pytest.raises(NotFoundError) as wrong:
        work.book.follow(receipt.number, "a" * 16, "10.0.0.1")
    with pytest.raises(NotFoundError) as missing:
        work.book.follow("NK-20261122-999999", receipt.secret, "10.0.0.1")
    assert wrong.value.what == missing.value.what


def test_guessing_keys_is_slowed_down_and_a_right_key_does_not_count(make: Make) -> None:
    work = make(allowed=Allowed(keys=3))
    receipt = work.file()
    for _ in range(5):
        work.book.follow(receipt.number, receipt.secret, "10.0.0.2")
    for _ in range(3):
        with pytest.raises(NotFoundError):
            work.book.follow(receipt.number, "wrong", "10.0.0.2")

    with pytest.raises(BusyError) as told:
        work.book.follow(receipt.number, receipt.secret, "10.0.0.2")
    assert told.value.fields["retry_after"] == 15 * 60
    assert work.book.follow(receipt.number, receipt.secret, "10.0.0.3").case.number == receipt.number


def test_reports_from_one_address_are_bounded(make: Make) -> None:
    work = make(allowed=Allowed(reports=2))
    for number in range(2):
        work.file(said(key=f"{number:016d}"))

    with pytest.raises(BusyError):
        work.file(said(key="f" * 16))


def test_a_closing_is_rated_once_in_five_grades(make: Make) -> None:
    work = make()
    receipt = work.file()
    with pytest.raises(ConflictError):
        work.book.rate(receipt.number, receipt.secret, "", 5, "", solved=True)
    close(work, receipt.number)

    seen = work.book.rate(receipt.number, receipt.secret, "", 5, "谢谢", solved=True)

    assert [(one.grade, one.solved, one.words) for one in seen.ratings] == [(5, True, "谢谢")]
    assert seen.case.state == "closed"
    with pytest.raises(ConflictError):
        work.book.rate(receipt.number, receipt.secret, "", 1, "", solved=False)


@pytest.mark.parametrize("grade", [0, 6, -1])
def test_a_grade_that_is_none_is_refused(make: Make, grade: int) -> None:
    work = make()
    receipt = work.file()
    close(work, receipt.number)

    with pytest.raises(BadInputError):
        work.book.rate(receipt.number, receipt.secret, "", grade, "", solved=True)


def test_what_is_not_solved_goes_back_to_its_unit_and_its_clock_and_history_stay(make: Make, clock: FixedClock) -> None:
    work = make()
    receipt = work.file()
    before = close(work, receipt.number)
    clock.set(city=Instant(clock.city() + HOUR))

    after = work.book.rate(receipt.number, receipt.secret, "", 1, "还是不亮", solved=False).case

    assert (after.state, after.unit, after.closed, after.handler) == ("assigned", before.unit, None, None)
    assert (after.opened, after.due) == (before.opened, before.due)
    assert [step.move for step in work.cases.steps(after.id)] == ["open", "accept", "assign", "take", "finish", "approve", "reopen"]
    assert close(work, receipt.number).state == "closed"
    assert [one.grade for one in work.book.rate(receipt.number, receipt.secret, "", 4, "", solved=True).ratings] == [1, 4]


def test_after_the_days_for_it_a_rating_is_taken_but_nothing_is_reopened(make: Make, clock: FixedClock) -> None:
    work = make()
    receipt = work.file()
    close(work, receipt.number)
    clock.set(city=Instant(clock.city() + 16 * DAY))

    seen = work.book.rate(receipt.number, receipt.secret, "", 2, "", solved=False)

    assert (seen.case.state, seen.ratings[0].solved) == ("closed", False)


def test_a_photo_that_waits_for_its_form_fits_that_report_alone(make: Make) -> None:
    work = make()
    word = work.book.hold("a" * 64 + ".image.jpeg", KEY)

    assert work.book.held(word, KEY) == "a" * 64 + ".image.jpeg"
    for wrong, key in ((word, "f" * 16), (word[:-2] + "00", KEY), ("no hex", KEY)):
        with pytest.raises(BadInputError):
            work.book.held(wrong, key)


def test_what_is_no_photo_is_refused(make: Make) -> None:
    with pytest.raises(BadInputError):
        make().book.keep_photo(io.BytesIO(b"<script>alert(1)</script>"), "10.0.0.1")


@pytest.mark.parametrize("field", ["words", "spot", "contact"])
def test_what_is_too_long_or_empty_is_refused_by_field(make: Make, field: str) -> None:
    with pytest.raises(BadInputError) as told:
        make().file(msgspec.structs.replace(said(), **{field: "长" * 2001}))
    assert told.value.fields["field"] == field


def test_when_its_days_are_over_words_contact_and_photo_are_deleted_and_the_case_stays(make: Make, clock: FixedClock) -> None:
    work = make()
    photo = work.book.keep_photo(picture(), "10.0.0.1")
    receipt = work.file(msgspec.structs.replace(said(), photo=photo))
    case = close(work, receipt.number)
    work.book.rate(receipt.number, receipt.secret, "", 2, "我是王奶奶", solved=True)
    clock.set(city=clock.city(), wall=Instant(clock.wall() + 364 * DAY))
    assert work.book.erase_due() == 0
    clock.set(city=clock.city(), wall=Instant(clock.wall() + 2 * DAY))

    assert work.book.erase_due() == 1

    seen = work.book.follow(receipt.number, receipt.secret, "")
    assert (seen.report.words, seen.report.contact, seen.report.spot, seen.report.photo) == ("", "", "", None)
    assert (seen.ratings[0].grade, seen.ratings[0].words) == (2, "")
    assert seen.case == case
    with pytest.raises(NotFoundError):
        work.book.photo(photo)
    assert work.book.erase_due() == 0


def test_a_photo_that_an_open_report_shows_as_well_stays(make: Make, clock: FixedClock) -> None:
    work = make()
    photo = work.book.keep_photo(picture(), "10.0.0.1")
    old = work.file(msgspec.structs.replace(said(), photo=photo))
    work.file(msgspec.structs.replace(said("另一处路灯", key="f" * 16), photo=photo))
    close(work, old.number)
    clock.set(city=clock.city(), wall=Instant(clock.wall() + 366 * DAY))

    assert work.book.erase_due() == 1
    with work.book.photo(photo) as file:
        assert file.read(2) == b"\xff\xd8"


def test_a_rating_is_told_once_without_who_gave_it_or_their_words(make: Make) -> None:
    work = make()
    receipt = work.file()
    close(work, receipt.number)
    work.book.rate(receipt.number, receipt.secret, "", 2, "我是王奶奶", solved=True)
    with pytest.raises(ConflictError):
        work.book.rate(receipt.number, receipt.secret, "", 5, "", solved=True)

    events = [event for _, event in work.transactions.events_after(0, 1000) if event.type == "citybrain.act.report.rated.v1"]
    (rating,) = [event.body["rating"] for event in events]
    assert isinstance(rating, dict)
    assert (rating["grade"], rating["solved"], rating["form"], rating["report"], rating["words"]) == (2, True, "amiss", "", "")
    assert "王奶奶" not in msgspec.json.encode(events[0].body).decode()
