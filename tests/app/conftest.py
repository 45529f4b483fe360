"""A city of the installed packs over real stores in a temporary folder: one station, no doors."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import msgspec
import pytest
import shapely

from citybrain.app.city import City, build, datasets
from citybrain.app.packs import installed
from citybrain.app.settings import Settings
from citybrain.app.stores import opened
from citybrain.kernel.clock import Clock, FixedClock
from citybrain.kernel.instant import parse
from citybrain.kernel.pack import Planted
from citybrain.kernel.parties import Unit
from citybrain.kernel.places import Area, Place
from citybrain.kernel.text import same
from tests import several

_names = count(1)
NOW = parse("2026-11-22T07:00:00Z")
STATION = Planted("air-01", "air_station", same("示范站"), Place(117.15, 39.1), "990104001", {})


@contextmanager
def furnished(
    state: Path, clock: Clock | None = None, retention: dict[str, int] | None = None, database: str = ""
) -> Iterator[City]:
    """The city, opened; a second time over the same folder and database it finds what it had."""
    kept = {"state": str(state), "database": database, "retention": retention or {}}
    settings = msgspec.structs.replace(Settings(district="990104", low_water=0, case_prefix="YS"), **kept)
    with opened(settings, upgrade=True) as stores:
        city = build(settings, stores, installed(), clock or FixedClock(NOW), "demo")
        if not city.areas.all():
            outline = shapely.to_wkb(shapely.box(117, 39, 117.3, 39.2))
            city.areas.put((Area("990104", "district", same("示意"), None, outline, "generated"),))
            city.areas.put((Area("990104001", "subdistrict", same("一街道"), "990104", outline, "generated"),))
            city.units.put(Unit("unit-environment", same("环境示范科"), ("environment",), "990104"))
        city.registry.plant((STATION,), "test", "demo", NOW)
        city.catalogue.register_all(datasets(city.packs, "demo"))
        yield city


@pytest.fixture
def empty(postgres_url: str) -> Iterator[str]:
    """The address of an empty PostgreSQL database."""
    with several.database(postgres_url, f"app_{next(_names)}") as address:
        yield address


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    with furnished(tmp_path / "var") as found:
        yield found
