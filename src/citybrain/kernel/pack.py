"""A pack: one frozen declaration of kinds, rules, flows, indicators, forecasts and a replay, found by entry point.

From it follow, without another line, tables, doors, catalogue, permissions, map layer, docs and demo.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from citybrain.kernel.alerts import Grade
from citybrain.kernel.bookings import Sharing
from citybrain.kernel.calendar import Allowance
from citybrain.kernel.cases import Flow
from citybrain.kernel.datasets import Advice, ForecastPoint, Reliability, Skill
from citybrain.kernel.instant import Instant
from citybrain.kernel.places import Place
from citybrain.kernel.reports import ReportForm
from citybrain.kernel.text import Json, Text
from citybrain.kernel.things import Kind

Column: TypeAlias = NDArray[np.float64]
Times: TypeAlias = NDArray[np.int64]
Example: TypeAlias = Mapping[str, float | int | str | bool]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A dated number that an official may change; the mark says how sure its source is.

    A ``range`` (closed, in the UCUM ``unit``) is the sane range: a number with one may be changed in the studio while the program
    runs, one without only here.
    """

    name: str
    value: float | str
    since: str
    source: str
    mark: Literal["confirmed", "secondary", "memory", "local"]
    title: Text | None = None
    unit: str = "1"
    range: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Opens:
    """The case that an alert opens: matter, flow, whose duty, promised time."""

    matter: str
    title: Text
    flow: str
    duty: str
    allowance: Allowance


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition in CEL over the fields of a kind and the pack's parameters.

    A field without a live value makes the condition false: a silent sensor sets nothing off.
    ``because`` may name fields and parameters in braces, and ``{title}`` for the entity. ``lasting`` is an ISO duration
    for which the condition must hold; ``clears`` defaults to the opposite of ``when``.
    """

    name: str
    on: str
    when: str
    because: Text
    basis: Text
    grade: Grade
    fires: tuple[Example, ...]
    silent: tuple[Example, ...]
    lasting: str | None = None
    clears: str | None = None
    opens: Opens | None = None


@dataclass(frozen=True, slots=True)
class Derived:
    """A field computed from other fields of the same entity.

    ``compute`` gets times (n,) in µs ascending, and each input as (n,) with NaN where there is none; it returns (n,) with NaN
    for no value. ``lookback`` (ISO duration) is how much earlier history it needs before the first row that counts.
    """

    kind: str
    field: str
    inputs: tuple[str, ...]
    compute: Callable[[Times, Mapping[str, Column]], Column]
    lookback: str | None = None


class ForecastModel(Protocol):
    """A fitted model: immutable, and honest about its errors."""

    @property
    def version(self) -> str:
        """A short name that changes when the fit changes."""
        ...

    def predict(self, history: "History", entity: int, at: Instant) -> tuple[ForecastPoint, ...]:
        """The next hours of one entity; empty where the history does not carry it."""
        ...

    def skill(self) -> tuple[Skill, ...]:
        """Errors per horizon on time that was not used for fitting."""
        ...

    def reliability(self) -> tuple[Reliability, ...]:
        """How its chances held on time that was not used for fitting; nothing for a model that says none."""
        ...


@dataclass(frozen=True, slots=True)
class History:
    """Hourly history of the entities of a kind: times (t,) in µs, each field (t, e) with NaN for gaps; entities by id (e,)."""

    times: Times
    entities: tuple[str, ...]
    fields: Mapping[str, NDArray[np.float64]]


_UNCHANGED = Text("“不变”假设", "assuming no change")


@dataclass(frozen=True, slots=True)
class Forecast:
    """A registered algorithm: what it forecasts, from which fields, with which fit.

    Its errors are held against the ``baseline``; ``chance`` names what its points give the chance of.
    """

    name: str
    title: Text
    kind: str
    field: str
    inputs: tuple[str, ...]
    fit: Callable[[History, Instant], ForecastModel]
    method: Text
    baseline: Text = _UNCHANGED
    chance: Text | None = None


@dataclass(frozen=True, slots=True)
class Indicator:
    """A figure with one definition and version; ``measure`` is an Ibis expression, built from tables by name.

    Tables: ``case``, ``alert``, ``booking``, ``offer_window``, ``rating`` (facts), ``stream`` (latest values with life), ``moment`` (a row: the
    instants ``now`` and ``today``, its midnight). Columns: ``area`` (null for the district), ``value``, ``unknown``; where known ``silent_since``,
    ``as_of`` (µs), ``closed`` (of the unknown, those outside their hours), ``reason_zh``, ``reason_en``. ``rows``: those of its first input (None: all).
    """

    name: str
    title: Text
    unit: str
    version: int
    definition: Text
    inputs: tuple[str, ...]
    measure: Callable[["Tables"], object]
    decimals: int = 0
    better: Literal["up", "down", "neither"] = "neither"
    rows: Callable[["Tables"], object] | None = None


class Tables(Protocol):
    """The tables an indicator may speak of, as Ibis tables."""

    def table(self, name: str) -> object:
        """The Ibis table of a name."""
        ...

    @property
    def now(self) -> Instant:
        """The city time for which the figure is computed; what asks the table ``moment`` instead is built once, not at each turn."""
        ...


@dataclass(frozen=True, slots=True)
class Question:
    """What is best? Asked anew ``every`` (ISO 8601) of city time; ``answer`` is pure: from its inputs by name, and the city time.

    Inputs: ``entity:<kind>``, ``offer:<kind>``, and ``stream:``, ``forecast:`` or ``hourly:`` (two weeks) with ``<kind>.<field>``.
    ``goal`` says what a cost is, ``simple`` which rule it is held against; ``parameters`` of the pack are shown beside it.
    """

    name: str
    title: Text
    about: Text
    goal: Text
    simple: Text
    inputs: tuple[str, ...]
    parameters: tuple[str, ...]
    answer: Callable[[Mapping[str, pa.Table], Instant], Advice]
    every: str = "PT1H"


@dataclass(frozen=True, slots=True)
class Level:
    """A step of a graded scale, from low to high inclusive; the colour comes from the scale's own standard."""

    rank: int
    title: Text
    colour: str
    low: float
    high: float
    advice: Text | None = None


