"""Windows of offers and what is held of them, as arithmetic."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from citybrain.kernel.bookings import Offer, Span, held, windows, within
from citybrain.kernel.instant import HOUR, Instant, parse
from citybrain.kernel.text import same

SUNDAY = parse("2026-11-22T00:00:00+08:00")
SPANS = st.lists(
    st.tuples(st.integers(0, 30), st.integers(1, 8), st.integers(1, 4)).map(
        lambda one: Span(Instant(one[0]), Instant(one[0] + one[1]), one[2])
    ),
    max_size=12,
)


def nightly(days: tuple[int, ...], opens: int, closes: int) -> Offer:
    week = Instant(SUNDAY + 7 * 24 * HOUR)
    return Offer("o", "e", "k", same("x"), None, "unit:u", 2, SUNDAY, week, days, opens, closes, 0, "", "open", 1, "real")


def hours(offer: Offer) -> list[tuple[float, float]]:
    return [
        ((one.begins - SUNDAY) / HOUR, (one.ends - SUNDAY) / HOUR)
        for one in windows(offer, SUNDAY, Instant(SUNDAY + 7 * 24 * HOUR))
    ]


def test_a_night_that_begins_on_a_weekday_ends_on_the_next_morning() -> None:
    assert hours(nightly((1, 5), 18 * 60, 8 * 60)) == [(42.0, 56.0), (138.0, 152.0)]


def test_a_night_that_began_before_the_first_day_is_cut_at_the_beginning() -> None:
    assert hours(nightly((6,), 18 * 60, 8 * 60)) == [(0.0, 8.0), (162.0, 168.0)]
    before = Instant(SUNDAY + 12 * HOUR)
    offer = nightly((7,), 0, 0)
    assert [one.begins for one in windows(offer, before, Instant(before + HOUR))] == [before]


def test_whole_days_that_touch_are_one_window() -> None:
    assert hours(nightly((1, 2, 3, 4, 5, 6, 7), 0, 1440)) == [(0.0, 168.0)]


def test_a_span_over_two_windows_is_not_within() -> None:
    offer = nightly((7, 1), 8 * 60, 18 * 60)
    assert within(offer, Instant(SUNDAY + 8 * HOUR), Instant(SUNDAY + 18 * HOUR))
    assert not within(offer, Instant(SUNDAY + 17 * HOUR), Instant(SUNDAY + 19 * HOUR))
    assert not within(offer, Instant(SUNDAY + 17 * HOUR), Instant(SUNDAY + 34 * HOUR))


@given(SPANS, st.integers(0, 30), st.integers(1, 10))
def test_what_is_held_is_the_most_of_any_instant(spans: list[Span], begins: int, length: int) -> None:
    by_instant = [sum(one.units for one in spans if one.begins <= at < one.ends) for at in range(begins, begins + length)]
    assert held(spans, Instant(begins), Instant(begins + length)) == max(by_instant)


@given(st.sets(st.integers(1, 7), min_size=1), st.integers(0, 47), st.integers(0, 48))
def test_windows_never_touch_one_another_and_stay_within_the_offer(days: set[int], opens: int, closes: int) -> None:
    offer = nightly(tuple(sorted(days)), opens * 30, closes * 30)
    found = windows(offer, SUNDAY, Instant(SUNDAY + 30 * 24 * HOUR))
    assert all(one.ends < other.begins for one, other in pairwise(found))
    assert all(offer.since <= one.begins < one.ends <= offer.until for one in found)
