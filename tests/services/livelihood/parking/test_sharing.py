"""Played sharing: invented bookings that the real books can take, the same for the same chance."""

import numpy as np

from citybrain.kernel.bookings import Offer, within
from citybrain.kernel.instant import DAY, HOUR, MINUTE, Instant, local_date, parse
from citybrain.kernel.text import same
from citybrain.sdk import Share, Stay
from citybrain.services.livelihood.parking import PACK
from citybrain.services.livelihood.parking.sharing import SHARES, SHARING
from citybrain.services.livelihood.parking.source import LOTS

MONDAY = parse("2026-11-23T00:00:00+08:00")
DAYS = tuple(Instant(MONDAY + day * DAY) for day in range(28))


def days_of(seed: int) -> list[Stay]:
    rng = np.random.default_rng(seed)
    return [stay for day in DAYS for stay in SHARING.day(rng, day)]


def offer(share: Share) -> Offer:
    return Offer(
        id="o",
        kind="parking_lot",
        title=same("o"),
        area=None,
        owner="unit:traffic",
        since=Instant(MONDAY - DAY),
        until=Instant(MONDAY + 40 * DAY),
        state="open",
        version=1,
        origin="demo",
        **{name: getattr(share, name) for name in Share.__struct_fields__},
    )


def test_every_stay_lies_on_slots_within_the_hours_of_its_offer_and_is_made_before() -> None:
    for stay in days_of(1):
        assert within(offer(SHARES[stay.share]), stay.begins, stay.ends)
        assert stay.begins % (30 * MINUTE) == stay.ends % (30 * MINUTE) == 0
        assert stay.begins - 30 * HOUR <= stay.made < stay.begins
        assert stay.ends - stay.begins <= 16 * HOUR


def test_stays_of_a_day_begin_on_that_day_and_are_the_same_for_the_same_chance() -> None:
    for day in DAYS[:7]:
        assert {local_date(stay.begins) for stay in SHARING.day(np.random.default_rng(1), day)} == {local_date(day)}
    assert days_of(2) == days_of(2) != days_of(3)


def test_most_are_kept_some_are_cancelled_some_are_missed() -> None:
    fates = [stay.became for stay in days_of(4)]
    shares = {fate: fates.count(fate) / len(fates) for fate in ("kept", "cancelled", "missed")}
    assert 0.75 < shares["kept"] < 0.92
    assert min(shares.values()) > 0.03


def test_every_share_is_of_a_lot_there_is_and_offers_no_more_than_it_may() -> None:
    lots = {f"lot-{number + 1:02}" for number in range(LOTS)}
    assert {share.entity for share in SHARES} < lots
    assert len({share.entity for share in SHARES}) == len(SHARES)
    assert PACK.bookables[0].sample is SHARING
