"""What allocation advice would have avoided on unseen weeks of the shipped extract: ``python -m bench.parking_advice`` prints the docs' tables.

For each judged week a fit to the weeks before it. Advice is made from the forecast alone; judged on what was really taken in each hour.
Boards lead away only from a lot that is full in that hour. Places of the lots and the berths that owners could open are those of the
demo: invented. Berths that owners opened in vain are paid for as those that were used.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from citybrain.app import demo, district
from citybrain.sdk import DAY, HOUR, History, Instant, local, midnight
from citybrain.services.livelihood.parking import allocation, forecast, slots
from citybrain.services.livelihood.parking.allocation import Floats, Hour, Plan, Terms
from citybrain.services.livelihood.parking.guidance import terms_on
from citybrain.services.livelihood.parking.source import FILE, SHARED, entities, hourly, rows
from citybrain.services.livelihood.parking.transport import Whole

DATA = Path(__file__).parents[1] / "data"
EXTRACT = DATA / FILE
TUNED = tuple(midnight(date(2016, 11, day)) for day in (7, 14))
JUDGED = tuple(midnight(date(2016, 11, day)) for day in (21, 28))
LEADS = (1, 3, 24)


@dataclass(frozen=True, slots=True)
class Place:
    """The lots: walks (n, n) in m, berths (n,)."""

    walk: Floats
    capacity: Floats


@dataclass(frozen=True, slots=True)
class Score:
    """Berth hours: above the mark without action, left and caused with it, sent elsewhere, opened; metres walked in all."""

    idle: int = 0
    left: int = 0
    caused: int = 0
    sent: int = 0
    opened: int = 0
    metres: int = 0

    def plus(self, other: "Score") -> "Score":
        """Both together."""
        return Score(*(getattr(self, name) + getattr(other, name) for name in Score.__dataclass_fields__))

    def cost(self, terms: Terms) -> float:
        """By the goal of the question, on what came."""
        return self.metres + terms.opening * self.opened + terms.overflow * (self.left + self.caused)


@dataclass(frozen=True, slots=True)
class Case:
    """An hour as it is advised on: low, middle and high edge of the forecast, what was taken an hour before, what came, all in % (n,)."""

    edges: tuple[Floats, Floats, Floats]
    before: Floats
    came: Floats
    place: Place
    terms: Terms


Way = Callable[[Case], Plan]


def place() -> Place:
    """The lots of the demo."""
    areas = district.demo_areas(district.read_shape(DATA / "district"), np.random.default_rng(demo.SEED))
    planted = entities(district.stage(areas))
    lon, lat = (np.array([getattr(one.place, name) for one in planted]) for name in ("lon", "lat"))
    berths = rows(EXTRACT).group_by("lot").agg(pl.col("capacity").median()).sort("lot")["capacity"].to_numpy()
    return Place(allocation.walking(lon, lat, terms_on("2026-11-22").detour), berths.astype(np.float64))


def cases(history: History, weeks: Sequence[Instant], lead: int, where: Place, terms: Terms) -> Iterator[Case]:
    """The hours of judged weeks in which anything is known, each forecast ``lead`` hours ahead by a fit to the time before its week."""
    record = slots.seen(history, "occupancy")
    for week in weeks:
        part = forecast.fit(history, week).ahead[lead - 1]
        said = forecast.middle(part, record)
        for row in np.flatnonzero((record.hours >= week // HOUR) & (record.hours < (week + 7 * DAY) // HOUR)):
            came, middle = record.values[row], said[row]
            if not np.isfinite(came).any():
                continue
            low, _, high = (np.clip(middle + edge, 0, 100) for edge in part.errors.edges(np.nan_to_num(middle)).T)
            yield Case((low, middle, high), record.values[row - 1], came, where, terms)


def hour_of(case: Case, need: float) -> Hour:
    """The hour as it is advised on, from the forecast alone."""
    berths, terms = case.place.capacity, case.terms
    surplus = allocation.surplus_of(allocation.level(*case.edges, need), berths, terms.full)
    room = np.where(surplus > 0, 0, allocation.room_of(allocation.level(*case.edges, terms.room), berths, terms.full))
    return Hour(surplus, room, np.full(len(berths), SHARED, np.int64))


def by_forecast(case: Case) -> Plan:
    """Boards that follow a plan made from the forecast alone, ready for its upper edge; no owner is asked."""
    hour = hour_of(case, 0.9)
    return allocation.best(replace(hour, closed=np.zeros_like(hour.closed)), case.place.walk, case.terms)


def live(case: Case) -> Hour:
    """The hour as boards know it: who is really too many, and room by readings that are an hour old."""
    berths, terms = case.place.capacity, case.terms
    surplus = allocation.surplus_of(case.came, berths, terms.full)
    known = np.where(surplus > 0, 0, allocation.room_of(case.before, berths, terms.full))
    return Hour(surplus, known, np.zeros_like(surplus))


def by_rule(case: Case) -> Plan:
    """The simple rule."""
    return allocation.nearest(live(case), case.place.walk, case.terms)


def by_optimum(case: Case) -> Plan:
    """The transport of least cost on the same readings: what optimising the boards themselves would gain."""
    return allocation.best(live(case), case.place.walk, case.terms)


def asking(case: Case) -> Plan:
    """What is advised: owners are asked from the forecast, boards lead by the simple rule."""
    opened = allocation.advised(hour_of(case, case.terms.need), case.place.walk, case.terms).opened
    return allocation.nearest(live(case), case.place.walk, case.terms, opened)


def nothing(case: Case) -> Plan:
    """No plan at all."""
    none: Whole = np.zeros_like(case.place.walk, np.int64)
    return Plan(none, none[0], none[0], 0, 0)


def judged(case: Case, plan: Plan) -> Score:
    """What a plan comes to by what was really taken: boards send whoever is too many, the nearest of the planned lots first."""
    berths, terms, walk = case.place.capacity, case.terms, case.place.walk
    too_many = allocation.surplus_of(case.came, berths, terms.full)
    room = allocation.room_of(case.came, berths, terms.full)
    sent = np.zeros_like(plan.sent)
    for giver in np.flatnonzero(too_many):
        left = int(too_many[giver])
        for taker in np.argsort(walk[giver], kind="stable"):
            sent[giver, taker] = min(left, int(plan.sent[giver, taker]))
            left -= int(sent[giver, taker])
    caused = np.maximum(sent.sum(axis=0) - plan.opened - room, 0)
    return Score(
        int(too_many.sum()),
        int((too_many - sent.sum(axis=1)).sum()),
        int(caused.sum()),
        int(sent.sum()),
        int(plan.opened.sum()),
        round(float((sent * walk).sum())),
    )


def total(found: Sequence[Case], way: Way) -> Score:
    """The score of a way of deciding over all hours."""
    whole = Score()
    for case in found:
        whole = whole.plus(judged(case, way(case)))
    return whole


def report(history: History, weeks: Sequence[Instant], terms: Terms, leads: Sequence[int] = LEADS) -> dict[str, Score]:
    """The score of every way over some weeks."""
    where = place()
    found: dict[str, Score] = {}
    for lead in leads:
        listed = list(cases(history, weeks, lead, where, terms))
        if not found:
            found["nothing"] = total(listed, nothing)
            found["simple rule"] = total(listed, by_rule)
            found["least-cost boards on the same readings"] = total(listed, by_optimum)
        found[f"boards by the forecast alone, {lead} h ahead"] = total(listed, by_forecast)
        found[f"owners asked {lead} h ahead, simple rule"] = total(listed, asking)
    return found


def shown(found: dict[str, Score], terms: Terms) -> Iterator[str]:
    """The scores as a table."""
    yield "| way | overflow left | caused | avoided | share | m a car | opened | cost, km |\n|---|---|---|---|---|---|---|---|"
    for name, score in found.items():
        remains = score.left + score.caused
        share = 1 - remains / max(score.idle, 1)
        walked = score.metres / max(score.sent, 1)
        yield (
            f"| {name} | {remains} | {score.caused} | {score.idle - remains} | {share:.0%} | {walked:.0f} | {score.opened} "
            f"| {score.cost(terms) / 1000:,.0f} |"
        )


def main() -> int:
    """Print the tables: the weeks on which the margins were chosen, and those that were not looked at until then."""
    history, terms = hourly(EXTRACT), terms_on("2026-11-22")
    print(f"Overflow: berth hours above {terms.full:g} %; walk at most {terms.walk:g} m")
    for words, weeks in (("chosen on", TUNED), ("judged on", JUDGED)):
        print(f"\nWeeks {words}: {', '.join(f'{local(week):%Y-%m-%d}' for week in weeks)}\n")
        print("\n".join(shown(report(history, weeks, terms), terms)))
    print("\nQuantile of need on the weeks chosen on: cost in km by lead\n\n| quantile | 1 h | 3 h | 24 h |\n|---|---|---|---|")
    where = place()
    listed = {lead: list(cases(history, TUNED, lead, where, terms)) for lead in LEADS}
    for need in (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9):
        tried = replace(terms, need=need)
        costs = [total([replace(case, terms=tried) for case in listed[lead]], asking).cost(tried) / 1000 for lead in LEADS]
        print(f"| {need} | {' | '.join(f'{cost:,.0f}' for cost in costs)} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
