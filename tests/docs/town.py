"""A town for the tests of the docs: the real city over real engines in a folder, one street, one station, four people, one device."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import shapely

from citybrain.app.city import City, build, datasets
from citybrain.app.packs import installed
from citybrain.app.settings import Settings
from citybrain.app.stores import opened
from citybrain.kernel.access import Caller
from citybrain.kernel.clock import FixedClock
from citybrain.kernel.instant import parse
from citybrain.kernel.pack import Planted
from citybrain.kernel.parties import Unit
from citybrain.kernel.places import Area, Place
from citybrain.kernel.text import Text, same

STATION = "air-01"
DEVICE = "device"
OFFICE = "unit-environment"
DISTRICT, STREET = "990104", "990104001"
HANDLER = Caller("hao", "Hao", frozenset({"handler"}), OFFICE)
DISPATCHER = Caller("pei", "Pei", frozenset({"dispatcher"}))
LEADER = Caller("ling", "Ling", frozenset({"leader"}))


@dataclass(frozen=True)
class Town:
    """The city, its clock, and the device's secret."""

    city: City
    clock: FixedClock
    secret: str


@contextmanager
def town(folder: Path) -> Iterator[Town]:
    """Open a town whose clock stands at 14:05 in the district on 2026-11-22."""
    clock = FixedClock(parse("2026-11-22T06:05:00Z"))
    settings = Settings(state=str(folder / "var"), district=DISTRICT, case_prefix="YS", low_water=1)
    with opened(settings, upgrade=True) as stores:
        city = build(settings, stores, installed(), clock, "demo")
        ground = shapely.to_wkb(shapely.box(117.1, 39.1, 117.2, 39.2))
        city.areas.put(
            (
                Area(DISTRICT, "district", same("示意城区"), None, ground, "generated"),
                Area(STREET, "subdistrict", same("清和街道"), DISTRICT, ground, "generated"),
            )
        )
        city.units.put(Unit(OFFICE, Text("生态环境示范科", "Demo Environment Office"), ("environment",), DISTRICT))
        station = Planted(STATION, "air_station", Text("一号街监测点", "Street No. 1 station"), Place(117.15, 39.15), STREET, {})
        city.registry.plant((station,), "test", "demo", clock.city())
        city.catalogue.register_all(datasets(city.packs, "demo"))
        yield Town(city, clock, city.accounts.devices.create("演示设备", DEVICE, (STATION,)))
