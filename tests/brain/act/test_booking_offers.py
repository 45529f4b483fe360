"""Offers: who may publish, how much, and that a thing is never offered twice over."""

import pytest

from citybrain.brain.act import Wanted
from citybrain.engines.transactions import SqlTransactions
from citybrain.kernel.clock import FixedClock
from citybrain.kernel.errors import BadInputError, ConflictError, FullError, NotFoundError, PastError, StaleError
from citybrain.kernel.instant import DAY, Instant
from tests.brain.act.booking_world import Desk, at, desk_over, hall

WEEK = Instant(at(0) + 7 * DAY)


@pytest.fixture
def desk(transactions: SqlTransactions, clock: FixedClock) -> Desk:
    return desk_over(transactions, clock)


def test_the_owner_is_the_one_that_the_thing_names_or_the_unit_that_answers_for_its_kind(desk: Desk) -> None:
    assert desk.offers.terms.owner(hall("hall-1")) == "unit:unit-sports"
    assert desk.offers.terms.owner(hall("hall-2")) == "account:acc-firm"
    with pytest.raises(BadInputError, match="cannot be booked"):
        desk.offers.terms.owner(hall("tree-1"))


def test_offers_of_a_thing_never_give_more_together_than_it_has(desk: Desk) -> None:
    nights = Wanted("hall-1", 2, at(0), WEEK, (1, 2, 3, 4, 5), 18 * 60, 8 * 60, 500)
    desk.offers.publish(nights, "unit:unit-sports", "nights")
    with pytest.raises(FullError) as refused:
        desk.offers.publish(Wanted("hall-1", 2, at(24), at(48)), "unit:unit-sports", "more")
    assert (refused.value.fields["capacity"], refused.value.fields["free"]) == (3, 1)
    days = Wanted("hall-1", 3, at(0), WEEK, (1, 2, 3, 4, 5), 8 * 60, 18 * 60)
    assert desk.offers.publish(days, "unit:unit-sports", "days").units == 3
    assert desk.offers.publish(Wanted("hall-1", 1, at(26), at(30)), "unit:unit-sports", "one").units == 1


def test_the_same_key_publishes_once(desk: Desk) -> None:
    wanted = Wanted("hall-1", 2, at(0), WEEK)
    first = desk.offers.publish(wanted, "unit:unit-sports", "k")
    assert desk.offers.publish(wanted, "unit:unit-sports", "k") == first
    with pytest.raises(ConflictError):
        desk.offers.publish(Wanted("hall-1", 1, at(0), WEEK), "unit:unit-sports", "k")
    assert desk.offers.current() == (first,)
    assert desk.offers.owned(("unit:unit-sports",)) == (first,)
    assert desk.offers.owned(("unit:other",)) == ()


@pytest.mark.parametrize(
    ("wanted", "error", "field"),
    [
        (Wanted("hall-1", 0, at(0), WEEK), BadInputError, "units"),
        (Wanted("hall-1", 1, WEEK, at(0)), BadInputError, "until"),
        (Wanted("hall-1", 1, at(0), Instant(at(0) + 400 * DAY)), BadInputError, "until"),
        (Wanted("hall-1", 1, at(0), WEEK, (0,)), BadInputError, "days"),
        (Wanted("hall-1", 1, at(0), WEEK, (2, 2)), BadInputError, "days"),
        (Wanted("hall-1", 1, at(0), WEEK, (2,), 1440), BadInputError, "opens"),
        (Wanted("hall-1", 1, at(0), WEEK, price=-1), BadInputError, "price"),
        (Wanted("hall-1", 1, at(-9), at(-8)), PastError, "until"),
        (Wanted("hall-1", 1, at(0.1), WEEK), BadInputError, None),
        (Wanted("hall-9", 1, at(0), WEEK), NotFoundError, None),
        (Wanted("tree-1", 1, at(0), WEEK), BadInputError, None),
    ],
)
def test_an_offer_that_cannot_be_is_refused_by_its_field(
    desk: Desk, wanted: Wanted, error: type[NotFoundError | BadInputError], field: str | None
) -> None:
    with pytest.raises(error) as refused:
        desk.offers.publish(wanted, "unit:unit-sports", "k")
    assert field is None or refused.value.fields["field"] == field


def test_a_withdrawal_wants_the_version_that_was_seen_and_a_reason(desk: Desk) -> None:
    offer = desk.published()
    with pytest.raises(StaleError):
        desk.offers.withdraw(offer.id, 2, "x")
    with pytest.raises(BadInputError):
        desk.offers.withdraw(offer.id, 1, " ")
    assert desk.offers.withdraw(offer.id, 1, "x").until == at(23)
