"""The two questions of parking, from tables to advice: what is said where nothing is known, nothing is needed, or not all can be met."""

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from citybrain.kernel.datasets import Advice
from citybrain.kernel.instant import DAY, HOUR, Instant, local, parse
from citybrain.kernel.text import Text, same
from citybrain.services.livelihood.parking import guidance, tariff

NOW = parse("2026-11-23T09:10:00+08:00")
TEN = parse("2026-11-23T10:00:00+08:00")
Slot = dict[str, int | str]
LOTS = ("lot-a", "lot-b", "lot-c")
_AT = {"lot-a": 117.100, "lot-b": 117.104, "lot-c": 117.150}
"""Lots a and b are 450 m to walk apart, c is kilometres away."""


def tables(
    ahead: dict[str, tuple[float, float, float]], *, shared: float | None = 0.0, offers: tuple[Slot, ...] = ()
) -> dict[str, pa.Table]:
    """Three lots of 100 berths, with the low, middle and high edge of one forecast hour of each; the first shares berths."""
    lots = [
        {
            "id": lot,
            "title_zh": lot,
            "title_en": lot,
            "lon": _AT[lot],
            "lat": 39.1,
            "origin": "demo",
            "shared": shared if lot == "lot-a" else None,
            "price": 300.0,
        }
        for lot in LOTS
    ]
    points = [{"entity": lot, "time": TEN, "low": low, "mean": mean, "high": high} for lot, (low, mean, high) in ahead.items()]
    columns: dict[str, pa.DataType] = {"entity": pa.string(), "time": pa.int64()}
    columns |= {edge: pa.float64() for edge in ("low", "mean", "high")}
    return {
        "entity:parking_lot": pa.Table.from_pylist(lots),
        "stream:parking_lot.capacity": pa.Table.from_pylist([{"entity": lot, "value": 100.0} for lot in LOTS]),
        "forecast:parking_lot.occupancy": pa.Table.from_pylist(points, schema=pa.schema(columns)),
        "offer:parking_lot": pa.Table.from_pylist(list(offers)),
    }


def words(advice: Advice) -> str:
    return msgspec.json.encode(advice).decode()


def test_a_lot_that_will_be_full_is_led_past_to_the_one_nearby_with_its_margin() -> None:
    found = guidance.answer(tables({"lot-a": (90, 98, 100), "lot-b": (20, 50, 93), "lot-c": (20, 30, 40)}), NOW)
    # 4 cars above the mark at the 60 % quantile (98.5), 2 berths of room at b's high edge; c is too far.
    assert found.found == "infeasible"
    guided, asked, hours = found.sheets
    assert [(row[1], row[2], row[3]) for row in guided.rows] == [(Text("lot-a", "lot-a"), Text("lot-b", "lot-b"), 2.0)]
    assert asked.rows == ()
    assert hours.rows[0][1:] == (3.0, 4.0, 2.0, 2.0)
    assert "lot-a: 2 berth hours have no place" in words(found)
    assert "lot-b: its room, after the margin, and the berths to be opened are used up" in words(found)


def test_owners_are_asked_for_no_more_than_they_share_and_have_not_opened() -> None:
    slots: list[Slot] = [
        {
            "offer": "o",
            "entity": "lot-a",
            "begins": TEN + half * HOUR // 2,
            "ends": TEN + (half + 1) * HOUR // 2,
            "units": 2,
            "free": 1,
        }
        for half in (0, 1)
    ]
    full = {"lot-a": (90.0, 99.5, 100.0)}
    found = guidance.answer(tables(full, shared=5.0, offers=tuple(slots)), NOW)
    # 5 cars above the mark: one berth stands open and free, three of five are not opened yet, one has no place.
    assert [row[2] for row in found.sheets[1].rows] == [3.0]
    assert found.found == "infeasible"
    assert found.cost is not None
    assert found.idle == 5 * 1500.0
    assert found.cost < found.idle


def test_an_offer_for_part_of_an_hour_is_no_room_for_the_hour() -> None:
    half: Slot = {"offer": "o", "entity": "lot-b", "begins": TEN, "ends": TEN + HOUR // 2, "units": 9, "free": 9}
    found = guidance.answer(tables({"lot-a": (90, 98, 100)}, offers=(half,)), NOW)
    assert found.sheets[0].rows == ()


def test_where_no_lot_goes_above_the_mark_there_is_nothing_to_do() -> None:
    found = guidance.answer(tables(dict.fromkeys(LOTS, (10, 20, 60))), NOW)
    assert (found.found, found.cost, found.idle) == ("nothing", 0.0, 0.0)


def test_without_a_forecast_no_advice_is_made_up() -> None:
    assert guidance.answer(tables({}), NOW).found == "unknown"


def test_forecast_hours_that_are_over_are_not_advised_on() -> None:
    later = Instant(TEN + 2 * HOUR)
    assert guidance.answer(tables({"lot-a": (90, 98, 100)}), later).found == "unknown"


def hourly(levels: tuple[float, float]) -> pa.Table:
    """Two weeks of lot-a, each hour of the day alike: the week before, and the last."""
    rows = [
        {"entity": "lot-a", "time": NOW - back * HOUR, "value": levels[0] if back > 7 * 24 else levels[1]}
        for back in range(1, 14 * 24)
        if 8 <= local(Instant(NOW - back * HOUR)).hour <= 16
    ]
    return pa.Table.from_pylist(rows)


def priced(levels: tuple[float, float]) -> Advice:
    return tariff.answer(tables({}) | {"hourly:parking_lot.occupancy": hourly(levels)}, NOW)


def test_a_lot_above_the_band_in_both_weeks_gets_a_step_up_marked_as_resting_on_invented_prices() -> None:
    found = priced((92.0, 94.0))
    assert found.found == "advised"
    (sheet,) = found.sheets
    assert {row[4] for row in sheet.rows} == {same("+0.50")}
    assert "示意" in sheet.columns[2].zh
    assert "现价为示意值" in found.assumed[0].zh
    assert found.cost is not None
    assert found.idle is not None
    assert found.cost < found.idle


def test_weeks_that_disagree_get_no_advice_and_it_is_said() -> None:
    found = priced((94.0, 40.0))
    assert found.found == "nothing"
    assert {row[4] for row in found.sheets[0].rows} == {Text("不稳健，不作建议", "not robust: none")}


def test_without_a_price_on_record_none_is_made_up() -> None:
    given = tables({}) | {"hourly:parking_lot.occupancy": hourly((94.0, 94.0))}
    lots = given["entity:parking_lot"]
    given["entity:parking_lot"] = lots.set_column(lots.schema.get_field_index("price"), "price", pa.nulls(len(LOTS), pa.float64()))
    found = tariff.answer(given, NOW)
    assert found.found == "unknown"
    assert "price on record" in found.said.en


def test_a_week_without_history_is_no_week_to_judge_by() -> None:
    short = hourly((94.0, 94.0))
    recent = short.filter(pc.field("time") > NOW - 6 * DAY)
    given = tables({}) | {"hourly:parking_lot.occupancy": recent}
    assert tariff.answer(given, NOW).found == "unknown"
