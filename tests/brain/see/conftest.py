"""The world of see's tests: real fact tables in DuckDB, cases as act writes them, areas of a small district."""

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pyarrow as pa
import pytest

from citybrain.brain import see
from citybrain.engines.duckdb.facts import DuckFacts
from citybrain.engines.duckdb.file import DuckFile
from citybrain.engines.transactions import SqlTransactions
from citybrain.kernel.alerts import Alert, Evidence, Grade
from citybrain.kernel.cases import Case
from citybrain.kernel.clock import FixedClock
from citybrain.kernel.events import Event
from citybrain.kernel.ids import new_id
from citybrain.kernel.instant import HOUR, Instant, parse
from citybrain.kernel.places import Area
from citybrain.kernel.text import Text

NOW = parse("2026-11-22T07:00:00Z")
MORNING = parse("2026-11-22T00:00:00Z")


def area(code: str, name: str) -> Area:
    level = {6: "district", 9: "subdistrict"}[len(code)]
    return msgspec.convert(
        {"code": code, "level": level, "name": {"zh": name, "en": name}, "parent": None, "wkb": b"", "origin": "generated"}, Area
    )


AREAS = (area("990104", "示意区"), area("990104001", "一号街"), area("990104002", "二号街"))


def case(key: str = "c1", **changes: object) -> Case:
    first = Case(
        id=key,
        number=f"NK-20261122-{key}",
        matter="air_exceedance",
        title=Text("空气质量超标", "Air over the limit"),
        flow="standard",
        flow_version=1,
        state="reported",
        unit="u1",
        handler=None,
        place=None,
        area="990104001",
        entity="air-01",
        cause="alert:a1",
        words="",
        opened=MORNING,
        due=Instant(MORNING + 4 * HOUR),
        closed=None,
        grade=3,
        version=1,
        origin="real",
    )
    return msgspec.convert(msgspec.to_builtins(first) | changes, Case)


def alert(key: str = "a1", **changes: object) -> Alert:
    first = Alert(
        id=key,
        rule="aqi_moderate",
        rule_version="1",
        entity="air-01",
        area="990104001",
        grade=Grade.YELLOW,
        state="open",
        began=MORNING,
        told=MORNING,
        cleared=None,
        because=Text("AQI 为 180", "AQI is 180"),
        basis=Text("HJ 633", "HJ 633"),
        evidence=(Evidence("air-01.aqi", MORNING, 180.0, "{index}"),),
        case="c1",
        origin="real",
    )
    return msgspec.convert(msgspec.to_builtins(first) | changes, Alert)


def opened(one: Case) -> Event:
    return case_event("opened", one, one.opened)


def moved(one: Case, at: Instant) -> Event:
    return case_event("moved", one, at)


def case_event(verb: str, one: Case, at: Instant) -> Event:
    body = {"case": msgspec.to_builtins(one), "step": {"move": verb}}
    return Event(new_id(), f"citybrain.act.case.{verb}.v1", one.id, at, body)


def alert_event(one: Alert, at: Instant) -> Event:
    verb = "told" if one.state == "open" else "cleared"
    return Event(new_id(), f"citybrain.detect.alert.{verb}.v1", one.id, at, {"alert": msgspec.to_builtins(one)})


def stream(
    name: str, life: str = "live", area: str = "990104001", value: float | None = 1.0, time: Instant = NOW
) -> dict[str, object]:
    entity, _, field = name.partition(".")
    never = life == "never"
    return {
        "stream": name,
        "entity": entity,
        "kind": "air_station",
        "field": field,
        "area": area,
        "unit": "ug/m3",
        "value": None if never else value,
        "time": None if never else time,
        "received": None if never else time,
        "life": life,
        "origin": "real",
    }


def streams(*rows: dict[str, object]) -> Callable[[], pa.Table]:
    table = pa.Table.from_pylist(list(rows), schema=see.STREAM)
    return lambda: table


@pytest.fixture
def facts(tmp_path: Path) -> Iterator[DuckFacts]:
    file = DuckFile(tmp_path / "series")
    yield DuckFacts(file)
    file.close()


@pytest.fixture
def store(transactions: SqlTransactions) -> SqlTransactions:
    with transactions.begin() as tx:
        see.METADATA.create_all(tx.connection)
    return transactions


@pytest.fixture
def tell(store: SqlTransactions, facts: DuckFacts) -> Callable[..., int]:
    """Commits events and pumps them into the fact tables."""
    feed = see.FactFeed(store, facts)

    def tell(*events: Event) -> int:
        with store.begin() as tx:
            for event in events:
                tx.emit(event)
        return feed.run_once()

    return tell


@pytest.fixture
def indicators(store: SqlTransactions, facts: DuckFacts, clock: FixedClock) -> see.Indicators:
    return see.Indicators((), facts, streams(), clock, store, lambda: AREAS)
