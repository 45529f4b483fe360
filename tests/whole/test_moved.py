"""A district that has outgrown one process is stopped, moved, and goes on in several over encrypted links."""

import json
import shutil
import time
from pathlib import Path

import httpx
import pytest
from sqlalchemy import create_engine, make_url

from bench.program import free_port
from tests import several
from tests.certificates import Authority
from tests.several import LOTS, STATIONS, District
from tests.whole.test_roles import HOUR, alerts, hour_of, items, readings, send, until

# Its two halves have tests in the main part: moving (tests/app/test_moving.py), and links that are encrypted (tests/engines).
pytestmark = [pytest.mark.soak, pytest.mark.postgres, pytest.mark.timeout(400)]
STREAMS = [f"{station}.pm25" for station in STATIONS] + [f"{lot}.free" for lot in LOTS]


def asked(client: httpx.Client) -> dict[str, object]:
    """What is asked before and after; nothing of it depends on the minute."""
    cases = items(client, "/api/v1/act/cases?limit=500")
    return {
        "alerts": alerts(client),
        "cases": sorted((one["number"], one["cause"], one["unit"], one["opened"], one["due"]) for one in cases),
        "readings": [readings(client, name) for name in STREAMS],
        "latest": [(row["id"], row["time"], row["value"]) for row in items(client, "/api/v1/observe/streams?limit=500")],
    }


def encrypted(folder: Path, address: str) -> dict[str, str]:
    """Settings of a district in several processes whose every link is for TLS, both sides with a certificate."""
    authority = Authority(folder / "papers")
    own = authority.issue("own")
    given = {
        "DATABASE": address,
        "BUS": f"tls://127.0.0.1:{free_port()}",
        "INGEST_AT": f"grpc+tls://127.0.0.1:{free_port()}",
        "WORKER_AT": f"grpc+tls://127.0.0.1:{free_port()}",
        "SECRET": several.SECRET,
        "SHARED": str(folder / "shared"),
        "LINKS_CA": str(authority.file),
        "LINKS_CERT": str(own.certificate),
        "LINKS_KEY": str(own.key),
        "LINKS_MUTUAL": "true",
    }
    return {f"CITYBRAIN_{name}": value for name, value in given.items()}


def said(made: District, name: str) -> list[tuple[str, str]]:
    """What the log of a process says of its duties: the event, and the duty."""
    lines = (line for line in made.log(name).splitlines() if line.startswith("{"))
    told = [json.loads(line) for line in lines]
    return [(one["event"], one.get("duty", "")) for one in told if one["event"].startswith(("duty_", "watch_"))]


def test_a_moved_district_answers_as_before_and_goes_on_over_encrypted_links(tmp_path: Path, postgres_url: str) -> None:
    begin = int(time.time()) // HOUR * HOUR - 23 * HOUR
    with several.database(postgres_url, "moved") as address, several.district(tmp_path / "district", ("all",)) as made:
        with made.device("all") as device:
            assert all(send(device, hour_of(begin, number)).status_code == 200 for number in range(23))
        with made.officer("all") as desk:
            until(lambda: len(items(desk, "/api/v1/act/cases?limit=500")) > 0, wanted=True)
            until(lambda: len(alerts(desk)) > 3, wanted=True)
            time.sleep(3)
            before = asked(desk)
        made.close()
        folder = made.folder
        sound = int(made.run("verify").split()[0])
        carried = made.run("move", "--to", address, "--facts", str(folder / "var-worker"))
        assert "every table agrees" in carried
        assert "rows of facts carried" in carried
        as_it_used_to_be(folder)
        for name in ("files", "keys"):
            shutil.copytree(folder / "var" / name, folder / "shared" / name)
        made.environment |= encrypted(folder, address)
        assert int(made.run("verify").split()[0]) >= sound
        papers = [made.environment[f"CITYBRAIN_LINKS_{name}"] for name in ("CERT", "KEY", "CA")]
        flags = ("--tlsverify", "--tlscert", papers[0], "--tlskey", papers[1], "--tlscacert", papers[2])
        with several.nats(folder, int(made.environment["CITYBRAIN_BUS"].rpartition(":")[2]), *flags):
            for role in ("ingest", "worker", "api"):
                made.start(role)
            with made.device("api") as device, made.officer("api") as desk:
                assert asked(desk) == before
                assert cleared(folder, address), "the observations that came with the facts are off the disk, and that is proven"
                answer = send(device, hour_of(begin, 23)).json()
                assert answer["stored"] > 30
                assert answer["refused"] == []
                until(lambda: len(readings(desk, LOTS[0] + ".free")), 23 * 12 + 1)
                away_is_said_once(made, desk)
            made.close()
        assert int(made.run("verify").split()[0]) > sound


def as_it_used_to_be(folder: Path) -> None:
    """The facts as they used to be handed over: with all the observations beside them."""
    shutil.rmtree(folder / "var-worker" / "facts")
    shutil.copytree(folder / "var" / "series", folder / "var-worker" / "facts")
    (folder / "var-worker" / "facts" / "closed" / "day-1.parquet").write_bytes(b"a day of long ago")


def cleared(folder: Path, address: str) -> bool:
    """Whether the worker's folder holds facts alone, and one row of the audit trail says that a copy went."""
    owner = create_engine(make_url(address).set(drivername="postgresql+psycopg"))
    with owner.connect() as connection:
        asked = "SELECT count(*) FROM audit WHERE action = 'observation.delete' AND resource LIKE 'copy/%%'"
        rows = connection.exec_driver_sql(asked).scalar_one()
    owner.dispose()
    files = [path for path in (folder / "var-worker" / "facts").rglob("*") if path.suffix in (".parquet", ".journal")]
    return (int(rows), files) == (1, []) and not list((folder / "var-worker").glob("facts.*"))


def away_is_said_once(made: District, desk: httpx.Client) -> None:
    """Ingest is away for some seconds: the others say so once, and once that it is back, without a traceback."""
    made.kill("ingest")
    until(lambda: ("duty_waits", "latest") in said(made, "api"), wanted=True)
    time.sleep(5)
    assert desk.get("/desk").status_code == 200
    made.start("ingest")
    until(lambda: ("duty_goes_on", "latest") in said(made, "api"), wanted=True)
    until(lambda: ("watch_goes_on", "") in said(made, "worker"), wanted=True)
    for name in ("api", "worker"):
        found = said(made, name)
        assert not [one for one in found if one[0] in ("duty_failed", "watch_failed")], found
        assert all(found.count(one) == 1 for one in found if one[0] in ("duty_waits", "watch_waits")), found
    assert "Traceback" not in made.log("api")
