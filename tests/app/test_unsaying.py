"""Words that retention leaves without a reading, as a district has it: gone at the same turn, and proven by the audit trail."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import convert, json

from citybrain.app import duties
from citybrain.app.city import City
from citybrain.app.cli import main
from citybrain.app.retaining import ACTION
from citybrain.brain.observe import Draft, MadeProperty, MadeSensor, MadeStream, MadeThing, MadeUnit, Silence, read_rows
from citybrain.kernel.access import Caller, Query
from citybrain.kernel.clock import FixedClock
from citybrain.kernel.errors import BusyError, ConflictError
from citybrain.kernel.instant import DAY, HOUR, Instant, rfc3339
from citybrain.kernel.predicate import Compare
from citybrain.kernel.text import Json, same
from citybrain.kernel.things import Contract
from tests.app.conftest import NOW, furnished

AUDITOR = Caller("audit", "", frozenset({"auditor"}))


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def city(tmp_path: Path, clock: FixedClock) -> Iterator[City]:
    with furnished(tmp_path / "var", clock, {"thing": 7}) as found:
        made = MadeStream("", "天气", "", "", MadeUnit(None, None, None), {})
        sensor, seen = MadeSensor("", "站", "", "text/plain", "", {}), MadeProperty("", "天气", "", "", {})
        found.making.thing("盒", MadeThing("", "", {}), (), (Draft(made, sensor, seen, Contract(), "category"),))
        yield found


def stream(city: City) -> str:
    return next(one.id for one in city.registry.streams() if one.sort == "category")


def send(city: City, at: Instant, *values: str) -> None:
    rows = [
        {"stream": stream(city), "time": rfc3339(Instant(at + place * HOUR)), "value": value} for place, value in enumerate(values)
    ]
    assert asyncio.run(city.intake.take(read_rows(json.encode(rows)), "mqtt", None)).stored == len(values)


def listed(city: City) -> set[Json]:
    no = city.registry.stream(stream(city)).no
    return set(map(str, city.registry.worded.words((no, code) for code in range(99)).values()))


def certificates(city: City) -> list[dict[str, str | int]]:
    rows = city.guard.reader(AUDITOR).read(Query("audit", Compare("action", "eq", ACTION), limit=100)).rows
    mine = [row["detail"] for row in rows if str(row["resource"]).startswith("words/")]
    return [convert(json.decode(said) if isinstance(said, str) else said, dict[str, str | int]) for said in mine]


def later(city: City, clock: FixedClock) -> None:
    """Eight days on, with one word said again, a turn of the duty."""
    send(city, Instant(NOW - 5 * HOUR), "晴", "雨", "雪")
    clock.set(Instant(NOW + 8 * DAY))
    send(city, Instant(NOW + 8 * DAY - HOUR), "雨")
    asyncio.run(duties.tidy(city))


def test_words_go_at_the_turn_of_their_readings_and_are_certified_once(city: City, clock: FixedClock) -> None:
    later(city, clock)
    assert listed(city) == {"雨"}
    (told,) = certificates(city)
    assert (told["kind"], told["words"], told["streams"], told["setting"]) == ("thing", 2, 1, "retention.thing = 7")
    asyncio.run(duties.tidy(city))
    clock.set(Instant(NOW + 9 * DAY))
    asyncio.run(duties.tidy(city))
    assert len(certificates(city)) == 1
    assert city.unsaying.verify() == 1
    with city.stores.transactions.begin() as tx:
        tx.connection.exec_driver_sql("UPDATE unsaid SET words = 3")
    with pytest.raises(ConflictError):
        city.unsaying.verify()


def test_a_kill_before_the_certificate_or_after_it_leaves_just_one(
    city: City, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    class PowerCutError(Exception):
        pass

    def cut(*_: object) -> None:
        raise PowerCutError

    with monkeypatch.context() as patch:
        patch.setattr(type(city.audit), "write", cut)
        with pytest.raises(PowerCutError):
            later(city, clock)
    assert (listed(city), certificates(city)) == ({"雨"}, [])
    with monkeypatch.context() as patch:
        patch.setattr(Silence, "prove", cut)
        with pytest.raises(PowerCutError):
            asyncio.run(city.unsaying.run_once(()))
    assert len(certificates(city)) == 1
    asyncio.run(city.unsaying.run_once(()))
    assert (len(certificates(city)), city.unsaying.verify()) == (1, 1)


def test_what_a_busy_store_did_not_let_go_is_tried_again(city: City, clock: FixedClock, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object) -> None:
        raise BusyError(same("busy"), retry_after=1)

    with monkeypatch.context() as patch:
        patch.setattr(Silence, "delete", busy)
        with pytest.raises(BusyError):
            later(city, clock)
    assert listed(city) == {"晴", "雨", "雪"}
    asyncio.run(duties.tidy(city))
    assert (listed(city), len(certificates(city))) == ({"雨"}, 1)


def test_verify_says_how_many_proofs_of_words_agree(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with furnished(tmp_path / "var") as city, city.stores.transactions.begin() as tx:
        tx.connection.exec_driver_sql("INSERT INTO unsaid VALUES ('one', 'thing', 7, 0, 0, 1, 2, 'd', 1)")
    assert main(["verify", "--state", str(tmp_path / "var")]) == 2
    assert "of words does not fit the audit trail" in capsys.readouterr().err
