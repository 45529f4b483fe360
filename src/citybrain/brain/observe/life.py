"""The life of values, decided from their contracts on whole arrays; when several hold, the first of the order counts. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from citybrain.kernel.instant import DAY, MINUTE, Instant, local_date, midnight
from citybrain.kernel.observations import Floats, Ints
from citybrain.kernel.things import Contract, Life

ORDER: tuple[Life, ...] = tuple(Life)
"""Gravest first: closed, never, late, out_of_range, stuck, contradicted, drifting, live."""
NEVER = Instant(np.iinfo(np.int64).min // 4)
"""The time that stands in arrays for no reading at all."""
ENDLESS = np.iinfo(np.int64).max // 4
"""The duration that stands in arrays for a promise that was not made."""
CODE = {life: np.uint8(code) for code, life in enumerate(ORDER)}


@dataclass(frozen=True, slots=True)
class Contracts:
    """The contracts of n streams as arrays (n,): durations in µs, limits in each stream's unit; infinite where not promised."""

    silent_after: Ints
    stuck_after: Ints
    low: Floats
    high: Floats
    opens: Ints
    closes: Ints
    """µs of the local day; 0 and a whole day where it is open always."""

    def take(self, index: NDArray[np.int64]) -> "Contracts":
        """Those of some streams."""
        return Contracts(
            self.silent_after[index],
            self.stuck_after[index],
            self.low[index],
            self.high[index],
            self.opens[index],
            self.closes[index],
        )


def contracts(each: Sequence[Contract]) -> Contracts:
    """Contracts as arrays, in the order given."""

    def spans(values: list[int | None]) -> Ints:
        return np.array([ENDLESS if value is None else value for value in values], np.int64)

    return Contracts(
        spans([contract.silent_after for contract in each]),
        spans([contract.stuck_after for contract in each]),
        np.array([-np.inf if contract.low is None else contract.low for contract in each], np.float64),
        np.array([np.inf if contract.high is None else contract.high for contract in each], np.float64),
        np.array([0 if contract.opens is None else contract.opens * MINUTE for contract in each], np.int64),
        np.array([DAY if contract.closes is None else contract.closes * MINUTE for contract in each], np.int64),
    )


SOUND = np.full(1, CODE[Life.LIVE])
"""No doubt about any stream."""


def lives(
    promised: Contracts, time: Ints, value: Floats, changed: Ints, now: Instant, doubted: NDArray[np.uint8] = SOUND
) -> NDArray[np.uint8]:
    """The life of n values (n,) as an index into ORDER.

    ``time`` is when each was observed (NEVER for none), ``changed`` when it last took another value. Decided here are never,
    late, out_of_range, stuck, live, and closed: outside the opening hours, and from opening until the first value of the day is
    due. Silence counts from opening. ``doubted`` (n,) is contradicted or drifting where a stream was found to be so against its
    neighbours (see ``doubts``), and live elsewhere.
    """
    of_day = now - midnight(local_date(now))
    begun = now - of_day + promised.opens
    waits = (promised.opens > 0) & (time < begun) & (now - begun <= promised.silent_after)
    closed = (of_day < promised.opens) | (of_day > promised.closes) | waits
    late = now - time > promised.silent_after
    outside = (value < promised.low) | (value > promised.high)
    stuck = time - changed >= promised.stuck_after
    held = [closed, time <= NEVER, late, outside, stuck]
    codes = [CODE[life] for life in (Life.CLOSED, Life.NEVER, Life.LATE, Life.OUT_OF_RANGE, Life.STUCK)]
    return np.select(held, codes, default=doubted)


def life(contract: Contract, time: Instant | None, value: float, changed: Instant, now: Instant) -> Life:
    """The life of one value; ``time`` None for a stream that never reported."""
    seen = np.array([NEVER if time is None else time], np.int64)
    code = lives(contracts((contract,)), seen, np.array([value]), np.array([changed], np.int64), now)
    return ORDER[int(code[0])]
