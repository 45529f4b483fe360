"""A program whose devices send observations with their features until it is killed; what is acknowledged stands in a file, synced.

Each of ``DEVICES`` devices sends readings of one stream, in turn with a feature described for the first time, with one described before,
as a data array that names one, and with a new thing. A line says stream, time, value and the name of the feature, which stands in the parameters too.
"""

import asyncio
import itertools
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from httpx import AsyncClient

from citybrain.brain import protect
from citybrain.engines.bus import LocalBus
from citybrain.engines.duckdb import DuckFacts, DuckFile, DuckSeries
from citybrain.engines.keys import SoftKeys
from citybrain.engines.sqlite import open_sqlite
from citybrain.kernel.clock import FixedClock
from citybrain.kernel.instant import SECOND, Instant, rfc3339
from tests.conftest import tabled
from tests.doors.conftest import NOW, World, basic, furnish, settled
from tests.doors.sensorthings.conftest import ROOT, on
from tests.doors.sensorthings.test_making import STREAM

DEVICES = 3
POND: dict[str, Any] = {
    "description": "A pond",
    "encodingType": "application/geo+json",
    "feature": {"type": "Point", "coordinates": [117.1, 39.1]},
}


@contextmanager
def opened(folder: Path) -> Iterator[World]:
    """The city with SensorThings over the files of a folder, made where there are none."""
    secret = ""
    if not (folder / "city.sqlite").exists():
        tabled(folder / "city.sqlite")
        secret = furnish(folder)
    clock, transactions, file = FixedClock(NOW), open_sqlite(folder / "city.sqlite"), DuckFile(folder / "series")
    # Its devices are made anew at each start.
    devices = protect.Accounts(transactions, clock, protect.AuditTrail(transactions, SoftKeys(folder / "keys"), clock)).devices
    for login in map(str, range(DEVICES)):
        devices.remove(login)
    series = DuckSeries(file)
    yield on(settled(folder, clock, LocalBus(), transactions, series, DuckFacts(file), secret))
    series.close()
    file.close()
    transactions.close()


def sendings(run: int, number: int) -> Iterator[tuple[str, object, list[tuple[str, str, float, str]]]]:
    """Address, body, and what is kept when it is acknowledged."""
    stream = f"well-{1 + number % 2}.level"
    for turn in itertools.count():
        times = [rfc3339(Instant(NOW - (run * 4000 + turn * 2 + more) * 3 * SECOND - (number + 1))) for more in (0, 1)]
        name = f"Pond {run} {number} {turn // 2}"
        about = {"FeatureOfInterest": {**POND, "name": name}, "resultTime": rfc3339(NOW), "parameters": {"of": name}}
        one = {"Datastream": {"@iot.id": stream}, "phenomenonTime": times[0], "result": float(turn), **about}
        yield "Observations", one, [(stream, times[0], float(turn), name)]
        if turn % 4 == 3:
            columns = {"components": ["phenomenonTime", "result", "FeatureOfInterest/id", "parameters"]}
            rows = [[times[1], float(turn), f"pond-{run}-{number}-{turn // 2}", {"of": name}]]
            array = [{"Datastream": {"@iot.id": stream}, **columns, "dataArray": rows}]
            yield "CreateObservations", array, [(stream, times[1], float(turn), name)]
        if turn % 8 == 5:
            key, other = f"gauge-{run}-{number}-{turn}", f"Pond of gauge {run} {number} {turn}"
            told = {"FeatureOfInterest": {**POND, "name": other}, "parameters": {"of": other}}
            two = [{"phenomenonTime": time, "result": 1.0, **told} for time in times]
            thing = {"@iot.id": key, "name": "Gauge", "description": "New", "Datastreams": [{**STREAM, "Observations": two}]}
            yield "Things", thing, [(f"{key}.*", time, 1.0, other) for time in times]


async def send(folder: Path, run: int, number: int, world: World, client: AsyncClient) -> None:
    secret = world.parts.accounts.devices.create("塔", str(number), ["well-*", "+gauge-*", "+pond*"])
    headers = {"Authorization": basic(str(number), secret)}
    acknowledged = os.open(folder / "acknowledged", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for path, body, kept in sendings(run, number):
        answer = await client.post(f"{ROOT}/{path}", json=body, headers=headers)
        assert answer.status_code == 201, answer.text
        assert "error" not in answer.text, answer.text
        os.write(acknowledged, "".join(f"{'|'.join(map(str, one))}\n" for one in kept).encode())
        os.fsync(acknowledged)


async def go_on(folder: Path, run: int) -> None:
    with opened(folder) as world:
        async with world.client() as client, asyncio.TaskGroup() as tasks:
            for number in range(DEVICES):
                tasks.create_task(send(folder, run, number, world, client))
            # The test waits for it.
            sys.stdout.write("ready\n")
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(go_on(Path(sys.argv[1]), int(sys.argv[2])))
