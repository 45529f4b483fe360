"""What can be looked at: datasets with columns, rules of quality and lineage; figures, forecasts, advice and what they rest on."""

from typing import Literal, TypeAlias

import msgspec

from citybrain.kernel.instant import Instant
from citybrain.kernel.text import Text
from citybrain.kernel.things import Access, Origin

ColumnType: TypeAlias = Literal["text", "number", "integer", "boolean", "instant", "json"]


class Column(msgspec.Struct, frozen=True):
    """A column of a dataset; ``personal`` columns are masked for those without a purpose."""

    name: str
    title: Text
    type: ColumnType
    unit: str | None = None
    personal: bool = False


class Dataset(msgspec.Struct, frozen=True):
    """A noun or stream set in the catalogue; ``faculty`` says who serves its rows."""

    name: str
    title: Text
    about: Text
    owner: str
    faculty: str
    columns: tuple[Column, ...]
    access: Access
    origin: Origin
    source: Text
    key: str = "id"
    pack: str | None = None


class Edge(msgspec.Struct, frozen=True):
    """Lineage: ``target`` is made from ``source`` by ``job``; names of datasets, figures or doors."""

    source: str
    target: str
    job: str


class Figure(msgspec.Struct, frozen=True):
    """The value of an indicator at a moment: None has a reason, never a zero in its place.

    ``unknown`` counts inputs that could not be known (dead feeds), so 37 may read 36 + 1 unknown.
    """

    indicator: str
    version: int
    area: str | None
    value: float | None
    unknown: int
    reason: Text | None
    as_of: Instant
    computed: Instant
    origin: Origin


class ForecastPoint(msgspec.Struct, frozen=True):
    """One hour ahead: mean and band, in the stream's unit; ``chance`` of what the forecast's declaration names, 0 to 1."""

    time: Instant
    mean: float
    low: float
    high: float
    chance: float | None = None


class Skill(msgspec.Struct, frozen=True):
    """A forecast's mean absolute error against its baseline's on unseen time, per horizon in hours.

    ``serves`` says which of the two is shown.
    """

    horizon: int
    error: float
    baseline: float
    coverage: float
    serves: Literal["model", "baseline"]
    cases: int


class Reliability(msgspec.Struct, frozen=True):
    """How chances between ``low`` and ``high`` held on unseen time: their mean beside the share of cases in which it came."""

    low: float
    high: float
    said: float
    came: float
    cases: int


class ForecastIssue(msgspec.Struct, frozen=True):
    """A forecast of a stream, issued at a time by a model version, and its errors on unseen time."""

    stream: str
    issued: Instant
    model: str
    points: tuple[ForecastPoint, ...]
    skill: tuple[Skill, ...]
    note: Text
    origin: Origin
    reliability: tuple[Reliability, ...] = ()


class Sheet(msgspec.Struct, frozen=True):
    """A table of an advice: words or a number in each cell; a column's title names its unit."""

    title: Text
    columns: tuple[Text, ...]
    rows: tuple[tuple[Text | float, ...], ...]


class Advice(msgspec.Struct, frozen=True):
    """What is advised, what it costs by the question's goal, and what doing nothing and the simple rule would (None: not known).

    ``nothing``: doing nothing is best; ``infeasible``: part of the need cannot be met; ``unknown``: inputs are missing.
    """

    found: Literal["advised", "nothing", "infeasible", "unknown"]
    said: Text
    cost: float | None = None
    idle: float | None = None
    simple: float | None = None
    sheets: tuple[Sheet, ...] = ()
    binding: tuple[Text, ...] = ()
    assumed: tuple[Text, ...] = ()
