"""Indicators: figures are kept with their history, computed when due, and honest when they cannot be."""

from collections.abc import Callable
from dataclasses import replace

import ibis
import ibis.expr.types as ir
import pytest

from citybrain.brain.see.indicators import Indicators
from citybrain.engines.duckdb.facts import DuckFacts
from citybrain.engines.transactions import SqlTransactions
from citybrain.kernel.clock import FixedClock
from citybrain.kernel.errors import BadInputError, DeclarationError, NotFoundError
from citybrain.kernel.instant import HOUR, MINUTE, SECOND, Instant
from citybrain.kernel.pack import Indicator, Pack, Tables
from citybrain.kernel.text import same
from tests.brain.see.conftest import AREAS, NOW, case, moved, opened, stream, streams

HOUSE = 7
IN_AREAS = 3


def mean(tables: Tables) -> ir.Table:
    rows = tables.table("stream")
    assert isinstance(rows, ir.Table)
    live = rows.life == "live"
    return rows.agg(
        area=ibis.null("string"),
        value=rows.value.mean(where=live),
        unknown=(~live).sum(),
        silent_since=rows.time.min(where=~live),
        as_of=rows.time.max(where=live),
    )


def broken(tables: Tables) -> ir.Table:
    rows = tables.table("stream")
    assert isinstance(rows, ir.Table)
    return rows.select(rows.nothing)


def pack(name: str, measure: Callable[[Tables], object], inputs: tuple[str, ...] = ("stream:air_station.pm25",)) -> Pack:
    one = Indicator(name, same(name), "ug/m3", 1, same(name), inputs, measure)
    return Pack("sample", same("sample"), "", same(""), indicators=(one,))


