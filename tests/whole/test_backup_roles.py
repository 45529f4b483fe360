"""A district in several processes is backed up while they run: one instant, nothing that refers to nothing, and it starts anew on either store."""

import itertools
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from bench.program import free_port
from tests import several
from tests.several import CITYBRAIN, District
from tests.whole.test_roles import HOUR, PATH, alerts, gauge, hour_of, items, kept, until

pytestmark = [pytest.mark.kill, pytest.mark.postgres, pytest.mark.timeout(600)]
ROLES = ("ingest", "worker", "api")
Row = tuple[str, str]
"""Stream and time."""


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory, postgres_url: str) -> Iterator[District]:
    """ingest, worker and api, over a day with alerts and cases."""
    folder, port = tmp_path_factory.mktemp("kept"), free_port()
    with (
        several.nats(folder, port),
        several.database(postgres_url, "kept") as store,
        several.district(folder / "split", ROLES, store, f"nats://127.0.0.1:{port}") as made,
    ):
        begin = int(time.time()) // HOUR * HOUR - 23 * HOUR
        with made.device("api") as device, made.officer("api") as desk:
            assert all(posted(device, hour_of(begin, hour)) for hour in range(24))
            until(lambda: len(alerts(desk)) > 3, wanted=True)
        yield made


def posted(device: httpx.Client, body: bytes) -> bool:
    return device.post(PATH, content=body, headers={"Content-Type": "application/json"}).status_code == 200


@dataclass
class Senders:
    """Devices and people who go on until they are ended; ``sure`` is what was acknowledged."""

    made: District
    ended: threading.Event = field(default_factory=threading.Event)
    sure: dict[Row, float] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)

    def device(self, name: str, stream: str) -> None:
        """One reading after another to a process; one that was not acknowledged is sent again."""
        begin = int(time.time()) - 100_000
        with self.made.device(name) as device:
            for number in itertools.count():
                self._until_sure(device, stream, begin + number, float(number % 90))
                if self.ended.is_set():
                    return

    def maker(self) -> None:
        """A new thing, and at once a reading of it by way of the other process."""
        with self.made.officer("api", "admin") as maker, self.made.device("ingest", "probe") as probe:
            for number in itertools.count():
                self._until_sure(probe, gauge(maker)[1], int(time.time()) - 60, float(number))
                if self.ended.is_set():
                    return

    def _until_sure(self, device: httpx.Client, stream: str, seconds: int, value: float) -> None:
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
        while not self.ended.is_set():
            try:
                answer = device.post(PATH, json={"observations": [{"stream": stream, "time": at, "value": value}]})
            except httpx.TransportError:
                time.sleep(0.2)
                continue
            if answer.status_code == 200:
                self.sure[stream, at] = value
                return
            self.refused.append(answer.text)
            time.sleep(0.2)


@contextmanager
def sending(made: District) -> Iterator[Senders]:
    """All of them, for the time of a block."""
    senders = Senders(made)
    with ThreadPoolExecutor(3) as pool:
        running = [
            pool.submit(senders.device, "api", "lot-01.free"),
            pool.submit(senders.device, "ingest", "lot-02.free"),
            pool.submit(senders.maker),
        ]
        try:
            yield senders
        finally:
            senders.ended.set()
        for one in running:
            one.result()


def cases(client: httpx.Client) -> set[str]:
    return {one["number"] for one in items(client, "/api/v1/act/cases?limit=500")}


def facts(client: httpx.Client) -> set[tuple[str, str]]:
    """The facts of cases, which the worker keeps."""
    return {(one["case"], one["time"]) for one in items(client, "/api/v1/exchange/datasets/case_opened/rows?limit=1000")}


def backing(made: District, target: Path, state: str = "var", *more: str) -> subprocess.CompletedProcess[str]:
    """Back up, as the account that runs the processes."""
    command = [*CITYBRAIN, "backup", str(target), "--state", str(made.folder / state), *more]
    return subprocess.run(command, env=made.environment, cwd=made.folder, capture_output=True, text=True, check=False, timeout=200)


def alone(made: District, target: Path, folder: Path) -> District:
    """A district of one process, as a backup has it."""
    folder.mkdir()
    shutil.copy(made.folder / "citybrain.toml", folder)
    names = ("DATABASE", "BUS", "INGEST_AT", "WORKER_AT", "SECRET", "SHARED")
    environment = {name: value for name, value in made.environment.items() if name.removeprefix("CITYBRAIN_") not in names}
    again = District(folder, environment, ("all",), made.secrets)
    again.run("restore", str(target))
    return again


