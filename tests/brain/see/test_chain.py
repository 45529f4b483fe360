"""Trace: a figure leads to its cases, their alert, its rule, the readings, and what they were derived from."""

from collections.abc import Sequence
from dataclasses import replace

from citybrain.brain.see import trace
from citybrain.kernel.alerts import Alert, Evidence, Grade
from citybrain.kernel.cases import Case
from citybrain.kernel.datasets import Figure
from citybrain.kernel.errors import NotFoundError
from citybrain.kernel.pack import Indicator, Rule
from citybrain.kernel.text import Json, Text, same
from tests.brain.see.conftest import NOW, alert, case

RULE = Rule("aqi_moderate", "air_station", "aqi > 150", same("b"), same("HJ 633"), Grade.YELLOW, (), ())
FIGURE = Figure("open_cases", 1, None, 2.0, 0, None, NOW, NOW, "real")
INDICATOR = Indicator("open_cases", Text("在办案件", "Open cases"), "{case}", 1, same("d"), ("case",), lambda _: None)


def cases(key: str) -> Case:
    return case(key, cause="report:r1" if key == "c2" else "alert:a1")


def alerts(key: str) -> Alert:
    if key != "a1":
        raise NotFoundError(Text("没有该预警", "No such alert"))
    return alert(key)


def arrival(seen: Evidence) -> trace.Arrival | None:
    return trace.Arrival(180.0 if seen.stream == "air-01.aqi" else 138.0, "replay", seen.time, "demo")


def inputs(seen: Evidence) -> tuple[Evidence, ...]:
    return (Evidence("air-01.pm25", seen.time, 138.0, "ug/m3"),) if seen.stream == "air-01.aqi" else ()


def seen(dataset: str, key: str) -> None:
    if (dataset, key) == ("booking", "hidden"):
        raise NotFoundError(Text("没有找到", "not found"))


LOOKUPS = trace.Lookups(cases, alerts, lambda _: RULE, arrival, inputs, seen)


def test_a_figure_leads_down_to_the_reading_that_set_it_off() -> None:
    tree = trace.of_figure(FIGURE, INDICATOR, ({"case": "c1"}, {"case": "c2"}), LOOKUPS)
    assert [part.key for part in tree.parts] == ["NK-20261122-c1", "NK-20261122-c2"]
    told = tree.parts[0].parts[0]
    assert (told.link, told.key, told.said["grade"]) == ("alert", "a1", {"zh": "黄色预警", "en": "Yellow alert"})
    rule, reading = told.parts
    assert (rule.link, rule.said["when"]) == ("rule", "aqi > 150")
    assert (reading.key, reading.said["value"], reading.said["door"]) == ("air-01.aqi", 180.0, "replay")
    assert reading.said["time"] == "2026-11-22T00:00:00Z"
    assert [(part.key, part.said["value"]) for part in reading.parts] == [("air-01.pm25", 138.0)]
    assert tree.parts[1].parts == ()


def test_a_link_that_is_gone_is_shown_as_missing_not_left_out() -> None:
    lost = trace.Lookups(lambda key: case(key, cause="alert:gone"), alerts, lambda _: RULE, arrival, inputs, seen)
    (part,) = trace.of_case("c1", lost).parts
    assert (part.link, part.key, part.title.zh) == ("missing", "gone", "没有该预警")


def test_the_trace_of_a_stream_figure_starts_at_its_latest_readings() -> None:
    row: dict[str, Json] = {
        "stream": "air-01.aqi",
        "value": 180.0,
        "time": "2026-11-22T00:00:00Z",
        "unit": "{index}",
        "life": "live",
        "origin": "demo",
    }
    never: dict[str, Json] = {"stream": "air-02.aqi", "value": None, "time": None, "life": "never", "origin": "demo"}
    tree = trace.of_figure(FIGURE, INDICATOR, [row, never], LOOKUPS)
    assert [part.said["life"] for part in tree.parts] == ["live", "never"]
    assert tree.parts[0].parts[0].said["received"] == "2026-11-22T00:00:00Z"
    assert tree.parts[1].parts == ()


def test_a_reading_that_has_changed_since_says_what_it_was_and_is() -> None:
    def changed(seen: Sequence[Evidence]) -> dict[Evidence, dict[str, Json]]:
        return {one: {"was": one.value, "now": 60.0} for one in seen}

    tree = trace.of_alert("a1", replace(LOOKUPS, changed=changed))
    reading = tree.parts[1]
    assert (tree.said["changed"], reading.said["changed"]) == (1, {"was": reading.said["value"], "now": 60.0})
    still = trace.of_alert("a1", LOOKUPS)
    assert (still.said["changed"], "changed" in still.parts[1].said) == (0, False)


def test_a_derivation_that_runs_in_a_circle_ends() -> None:
    circle = trace.Lookups(cases, alerts, lambda _: RULE, arrival, lambda one: (Evidence(one.stream, one.time, 1.0, "1"),), seen)
    reading = trace.of_alert("a1", circle).parts[1]
    depth = 0
    while reading.parts:
        reading, depth = reading.parts[0], depth + 1
    assert depth == 4
    assert reading.said["time"] == "2026-11-22T00:00:00Z"


def test_a_booking_ends_the_chain_and_one_that_is_not_for_the_caller_is_missing() -> None:
    row: dict[str, Json] = {
        "booking": "b1",
        "offer": "o1",
        "entity": "lot-01",
        "begins": "2026-11-22T10:00:00Z",
        "origin": "generated",
    }
    shown, hidden, window = trace.of_figure(FIGURE, INDICATOR, [row, row | {"booking": "hidden"}, {"offer": "o1"}], LOOKUPS).parts
    assert (shown.link, shown.key, shown.origin, shown.said["begins"]) == ("booking", "b1", "generated", "2026-11-22T10:00:00Z")
    assert (hidden.link, hidden.key, hidden.said) == ("missing", "hidden", {})
    assert (window.link, window.key) == ("offer", "o1")
