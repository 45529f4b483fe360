"""A switch-box whose Datastreams have results of every type, and who writes and reads them."""

from typing import Any

from httpx import AsyncClient

from tests.doors.conftest import World
from tests.doors.sensorthings.conftest import entrusted
from tests.doors.sensorthings.test_making import SENSOR, posted, said

_OM = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_"
TYPES = {
    "door": f"{_OM}TruthObservation",
    "sky": f"{_OM}CategoryObservation",
    "cars": f"{_OM}CountObservation",
    "log": f"{_OM}Observation",
    "heat": f"{_OM}Measurement",
}
NONE = {"name": None, "symbol": None, "definition": None}
RESULTS: dict[str, list[Any]] = {
    "door": [True, False, True, True],
    "sky": ["rain", "snow", "雨", "rain"],
    "cars": [3, 0, 12, 3],
    "log": ["open", {"a": 1}, [True, None], 3],
    "heat": [1.0, 0.0, 2.5, 3.0],
}


def at(minute: int) -> str:
    return f"2026-11-22T06:{minute:02}:00Z"


def watched(name: str) -> dict[str, str]:
    return {"@iot.id": f"thing.{name}", "name": name, "definition": f"urn:{name}", "description": f"The {name}"}


def datastream(name: str, **more: object) -> dict[str, Any]:
    return {
        "name": f"Box {name}",
        "description": name,
        "observationType": TYPES[name],
        "unitOfMeasurement": NONE,
        "Sensor": {**SENSOR, "@iot.id": f"s-{name}"},
        "ObservedProperty": watched(name),
        **more,
    }


BOX: dict[str, Any] = {"@iot.id": "box", "name": "Box", "description": "A box", "Datastreams": [datastream(name) for name in TYPES]}


def single(name: str, minute: int, result: object) -> dict[str, Any]:
    return {"phenomenonTime": at(minute), "result": result, "Datastream": {"@iot.id": f"box.{name}"}}


def stream(name: str) -> str:
    return f"/Datastreams('box.{name}')/Observations"


async def made(world: World) -> None:
    """The box with its Datastreams."""
    async with world.client("admin") as client:
        await posted(client, "/Things", BOX)


async def filled(world: World) -> None:
    """The box, and each of its results, a minute apart."""
    await made(world)
    async with world.client("device") as device:
        entrusted(world, device, "box")
        for name, results in RESULTS.items():
            for minute, result in enumerate(results, 10):
                await posted(device, "/Observations", single(name, minute, result))


async def results(client: AsyncClient, path: str, **words: str) -> list[Any]:
    """The results under a path, oldest first unless ordered otherwise."""
    asked = {"_orderby": "phenomenonTime asc", **words}
    return [one["result"] for one in (await said(client, path, **asked))["value"]]


def alike(one: object, other: object) -> bool:
    """Whether two values are the same in JSON too: true is not 1."""
    return repr(one) == repr(other)
