"""Fairness of bookings: what a span costs, and how bookings that were not kept count against an account. Pure."""

from collections.abc import Sequence

import msgspec

from citybrain.kernel.bookings import BookingState, Offer
from citybrain.kernel.instant import DAY, MINUTE, Duration, Instant
from citybrain.kernel.pack import Parameter
from citybrain.kernel.text import Text

STATE_WORDS: dict[BookingState, Text] = {
    "booked": Text("已预订", "Booked"),
    "arrived": Text("已到达", "Arrived"),
    "done": Text("已完成", "Done"),
    "no_show": Text("未到", "No-show"),
    "cancelled": Text("已取消", "Cancelled"),
}


class Fairness(msgspec.Struct, frozen=True):
    """How no-shows are handled, from dated parameters: durations in µs, ``limit`` in no-shows."""

    grace: Duration
    window: Duration
    limit: int
    clean: Duration
    ahead: Duration
    notice: Duration

    @staticmethod
    def of(values: dict[str, float | str]) -> "Fairness":
        """The rules of parameters in force; names and units as in ``HOUSE``."""
        number = {name: float(value) for name, value in values.items() if name in _NAMES}
        return Fairness(
            grace=Duration(round(number["booking_grace"] * MINUTE)),
            window=Duration(round(number["booking_no_show_window"] * DAY)),
            limit=round(number["booking_no_show_limit"]),
            clean=Duration(round(number["booking_clean_period"] * DAY)),
            ahead=Duration(round(number["booking_limited_ahead"] * 60 * MINUTE)),
            notice=Duration(round(number["booking_withdrawal_notice"] * 60 * MINUTE)),
        )


_SOURCE = "CityBrain, set for the demonstration; a district decides its own"
HOUSE: tuple[Parameter, ...] = (
    Parameter("booking_grace", 15.0, "2020-01-01", _SOURCE, "local"),
    Parameter("booking_no_show_window", 30.0, "2020-01-01", _SOURCE, "local"),
    Parameter("booking_no_show_limit", 3.0, "2020-01-01", _SOURCE, "local"),
    Parameter("booking_clean_period", 14.0, "2020-01-01", _SOURCE, "local"),
    Parameter("booking_limited_ahead", 24.0, "2020-01-01", _SOURCE, "local"),
    Parameter("booking_withdrawal_notice", 24.0, "2020-01-01", _SOURCE, "local"),
)
"""Minutes of grace; days of the window; no-shows that limit; days that forgive; hours ahead when limited; hours of notice.

A pack that declares a bookable kind may date others of the same names.
"""
_NAMES = frozenset(parameter.name for parameter in HOUSE)


def counted(no_shows: Sequence[Instant], now: Instant, rules: Fairness) -> int:
    """How many no-shows count against an account now: those of the window, and none once a clean period has gone by."""
    past = [at for at in no_shows if at <= now]
    if not past or now - max(past) >= rules.clean:
        return 0
    return sum(at > now - rules.window for at in past)


def price(offer: Offer, begins: Instant, ends: Instant, units: int) -> int:
    """The whole price of a span in 分, rounded up to a whole 分."""
    minutes = (ends - begins) // MINUTE
    return -(-offer.price * units * minutes // 60)
