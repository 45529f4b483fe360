"""The way of a reading, as docs/explanation/life-of-an-observation.md tells it, walked in the same order over real engines."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import aiomqtt
import msgspec
import pytest

from citybrain.app.tracing import lookups
from citybrain.brain import see
from citybrain.doors.mqtt import MqttDoor
from citybrain.engines.mqtt import Broker
from citybrain.kernel.cases import Case
from citybrain.kernel.instant import HOUR, Instant, parse, rfc3339
from tests.docs.town import DEVICE, DISPATCHER, HANDLER, LEADER, OFFICE, STATION, STREET, Town, town

TREE = Path(__file__).parents[2]
PAGE = TREE / "docs" / "explanation" / "life-of-an-observation.md"
CLEAN = {"pm10": 60, "so2": 8, "no2": 40, "co": 0.6, "o3": 50}
HEAVY, FRESH = 420.0, 12.0
FIRST, SECOND, THIRD = (parse(f"2026-11-22T{hour:02}:00:00Z") for hour in (6, 7, 8))


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Town]:
    with town(tmp_path) as found:
        yield found


@pytest.mark.thorough
async def test_a_reading_becomes_a_closed_case_and_a_figure_that_leads_back_to_it(here: Town) -> None:
    door = MqttDoor(here.city.guard, here.city.accounts, here.city.intake, here.city.clock)
    broker = Broker(("127.0.0.1",), 0, door.authorise, door.take)
    await broker.start()
    try:
        assert district(here, "open_cases") == 0
        await arrives(here, broker, FIRST, HEAVY)
        await arrives(here, broker, SECOND, HEAVY)
        stored(here)
        judged(here)
        opened = case_of(here)
        assert told(here) == 1
        handled(here, opened)
        assert told(here) == 0
        assert (district(here, "closed_today"), district(here, "on_time_closing_rate")) == (1, 100)
        leads_back(here, opened)
        await arrives(here, broker, THIRD, FRESH)
        assert here.city.alerts.open() == ()
    finally:
        await broker.stop()


async def arrives(here: Town, broker: Broker, time: Instant, pm25: float) -> None:
    """Stations 1 to 4: the wire, the door, the intake; then what is derived, then what rules say of it."""
    here.clock.set(Instant(time + HOUR // 12))
    payload = msgspec.json.encode({"time": rfc3339(time), "pm25": pm25, **CLEAN})
    async with aiomqtt.Client("127.0.0.1", broker.port, username=DEVICE, password=here.secret) as client:
        await client.publish(f"citybrain/v1/{STATION}", payload, qos=1)
    assert here.city.latest.of(here.city.registry.stream(f"{STATION}.pm25").no) is not None
    while await here.city.deriver.run_once():
        pass
    await asyncio.to_thread(here.city.watch.sweep)


def stored(here: Town) -> None:
    """The ledger adds up, the latest value lives, and the index stands beside the concentration."""
    ledger = {account.door: (account.received, account.stored) for account in here.city.stores.series.doors()}
    assert ledger == {"mqtt": (12, 12), "derived": (2, 2)}
    reading = here.city.latest.of(here.city.registry.stream(f"{STATION}.pm25").no)
    assert reading is not None
    assert (reading.value, reading.time, reading.life) == (HEAVY, SECOND, "live")
    index = here.city.latest.of(here.city.registry.stream(f"{STATION}.aqi").no)
    assert index is not None
    assert index.value > 300


def judged(here: Town) -> None:
    """One alert by the level, one because it lasted, both with the readings that they rest on."""
    alerts = {alert.rule: alert for alert in here.city.alerts.open()}
    assert sorted(alerts) == ["air.aqi_lasting", "air.aqi_severe"]
    lasting = alerts["air.aqi_lasting"]
    assert (lasting.began, lasting.area, lasting.origin) == (FIRST, STREET, "demo")
    assert [(seen.stream, seen.time) for seen in lasting.evidence] == [(f"{STATION}.aqi", SECOND)]


def case_of(here: Town) -> Case:
    """The case that the lasting alert opened: with the unit that answers for the environment, due in four hours."""
    alert = next(alert for alert in here.city.alerts.open() if alert.rule == "air.aqi_lasting")
    assert alert.case is not None
    case = here.city.cases.case(alert.case)
    assert (case.state, case.unit, case.cause) == ("assigned", OFFICE, f"alert:{alert.id}")
    assert case.due == case.opened + 4 * HOUR
    return case


def handled(here: Town, case: Case) -> None:
    """Taken and finished by a handler of the unit, checked and closed by a dispatcher; each step is kept."""
    book = here.city.cases
    taken = book.move(case.id, "take", HANDLER, "", case.version)
    finished = book.move(case.id, "finish", HANDLER, "工地已停工并覆盖", taken.version)
    closed = book.move(case.id, "approve", DISPATCHER, "", finished.version)
    assert closed.closed == here.clock.city()
    assert [step.move for step in book.steps(case.id)] == ["open", "take", "finish", "approve"]
    here.clock.set(Instant(here.clock.city() + HOUR // 12))


def told(here: Town) -> float | None:
    """Events become facts, facts become the figure of open cases."""
    while here.city.feed.run_once():
        pass
    here.clock.set(Instant(here.clock.city() + HOUR // 60))
    assert here.city.indicators.run_once() > 0
    return district(here, "open_cases")


def district(here: Town, indicator: str) -> float | None:
    """The district's newest figure, computed if there is none."""
    found = here.city.indicators.of(indicator) or here.city.indicators.compute(indicator)
    return next(figure.value for figure in found if figure.area is None)


