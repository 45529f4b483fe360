"""The house's indicators equal a plain count, add up over periods, and never show a zero for what is not known."""

import itertools
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citybrain.brain.see.counts import closed_cases, reckoned_cases
from citybrain.brain.see.facts import FACTS, flatten
from citybrain.brain.see.house import HOUSE
from citybrain.brain.see.indicators import Indicators
from citybrain.brain.see.tables import IbisTables, plan
from citybrain.engines.duckdb.facts import DuckFacts
from citybrain.engines.duckdb.file import DuckFile
from citybrain.engines.transactions import SqlTransactions
from citybrain.kernel.cases import Case
from citybrain.kernel.clock import FixedClock
from citybrain.kernel.instant import DAY, HOUR, Instant, local_date, midnight
from tests.brain.see.conftest import AREAS, MORNING, NOW, alert, alert_event, case, moved, opened, stream, streams

Figures = dict[str | None, tuple[float | None, int]]


def shown(indicators: Indicators, name: str, at: Instant | None = None) -> Figures:
    return {figure.area: (figure.value, figure.unknown) for figure in indicators.compute(name, at)}


def test_open_overdue_and_closed_cases_are_counted_for_the_district_and_each_subdistrict(
    tell: Callable[..., int], indicators: Indicators
) -> None:
    done = Instant(NOW - HOUR)
    tell(
        opened(case("late")),
        opened(case("fresh", due=NOW + HOUR, area="990104002003001")),
        opened(case("done", area="990104002")),
        moved(case("done", area="990104002", state="closed", closed=done, version=2), done),
        opened(case("refused")),
        moved(case("refused", state="dismissed", closed=done, version=2), done),
    )
    assert shown(indicators, "open_cases") == {None: (2, 0), "990104001": (1, 0), "990104002": (1, 0)}
    assert shown(indicators, "overdue_cases") == {None: (1, 0), "990104001": (1, 0), "990104002": (0, 0)}
    assert shown(indicators, "closed_today") == {None: (1, 0), "990104001": (0, 0), "990104002": (1, 0)}


def test_the_closing_rate_of_no_cases_has_no_value_but_a_reason(tell: Callable[..., int], indicators: Indicators) -> None:
    tell(opened(case(due=NOW + DAY)))
    figure = indicators.compute("on_time_closing_rate")[0]
    assert figure.value is None
    assert figure.reason is not None
    assert figure.reason.zh == "近30日没有应结案的案件"


def test_the_closing_rate_counts_what_is_closed_or_due_and_nothing_else(tell: Callable[..., int], indicators: Indicators) -> None:
    early, late = Instant(MORNING + HOUR), Instant(MORNING + 6 * HOUR)
    tell(
        opened(case("in time")),
        moved(case("in time", state="closed", closed=early, version=2), early),
        opened(case("too late")),
        moved(case("too late", state="closed", closed=late, version=2), late),
        opened(case("still open and due")),
        opened(case("not due yet", due=NOW + HOUR)),
        opened(case("refused", area="990104002")),
        moved(case("refused", area="990104002", state="dismissed", closed=early, version=2), early),
    )
    figures = {figure.area: figure.value for figure in indicators.compute("on_time_closing_rate")}
    assert figures == {None: 100 / 3, "990104001": 100 / 3, "990104002": None}


def test_a_dead_feed_reads_36_and_1_unknown(store: SqlTransactions, facts: DuckFacts, clock: FixedClock) -> None:
    dead = stream("air-37.pm25", "late", time=Instant(NOW - 20 * 60_000_000))
    rows = [stream(f"air-{no:02}.pm25") for no in range(1, 37)]
    indicators = Indicators((), facts, streams(*rows, dead), clock, store, lambda: AREAS)
    figure = indicators.compute("streams_live")[0]
    assert (figure.value, figure.unknown) == (36, 1)
    assert figure.reason is not None
    assert figure.reason.zh == "14:40起无有效数据"
    assert shown(indicators, "streams_live_share")[None] == (36 * 100 / 37, 1)


def test_streams_in_their_closed_hours_are_neither_live_nor_unknown(
    store: SqlTransactions, facts: DuckFacts, clock: FixedClock
) -> None:
    indicators = Indicators((), facts, streams(stream("a.x"), stream("b.x", "closed"), stream("c.x", "never")), clock, store)
    assert shown(indicators, "streams_live") == {None: (1, 1)}


def test_alerts_say_how_many_things_no_rule_can_see(
    tell: Callable[..., int], store: SqlTransactions, facts: DuckFacts, clock: FixedClock
) -> None:
    tell(alert_event(alert("a1"), MORNING), alert_event(alert("a2"), MORNING))
    tell(alert_event(alert("a2", state="cleared", cleared=NOW), NOW))
    blind = (stream("b.x", "stuck", "990104002"), stream("b.y", "late", "990104002"), stream("c.x"))
    indicators = Indicators((), facts, streams(*blind), clock, store, lambda: AREAS)
    assert shown(indicators, "alerts_open") == {None: (1, 1), "990104001": (1, 0), "990104002": (0, 1)}


