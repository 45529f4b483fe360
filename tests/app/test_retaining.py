"""Retention as a district has it: set in the settings, done once a day, and proven by the audit trail."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from citybrain.app import duties
from citybrain.app.backups import backup, restore
from citybrain.app.city import City
from citybrain.app.cli import main
from citybrain.app.retaining import ACTION
from citybrain.app.settings import load
from citybrain.brain.observe import About, Change
from citybrain.engines.duckdb import Cleared
from citybrain.kernel.access import Caller, Query
from citybrain.kernel.clock import FixedClock
from citybrain.kernel.errors import BadInputError, ConflictError
from citybrain.kernel.instant import DAY, HOUR, Instant
from citybrain.kernel.observations import SeriesQuery
from citybrain.kernel.predicate import Compare
from tests.app.conftest import NOW, furnished
from tests.docs.examples import TREE

KEPT = {"air_station": 7}
OFFICER = Caller("data", "", frozenset({"data_officer"}))
AUDITOR = Caller("audit", "", frozenset({"auditor"}))
FIELDS = ("pm25", "pm10")


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def city(tmp_path: Path, clock: FixedClock) -> Iterator[City]:
    with furnished(tmp_path / "var", clock, KEPT) as found:
        yield found


class PowerCutError(Exception):
    """The machine is gone at this point."""


def numbers(city: City) -> list[int]:
    return [city.registry.stream(f"air-01.{field}").no for field in FIELDS]


def read(city: City, days: int) -> None:
    """Two readings an hour of the last days, taken in as they came: day by day."""
    clock = city.clock
    assert isinstance(clock, FixedClock)
    now = clock.city()
    for ago in range(days, -1, -1):
        clock.set(Instant(now - ago * DAY))
        times = np.repeat(np.arange(24, dtype=np.int64)[::-1], len(FIELDS)) * -HOUR + clock.city()
        values = np.arange(len(times), dtype=np.float64) + ago
        columns = np.tile(np.array(numbers(city), np.int32), 24), times, values
        assert asyncio.run(city.intake.take_columns(*columns, "mqtt", None)).stored > 0


def turn(city: City, times: int = 1) -> None:
    """The duty, as often as that many turns."""
    for _ in range(times):
        asyncio.run(duties.tidy(city))


def oldest(city: City) -> int:
    rows = city.stores.series.scan(SeriesQuery(tuple(numbers(city)), Instant(0), Instant(NOW + 99 * DAY)))
    return int(rows["time"].to_numpy().min())


def certificates(city: City) -> list[dict[str, Any]]:
    """What the auditor reads of each deletion: its row in the trail and the detail of it."""
    rows = city.guard.reader(AUDITOR).read(Query("audit", Compare("action", "eq", ACTION), limit=100)).rows
    details = [row["detail"] if isinstance(row["detail"], dict) else json.loads(str(row["detail"])) for row in rows]
    found: list[dict[str, Any]] = [{**row, **detail} for row, detail in zip(rows, details, strict=True)]
    return sorted(found, key=lambda row: int(row["no"]))


@pytest.mark.thorough
def test_without_a_setting_nothing_is_ever_deleted(tmp_path: Path, clock: FixedClock) -> None:
    with furnished(tmp_path / "var", clock) as city:
        read(city, 20)
        first = oldest(city)
        turn(city, 3)
        assert (oldest(city), certificates(city), list(city.stores.mine.deletions())) == (first, [], [])


def test_the_duty_deletes_once_a_day_and_certifies_when_the_files_are_gone(city: City, clock: FixedClock) -> None:
    read(city, 10)
    city.featured.put([About(numbers(city)[0], Instant(oldest(city)), "pond"), About(numbers(city)[0], NOW, "pond")])
    turn(city)
    assert oldest(city) >= NOW - 7 * DAY - 15 * HOUR, "today and seven whole days before it are left"
    assert [one.time for one in city.featured.listed("pond", None, 9, descending=True)] == [NOW], "and what those were about"
    made = city.stores.mine.deletions()
    assert len(made) == 4
    assert certificates(city) == [], "the files that were replaced are still there"
    turn(city)
    assert [row["resource"] for row in certificates(city)] == [f"deletion/{one.id}" for one in made]
    turn(city, 2)
    assert len(certificates(city)) == 4, "each deletion is certified once"
    assert list(city.stores.mine.deletions())[-1].id == made[-1].id, "and the day has had its turn"
    clock.set(Instant(NOW + DAY))
    turn(city, 2)
    assert len(certificates(city)) == 5
    assert certificates(city)[-1]["rows"] == 48


def test_the_certificate_says_what_was_deleted_by_which_setting_and_the_chain_verifies(city: City) -> None:
    read(city, 8)
    turn(city, 2)
    for row in certificates(city):
        assert (row["account"], row["allowed"], row["setting"]) == ("system", True, "retention.air_station = 7")
        assert (row["kind"], row["days"], row["before"]) == ("air_station", 7, "2026-11-14T16:00:00Z")
        assert row["first"] <= row["last"] < row["before"]
        assert (row["streams"], row["doors"]) == (2, {"mqtt": row["rows"]})
        assert row["wall"] <= row["erased"]
    assert len(certificates(city)) == 2
    assert city.audit.verify() >= 2
    with city.stores.transactions.begin() as tx:
        tx.connection.exec_driver_sql("UPDATE audit SET detail = '{}' WHERE action = 'observation.delete'")
    with pytest.raises(ConflictError):
        city.audit.verify()


def told_by_the_page(kept: Path, row: dict[str, Any]) -> tuple[int, str]:
    """Rows and digest as the program on the how-to page finds them in a backup."""
    page = (TREE / "docs" / "how-to" / "keep-and-delete.md").read_text("utf-8")
    program = page.partition("```python\n")[2].partition("```")[0]
    words = [sys.executable, "-c", program, str(kept), row["file"], row["kind"], row["before"]]
    rows, digest = subprocess.run(words, check=True, capture_output=True, text=True).stdout.split()
    return int(rows), digest


def test_a_kill_between_the_two_stores_gives_no_second_certificate(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    read(city, 8)
    turn(city)

    def cut(*_: object) -> None:
        raise PowerCutError

    with monkeypatch.context() as patch:
        patch.setattr(city.stores.mine, "certify", cut)
        with pytest.raises(PowerCutError):
            turn(city)
    assert len(certificates(city)) == 1
    turn(city)
    assert len(certificates(city)) == 2
    assert len({row["resource"] for row in certificates(city)}) == 2
    assert list(city.stores.mine.gone()) == []


@pytest.mark.thorough
def test_verify_holds_the_deletions_against_their_proofs(
    tmp_path: Path, clock: FixedClock, capsys: pytest.CaptureFixture[str]
) -> None:
    with furnished(tmp_path / "var", clock, KEPT) as city:
        read(city, 8)
        turn(city)
        assert city.retaining.verify() == 0, "nothing is proven before the files are gone"
        turn(city)
    assert main(["verify", "--state", str(tmp_path / "var")]) == 0
    assert "2 份删除证明相符" in capsys.readouterr().out
    with furnished(tmp_path / "var", clock, KEPT) as city, city.stores.transactions.begin() as tx:
        last = tx.connection.exec_driver_sql("SELECT max(no) FROM audit").scalar_one()
        tx.connection.exec_driver_sql(f"DELETE FROM audit WHERE no = {last}")
    assert main(["verify", "--state", str(tmp_path / "var")]) == 2
    said = capsys.readouterr()
    assert "行审计记录完好" in said.out, "the chain alone cannot tell that its end was cut off"
    assert "proof is missing" in said.err


def test_the_record_is_a_dataset_that_the_data_officer_reads_and_exports(city: City) -> None:
    read(city, 8)
    turn(city, 2)
    rows = city.guard.reader(OFFICER).read(Query("deletion")).rows
    assert [(row["kind"], row["streams"], row["digest"]) for row in rows] == [
        ("air_station", 2, one.digest) for one in city.stores.mine.deletions()
    ]
    assert all(str(row["erased"]).endswith("Z") for row in rows)
    text = b"".join(city.catalogue.export(city.guard.exporter(OFFICER, "inspection"), Query("deletion"), "csv")).decode()
    assert all(str(row["digest"]) in text for row in rows)


def test_the_ledger_balances_and_tells_what_was_deleted(city: City) -> None:
    read(city, 10)
    before = {door.door: door for door in city.stores.series.doors()}["mqtt"]
    turn(city)
    after = {door.door: door for door in city.stores.series.doors()}["mqtt"]
    assert (after.received, after.stored, after.duplicate) == (before.received, before.stored, before.duplicate)
    left = city.stores.series.scan(SeriesQuery(tuple(numbers(city)), Instant(0), Instant(NOW + 99 * DAY))).num_rows
    assert after.deleted == after.stored - left > 0


def test_readings_of_deleted_days_are_refused_at_the_door(city: City) -> None:
    times = np.array([NOW - 9 * DAY, NOW], np.int64)
    verdict = asyncio.run(city.intake.take_columns(np.array(numbers(city), np.int32), times, np.array([1.0, 2.0]), "import", None))
    assert (verdict.stored, [one.code for one in verdict.refused]) == (1, ["expired"])


def test_a_station_that_was_silent_since_shows_no_value_any_more(city: City, clock: FixedClock) -> None:
    read(city, 0)
    clock.set(Instant(NOW + 30 * DAY))
    assert city.latest.of(numbers(city)[0]) is not None
    turn(city)
    assert city.latest.of(numbers(city)[0]) is None


@pytest.mark.slow
def test_a_backup_agrees_with_what_was_deleted_and_an_older_one_is_deleted_from_again(tmp_path: Path, clock: FixedClock) -> None:
    with furnished(tmp_path / "var", clock, KEPT) as city:
        read(city, 10)
        city.stores.mine.close_days(Instant(NOW - 2 * DAY))
    backup(tmp_path / "var", tmp_path / "older")
    with furnished(tmp_path / "var", clock, KEPT) as city:
        turn(city, 2)
        records, rows, ledger = city.stores.mine.deletions(), certificates(city), city.stores.series.doors()
    backup(tmp_path / "var", tmp_path / "newer")
    restore(tmp_path / "newer", tmp_path / "again")
    with furnished(tmp_path / "again", clock, KEPT) as city:
        assert (city.stores.mine.deletions(), certificates(city), city.stores.series.doors()) == (records, rows, ledger)
        assert city.audit.verify() >= len(rows)
    restore(tmp_path / "older", tmp_path / "old")
    with furnished(tmp_path / "old", clock, KEPT) as city:
        turn(city, 2)
        assert [one.digest for one in city.stores.mine.deletions()] == [one.digest for one in records]
        assert len(certificates(city)) == len(rows)
    for row in rows:
        assert told_by_the_page(tmp_path / "older", row) == (row["rows"], row["digest"]), "a backup from before proves what went"


def test_a_strange_kind_or_too_few_days_are_refused_before_anything_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "citybrain.toml"
    file.write_text('district = "990104"\nretention = { air_statoin = 730 }\n', "utf-8")
    for command in (["check", "air"], ["serve", "--upgrade", "--state", str(tmp_path / "var")]):
        assert main(["--config", str(file), *command]) == 2
        said = capsys.readouterr().err
        assert "“air_statoin”没有应用包声明" in said
        assert "air_station" in said
        assert "Mend the name" in said
    file.write_text('district = "990104"\nretention = { air_station = 2 }\n', "utf-8")
    with pytest.raises(BadInputError, match=r"retention"):
        load(file)
    file.write_text('district = "990104"\nretention = { air_station = 730 }\n', "utf-8")
    assert load(file).retention == {"air_station": 730}


def test_what_was_measured_before_a_correction_is_not_kept_longer_than_the_readings(city: City, clock: FixedClock) -> None:
    read(city, 7)
    stream = city.registry.stream("air-01.pm25")

    async def correct() -> None:
        change = Change(Instant(NOW - 7 * DAY), Instant(NOW - 5 * DAY), 2.0)
        seen = city.corrections.preview(stream, change).seen
        await city.corrections.correct(stream, change, seen, "data", "单位错误")

    asyncio.run(correct())
    assert len(city.corrections.kept(1)) == city.corrections.verify() == 48
    city.stores.mine.close_days(Instant(NOW - 2 * DAY))
    clock.set(Instant(NOW + DAY))
    city.retaining.run_once()
    assert oldest(city) > min(one.time for one in city.corrections.kept(1))
    assert city.corrections.verify() == 48, "what is deleted and not yet forgotten is no fault"
    past = city.retaining.spans()[0]
    city.corrections.forget(past.streams, past.before)
    kept = city.corrections.kept(1)
    assert 0 < len(kept) == city.corrections.verify() < 48
    assert min(one.time for one in kept) == oldest(city)
    assert [(one.rows, one.why) for one in city.corrections.of(stream)] == [(48, "单位错误")]


def test_a_copy_that_lay_with_the_facts_of_a_worker_is_proven_gone_once(city: City) -> None:
    cleared = Cleared("c1", 3, NOW, None, {"closed/day-20777.parquet": "ab12"})
    for _ in range(2):
        city.retaining.prove(cleared)
    (row,) = certificates(city)
    assert (row["resource"], row["rows"], row["first"], row["last"]) == ("copy/c1", 3, "2026-11-22T07:00:00Z", None)
    assert row["files"] == {"closed/day-20777.parquet": "ab12"}
    assert (city.audit.verify() > 0, city.retaining.verify()) == (True, 0)
