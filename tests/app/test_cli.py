"""The command line: each command run for real in a temporary folder."""

import argparse
import asyncio
import csv
import json
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import msgspec
import pyarrow.parquet as pq
import pytest

from citybrain.app.cli import _parser, main
from citybrain.brain.observe import Draft, MadeProperty, MadeSensor, MadeStream, MadeThing, MadeUnit, read_rows
from citybrain.engines.duckdb import clear
from citybrain.kernel.access import Query
from citybrain.kernel.instant import HOUR, Instant, rfc3339
from citybrain.kernel.observations import SeriesQuery
from citybrain.kernel.predicate import Compare
from citybrain.kernel.text import Json
from citybrain.kernel.things import Contract, Sort
from tests.app.conftest import NOW, furnished


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """The state of a small district that nobody runs now."""
    with furnished(tmp_path / "var"):
        pass
    return tmp_path / "var"


def readings(folder: Path) -> Path:
    """Five rows: two good, one again, one of no stream, one without a number."""
    file = folder / "readings.csv"
    good = [["air-01.pm25", "2026-11-20T00:00:00Z", "35.5"], ["air-01.aqi", "2026-11-20T01:00:00Z", "180"]]
    bad = [["air-99.pm25", "2026-11-20T00:00:00Z", "1"], ["air-01.pm10", "2026-11-20T00:00:00Z", "n/a"]]
    with file.open("w", encoding="utf-8-sig", newline="") as lines:
        csv.writer(lines).writerows([["stream", "time", "value"], *good, good[0], *bad])
    return file


def test_every_command_is_found_in_its_module_and_says_what_it_does() -> None:
    ways = next(action for action in _parser()._actions if isinstance(action, argparse._SubParsersAction)).choices
    assert len(ways) > 12
    for way in ways.values():
        found = getattr(import_module(way.get_default("module")), way.get_default("function"))
        assert found.__doc__, way.prog


