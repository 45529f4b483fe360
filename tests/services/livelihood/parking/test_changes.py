"""A feed of changes: no change is not silence, and silence is not no change."""

import numpy as np
import pytest

from citybrain.brain.observe.life import ORDER, contracts, lives
from citybrain.kernel.instant import MINUTE, Duration, Instant, parse
from citybrain.kernel.things import Contract, Life
from citybrain.services.livelihood.parking.changes import Gap, Readings, gaps, restated, sound

NOON = parse("2026-11-23T12:00:00+08:00")
SILENT = Duration(20 * MINUTE)
SOURCE = np.array([0, 0, 1], np.int32)
"""Lots 0 and 1 are of one operator, lot 2 of another."""


def changes(*rows: tuple[int, int, float]) -> Readings:
    """Lot, minutes from noon, free berths."""
    lot, minute, free = zip(*rows, strict=True)
    return Readings(np.array(lot, np.int32), NOON + np.array(minute, np.int64) * MINUTE, np.array(free, np.float64))


SENT = changes((0, 0, 40.0), (1, 0, 7.0), (2, 0, 90.0), (0, 5, 41.0), (0, 10, 42.0), (0, 60, 50.0), (2, 60, 91.0))


def read(found: Readings) -> list[tuple[int, int, float]]:
    minutes = ((found.time - NOON) // MINUTE).tolist()
    return list(zip(found.lot.tolist(), minutes, found.free.tolist(), strict=True))


def test_a_lot_without_a_change_is_as_it_was_at_each_pass_of_its_source() -> None:
    assert read(restated(SENT, SOURCE)) == [
        (0, 0, 40.0), (1, 0, 7.0), (2, 0, 90.0), (0, 5, 41.0), (1, 5, 7.0), (0, 10, 42.0), (1, 10, 7.0),
        (0, 60, 50.0), (1, 60, 7.0), (2, 60, 91.0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("minute", "expected"),
    [(12, [Life.LIVE, Life.LIVE, Life.LIVE]), (25, [Life.LIVE, Life.LIVE, Life.LATE]), (31, [Life.LATE, Life.LATE, Life.LATE])],
)
def test_the_streams_own_contract_tells_silence_from_no_change(minute: int, expected: list[Life]) -> None:
    found = restated(SENT, SOURCE)
    now = Instant(NOON + minute * MINUTE)
    seen = found.time <= now
    newest = np.array([found.time[seen & (found.lot == lot)].max() for lot in range(3)])
    promised = contracts((Contract(silent_after=SILENT),) * 3)
    codes = lives(promised, newest, np.zeros(3), newest, now)
    assert [ORDER[int(code)] for code in codes] == expected


def test_a_silent_source_is_named_with_its_span() -> None:
    assert gaps(SENT, SOURCE, SILENT) == (
        Gap(0, NOON + 10 * MINUTE, NOON + 60 * MINUTE),
        Gap(1, NOON, NOON + 60 * MINUTE),
    )
    assert gaps(SENT, SOURCE, 60 * MINUTE) == ()


def test_more_free_than_there_are_is_a_fault_and_no_fact() -> None:
    free, capacity = np.array([0.0, 40.0, 41.0, -1.0, 3.0]), np.array([40.0, 40.0, 40.0, 40.0, 0.0])
    assert np.array_equal(sound(free, capacity), [0.0, 40.0, np.nan, np.nan, np.nan], equal_nan=True)
