"""The district's parking figures: what sharing gained, hour by hour, and totals that say how many lots are unknown."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pytest

from citybrain.brain.see.behind import rows
from citybrain.brain.see.facts import BOOKING_FACT, WINDOW_FACT
from citybrain.brain.see.tables import STREAM, IbisTables, plan
from citybrain.engines.duckdb.facts import DuckFacts
from citybrain.engines.duckdb.file import DuckFile
from citybrain.kernel.instant import DAY, HOUR, Instant, parse
from citybrain.kernel.pack import Indicator
from citybrain.services.livelihood.parking import PACK

NOW = parse("2026-11-23T20:00:00+08:00")
Row = Mapping[str, object]


def figure(name: str) -> Indicator:
    return next(one for one in PACK.indicators if one.name == name)


@pytest.fixture
def facts(tmp_path: Path) -> Iterator[DuckFacts]:
    file = DuckFile(tmp_path)
    yield DuckFacts(file)
    file.close()


def window(key: str, begins: float, ends: float, units: int, kind: str = "parking_lot", area: str = "990104001001") -> Row:
    """A window from and to so many hours from NOW."""
    at = {"begins": Instant(NOW + round(begins * HOUR)), "ends": Instant(NOW + round(ends * HOUR)), "time": Instant(NOW - 9 * DAY)}
    return {
        "offer_window": key,
        "offer": key,
        "entity": "lot-01",
        "kind": kind,
        "area": area,
        "units": units,
        "origin": "demo",
        **at,
    }


def booking(key: str, begins: float, state: str, units: int = 1, version: int = 2) -> Row:
    at = {"begins": Instant(NOW + round(begins * HOUR)), "time": Instant(NOW - HOUR), "version": version}
    return {"booking": key, "kind": "parking_lot", "area": "990104002001", "units": units, "state": state, "origin": "demo", **at}


def keep(facts: DuckFacts, name: str, rows: Sequence[Row], schema: pa.Schema) -> None:
    whole = [{"event": f"{name}-{at}", "position": at} | dict(row) for at, row in enumerate(rows, 1)]
    facts.append(name, pa.Table.from_pylist(whole, schema=schema), len(whole))


def measured(facts: DuckFacts, name: str, streams: Sequence[Row] = ()) -> dict[str | None, tuple[float | None, int]]:
    tables = IbisTables(facts, lambda: pa.Table.from_pylist(list(streams), schema=STREAM), tuple, NOW)
    return {row["area"]: (row["value"], row["unknown"]) for row in tables.run(figure(name).measure(tables)).to_pylist()}


def test_hours_released_are_those_within_the_last_seven_days(facts: DuckFacts) -> None:
    windows = [
        window("a", -2, 12, 3),
        window("b", -24 * 7 - 1, -24 * 7 + 2, 5),
        window("c", 1, 9, 50),
        window("d", -2, 0, 9, "hall"),
    ]
    keep(facts, "offer_released", windows, WINDOW_FACT)
    # 3 berths for the 2 hours that have gone by, and 5 for the 2 of 3 hours that lie within the week.
    assert measured(facts, "parking_hours_released") == {None: (16.0, 0), "990104001": (16.0, 0)}


def test_berths_added_are_those_open_at_this_moment(facts: DuckFacts) -> None:
    windows = [window("a", -2, 12, 3), window("b", 0, 1, 4, area="990104002009"), window("c", -3, 0, 50)]
    keep(facts, "offer_released", windows, WINDOW_FACT)
    assert measured(facts, "parking_berths_added") == {None: (7.0, 0), "990104001": (3.0, 0), "990104002": (4.0, 0)}


def test_gains_are_those_of_any_moment_though_their_questions_are_built_but_once(facts: DuckFacts) -> None:
    windows = [(-2, 12, 3), (-24 * 7 - 1, -24 * 7 + 2, 5), (0, 1, 4), (-3, 0, 50)]
    keep(facts, "offer_released", [window(f"w{at}", *one) for at, one in enumerate(windows)], WINDOW_FACT)
    gains = ("parking_hours_released", "parking_berths_added")
    built = IbisTables(facts, STREAM.empty_table, tuple, NOW)
    plans = {name: plan(figure(name).measure(built)) for name in gains}
    for hour in (-24 * 8, -24 * 7, -30, -2, -1, 0, 1, 12, 24 * 7 - 2, 24 * 8):
        tables = IbisTables(facts, STREAM.empty_table, tuple, Instant(NOW + hour * HOUR))
        found = [next(row["value"] for row in tables.answer(plans[name]).to_pylist() if row["area"] is None) for name in gains]
        within = [max(0, min(ends, hour) - max(begins, hour - 24 * 7)) * units for begins, ends, units in windows]
        assert found == [sum(within), sum(units for begins, ends, units in windows if begins <= hour < ends)], hour


def test_turnover_counts_bookings_that_were_kept_not_those_made(facts: DuckFacts) -> None:
    kept = [booking("a", -3, "done", 2), booking("b", -24, "arrived", 5)]
    lost = [booking("c", -5, "no_show"), booking("d", -5, "cancelled"), booking("e", 2, "booked"), booking("f", -24 * 8, "done")]
    keep(facts, "booking_changed", [*kept, *lost], BOOKING_FACT)
    assert measured(facts, "parking_turnover_gained") == {None: (1.0, 0), "990104002": (1.0, 0)}


@pytest.mark.parametrize("name", ["parking_turnover_gained", "parking_hours_released", "parking_berths_added"])
def test_each_gain_says_what_the_forecast_without_action_is_and_is_nothing_before_sharing(facts: DuckFacts, name: str) -> None:
    assert measured(facts, name) == {None: (0.0, 0)}
    assert "不开展错时共享时" in figure(name).definition.zh
    assert "the forecast is 0" in figure(name).definition.en


def test_lots_that_are_closed_are_unknown_and_never_zero(facts: DuckFacts) -> None:
    def lot(number: int, value: float | None, life: str) -> Row:
        shared = {"kind": "parking_lot", "unit": "{space}", "time": NOW, "received": NOW, "origin": "demo", "area": "990104001001"}
        return {"stream": f"lot-{number}.free", "entity": f"lot-{number}", "field": "free", "value": value, "life": life, **shared}

    streams = [lot(1, 40.0, "live"), lot(2, 0.0, "live"), lot(3, 90.0, "closed"), lot(4, None, "never")]
    assert measured(facts, "parking_free", streams) == {None: (40.0, 2), "990104001": (40.0, 2)}
    assert measured(facts, "parking_free", streams[2:]) == {None: (None, 2), "990104001": (None, 2)}
    tables = IbisTables(facts, lambda: pa.Table.from_pylist(streams, schema=STREAM), tuple, NOW)
    whole = next(row for row in tables.run(figure("parking_free").measure(tables)).to_pylist() if row["area"] is None)
    assert (whole["unknown"], whole["closed"]) == (2, 1)


def behind(facts: DuckFacts, name: str) -> list[Row]:
    tables = IbisTables(facts, lambda: pa.Table.from_pylist([], schema=STREAM), tuple, NOW)
    return list(rows(tables, figure(name), None, 100))


def test_the_gains_open_to_the_bookings_and_windows_they_count_and_to_no_others(facts: DuckFacts) -> None:
    keep(facts, "offer_released", [window("now", -2, 12, 3), window("past", -30, -20, 2), window("later", 1, 9, 4)], WINDOW_FACT)
    kept = [
        booking("kept", -24, "done"),
        booking("missed", -24, "no_show"),
        booking("old", -24 * 8, "done"),
        booking("next", 3, "booked"),
    ]
    keep(facts, "booking_changed", kept, BOOKING_FACT)

    assert [row["booking"] for row in behind(facts, "parking_turnover_gained")] == ["kept"]
    assert [(row["offer_window"], row["hours"]) for row in behind(facts, "parking_hours_released")] == [
        ("now", 2.0),
        ("past", 10.0),
    ]
    assert [row["offer_window"] for row in behind(facts, "parking_berths_added")] == ["now"]
    assert behind(facts, "parking_turnover_gained")[0]["begins"] == "2026-11-22T12:00:00Z"