_HINT = Text("提示", "Advice")


@dataclass(frozen=True, slots=True)
class Board:
    """How a kind shows itself on pages: its headline field on a scale, what to say beside it, its forecast.

    ``indicator`` is the district's figure, ``forecast`` the field that is charted ahead with its ``limit``; ``detail`` makes words
    from the latest live values of an entity by field; ``hint`` stands above the advice of a level.
    """

    kind: str
    title: Text
    field: str
    levels: tuple[Level, ...]
    basis: Text
    source: Text
    on: tuple[Literal["portal", "cockpit"], ...]
    indicator: str | None = None
    forecast: str | None = None
    limit: tuple[float, Text] | None = None
    detail: Callable[[Mapping[str, float]], Text | None] | None = None
    hint: Text = _HINT

    def level(self, value: float) -> Level | None:
        """The step that a value falls on; None outside the scale."""
        return next((level for level in self.levels if level.low <= value <= level.high), None)


@dataclass(frozen=True, slots=True)
class Planted:
    """An entity that a replay brings along."""

    id: str
    kind: str
    title: Text
    place: Place
    area: str
    body: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Slice:
    """Replayed measurements of one kind: entity index (n,), times (n,) in source µs, fields (n,) with NaN for none."""

    entity: NDArray[np.int32]
    time: Times
    fields: Mapping[str, Column]


@dataclass(frozen=True, slots=True)
class Replay:
    """Real measurements to be replayed: which span the source covers, its origin in words, its entities and its rows.

    ``read`` yields rows of [since, until) in source time, in time order; ``subdistricts`` codes come from the demo district.
    """

    origin: Text
    since: Instant
    until: Instant
    entities: Callable[["DemoDistrict"], tuple[Planted, ...]]
    read: Callable[[Path, Instant, Instant], Iterator[Slice]]
    every: str


@dataclass(frozen=True, slots=True)
class DemoDistrict:
    """What a replay may know of the demo district: subdistrict codes with an inner point each."""

    subdistricts: tuple[tuple[str, Place], ...]


@dataclass(frozen=True, slots=True)
class Simulator:
    """For a pack without real data: a seeded day that tries every rule; its rows are marked generated."""

    entities: Callable[["DemoDistrict"], tuple[Planted, ...]]
    day: Callable[[np.random.Generator, Instant], Iterator[Slice]]


@dataclass(frozen=True, slots=True)
class Bookable:
    """A kind whose entities may be offered and booked by the hour.

    ``capacity`` is the field of the kind that says how many units there are; ``owner`` the field (empty: none) that names the owner
    as ``account:<id>`` or ``unit:<id>``, without which the unit that answers for the kind is. Durations are ISO 8601: bookings
    begin and end on a ``slot``, last at most ``longest``, and begin at most ``latest`` from now. A pack may date the parameters
    ``booking_grace`` (min), ``booking_no_show_limit`` and the others that docs/reference names anew. ``sample`` is for demonstrations.
    """

    kind: str
    title: Text
    unit: Text
    capacity: str
    owner: str = ""
    slot: str = "PT30M"
    longest: str = "PT16H"
    latest: str = "P14D"
    sample: Sharing | None = None


@dataclass(frozen=True, slots=True)
class Nearby:
    """A placed kind of which people look for the nearest with room; its page stands at ``/<name>``, its signs are fed by API.

    ``free`` is the measured field that counts what is free, in ``unit``; ``ahead`` the field whose forecast says the chance of
    room on arrival (empty: none); ``full`` what a sign shows where nothing is free.
    """

    name: str
    kind: str
    title: Text
    free: str
    unit: Text
    ahead: str
    full: Text


@dataclass(frozen=True, slots=True)
class Pack:
    """All that a pack declares; ``plan`` is the section of the plan it serves."""

    name: str
    title: Text
    plan: str
    about: Text
    kinds: tuple[Kind, ...] = ()
    derived: tuple[Derived, ...] = ()
    rules: tuple[Rule, ...] = ()
    flows: tuple[Flow, ...] = ()
    indicators: tuple[Indicator, ...] = ()
    forecasts: tuple[Forecast, ...] = ()
    questions: tuple[Question, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    replay: Replay | None = None
    simulator: Simulator | None = None
    collects: tuple[Literal["photo", "location", "checkin", "ranking"], ...] = ()
    """What the pack asks of people; ``check`` refuses check-ins and rankings of persons, and photos no closing condition needs."""
    boards: tuple[Board, ...] = ()
    bookables: tuple[Bookable, ...] = ()
    nearby: tuple[Nearby, ...] = ()
    reports: tuple[ReportForm, ...] = ()
    """Forms by which people report; the portal offers every one."""