def test_a_district_of_several_processes_is_backed_up_under_their_hands_and_starts_anew_on_either_store(
    split: District, tmp_path: Path, postgres_url: str
) -> None:
    with split.officer("api") as desk, sending(split) as senders:
        time.sleep(3)
        sure = dict(senders.sure)
        told, opened, wanted = alerts(desk), cases(desk), facts(desk)
        assert backing(split, tmp_path / "kept").returncode == 0
        done = dict(senders.sure)
        time.sleep(1)
    assert len(sure) > 20
    assert len(senders.sure) > len(done) > len(sure)
    assert len({stream for stream, _ in sure}) > 3
    assert opened
    assert {case for case, _ in wanted}
    again = alone(split, tmp_path / "kept", tmp_path / "one")
    again.start("all")
    with again.officer("all") as desk:
        assert kept(desk, sure) == sure
        assert set(told) <= set(alerts(desk))
        assert opened <= cases(desk)
        assert wanted <= facts(desk)
    with again.officer("all", "admin") as admin:
        for one in admin.get("/api/v1/observe/doors").json():
            assert one["received"] == one["stored"] + one["duplicate"] + sum(one["refused"].values())
    again.close()
    assert "sound" in again.run("verify")
    port = free_port()
    with several.nats(tmp_path, port), several.database(postgres_url, "kept_again") as store:
        assert "every table agrees" in again.run("move", "--to", store, "--facts", str(again.folder / "var-worker"))
        places = {f"{name}_AT": f"grpc://127.0.0.1:{free_port()}" for name in ("INGEST", "WORKER")}
        own = places | {"DATABASE": store, "BUS": f"nats://127.0.0.1:{port}", "SECRET": "s", "SHARED": str(again.folder / "var")}
        again.environment |= {f"CITYBRAIN_{name}": value for name, value in own.items()}
        for role in ROLES:
            again.start(role)
        with again.officer("api") as desk:
            assert kept(desk, sure) == sure
            assert set(told) <= set(alerts(desk))
            assert wanted <= facts(desk)
        again.close()


@pytest.mark.soak
def test_a_kill_amid_the_backup_leaves_no_whole_one_and_loses_nothing(split: District, tmp_path: Path) -> None:
    with sending(split) as senders, ThreadPoolExecutor(1) as aside:
        time.sleep(1)
        asked = aside.submit(backing, split, tmp_path / "cut")
        while not (split.folder / "var" / "series" / "saving").exists():
            assert not asked.done()
            time.sleep(0.001)
        split.kill("ingest")
        assert asked.result().returncode == 2, "whoever asked is told that it is not whole"
        split.start("ingest")
        time.sleep(2)
    assert not (tmp_path / "cut" / "manifest.json").exists()
    assert not (split.folder / "var" / "series" / "saving").exists()
    with split.officer("api") as desk:
        assert kept(desk, senders.sure) == senders.sure
    assert backing(split, tmp_path / "whole").returncode == 0
    assert (tmp_path / "whole" / "manifest.json").exists()


@pytest.mark.soak
def test_while_the_one_that_keeps_is_stopped_or_nothing_runs_the_backup_is_whole_all_the_same(
    split: District, tmp_path: Path
) -> None:
    with split.officer("api") as desk:
        told, opened, wanted = alerts(desk), cases(desk), facts(desk)
    assert wanted
    split.kill("ingest")
    assert backing(split, tmp_path / "first").returncode == 0, "the worker says what it has"
    split.kill("worker")
    split.kill("api")
    without = backing(split, tmp_path / "without")
    assert (without.returncode, "--facts" in without.stderr) == (2, True)
    assert not (tmp_path / "without").exists()
    done = backing(split, tmp_path / "kept", "var", "--facts", str(split.folder / "var-worker"))
    assert done.returncode == 0, done.stderr
    for role in ROLES:
        split.start(role)
    again = alone(split, tmp_path / "kept", tmp_path / "one")
    assert "sound" in again.run("verify")
    again.start("all")
    with again.officer("all") as desk:
        assert set(told) <= set(alerts(desk))
        assert opened <= cases(desk)
        assert wanted <= facts(desk)
    again.close()


@pytest.mark.soak
def test_without_the_one_that_has_the_facts_there_is_no_backup_and_other_folders_say_where_to_ask(
    split: District, tmp_path: Path
) -> None:
    assert "where ingest runs" in backing(split, tmp_path / "other", "var-api").stderr
    split.kill("worker")
    asked = backing(split, tmp_path / "kept")
    assert (asked.returncode, "does not answer" in asked.stderr) == (2, True), asked.stderr
    assert list((tmp_path / "kept").iterdir()) == []
    split.start("worker")
    assert backing(split, tmp_path / "kept").returncode == 0
