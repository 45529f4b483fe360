"""Errors of the parking forecast on unseen time, on the shipped extract: ``python -m bench.parking_forecast`` prints the tables of the docs.

The baseline is the same slot last week. Learnt before 2016-11-21, judged on 2016-11-21 to 2016-12-02, each hour from hours before it.
"""

import sys
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np

from citybrain.sdk import HOUR, History, midnight
from citybrain.services.livelihood.parking import forecast, learning, slots
from citybrain.services.livelihood.parking.rules import FULL_ABOVE
from citybrain.services.livelihood.parking.source import hourly

EXTRACT = Path(__file__).parents[1] / "data" / "parking" / "birmingham_2016.parquet"
SPLIT = midnight(date(2016, 11, 21))
SHOWN = (1, 2, 3, 4, 6, 12, 24)


def judged(history: History) -> Iterator[tuple[int, slots.Floats, slots.Floats, slots.Floats, slots.Floats]]:
    """Of each horizon: what was said, the baseline, what came (n,) and the chance that was said, on hours from the split on."""
    model = forecast.fit(history, SPLIT)
    record = slots.seen(history, "occupancy")
    later = (record.hours >= SPLIT // HOUR)[:, None]
    for part in model.ahead:
        said, base = forecast.middle(part, record), slots.last_week(record)
        rows = later & ~np.isnan(said) & ~np.isnan(record.values)
        yield part.skill.horizon, said[rows], base[rows], record.values[rows], part.errors.chance(said[rows])


def main() -> int:
    """Print the errors per horizon, the reliability of the chances, and what is gained; the seconds are those of this machine."""
    history = hourly(EXTRACT)
    began = time.perf_counter()
    model = forecast.fit(history, SPLIT)
    print(f"{model.version}: learnt in {time.perf_counter() - began:.1f} s from {len(history.entities)} lots")
    print("\nMean absolute error in % of the capacity")
    print("| horizon h | forecast | same slot last week | gain | cases | serves |\n|---|---|---|---|---|---|")
    chances, came, total = [], [], np.zeros(2)
    for (horizon, said, base, truth, chance), part in zip(judged(history), model.ahead, strict=True):
        errors = np.array([np.abs(said - truth).mean(), np.abs(base - truth).mean()])
        total += errors
        chances.append(chance)
        came.append(truth <= FULL_ABOVE)
        if horizon in SHOWN:
            gain = 1 - errors[0] / errors[1]
            print(f"| {horizon} | {errors[0]:.2f} | {errors[1]:.2f} | {gain:.0%} | {len(truth)} | {part.skill.serves} |")
    print(f"\nAll 24 horizons: {total[0] / 24:.2f} against {total[1] / 24:.2f}, {1 - total[0] / total[1]:.1%} less")
    print("\nChance of a berth that was said, beside how often there was one")
    print("| said | mean said | came | cases |\n|---|---|---|---|")
    for step in learning.reliability(np.concatenate(chances), np.concatenate(came)):
        print(f"| {step.low:.0%} to {step.high:.0%} | {step.said:.1%} | {step.came:.1%} | {step.cases} |")
    said, held = np.concatenate(chances), np.concatenate(came)
    print(
        f"\nBrier score {np.mean((said - held) ** 2):.4f}; always saying the share of all hours: {held.mean() * (1 - held.mean()):.4f}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
