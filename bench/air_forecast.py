"""Errors of the air forecast on unseen time, on the shipped extract: ``python -m bench.air_forecast`` prints the tables of the docs."""

import sys
import time
from datetime import date
from pathlib import Path

import numpy as np

from citybrain.sdk import HOUR, History, Instant, midnight
from citybrain.services.livelihood.air import features, forecast, judging, stations
from citybrain.services.livelihood.air.learning import ahead_of

EXTRACT = Path(__file__).parents[1] / "data" / "air" / "beijing_2013_2016.parquet"
SHOWN = (1, 2, 3, 6, 12, 18, 24)
HIGH = 150.0


def day(text: str) -> Instant:
    """The instant at which a calendar day begins in the district."""
    return midnight(date.fromisoformat(text))


START, SPLIT, END = day("2013-03-01"), day("2015-03-01"), day("2016-03-01")
SEASONS = (("2015-03", "2015-06"), ("2015-06", "2015-09"), ("2015-09", "2015-12"), ("2015-12", "2016-03"))


def table(field: str, model: forecast.Model, history: History) -> None:
    """Errors per horizon of one pollutant over the unseen year."""
    report = judging.judge(model, history, SPLIT, END)
    print(f"\n{field}, learnt before 2015-03-01, judged on 2015-03-01 to 2016-02-29, {len(history.entities)} stations")
    print(
        "| horizon h | forecast | persistence | persistence, measured hours only | seasonal mean | inside band | band width | cases | serves |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for hours in SHOWN:
        at = hours - 1
        plain = judging.persistence_error(history, field, hours, SPLIT, END)
        serves = "model" if report.by_model[at] else "persistence"
        print(
            f"| {hours} | {report.error[at]:.2f} | {report.persistence[at]:.2f} | {plain:.2f} | {report.seasonal[at]:.2f} "
            f"| {report.coverage[at]:.1%} | {report.width[at]:.0f} | {report.cases[at]} | {serves} |"
        )


def seasons(model: forecast.Model, history: History) -> None:
    """Forecast and persistence by season: where it gains least."""
    print("\npm25 by season: forecast / persistence, inside band")
    print("| season | 1 h | 6 h | 12 h | 24 h |\n|---|---|---|---|---|")
    for first, last in SEASONS:
        report = judging.judge(model, history, day(f"{first}-01"), day(f"{last}-01"))
        cells = [
            f"{report.error[hours - 1]:.1f} / {report.persistence[hours - 1]:.1f}, {report.coverage[hours - 1]:.0%}"
            for hours in (1, 6, 12, 24)
        ]
        print(f"| {first} to {last}, exclusive | {' | '.join(cells)} |")


def heavy(model: forecast.Model, history: History) -> None:
    """Hours whose truth was over HIGH: how much too low the forecast was, and how many such hours it foresaw."""
    known = features.record(history, model.field, Instant(SPLIT - 120 * HOUR), Instant(END - HOUR))
    inside = (known.hours[:, None] + np.arange(1, 25)) >= SPLIT // HOUR
    last = features.carried(known.level) ** 3
    stretches = range(len(history.entities))
    triple = np.concatenate([forecast.spread(model, known, station) for station in stretches])
    came = np.concatenate([np.where(inside, ahead_of(known.level[:, station] ** 3), np.nan) for station in stretches])
    now = np.concatenate([last[:, station] for station in stretches])
    print(f"\npm25 where more than {HIGH:.0f} ug/m3 came")
    print(
        "| horizon h | share of hours | mean error | foreseen: middle | persistence | upper edge | false: middle | persistence | upper edge |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for hours in (1, 6, 12, 24):
        at = hours - 1
        judged = ~np.isnan(came[:, at]) & ~np.isnan(triple[:, at, 1])
        truth = came[judged, at] > HIGH
        said = [values[judged] > HIGH for values in (triple[:, at, 1], now, triple[:, at, 2])]
        bias = np.mean((triple[judged, at, 1] - came[judged, at])[truth])
        foreseen = " | ".join(f"{one[truth].mean():.0%}" for one in said)
        false = " | ".join(f"{np.mean(~truth[one]):.0%}" for one in said)
        print(f"| {hours} | {truth.mean():.1%} | {bias:+.1f} | {foreseen} | {false} |")


def main() -> int:
    """Print every table; the seconds are those of this machine."""
    history = stations.history(stations.read(EXTRACT, START, END))
    for field in ("pm25", "pm10", "no2", "o3"):
        began = time.perf_counter()
        model = forecast.fit(history, SPLIT, field)
        print(f"\n{model.version}: learnt in {time.perf_counter() - began:.1f} s")
        table(field, model, history)
        if field == "pm25":
            seasons(model, history)
            heavy(model, history)
    return 0


if __name__ == "__main__":
    sys.exit(main())
