"""The same load on another SensorThings 1.1 server and on ours, in one run: ``make bench-peer URL=http://host/v1.1``.

PEER_USER and PEER_PASSWORD sign in with HTTP Basic. What a server refuses stands in its cell; what was made there is deleted again.
"""

import argparse
import asyncio
import itertools
import json
import os
import secrets
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench import machine, program, sta
from citybrain.kernel.text import Json

_SETS = ("Things", "Locations", "FeaturesOfInterest", "Sensors", "ObservedProperties")
"""What a deep insert leaves behind, in the order in which it is deleted."""
_MEASUREMENT = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement"
_GROUP = 10
"""Datastreams in a request of data arrays."""
_HALF_DAY = 43_200_000
"""In ms: single observations begin a day ago, data arrays half a day ago."""
_LATEST = "Datastreams($expand=Observations($top=1;$orderby=phenomenonTime desc))"


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is made and asked: Things and the Datastreams of each, seconds of a flood, rows of a data array, turns of a read."""

    things: int = 100
    streams: int = 4
    seconds: float = 6
    rows: int = 100
    turns: int = 15


@dataclass(slots=True)
class Figures:
    """What was measured at one server: a number, or the words of a refusal, for each kind of load."""

    found: dict[str, float | str] = field(default_factory=dict)
    left: str = ""
    """What could not be deleted, in words; empty where all is gone."""


@dataclass(frozen=True, slots=True)
class Load:
    """A kind of load: its words for these sizes, the unit, and whether more of it is better."""

    words: str
    unit: str
    more: bool


LOADS = {
    "make": Load("a Thing with Location and {0.streams} Datastreams in one request, one after another", "a second", more=True),
    "one": Load("single POST of an Observation, 1 connection", "a second", more=True),
    "many": Load("single POST of an Observation, 32 connections", "a second", more=True),
    "arrays": Load("CreateObservations, up to 10 Datastreams of {0.rows} readings a request, 8 connections", "obs/s", more=True),
    "expand": Load("{0.things} Things with Datastreams and their latest Observation, p50", "ms", more=False),
    "page": Load("100 Observations of a Datastream, p50", "ms", more=False),
    "count": Load("the same with $count, p50", "ms", more=False),
    "filter": Load("100 Observations of an hour by $filter, p50", "ms", more=False),
}


class Visit:
    """One server under load; everything made bears ``mark`` in its name, so that nothing else is ever deleted."""

    def __init__(self, server: sta.Server, sizes: Sizes, mark: str) -> None:
        self._server, self._sizes, self._mark = server, sizes, mark
        self._began = int(time.time() * 1000) - 2 * _HALF_DAY
        self._streams: list[Json] = []
        self._figures = Figures()

    async def figures(self) -> Figures:
        """Make, write, read, and delete again whatever happened."""
        try:
            await self._make()
            await self._write()
            await self._read()
        finally:
            self._figures.left = await self._clean()
        return self._figures

    async def _make(self) -> None:
        line, began = sta.Line(self._server, self._server.makes), time.perf_counter()
        for number in range(self._sizes.things):
            answer = await line.ask("POST", "/Things", json.dumps(_thing(f"{self._mark}-{number}", self._sizes.streams)).encode())
            if not answer.good:
                self._figures.found["make"] = answer.refusal
                break
        else:
            self._figures.found["make"] = self._sizes.things / (time.perf_counter() - began)
        await line.close()
        reading = sta.Line(self._server, self._server.reads)
        for thing in await self._named(reading, "Things", "&$expand=Datastreams"):
            self._streams += [each["@iot.id"] for each in sta.entities(thing, "Datastreams")]
        await reading.close()

    async def _write(self) -> None:
        if not self._streams:
            return
        singles, arrays = (map(made, itertools.count()) for made in (self._single, self._array))
        await self._flood("one", "/Observations", 1, singles, 1)
        await self._flood("many", "/Observations", 32, singles, 1)
        await self._flood("arrays", "/CreateObservations", 8, arrays, len(self._streams[:_GROUP]) * self._sizes.rows)

    def _single(self, turn: int) -> bytes:
        """An observation a ms later than the one before, so that none repeats."""
        stream = self._streams[turn % len(self._streams)]
        said = {"phenomenonTime": _stamp(self._began + turn), "result": turn % 700, "Datastream": {"@iot.id": stream}}
        return json.dumps(said).encode()

    def _array(self, turn: int) -> bytes:
        first = self._began + _HALF_DAY + turn * self._sizes.rows
        rows = [[_stamp(first + number), number] for number in range(self._sizes.rows)]
        each = {"components": ["phenomenonTime", "result"], "dataArray": rows}
        return json.dumps([{"Datastream": {"@iot.id": stream}, **each} for stream in self._streams[:_GROUP]]).encode()

    async def _flood(self, load: str, path: str, connections: int, bodies: Iterator[bytes], size: int) -> None:
        """Send for some seconds; the first refusal ends it and is told."""
        refused, good = "", 0
        began, until = time.perf_counter(), time.perf_counter() + self._sizes.seconds

        async def one() -> None:
            nonlocal refused, good
            line = sta.Line(self._server, self._server.writes)
            while time.perf_counter() < until and not refused:
                answer = await line.ask("POST", path, next(bodies))
                if not answer.good or b'"error' in answer.body:
                    refused = answer.refusal
                else:
                    good += size
            await line.close()

        await asyncio.gather(*(one() for _ in range(connections)))
        self._figures.found[load] = refused or good / (time.perf_counter() - began)

    async def _read(self) -> None:
        line = sta.Line(self._server, self._server.reads)
        await self._asked(line, "expand", f"/Things?$top={self._sizes.things}&{self._ours()}&$expand={_LATEST}")
        if self._streams:
            own = f"/Datastreams({_key(self._streams[0])})/Observations?$top=100"
            since, until = (_stamp(self._began + _HALF_DAY + hours * 3_600_000) for hours in (0, 1))
            await self._asked(line, "page", own)
            await self._asked(line, "count", f"{own}&$count=true")
            await self._asked(line, "filter", f"{own}&$filter=phenomenonTime ge {since} and phenomenonTime lt {until}")
        await line.close()

    async def _asked(self, line: sta.Line, load: str, path: str) -> None:
        spent = []
        for _ in range(self._sizes.turns):
            began = time.perf_counter()
            answer = await line.ask("GET", path)
            if not answer.good:
                self._figures.found[load] = answer.refusal
                return
            spent.append((time.perf_counter() - began) * 1000)
        self._figures.found[load] = statistics.median(spent)

    async def _clean(self) -> str:
        """Delete all that bears the mark; what stays is told in words."""
        reading, making, left = sta.Line(self._server, self._server.reads), sta.Line(self._server, self._server.makes), []
        for name in _SETS:
            why = await self._emptied(reading, making, name)
            left += [f"{name}: {why}"] if why else []
        await reading.close()
        await making.close()
        return "; ".join(left)

    async def _emptied(self, reading: sta.Line, making: sta.Line, name: str) -> str:
        """Delete what bears the mark in a set, page by page; why some of it stays, empty where none does."""
        for _ in range(2 + self._sizes.things * self._sizes.streams):
            found = await self._named(reading, name)
            for each in found:
                answer = await making.ask("DELETE", f"/{name}({_key(each['@iot.id'])})")
                if not answer.good:
                    return answer.refusal
            if not found:
                return ""
        return "deleted, and listed still"

    async def _named(self, line: sta.Line, name: str, more: str = "") -> list[dict[str, Json]]:
        """The entities of a set that bear the mark; none where the server does not say."""
        return (await line.ask("GET", f"/{name}?$top={max(100, self._sizes.things)}&{self._ours()}{more}")).entities

    def _ours(self) -> str:
        return f"$filter=startswith(name,'{self._mark}-')"


def _thing(name: str, streams: int) -> dict[str, object]:
    place = {"type": "Point", "coordinates": [117.1, 39.1]}
    return {
        "name": name,
        "description": "made by a benchmark, deleted at its end",
        "Locations": [{"name": f"{name}-l", "description": name, "encodingType": "application/geo+json", "location": place}],
        "Datastreams": [_datastream(f"{name}-{number}") for number in range(streams)],
    }


def _datastream(name: str) -> dict[str, object]:
    return {
        "name": name,
        "description": name,
        "observationType": _MEASUREMENT,
        "unitOfMeasurement": {"name": "Metre", "symbol": "m", "definition": "https://ucum.org/ucum#para-30"},
        "Sensor": {"name": f"{name}-s", "description": name, "encodingType": "text/plain", "metadata": name},
        "ObservedProperty": {"name": f"{name}-p", "definition": "https://qudt.org/vocab/quantitykind/Height", "description": name},
    }


def _key(found: Json) -> str:
    return str(found) if isinstance(found, int) else "'" + str(found).replace("'", "''") + "'"


def _stamp(ms: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ms // 1000)) + f".{ms % 1000:03d}Z"


def measure(peer: sta.Server, sizes: Sizes) -> list[str]:
    """The lines of the report: ours first, and when it is gone the peer, so that neither works beside the other."""
    mark = f"bench-peer-{secrets.token_hex(4)}"
    with tempfile.TemporaryDirectory() as folder, program.running(Path(folder), bare=True) as running:
        one = visited(sta.ours(running), sizes, mark)
    return report(one, visited(peer, sizes, mark), sizes)


def visited(server: sta.Server, sizes: Sizes, mark: str) -> Figures:
    """What was measured at one server."""
    return asyncio.run(Visit(server, sizes, mark).figures())


def report(one: Figures, other: Figures, sizes: Sizes) -> list[str]:
    """A line for each kind of load, and one for what could not be deleted."""
    return [*_lines(one, other, sizes), *_remains(one, other)]


def _lines(one: Figures, other: Figures, sizes: Sizes) -> Iterator[str]:
    for name, load in LOADS.items():
        mine, theirs = (figures.found.get(name, "not asked: no Datastream was made") for figures in (one, other))
        ratio = "–"
        if isinstance(mine, float) and isinstance(theirs, float) and mine and theirs:
            ratio = f"{mine / theirs if load.more else theirs / mine:.1f} ×"
        yield f"| {load.words.format(sizes)} | {_cell(mine, load.unit)} | {_cell(theirs, load.unit)} | {ratio} |"


def _cell(found: float | str, unit: str) -> str:
    return found if isinstance(found, str) else f"{found:,.1f} {unit}" if found < 100 else f"{found:,.0f} {unit}"


def _remains(one: Figures, other: Figures) -> Iterator[str]:
    if one.left or other.left:
        yield f"| left behind, for it could not be deleted | {one.left or 'nothing'} | {other.left or 'nothing'} | – |"


def main() -> None:
    """Command line."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--url", required=True, help="of the peer's API, such as http://host:8080/FROST-Server/v1.1")
    ask.add_argument("--seconds", type=float, default=6)
    ask.add_argument("--things", type=int, default=100)
    given = ask.parse_args()
    try:
        peer = sta.at(given.url, os.environ.get("PEER_USER", ""), os.environ.get("PEER_PASSWORD", ""))
    except ValueError as error:
        ask.error(str(error))
    print(machine.about(0))
    print(f"\n| What | CityBrain | {given.url} | ratio: above 1, ours is faster |\n|---|---|---|---|")
    print("\n".join(measure(peer, Sizes(given.things, seconds=given.seconds))))


if __name__ == "__main__":
    main()
