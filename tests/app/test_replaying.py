"""Replaying: source rows moved by whole days, what was not measured left out, what is derived computed."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from citybrain.app.replaying import Player, Rows, player
from citybrain.kernel.instant import DAY, HOUR, Instant, parse
from citybrain.kernel.pack import DemoDistrict, Derived, Pack, Planted, Replay, Slice
from citybrain.kernel.text import Text, same
from citybrain.kernel.things import By, Field, Kind

SINCE = parse("2015-11-22T00:00:00Z")
SHIFT = 4018
NAN = np.nan
KIND = Kind(
    "well",
    same("井"),
    (
        Field("level", same("水位"), By.SENSOR, "m"),
        Field("salt", same("盐度"), By.SENSOR, "g/m3"),
        Field("sum", same("和"), By.DERIVED, "m"),
    ),
    "water",
)
STREAMS = {"well-1.level": 11, "well-1.salt": 12, "well-1.sum": 13, "well-2.level": 21, "well-2.salt": 22, "well-2.sum": 23}


def nobody(_: DemoDistrict) -> tuple[Planted, ...]:
    return ()


def read(_: Path, since: Instant, until: Instant) -> Iterator[Slice]:
    """Two wells, every hour of the span, the second without salt."""
    hours = np.arange(since + (-since % HOUR), until, HOUR, dtype=np.int64)
    times, wells = np.repeat(hours, 2), np.tile(np.array([0, 1], np.int32), len(hours))
    level = (times - SINCE) / HOUR + wells * 100.0
    yield Slice(wells, times, {"level": level, "salt": np.where(wells == 1, NAN, 0.5)})


def summed(_: NDArray[np.int64], inputs: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    return inputs["level"] + inputs["salt"]


@pytest.fixture
def wells() -> Player:
    replay = Replay(Text("示例", "example"), SINCE, Instant(SINCE + 30 * DAY), nobody, read, "PT1H")
    derived = Derived("well", "sum", ("level", "salt"), summed, lookback="PT2H")
    pack = Pack("wells", same("井"), "四-3", same("示例"), kinds=(KIND,), derived=(derived,), replay=replay)
    return player(pack, replay, Path(), SHIFT, ("well-1", "well-2"), STREAMS)


def flat(pieces: Iterator[Rows]) -> list[tuple[int, int, float]]:
    found = [(int(no), int(time), float(value)) for piece in pieces for no, time, value in zip(*piece, strict=True)]
    return sorted(found)


def test_a_reading_is_moved_by_whole_days_and_keeps_its_hour(wells: Player) -> None:
    today = Instant(SINCE + SHIFT * DAY)
    assert flat(wells.measured(Instant(today + 6 * HOUR), Instant(today + 6 * HOUR + 1))) == [
        (11, today + 6 * HOUR, 6.0),
        (12, today + 6 * HOUR, 0.5),
        (21, today + 6 * HOUR, 106.0),
    ]


def test_what_was_not_measured_is_not_sent(wells: Player) -> None:
    today = Instant(SINCE + SHIFT * DAY)
    numbers = {no for no, _, _ in flat(wells.measured(today, Instant(today + DAY)))}
    assert numbers == {11, 12, 21}


def test_spans_that_meet_send_every_reading_once(wells: Player) -> None:
    today, middle = Instant(SINCE + SHIFT * DAY), Instant(SINCE + SHIFT * DAY + 7 * HOUR + 1)
    whole = flat(wells.measured(today, Instant(today + DAY)))
    assert flat(wells.measured(today, middle)) + flat(wells.measured(middle, Instant(today + DAY))) != []
    assert sorted(flat(wells.measured(today, middle)) + flat(wells.measured(middle, Instant(today + DAY)))) == whole


def test_history_has_what_is_derived_but_for_the_rows_that_lack_their_lookback(wells: Player) -> None:
    today = Instant(SINCE + SHIFT * DAY)
    found = [row for row in flat(wells.history(today, Instant(today + 5 * HOUR))) if row[0] == 13]
    assert found == [(13, today + hour * HOUR, hour + 0.5) for hour in (2, 3, 4)]
