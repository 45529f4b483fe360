"""The nearest lots with room among 10,000, with the chance on arrival: as the API answers it, from the request to the last byte."""

import logging
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from litestar.testing import TestClient
from sqlalchemy import insert

from citybrain.app import asgi
from citybrain.app.city import City, build, datasets
from citybrain.app.settings import load
from citybrain.app.stores import opened
from citybrain.app.walltime import wall
from citybrain.brain.detect.store import FORECAST, issue_row
from citybrain.kernel.clock import RunningClock
from citybrain.kernel.datasets import ForecastIssue, ForecastPoint, Reliability, Skill
from citybrain.kernel.instant import HOUR, Instant
from citybrain.kernel.pack import Planted
from citybrain.kernel.places import Place
from citybrain.kernel.text import same
from citybrain.services.livelihood.parking import PACK

LOTS = 10_000
TURNS = 200
SEED = 7
_CENTRE, _SPREAD = (117.2, 39.1), 0.1
"""Degrees: ten thousand lots over a district and its neighbours."""


def measure() -> list[str]:
    """The lines of the report."""
    with tempfile.TemporaryDirectory() as folder:
        settings = load(Path("/nonexistent"), {"state": folder, "district": "990104"})
        with opened(settings, upgrade=True) as stores:
            city = build(settings, stores, (PACK,), RunningClock(wall))
            city.catalogue.register_all(datasets(city.packs, "generated"))
            _fill(city)
            spent = _ask(city)
    half, late = np.percentile(spent, [50, 95])
    return [
        f"| nearest 5 of {LOTS:,} lots with the chance on arrival, {TURNS} requests | p50 {half:.1f}, p95 {late:.1f} ms | under 10 ms |"
    ]


def _fill(city: City) -> None:
    chance, now = np.random.default_rng(SEED), city.clock.city()
    places = chance.normal(_CENTRE, _SPREAD, size=(LOTS, 2)).tolist()
    lots = [
        Planted(f"lot-{number:05}", "parking_lot", same(f"{number}"), Place(*place), "990104001", {"type": "public", "shared": 0})
        for number, place in enumerate(places)
    ]
    city.registry.plant(lots, "bench", "generated", now)
    numbers = np.array([city.registry.stream(f"{lot.id}.free").no for lot in lots], np.int32)
    city.latest.feed(numbers, np.full(LOTS, now, np.int64), chance.integers(0, 300, LOTS).astype(np.float64), now, "bench")
    hour = Instant(now // HOUR * HOUR)
    points = tuple(ForecastPoint(Instant(hour + ahead * HOUR), 60.0, 40.0, 80.0, chance=0.9) for ahead in range(24))
    skill = tuple(Skill(ahead + 1, 4.0, 6.0, 0.8, "model", 3000) for ahead in range(24))
    held = tuple(Reliability(step / 6, (step + 1) / 6, step / 6 + 0.1, step / 6 + 0.1, 500) for step in range(6))
    issues = [ForecastIssue(f"{lot.id}.occupancy", hour, "bench", points, skill, same("-"), "generated", held) for lot in lots]
    with city.stores.transactions.begin() as tx:
        tx.connection.execute(insert(FORECAST), [issue_row(issue) for issue in issues])


def _ask(city: City) -> list[float]:
    chance, spent = np.random.default_rng(SEED + 1), []
    logging.getLogger("httpx").setLevel(logging.WARNING)
    with TestClient(asgi.application(city)) as client:
        for _ in range(TURNS):
            lon, lat = chance.normal(_CENTRE, _SPREAD / 2, size=2).tolist()
            began = time.perf_counter()
            answer = client.get(f"/api/v1/observe/nearby/park?lon={lon}&lat={lat}")
            spent.append((time.perf_counter() - began) * 1000)
            if answer.status_code != 200 or len(answer.json()["items"]) != 5:
                raise RuntimeError(answer.text)
    return spent


if __name__ == "__main__":
    sys.stdout.write("\n".join(measure()) + "\n")
