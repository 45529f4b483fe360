"""What a demonstration plays of shared berths (模拟生成): owners who open theirs off-peak, and drivers who come, cancel or stay away.

Nobody offered or booked any of it. Offices open at night, homes by day, a market and a school at weekends.
"""

from typing import Literal

import numpy as np

from citybrain.sdk import HOUR, MINUTE, Instant, Share, Sharing, Stay, local_date

_WEEK, _WEEKEND, _ALWAYS = (1, 2, 3, 4, 5), (6, 7), (1, 2, 3, 4, 5, 6, 7)
_EVENING, _MORNING, _LATE = 18 * 60, 8 * 60, 22 * 60
_LEAVING, _HOME = 8 * 60 + 30, 17 * 60 + 30
SHARES = (
    Share("lot-02", 4, _WEEK, _EVENING, _MORNING, 100, "写字楼车位，下班后对外开放，次日 8 点前驶离。"),
    Share("lot-05", 3, _WEEK, _EVENING, _MORNING, 0, "机关院内车位，夜间免费向周边居民开放。"),
    Share("lot-08", 4, _ALWAYS, _LATE, _MORNING, 50, "商场地下车位，闭店后开放过夜停车。"),
    Share("lot-11", 3, _WEEK, _LEAVING, _HOME, 200, "小区车位，居民上班时段开放。"),
    Share("lot-14", 3, _WEEK, _LEAVING, _HOME, 200, "小区车位，白天空余开放，请停在画线车位。"),
    Share("lot-17", 3, _WEEK, _EVENING, _MORNING, 100, "银行网点车位，夜间开放。"),
    Share("lot-20", 5, _WEEKEND, _MORNING, _EVENING, 100, "学校车位，周末白天开放。"),
    Share("lot-23", 3, _ALWAYS, _EVENING, _MORNING, 100, "医院职工车位，夜间开放，请勿占用急救通道。"),
    Share("lot-26", 4, _WEEKEND, _MORNING, _EVENING, 150, "批发市场货场车位，周末白天开放。"),
)
_WANTED = 0.75
"""Drivers for a berth of an offer and day, on average."""
_FATES = (0.84, 0.92)
"""Up to the first a booking is kept, up to the second cancelled, above it the driver stays away."""
_SLOT = 30 * MINUTE


def stays(rng: np.random.Generator, day: Instant) -> tuple[Stay, ...]:
    """The bookings that begin on the local day of a midnight, the same for the same chance: on slots, inside their offer's hours."""
    weekday = local_date(day).isoweekday()
    found: list[Stay] = []
    for number, share in enumerate(SHARES):
        wanted = int(rng.poisson(_WANTED * share.units))
        if weekday in share.days:
            found.extend(_stay(rng, day, number, share) for _ in range(wanted))
    return tuple(found)


def _stay(rng: np.random.Generator, day: Instant, number: int, share: Share) -> Stay:
    """They come within the first two hours; who stays overnight stays until about the end, others two to five hours."""
    opens, length = Instant(day + share.opens * MINUTE), ((share.closes - share.opens) % 1440 or 1440) * MINUTE
    begins = Instant(opens + int(rng.integers(0, 4)) * _SLOT)
    left = opens + length - begins
    stay = left - int(rng.integers(0, 3)) * _SLOT if share.closes < share.opens else int(rng.integers(4, 11)) * _SLOT
    made = Instant(begins - int(rng.integers(2, 30)) * HOUR)
    fate = float(rng.random())
    became: Literal["kept", "cancelled", "missed"] = "kept" if fate < _FATES[0] else "cancelled" if fate < _FATES[1] else "missed"
    return Stay(number, made, begins, Instant(begins + min(stay, left)), became)


SHARING = Sharing(SHARES, stays)
