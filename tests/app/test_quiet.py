"""Commands in a district of several processes: at the folder of the one that keeps the observations while it is stopped, or not at all."""

from pathlib import Path

import pytest

from citybrain.app.cli import main
from citybrain.brain import detect
from citybrain.engines.postgres import Alone, open_postgres

pytestmark = pytest.mark.postgres
OTHERS = {
    "BUS": "nats://127.0.0.1:1",
    "INGEST_AT": "grpc://127.0.0.1:1",
    "WORKER_AT": "grpc://127.0.0.1:1",
    "SECRET": "a secret of the test",
    "LOW_WATER": "0",
}


@pytest.fixture
def folder(tmp_path: Path, empty: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A district of several processes, begun, none of them running."""
    monkeypatch.chdir(tmp_path)
    for name, value in (OTHERS | {"DATABASE": empty, "SHARED": str(tmp_path / "var")}).items():
        monkeypatch.setenv(f"CITYBRAIN_{name}", value)
    assert main(["init", "--district", "120104", "--folder", "."]) == 0
    return tmp_path


def commands(folder: Path) -> list[list[str]]:
    (folder / "readings.csv").write_text("stream,time,value\n", "utf-8")
    return [["import", "readings.csv"], ["export", "air_station", "stations.csv"], ["verify"], ["replay", "aqi_moderate"]]


@pytest.mark.thorough
def test_while_the_one_that_keeps_runs_anywhere_every_command_says_to_stop_it(
    folder: Path, empty: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in commands(folder):
        assert main(command) == 0, capsys.readouterr().err
    running = Alone(empty, "ingest")
    running.hold()
    for command in (*commands(folder), ["serve"]):
        capsys.readouterr()
        assert main(command) == 2, command
        said = capsys.readouterr().err
        assert "ingest 角色的进程。请先停止它" in said
        assert "Stop it first" in said
    running.close()


@pytest.mark.thorough
def test_at_a_folder_that_is_not_its_own_no_command_begins_another_truth(
    folder: Path, empty: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for command in commands(folder):
        capsys.readouterr()
        assert main([*command, "--state", "elsewhere"]) == 2
        assert "name it with --state" in capsys.readouterr().err
        assert not (folder / "elsewhere").exists()
    store = open_postgres(empty)
    with store.begin() as tx:
        store.advance(tx.connection, detect.CURSOR, 7)
    store.close()
    for command in commands(folder):
        capsys.readouterr()
        assert main(command) == 2
        assert "用 --state 指定" in capsys.readouterr().err
    for name in OTHERS:
        monkeypatch.delenv(f"CITYBRAIN_{name}")
    assert main(["serve"]) == 2, "nor does one that would take readings in there"
    assert "does not hold the observations of this district" in capsys.readouterr().err


def test_what_a_command_needs_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("CITYBRAIN_SECRET")
    monkeypatch.setenv("CITYBRAIN_ROLE", "all")
    assert main(commands(folder)[0]) == 2
    assert "set: secret" in capsys.readouterr().err