@pytest.mark.parametrize("words", [["--help"], ["new", "--help"], ["new", "pack", "services/livelihood/lamps", "--en", "Lamps"]])
def test_whoever_asks_for_help_or_writes_a_pack_waits_for_no_store_and_no_door(words: list[str], tmp_path: Path) -> None:
    heavy = ("duckdb", "litestar", "polars", "pyarrow", "sqlalchemy")
    program = (
        "import sys\nfrom citybrain.app.start import main\ntry:\n    main()\nexcept SystemExit:\n    pass\n"
        f"sys.exit([name for name in {heavy} if name in sys.modules] or None)"
    )
    ended = subprocess.run([sys.executable, "-c", program, *words], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (ended.returncode, "Traceback" in ended.stderr) == (0, False), ended.stderr


def test_a_real_district_is_begun_with_its_names_and_an_administrator(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "--district", "120104", "--folder", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "admin / " in said
    assert 'district = "120104"' in (tmp_path / "citybrain.toml").read_text("utf-8")
    assert len(json.loads((tmp_path / "areas.json").read_text("utf-8"))) > 12
    assert main(["init", "--district", "120104", "--folder", str(tmp_path)]) == 0
    assert "admin / " not in capsys.readouterr().out


def test_an_unknown_district_ends_with_2_and_is_told_in_both_languages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "--district", "999999", "--folder", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert "没有区划 999999" in said
    assert "There are no names for division 999999" in said
    assert "Traceback" not in said


def test_nothing_is_served_before_a_district_was_begun(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--config", str(tmp_path / "none.toml"), "serve", "--state", str(tmp_path / "var")]) == 2
    assert "citybrain init" in capsys.readouterr().err


@pytest.mark.thorough
def test_rows_of_a_file_are_stored_known_or_refused_by_name(
    tmp_path: Path, state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["import", str(readings(tmp_path)), "--state", str(state)]) == 0
    said = capsys.readouterr()
    assert said.out.strip() == "stored=2 duplicate=1 refused=2"
    assert "3: unknown_stream" in said.err
    assert "4: bad_value" in said.err
    assert main(["import", str(readings(tmp_path)), "--state", str(state)]) == 0
    assert capsys.readouterr().out.strip() == "stored=0 duplicate=3 refused=2"


def test_a_file_means_what_the_same_table_means_over_http(tmp_path: Path, state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A decimal comma is not the number before it, 1_5 is not 15, and an empty unit is none."""
    file = tmp_path / "readings.csv"
    lines = ("1,5,", "1_5,", "36,", "0.04,mg/m3", "37")
    body = [f"air-01.pm25,2026-11-20T0{hour}:30:00+08:00,{line}" for hour, line in enumerate(lines)]
    file.write_text("\n".join(["stream,time,value,unit", *body]), "utf-8")
    assert main(["import", str(file), "--state", str(state)]) == 0
    said = capsys.readouterr()
    assert said.out.strip() == "stored=3 duplicate=0 refused=2"
    assert said.err.splitlines() == [
        "0: bad_row: 每行须有 stream、time、value 三项。 A row needs a stream, a time and a value.",
        "1: bad_value: 值不是数。 The value is no number.",
    ]
    with furnished(state) as city:
        values = city.stores.series.scan(SeriesQuery((city.registry.stream("air-01.pm25").no,), Instant(0), Instant(2**62)))
    assert values["value"].to_pylist() == [36.0, 40.0, 37.0]


@pytest.mark.parametrize(
    "body", [b"stream;time;value\n", "stream,time,value\n气,x,1\n".encode("gbk"), b'stream,time,value\n"a,b\n']
)
def test_a_file_that_is_no_table_of_readings_is_told(
    tmp_path: Path, state: Path, body: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "readings.csv"
    file.write_bytes(body)
    assert main(["import", str(file), "--state", str(state)]) == 2
    assert "The body is no set of observations" in capsys.readouterr().err


@pytest.mark.parametrize("form", ["csv", "json", "parquet"])
def test_a_dataset_is_exported_in_every_form_and_the_export_is_audited(
    tmp_path: Path, state: Path, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / f"stations.{form}"
    assert main(["export", "air_station", str(file), "--state", str(state)]) == 0
    if form == "parquet":
        assert pq.read_table(file).num_rows == 1
    else:
        assert "示范站" in file.read_text("utf-8")
        assert (form == "csv") == file.read_bytes().startswith(b"\xef\xbb\xbf")
    with furnished(state) as city:
        assert city.audit.verify() >= 1
    capsys.readouterr()


@pytest.mark.thorough
def test_readings_are_exported_by_stream_with_a_manifest_beside(
    tmp_path: Path, state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["import", str(readings(tmp_path)), "--state", str(state)])
    file = tmp_path / "pm25.csv"
    assert main(["export", "observation", str(file), "--where", "stream=air-01.pm25", "--state", str(state)]) == 0
    sheet = json.loads((tmp_path / "pm25.csv.manifest.json").read_text("utf-8"))
    assert sheet["rows"] == len(file.read_text("utf-8").splitlines()) - 1 > 0
    assert sheet["readings"]["left_out"] == {"struck": 0}
    capsys.readouterr()
    assert main(["export", "observation", str(file), "--where", "river=Hai", "--state", str(state)]) == 2
    assert "“river”" in capsys.readouterr().err


def _box(state: Path) -> None:
    """A stream of texts and one of any JSON, of a thing that somebody made."""
    with furnished(state) as city:
        sorts: tuple[tuple[str, Sort], ...] = (("天气", "category"), ("日志", "any"))
        for name, sort in sorts:
            made = MadeStream("", name, "", "", MadeUnit(None, None, None), {})
            sensor, seen = MadeSensor("", "站", "", "text/plain", "", {}), MadeProperty("", name, "", "", {})
            city.making.thing("盒", MadeThing("", "", {}), (), (Draft(made, sensor, seen, Contract(), sort),))


def _said(state: Path) -> dict[str, list[Json]]:
    with furnished(state) as city:
        found: dict[str, list[Json]] = {}
        for one in sorted((one for one in city.registry.streams() if one.sort != "number"), key=lambda one: one.no):
            page = city.sources["observation"](Query("observation", Compare("stream", "eq", one.id), limit=100))
            found[one.sort] = [[row["time"], row["word"]] for row in page.rows]
        return found


@pytest.mark.parametrize(
    "form", ["csv", pytest.param("json", marks=pytest.mark.thorough), pytest.param("parquet", marks=pytest.mark.thorough)]
)
def test_words_that_were_exported_are_imported_as_they_were(tmp_path: Path, form: str, capsys: pytest.CaptureFixture[str]) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    _box(here)
    with furnished(here) as city:
        words: list[Json] = ["雨", "=1+1", "3", "true", "", '"']
        ids = {one.sort: one.id for one in city.registry.streams()}
        told = [(ids["category"], word) for word in words] + [(ids["any"], word) for word in [*words, 3, True, {"a": [None]}]]
        rows = [{"stream": name, "time": rfc3339(Instant(NOW - at * HOUR)), "value": word} for at, (name, word) in enumerate(told)]
        assert asyncio.run(city.intake.take(read_rows(msgspec.json.encode(rows)), "test", None)).stored == len(rows)
    shutil.copytree(here, there)
    with furnished(there) as city, city.stores.transactions.begin() as tx:
        tx.connection.exec_driver_sql("DELETE FROM word")
    shutil.rmtree(there / "series")
    file = tmp_path / f"words.{form}"
    listed = f"stream.in={ids['category']},{ids['any']}"
    assert main(["export", "observation", str(file), "--where", listed, "--state", str(here)]) == 0
    capsys.readouterr()
    assert main(["import", str(file), "--state", str(there)]) == 0
    assert capsys.readouterr().out.strip() == f"stored={len(rows)} duplicate=0 refused=0"
    assert _said(there) == _said(here)
    assert main(["import", str(file), "--state", str(here)]) == 0
    assert capsys.readouterr().out.strip() == f"stored=0 duplicate={len(rows)} refused=0"


def test_the_facts_go_to_the_worker_without_a_copy_of_the_readings(
    tmp_path: Path, state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["import", str(readings(tmp_path)), "--state", str(state)])
    capsys.readouterr()
    command = ["move", "--facts", str(tmp_path / "var-worker"), "--state", str(state)]
    assert main(command) == 0
    assert "rows of facts carried, no observations" in capsys.readouterr().out
    assert clear(tmp_path / "var-worker" / "facts") is None
    assert main(command) == 2
    assert "is there already" in capsys.readouterr().err
    assert main(["move", "--state", str(state)]) == 2
    assert "--facts" in capsys.readouterr().err


def test_a_form_that_nobody_knows_and_a_dataset_that_is_not_there_are_told(
    tmp_path: Path, state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", "air_station", str(tmp_path / "stations.xlsx"), "--state", str(state)]) == 2
    assert ".parquet" in capsys.readouterr().err
    assert main(["export", "unicorn", str(tmp_path / "unicorn.csv"), "--state", str(state)]) == 2
    assert "unicorn" in capsys.readouterr().err


def test_a_rule_is_tried_on_what_was_imported(tmp_path: Path, state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["import", str(readings(tmp_path)), "--state", str(state)])
    capsys.readouterr()
    assert main(["replay", "aqi_moderate", "--days", "36500", "--state", str(state)]) == 0
    said = capsys.readouterr().out
    assert "air-01  2026-11-20 09:00 – 2026-11-20 09:00  ×1" in said
    assert "1 times in 36500 days" in said


def test_a_backup_is_restored_and_its_audit_chain_verified(tmp_path: Path, state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["export", "air_station", str(tmp_path / "stations.csv"), "--state", str(state)])
    assert main(["backup", str(tmp_path / "kept"), "--state", str(state)]) == 0
    assert main(["restore", str(tmp_path / "kept"), "--state", str(tmp_path / "again")]) == 0
    capsys.readouterr()
    assert main(["verify", "--state", str(tmp_path / "again")]) == 0
    assert int(capsys.readouterr().out.split()[0]) >= 1
    assert main(["restore", str(tmp_path / "kept"), "--state", str(tmp_path / "again")]) == 2


def test_packs_are_held_to_the_promises_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "unicorn"]) == 2
    assert "air" in capsys.readouterr().err


@pytest.mark.slow
def test_the_air_pack_keeps_every_promise(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "air"]) == 0
    said = capsys.readouterr().out
    assert "✓" in said
    assert "✗" not in said


def test_a_new_pack_is_written_where_it_belongs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    entries = '[project]\nname = "citybrain"\n\n[project.entry-points."citybrain.packs"]\n'
    (tmp_path / "pyproject.toml").write_text(entries, "utf-8")
    assert main(["new", "pack", "services/livelihood/lamps"]) == 0
    assert (tmp_path / "src/citybrain/services/livelihood/lamps/__init__.py").exists()
    capsys.readouterr()


def test_a_command_that_is_not_there_ends_with_the_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["fly"])
    assert ended.value.code == 2
    assert "demo" in capsys.readouterr().err
