"""The whole program over the bench's pack: 10,000 streams, 500 rules, real stores; what the load generators talk to."""

import argparse
from pathlib import Path

import structlog
from shapely.geometry import box

from bench import pack
from citybrain.app import running
from citybrain.app.city import City, build, datasets
from citybrain.app.links import links
from citybrain.app.lock import StateLock
from citybrain.app.settings import load
from citybrain.app.start import few_heaps
from citybrain.app.stores import opened
from citybrain.app.walltime import wall
from citybrain.kernel.clock import RunningClock
from citybrain.kernel.parties import Unit
from citybrain.kernel.places import Area
from citybrain.kernel.text import same

PASSWORD = "Measure-2026"  # noqa: S105 - a program that listens on this machine alone, for measuring


def main() -> None:
    """Serve until SIGTERM."""
    few_heaps()
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--state", type=Path, required=True)
    ask.add_argument("--port", type=int, required=True)
    ask.add_argument("--mqtt-port", type=int, default=0)
    ask.add_argument("--bare", action="store_true", help="without the things of the pack")
    given = ask.parse_args()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory())
    flags = {
        "state": str(given.state),
        "port": given.port,
        "mqtt_port": given.mqtt_port,
        "district": "990101",
        "hosts": ("127.0.0.1",),
    }
    settings = load(Path("/nonexistent"), flags)
    with StateLock(settings.folder), opened(settings, upgrade=True) as stores:
        city = build(settings, stores, (pack.PACK,), RunningClock(wall), links=links(settings))
        if city.taker is not None:
            _furnish(city, bare=given.bare)
        running.run(city, None)


def _furnish(city: City, *, bare: bool) -> None:
    if not city.areas.all():
        city.areas.put((Area("990101", "district", same("bench"), None, box(117.0, 39.0, 117.3, 39.2).wkb, "generated"),))
        city.units.put(Unit("unit-bench", same("bench"), ("bench",), "990101"))
    if not bare:
        city.registry.plant(pack.entities(), "bench", "generated", city.clock.city())
    city.catalogue.register_all(datasets(city.packs, city.origin))
    if not city.accounts.all():
        city.accounts.create("bench", "bench", PASSWORD, ("admin", "dispatcher", "auditor", "data_officer"))
        secret = city.accounts.devices.create("bench", "device", ("bench-*",))
        (Path(city.settings.shared or city.settings.state) / "device.secret").write_text(secret, encoding="ascii")


if __name__ == "__main__":
    main()
