"""A district on PostgreSQL of which nothing runs is backed up whole: from the backup it begins again as it was."""

import asyncio
import shutil
from contextlib import closing
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from alembic import command
from alembic.config import Config

from citybrain.app import migrate
from citybrain.app.backups import restore
from citybrain.app.cli import main
from citybrain.app.settings import Settings
from citybrain.app.stores import FACTS, SERIES, opened
from citybrain.brain.see import FactFeed
from citybrain.engines.duckdb import DuckFacts, DuckFile
from citybrain.engines.postgres import Alone, open_postgres
from citybrain.engines.sqlite import open_sqlite
from citybrain.engines.transactions import SqlTransactions
from citybrain.kernel.instant import HOUR
from tests.app.conftest import NOW, furnished
from tests.app.test_quiet import OTHERS
from tests.app.test_saving import STREAM, event, everything
from tests.brain.see.conftest import alert, alert_event

pytestmark = pytest.mark.postgres


@pytest.fixture(autouse=True)
def roomy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CITYBRAIN_LOW_WATER", "0")


def test_stopped_it_is_copied_with_its_database_and_begins_again_as_it_was(
    tmp_path: Path, empty: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    state = tmp_path / "var"
    with furnished(state, database=empty) as city:
        city.accounts.create("数据员", "officer", "Nine-willows-by-the-weir-7", ("data_officer",))
        columns = np.full(3, city.registry.stream(STREAM).no, np.int32), NOW - np.arange(3) * HOUR, np.array([35.0, 41.0, 57.0])
        assert asyncio.run(city.intake.take_columns(*columns, "import", None)).stored == 3
        city.stores.facts.append("told", pa.table({"position": [1]}), 1)
        told, rows = everything(city), city.audit.verify()
    monkeypatch.setenv("CITYBRAIN_DATABASE", empty)
    assert main(["backup", str(tmp_path / "kept"), "--state", str(state)]) == 0
    assert "pg_dump" not in capsys.readouterr().out
    restore(tmp_path / "kept", tmp_path / "again")
    with furnished(tmp_path / "again") as city:
        assert everything(city) == told
        assert city.audit.verify() >= rows
        assert city.latest.of(city.registry.stream(STREAM).no) is not None
        assert city.stores.facts.position("told") == 1
        assert city.accounts.sign_in("officer", "Nine-willows-by-the-weir-7", "here")


def test_of_several_processes_the_facts_come_from_the_folder_of_the_worker_or_there_is_no_backup(
    tmp_path: Path, empty: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in (OTHERS | {"DATABASE": empty, "SHARED": str(tmp_path / "var")}).items():
        monkeypatch.setenv(f"CITYBRAIN_{name}", value)
    assert main(["init", "--district", "120104", "--folder", "."]) == 0
    with closing(open_postgres(empty)) as store, store.begin() as tx:
        tx.emit(event(1, "s"))
    file = DuckFile(tmp_path / "var-worker" / FACTS)
    DuckFacts(file).append("told", pa.table({"position": [1]}), 1)
    file.close()

    def refused(*words: str) -> str:
        capsys.readouterr()
        assert main(["backup", str(tmp_path / "kept"), *words]) == 2
        assert not [*(tmp_path / "kept").glob("*")]
        return capsys.readouterr().err

    assert "name its state folder with --facts" in refused()
    assert "no state folder of a worker" in refused("--facts", "var")
    assert "No observations lie in the state folder" in refused("--state", "var-worker")
    running = Alone(empty, "ingest")
    running.hold()
    assert "Stop it first" in refused("--facts", "var-worker")
    running.close()
    assert main(["backup", str(tmp_path / "kept"), "--facts", "var-worker"]) == 0
    restore(tmp_path / "kept", tmp_path / "again")
    with opened(Settings(state=str(tmp_path / "again"), low_water=0), upgrade=False) as stores:
        assert stores.facts.position("told") == stores.transactions.last_position() == 1
    (tmp_path / "kept").rename(tmp_path / "done")
    monkeypatch.setenv("CITYBRAIN_DATABASE", "postgresql://127.0.0.1:1/nothing")
    assert "does not answer" in refused("--facts", "var-worker")


def test_facts_of_another_district_or_of_an_older_day_make_no_backup(
    tmp_path: Path, empty: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in (OTHERS | {"DATABASE": empty, "SHARED": str(tmp_path / "var")}).items():
        monkeypatch.setenv(f"CITYBRAIN_{name}", value)
    assert main(["init", "--district", "120104", "--folder", "."]) == 0

    def told(folder: Path, key: str, events: SqlTransactions) -> None:
        """An alert, and its fact in the folder of a worker."""
        with events.begin() as tx:
            tx.emit(alert_event(alert(key), NOW))
        file = DuckFile(folder / FACTS)
        assert FactFeed(events, DuckFacts(file)).run_once() == 1
        file.close()

    with closing(open_postgres(empty)) as store:
        told(tmp_path / "var-worker", "mine", store)
        shutil.copytree(tmp_path / "var-worker", tmp_path / "before")
        told(tmp_path / "var-worker", "mine-2", store)
    other = open_sqlite(tmp_path / "other.sqlite")
    with other.begin() as tx:
        migrate.upgrade(tx.connection)
    for number in range(3):
        told(tmp_path / "others", f"theirs-{number}", other)
        if number == 1:
            shutil.copytree(tmp_path / "others", tmp_path / "alike")
    other.close()
    for folder in ("before", "alike", "others"):
        assert main(["backup", str(tmp_path / "kept"), "--facts", folder]) == 2
        assert "not those of this district" in capsys.readouterr().err, folder
        assert not (tmp_path / "kept").exists()
    assert main(["backup", str(tmp_path / "kept"), "--facts", "var-worker"]) == 0


def test_one_of_an_older_release_is_copied_as_it_is_and_takes_its_steps_after_the_restore(
    tmp_path: Path, empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    DuckFile(tmp_path / "var" / SERIES).close()
    with closing(open_postgres(empty)) as old, old.begin() as tx:
        older = Config()
        older.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
        older.attributes["connection"] = tx.connection
        command.upgrade(older, "0015")
        tx.connection.exec_driver_sql("INSERT INTO featured (stream, time, feature) VALUES (1, 10, 'pond')")
    monkeypatch.setenv("CITYBRAIN_DATABASE", empty)
    assert main(["backup", str(tmp_path / "kept"), "--state", str(tmp_path / "var")]) == 0
    restore(tmp_path / "kept", tmp_path / "again")
    with closing(open_sqlite(tmp_path / "again" / "city.sqlite")) as copy, copy.read() as connection:
        assert migrate.pending(connection)[0] == "0016"
        assert connection.exec_driver_sql("SELECT * FROM featured").all() == [(1, 10, "pond")]
    with opened(Settings(state=str(tmp_path / "again"), low_water=0), upgrade=True) as stores:
        assert stores.transactions.ask("SELECT feature, said FROM featured", {}) == [{"feature": "pond", "said": None}]