def test_a_late_fact_changes_the_past_exactly(tell: Callable[..., int], indicators: Indicators) -> None:
    noon = Instant(MORNING + 3 * HOUR)
    tell(opened(case("c1")))
    assert shown(indicators, "open_cases", noon)[None] == (1, 0)
    tell(
        opened(case("c2", opened=MORNING + HOUR)), moved(case("c1", state="closed", closed=noon - 1, version=2), Instant(noon - 1))
    )
    assert shown(indicators, "open_cases", noon)[None] == (1, 0)
    assert shown(indicators, "open_cases", MORNING)[None] == (1, 0)
    assert shown(indicators, "open_cases", Instant(MORNING + 2 * HOUR))[None] == (2, 0)


hours = st.integers(-40 * 24, 30)


@st.composite
def cases(draw: st.DrawFn) -> list[Case]:
    found = []
    for number in range(draw(st.integers(0, 12))):
        begin = draw(hours)
        closed = draw(st.none() | st.integers(begin, 30))
        found.append(
            case(
                f"c{number}",
                area=draw(st.sampled_from(("990104001", "990104002001", None))),
                state="reported" if closed is None else draw(st.sampled_from(("closed", "dismissed"))),
                opened=NOW + begin * HOUR,
                due=NOW + draw(st.integers(begin, 40)) * HOUR,
                closed=None if closed is None else NOW + closed * HOUR,
            )
        )
    return found


def told(facts: DuckFacts, found: list[Case]) -> None:
    """Facts in two events a case: opened, and closed where it is."""
    events = [opened(case(one.id, opened=one.opened, due=one.due, area=one.area)) for one in found]
    events += [moved(case(one.id, **plain(one)), one.closed) for one in found if one.closed is not None]
    for name, rows in flatten(list(enumerate(events, start=1))).items():
        facts.append(name, pa.Table.from_pylist(rows, schema=FACTS[name]), len(events))


def plain(one: Case) -> dict[str, object]:
    return {"area": one.area, "state": one.state, "opened": one.opened, "due": one.due, "closed": one.closed, "version": 2}


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(found=cases(), parts=st.lists(hours, min_size=1, max_size=3))
def test_periods_add_up_and_equal_a_plain_count(found: list[Case], parts: list[int]) -> None:
    with TemporaryDirectory() as folder:
        file = DuckFile(Path(folder))
        facts = DuckFacts(file)
        told(facts, found)
        tables = IbisTables(facts, streams(), lambda: AREAS, Instant(NOW + 100 * HOUR))
        cuts = [Instant(NOW + hour * HOUR) for hour in sorted({-41 * 24, *parts, 60})]
        for rows, known in ((closed_cases, lambda one: one.closed), (reckoned_cases, reckoned)):
            whole = tables.run(rows(tables, cuts[0], cuts[-1])).num_rows
            split = [tables.run(rows(tables, since, until)).num_rows for since, until in itertools.pairwise(cuts)]
            counted = [one for one in found if one.state != "dismissed" and known(one) is not None]
            assert sum(split) == whole == len([one for one in counted if cuts[0] <= known(one) < cuts[-1]])
        file.close()


def reckoned(one: Case) -> Instant:
    return one.due if one.closed is None else min(one.closed, one.due)


@pytest.mark.slow
@settings(max_examples=8, deadline=None)
@given(found=cases(), moments=st.lists(hours, min_size=1, max_size=3))
def test_the_house_equals_plain_python_at_any_moment_though_built_but_once(found: list[Case], moments: list[int]) -> None:
    with TemporaryDirectory() as folder:
        file = DuckFile(Path(folder))
        facts = DuckFacts(file)
        told(facts, found)
        built = IbisTables(facts, streams(), lambda: AREAS, NOW)
        plans = {one.name: plan(one.measure(built)) for one in HOUSE}
        assert built.timeless
        for now in (NOW, *(Instant(NOW + hour * HOUR + hour) for hour in moments)):
            tables = IbisTables(facts, streams(), lambda: AREAS, now)
            for one in HOUSE:
                assert tables.answer(plans[one.name]).equals(tables.run(one.measure(tables)))
            plain_house(found, now, {name: values(tables.answer(planned)) for name, planned in plans.items()})
        file.close()


def values(rows: pa.Table) -> dict[str | None, float | None]:
    return {row["area"]: row["value"] for row in rows.to_pylist()}


def plain_house(found: list[Case], now: Instant, measured: dict[str, dict[str | None, float | None]]) -> None:
    """The figures of cases as they are counted by hand."""
    known = [one for one in found if one.opened <= now]
    shut = [one for one in known if one.closed is not None and one.closed <= now]
    still = [one for one in known if one not in shut]
    today = [one for one in shut if one.closed is not None and one.closed >= midnight(local_date(now)) and one.state == "closed"]
    since = midnight(local_date(now)) - 29 * DAY
    base = [one for one in shut if one.state == "closed" and since <= reckoned(one)] + [
        one for one in still if since <= one.due <= now
    ]
    hits = [one for one in base if one in shut and one.closed is not None and one.closed <= one.due]
    assert measured["open_cases"][None] == len(still)
    assert measured["overdue_cases"][None] == len([one for one in still if one.due < now])
    assert measured["closed_today"][None] == len(today)
    assert measured["on_time_closing_rate"][None] == (100 * len(hits) / len(base) if base else None)
    placed = [one for one in still if (one.area or "").startswith("990104002")]
    assert measured["open_cases"]["990104002"] == len(placed)
