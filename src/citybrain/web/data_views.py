"""The views of the catalogue, of a figure, and of the way from it to its readings."""

from typing import Literal

import msgspec

from citybrain.kernel.instant import Instant
from citybrain.kernel.text import Text
from citybrain.web.map_views import Map
from citybrain.web.views import Chart, Fact, Figure, Link, Table

# Data


class DatasetItem(msgspec.Struct, frozen=True):
    """A dataset as an entry of the catalogue; ``quality`` in per cent, ``share`` such as 无条件共享."""

    name: str
    href: str
    title: Text
    about: Text
    owner: Text
    share: Text
    kind: Text
    rows: int | None
    updated: Instant | None
    quality: float | None = None
    open: bool = False
    demo: bool = False


class Catalogue(msgspec.Struct, frozen=True):
    """``/data``."""

    datasets: tuple[DatasetItem, ...]
    search: str = ""
    next: str = ""
    total: int | None = None


class FieldItem(msgspec.Struct, frozen=True):
    """A field of a dataset; ``filled`` says by sensor, form or feed; ``note`` its range, rhythm or mask."""

    name: str
    title: Text
    type: Text
    unit: str
    filled: Text
    note: Text | None = None


class QualityCheck(msgspec.Struct, frozen=True):
    """A quality rule and how many of the rows it looked at passed."""

    title: Text
    tried: int
    passed: int
    why: Text
    at: Instant | None = None


class Lineage(msgspec.Struct, frozen=True):
    """Where a dataset comes from, what makes it, where it goes."""

    sources: tuple[Link, ...]
    made: Text
    uses: tuple[Link, ...]


class Download(msgspec.Struct, frozen=True):
    """A file of the dataset; ``format`` such as CSV."""

    format: str
    href: str
    note: Text | None = None


class DatasetPage(msgspec.Struct, frozen=True):
    """``/data/<name>``."""

    dataset: DatasetItem
    facts: tuple[Fact, ...]
    fields: tuple[FieldItem, ...]
    checks: tuple[QualityCheck, ...]
    lineage: Lineage
    preview: Table
    downloads: tuple[Download, ...]
    map: Map | None = None
    chart: Chart | None = None


# Figure and trace


class FigurePage(msgspec.Struct, frozen=True):
    """A figure opened: what it means, how it went, the rows behind it. ``formula`` is the expression in its own notation."""

    figure: Figure
    version: str
    definition: Text
    formula: str
    inputs: tuple[Link, ...]
    facts: tuple[Fact, ...]
    trend: Chart
    parts: Table
    rows: Table
    traces: tuple[Link, ...] = ()


class TraceLink(msgspec.Struct, frozen=True):
    """A link of the chain, top to bottom: figure, case, alert, rule, evidence, reading, door, device, receipt."""

    kind: Literal[
        "figure", "case", "alert", "rule", "evidence", "reading", "stream", "booking", "offer", "door", "device", "receipt", "file"
    ]
    title: Text
    what: Text
    at: Instant | None = None
    facts: tuple[Fact, ...] = ()
    href: str = ""
    demo: bool = False
    missing: Text | None = None
    """Why the chain breaks here, where it does."""


class Trace(msgspec.Struct, frozen=True):
    """From a figure down to the wire."""

    title: Text
    links: tuple[TraceLink, ...]