def test_a_figure_without_change_is_stored_once_an_hour_and_a_change_at_once(
    tell: Callable[..., int], indicators: Indicators, clock: FixedClock
) -> None:
    tell(opened(case("c1")))
    for minutes in (0, 10, 20, 60):
        clock.set(Instant(NOW + minutes * MINUTE))
        indicators.compute("open_cases")
    tell(opened(case("c2", opened=NOW)))
    indicators.compute("open_cases")
    shown = [(figure.value, (figure.computed - NOW) // MINUTE) for figure in indicators.history("open_cases", NOW)]
    assert shown == [(1, 0), (2, 60)]
    clock.set(Instant(NOW + 61 * MINUTE))
    tell(opened(case("c3", opened=NOW)))
    indicators.compute("open_cases")
    assert [figure.value for figure in indicators.history("open_cases", NOW)] == [1, 2, 3]
    assert [figure.value for figure in indicators.of("open_cases", Instant(NOW + 30 * MINUTE))] == [1, 1, 0]


def test_figures_survive_a_restart(
    tell: Callable[..., int], indicators: Indicators, facts: DuckFacts, store: SqlTransactions, clock: FixedClock
) -> None:
    tell(opened(case()))
    indicators.compute("open_cases")
    again = Indicators((), facts, streams(), clock, store, lambda: AREAS)
    assert again.of("open_cases") == indicators.of("open_cases")
    assert [figure.indicator for figure in again.figures()] == ["open_cases"] * IN_AREAS


def test_figures_are_due_on_change_at_most_once_a_second_and_every_city_hour(
    tell: Callable[..., int], indicators: Indicators, clock: FixedClock
) -> None:
    assert indicators.run_once() == HOUSE
    assert indicators.run_once() == 0
    tell(opened(case()))
    assert indicators.run_once() == 0
    clock.set(NOW, Instant(NOW + SECOND))
    assert indicators.run_once() == 4
    clock.set(NOW, Instant(NOW + 2 * SECOND))
    indicators.touch()
    assert indicators.run_once() == 3
    clock.set(Instant(NOW + HOUR), Instant(NOW + 3 * SECOND))
    assert indicators.run_once() == HOUSE


def test_the_next_one_due_is_computed_in_its_turn_so_that_none_starves(indicators: Indicators, clock: FixedClock) -> None:
    """The figures of streams are due again every second: those behind them have their turn all the same."""
    seen: list[Instant] = []
    for second in range(HOUSE):
        clock.set(Instant(NOW + second), Instant(NOW + second * SECOND))
        indicators.touch()
        assert indicators.run_next()
        seen = [figure.computed for figure in indicators.figures() if figure.area is None]
    assert len(set(seen)) == HOUSE


def test_a_measure_that_asks_no_time_is_built_once_and_one_that_does_at_every_turn(
    store: SqlTransactions, facts: DuckFacts, clock: FixedClock
) -> None:
    built: list[str] = []

    def timeless(tables: Tables) -> ir.Table:
        built.append("timeless")
        return mean(tables)

    def timed(tables: Tables) -> ir.Table:
        built.append("timed")
        return mean(tables).mutate(value=ibis.literal(float(tables.now - NOW)))

    packs = (pack("timeless", timeless), replace(pack("timed", timed), name="other"))
    indicators = Indicators(packs, facts, streams(stream("a.pm25", value=30.0)), clock, store)
    for minutes in range(3):
        clock.set(Instant(NOW + minutes * MINUTE))
        assert [indicators.compute(name)[0].value for name in ("timeless", "timed")] == [30.0, minutes * MINUTE]
    assert built == ["timeless", "timed", "timed", "timed"]


def test_a_silent_feed_is_found_without_any_event(indicators: Indicators, clock: FixedClock) -> None:
    indicators.run_once()
    clock.set(Instant(NOW + 5 * MINUTE), Instant(NOW + 5 * SECOND))
    assert indicators.run_once() == 3


def test_a_pack_figure_without_a_live_value_has_a_reason_and_its_freshness(
    store: SqlTransactions, facts: DuckFacts, clock: FixedClock
) -> None:
    dead = Instant(NOW - 4 * HOUR)
    old = Instant(NOW - HOUR)
    some = streams(stream("a.pm25", value=30.0, time=old), stream("b.pm25", "late", value=900.0, time=dead))
    (figure,) = Indicators((pack("mean", mean),), facts, some, clock, store).compute("mean")
    assert (figure.value, figure.unknown, figure.as_of) == (30.0, 1, old)
    (figure,) = Indicators((pack("mean", mean),), facts, streams(stream("b.pm25", "late", time=dead)), clock, store).compute("mean")
    assert (figure.value, figure.unknown) == (None, 1)
    assert figure.reason is not None
    assert figure.reason.zh == "11:00起无有效数据"


def test_the_origin_of_a_figure_is_that_of_its_rows(tell: Callable[..., int], indicators: Indicators) -> None:
    tell(opened(case("c1")))
    assert indicators.compute("open_cases")[0].origin == "real"
    tell(opened(case("c2", origin="demo")))
    assert indicators.compute("open_cases")[0].origin == "demo"


def test_a_measure_that_fails_has_no_value_and_stops_no_other(store: SqlTransactions, facts: DuckFacts, clock: FixedClock) -> None:
    indicators = Indicators((pack("broken", broken),), facts, streams(), clock, store)
    assert indicators.run_once() == HOUSE + 1
    (figure,) = indicators.of("broken")
    assert figure.value is None
    assert figure.reason is not None
    assert figure.reason.zh.startswith("指标计算出错")


def test_the_past_of_latest_values_is_not_made_up(indicators: Indicators) -> None:
    with pytest.raises(BadInputError):
        indicators.compute("streams_live", Instant(NOW - HOUR))


def test_two_indicators_of_one_name_are_refused(store: SqlTransactions, facts: DuckFacts, clock: FixedClock) -> None:
    with pytest.raises(DeclarationError):
        Indicators((pack("open_cases", mean),), facts, streams(), clock, store)


def test_the_rows_behind_a_figure_are_those_it_counts(tell: Callable[..., int], indicators: Indicators) -> None:
    tell(opened(case("c1")), opened(case("c2", area="990104002")), opened(case("c3")))
    tell(moved(case("c3", state="closed", closed=NOW, version=2), NOW))
    assert [row["number"] for row in indicators.rows("open_cases")] == ["NK-20261122-c1", "NK-20261122-c2"]
    assert [row["number"] for row in indicators.rows("open_cases", "990104002")] == ["NK-20261122-c2"]
    (row,) = indicators.rows("closed_today")
    assert (row["closed"], row["title"]) == ("2026-11-22T07:00:00Z", {"zh": "空气质量超标", "en": "Air over the limit"})
    with pytest.raises(NotFoundError):
        indicators.rows("no_such_figure")


def test_the_rows_of_a_pack_figure_are_the_streams_it_names(store: SqlTransactions, facts: DuckFacts, clock: FixedClock) -> None:
    some = streams(stream("a.pm25"), stream("a.no2"), stream("b.pm25", "late"))
    rows = Indicators((pack("mean", mean),), facts, some, clock, store).rows("mean")
    assert [(row["stream"], row["life"]) for row in rows] == [("a.pm25", "live"), ("b.pm25", "late")]