def leads_back(here: Town, case: Case) -> None:
    """From the figure of the page down to the reading that came over MQTT."""
    trace = closed_today(here)
    assert (trace.key, [part.key for part in trace.parts]) == ("closed_today", [case.number])
    alert = trace.parts[0].parts[0]
    assert alert.link == "alert"
    rule = alert.parts[0]
    assert (rule.link, rule.said["when"], rule.said["lasting"]) == ("rule", "aqi > aqi_moderate_above", "PT1H")
    index = next(part for part in alert.parts if part.link == "reading")
    assert (index.key, index.said["door"]) == (f"{STATION}.aqi", "derived")
    source = {part.key: part.said for part in index.parts}[f"{STATION}.pm25"]
    assert (source["value"], source["time"], source["door"]) == (HEAVY, "2026-11-22T07:00:00Z", "mqtt")


def closed_today(here: Town) -> see.Trace:
    """The tree under the figure of cases closed today, as a leader may see it."""
    figures = here.city.indicators
    whole = next(figure for figure in figures.of("closed_today") if figure.area is None)
    return see.trace.of_figure(whole, figures.indicator("closed_today"), figures.rows("closed_today"), lookups(here.city, LEADER))


def test_every_file_that_the_page_names_exists() -> None:
    named = re.findall(r"\]\(\.\./\.\./([^)]+\.(?:py|cedar|toml))\)", PAGE.read_text(encoding="utf-8"))

    assert len(set(named)) > 20
    assert [path for path in named if not (TREE / path).is_file()] == []


def test_every_function_that_the_page_names_stands_in_its_file() -> None:
    named = re.findall(r"\]\(\.\./\.\./(src/[^)]+\.py)\) `([A-Za-z_.]+)`", PAGE.read_text(encoding="utf-8"))
    astray = [
        f"{path}: {name}"
        for path, names in named
        for name in names.split(".")
        if not re.search(
            rf"^\s*(?:async def|def|class) {name}\b|^{name}\b.* = ", (TREE / path).read_text(encoding="utf-8"), re.MULTILINE
        )
    ]

    assert len(named) > 20
    assert astray == []
