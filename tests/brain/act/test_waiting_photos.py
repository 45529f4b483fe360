"""Photos of reports that were never sent are gone after a day; what a report names stays, whatever is cut off in between."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import insert, select

from citybrain.brain.act import CaseBook, Units, waiting_photos
from citybrain.brain.act.store import STEP, STEP_PHOTO
from citybrain.engines.files import FolderFiles
from citybrain.engines.transactions import SqlTransactions
from citybrain.kernel.clock import FixedClock
from citybrain.kernel.errors import BadInputError, NotFoundError
from citybrain.kernel.instant import DAY, HOUR, Instant
from citybrain.kernel.reports import Said
from tests.brain.act.reporting import Desk, desk, said
from tests.brain.act.test_photos import picture

Make = Callable[..., Desk]


class Cut(BaseException):
    """The power goes."""


class CutOff(FolderFiles):
    """Files on a machine that goes off just after one was deleted."""

    def remove(self, reference: str) -> None:
        super().remove(reference)
        raise Cut


@pytest.fixture
def make(transactions: SqlTransactions, units: Units, book: CaseBook, clock: FixedClock, tmp_path: Path) -> Make:
    return partial(desk, transactions, units, book, clock, tmp_path)


def later(clock: FixedClock, span: int) -> None:
    clock.set(city=clock.city(), wall=Instant(clock.wall() + span))


def with_photo(photo: str, key: str = "0123456789abcdef") -> Said:
    return msgspec.structs.replace(said(key=key), photo=photo)


def test_a_photo_whose_report_was_never_sent_is_deleted_after_a_day_and_no_sooner(make: Make, clock: FixedClock) -> None:
    work = make()
    photo = work.book.keep_photo(picture(), "10.0.0.1")
    later(clock, DAY - HOUR)
    assert work.book.clear_photos() == 0
    work.book.photo(photo).close()

    later(clock, HOUR)

    assert work.book.clear_photos() == 1
    with pytest.raises(NotFoundError):
        work.book.photo(photo)
    assert work.book.clear_photos() == 0


def test_a_photo_that_a_report_names_is_never_deleted_even_if_it_was_uploaded_again_in_vain(make: Make, clock: FixedClock) -> None:
    work = make()
    photo = work.book.keep_photo(picture(), "10.0.0.1")
    work.file(with_photo(photo))
    assert work.book.keep_photo(picture(), "10.0.0.2") == photo
    later(clock, 3 * DAY)

    assert work.book.clear_photos() == 0
    work.book.photo(photo).close()


def test_a_photo_that_is_uploaded_again_waits_anew(make: Make, clock: FixedClock) -> None:
    work = make()
    photo = work.book.keep_photo(picture(), "10.0.0.1")
    later(clock, DAY - HOUR)
    work.book.keep_photo(picture(), "10.0.0.1")
    later(clock, 2 * HOUR)

    assert work.book.clear_photos() == 0
    work.file(with_photo(photo))


def test_a_report_with_a_photo_that_is_gone_is_told_to_choose_it_again(make: Make, clock: FixedClock) -> None:
    work = make()
    photo = work.book.keep_photo(picture(), "10.0.0.1")
    later(clock, 2 * DAY)
    work.book.clear_photos()

    with pytest.raises(BadInputError) as told:
        work.file(with_photo(photo))

    assert told.value.fields["field"] == "photo"
    work.file(with_photo(work.book.keep_photo(picture(), "10.0.0.1"), "fedcba9876543210"))


def test_cut_off_between_the_file_and_its_row_the_next_run_ends_it(
    make: Make, clock: FixedClock, transactions: SqlTransactions, tmp_path: Path
) -> None:
    work = make()
    photo = work.book.keep_photo(picture(), "10.0.0.1")
    later(clock, 2 * DAY)
    with pytest.raises(Cut):
        waiting_photos.clear_due(transactions, CutOff(tmp_path / "files"), clock)
    with transactions.read() as connection:
        assert waiting_photos.waits(connection, photo)

    # After the restart the same photo may come again, or the duty ends what it began.
    assert work.book.clear_photos() == 1
    with transactions.read() as connection:
        assert not waiting_photos.waits(connection, photo)
    work.file(with_photo(work.book.keep_photo(picture(), "10.0.0.1")))
    later(clock, 2 * DAY)
    assert work.book.clear_photos() == 0


def test_a_photo_that_proves_a_step_stays_when_its_report_is_erased_or_was_never_sent(
    make: Make, clock: FixedClock, transactions: SqlTransactions
) -> None:
    work = make()
    photo = work.book.keep_photo(picture(), "10.0.0.1")
    work.file(said())
    with transactions.begin() as tx:
        step = tx.connection.execute(select(STEP.c.id)).scalars().first()
        tx.connection.execute(insert(STEP_PHOTO).values(step=step, photo=photo))
    later(clock, 2 * DAY)
    assert work.book.clear_photos() == 0
    work.book.photo(photo).close()
