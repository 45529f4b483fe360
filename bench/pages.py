"""The pages over a district that has seen 100,000 cases: how fast each is rendered, asked as the people who use it."""

import argparse
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import structlog

from bench import demo, machine
from citybrain.app import demo as demonstration
from citybrain.app.city import City, build
from citybrain.app.lock import StateLock
from citybrain.app.packs import installed
from citybrain.app.settings import load
from citybrain.app.stores import opened
from citybrain.brain.act import records
from citybrain.kernel.cases import Case, Step
from citybrain.kernel.events import Event
from citybrain.kernel.ids import case_number, new_id
from citybrain.kernel.instant import DAY, HOUR, Instant
from citybrain.kernel.text import Json, same

CASES = 100_000
_OPEN = 3_000
"""Cases still open; the rest are closed over the last year."""
_PIECE = 2_000
_STATES = ("filed", "assigned", "handling", "finished")
_SEED = 120104


def measure(cases: int = CASES) -> list[str]:
    """Make a demo district with so many cases and ask for its pages; returns the lines of the report."""
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder)
        with demo.running(state):
            pass
        number = fill(state, cases)
        with demo.running(state) as (_, port):
            time.sleep(5)
            asked = {"/": "", **demo.PAGES, f"/desk/{number}": "dispatcher"}
            return [_line(path, demo.spent(port, path, login), cases) for path, login in asked.items()]


def fill(state: Path, cases: int) -> str:
    """Write so many cases with their steps and facts into a demo's state; returns the number of one that is open."""
    settings = load(Path("/nonexistent"), {"state": str(state), "port": 1, "hosts": ("127.0.0.1",)})
    with StateLock(settings.folder), opened(settings, upgrade=False) as stores:
        city = build(settings, stores, installed(), demonstration.clock(settings, installed()), "demo")
        last = ""
        for piece in _pieces(city, cases):
            with stores.transactions.begin() as tx:
                for case in piece:
                    step = Step(
                        new_id(), case.id, "open", "", case.state, "system", case.unit, case.opened, case.opened, case.words
                    )
                    records.insert_case(tx.connection, case, case.id)
                    records.add_step(tx.connection, step)
                    tx.emit(Event(step.id, "citybrain.act.case.opened.v1", case.id, step.at, _body(case, step)))
            last = piece[-1].number
        # Who has seen so many cases has counted them and told whom they waited for.
        while city.feed.run_once(10_000) or city.notices.run_once(10_000):
            pass
    return last


def _body(case: Case, step: Step) -> dict[str, Json]:
    return {"case": msgspec.to_builtins(case), "step": msgspec.to_builtins(step)}


def _pieces(city: City, cases: int) -> Iterator[list[Case]]:
    rng = np.random.default_rng(_SEED)
    units = [unit for unit in city.units.all() if unit.area]
    areas = [area.code for area in city.areas.all() if area.level == "grid"] or [area.code for area in city.areas.all()]
    now = city.clock.city()
    for start in range(0, cases, _PIECE):
        numbers = range(start, min(start + _PIECE, cases))
        yield [_case(city, rng, index, cases, now, units[index % len(units)].id, areas[index % len(areas)]) for index in numbers]


def _case(city: City, rng: np.random.Generator, index: int, cases: int, now: Instant, unit: str, area: str) -> Case:
    alive = index >= cases - min(_OPEN, cases)
    begun = Instant(now - int(rng.uniform(0, 20 * DAY if alive else 365 * DAY)) - HOUR)
    due = Instant(begun + int(rng.integers(1, 10)) * DAY)
    return Case(
        id=new_id(),
        number=case_number(city.settings.case_prefix, "20250101", index + 1),
        matter="bench",
        title=same(f"Matter {index}"),
        flow="standard",
        flow_version=1,
        state=_STATES[index % len(_STATES)] if alive else "closed",
        unit=unit,
        handler=None,
        place=None,
        area=area,
        entity=None,
        cause=f"report:{index}",
        words=f"示范路 {index} 号",
        opened=begun,
        due=due,
        closed=None if alive else Instant(min(now, begun + int(rng.uniform(0, 8 * DAY)))),
        grade=int(rng.integers(1, 5)),
        version=1,
        origin="generated",
    )


def _line(path: str, spent: list[float], cases: int) -> str:
    cuts = statistics.quantiles(spent, n=20)
    shown = "/desk/{case}" if path.startswith("/desk/") else path
    return (
        f"| page {shown}, {cases:,} cases, {len(spent)} requests: p50 / p95 | {cuts[9]:.0f} / {cuts[18]:.0f} ms | p95 under 80 ms |"
    )


def main() -> None:
    """Print the figures."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--cases", type=int, default=CASES)
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    print(machine.about(_SEED))
    print("\n".join(measure(ask.parse_args().cases)))


if __name__ == "__main__":
    main()
