"""Views: what a page shows, as plain frozen values; pages are filled from them and from nothing else."""

from typing import Literal, TypeAlias

import msgspec

from citybrain.kernel.instant import Instant
from citybrain.kernel.text import Lang, Text
from citybrain.web.map_views import Level, Map

Theme: TypeAlias = Literal["auto", "light", "dark"]
Size: TypeAlias = Literal["normal", "large"]
LifeWord: TypeAlias = Literal["live", "late", "stuck", "drifting", "out_of_range", "contradicted", "closed", "never"]
Tone: TypeAlias = Literal["plain", "good", "info", "warn", "bad"]
Better: TypeAlias = Literal["up", "down", "neither"]


# What every page carries


class User(msgspec.Struct, frozen=True):
    """Who is signed in; ``roles`` in words."""

    name: str
    roles: tuple[Text, ...]


class Section(msgspec.Struct, frozen=True):
    """An entry of the main navigation that this caller may open."""

    href: str
    title: Text


class Demo(msgspec.Struct, frozen=True):
    """The replay that a demo district runs on: where its data come from."""

    origin: Text


class Footer(msgspec.Struct, frozen=True):
    """Lines of a government site's foot; an empty one is left out."""

    host: str = ""
    site_code: str = ""
    icp: str = ""
    police: str = ""
    report_errors: str = ""


class Message(msgspec.Struct, frozen=True):
    """One thing to tell at the top of a page, such as what a form just did."""

    tone: Tone
    text: Text


class Page(msgspec.Struct, frozen=True):
    """The frame of a page. ``city`` is city time; ``speed`` is city seconds per wall second; ``query`` has no question mark."""

    lang: Lang
    path: str
    city: Instant
    district: Text
    csrf: str = ""
    query: str = ""
    speed: float = 1.0
    demo: Demo | None = None
    user: User | None = None
    sections: tuple[Section, ...] = ()
    theme: Theme = "auto"
    size: Size = "normal"
    embed: bool = False
    footer: Footer = Footer()
    message: Message | None = None


# Small parts


class Link(msgspec.Struct, frozen=True):
    """A place to go; an empty ``href`` is shown as plain words."""

    title: Text
    href: str = ""
    note: Text | None = None


class Fact(msgspec.Struct, frozen=True):
    """One line of a list of facts; ``at`` is printed as a time after the words, where there is one."""

    title: Text
    value: Text
    at: Instant | None = None
    href: str = ""


class Change(msgspec.Struct, frozen=True):
    """By how much a figure differs (in its own unit unless ``unit`` says 个百分点) and from what."""

    value: float
    unit: Text
    versus: Text


class Figure(msgspec.Struct, frozen=True):
    """A figure with its life.

    ``value`` None is never shown as 0 and needs ``reason``. ``unknown`` counts the parts that are not known (36 + 1 不明).
    ``at`` is the time of the newest reading behind it; ``since`` is when a dead one was last alive. ``error`` is a failure to
    compute, in words.
    """

    name: str
    title: Text
    value: float | None
    unit: Text
    at: Instant | None
    decimals: int = 0
    life: LifeWord = "live"
    unknown: int = 0
    since: Instant | None = None
    reason: Text | None = None
    error: Text | None = None
    href: str = ""
    """Where its definition and the rows behind it stand."""
    level: Level | None = None
    change: Change | None = None
    better: Better = "neither"
    note: Text | None = None
    demo: bool = False


class Skill(msgspec.Struct, frozen=True):
    """How good a forecast is ``hours`` ahead: mean absolute error of it and of its baseline on time not used for fitting."""

    hours: int
    error: float
    persistence: float
    unit: Text
    decimals: int = 1
    baseline: Text = Text("“不变”假设", "assuming no change")

    @property
    def better(self) -> bool:
        """Whether it beats persistence."""
        return self.error < self.persistence


class ChartRow(msgspec.Struct, frozen=True):
    """One time of a chart; ``low`` and ``high`` bound the forecast.

    ``corrected`` says that what was read was set by a person, ``struck`` that a person struck it out: then it has no value.
    """

    at: Instant
    seen: float | None = None
    ahead: float | None = None
    low: float | None = None
    high: float | None = None
    corrected: bool = False
    struck: bool = False


class Threshold(msgspec.Struct, frozen=True):
    """A limit drawn across a chart, with its word."""

    value: float
    title: Text
    colour: str = ""


class Chart(msgspec.Struct, frozen=True):
    """A line with its forecast, told as a table too; rows ascend in time, ``coverage`` is the band's share in per cent."""

    name: str
    title: Text
    unit: Text
    rows: tuple[ChartRow, ...]
    decimals: int = 0
    thresholds: tuple[Threshold, ...] = ()
    coverage: int = 80
    skill: tuple[Skill, ...] = ()
    method: Text | None = None
    href: str = ""
    reason: Text | None = None
    """Why there are no rows."""
    demo: bool = False
    promised: tuple[float, float] | None = None
    """The range of its stream: what lies far outside is marked at the edge and flattens nothing."""
    ails: Text | None = None
    """What is wrong with its stream now: a line that goes on level, or ended, must not look calm."""


class AlertItem(msgspec.Struct, frozen=True):
    """An alert as a line; ``grade`` 1 (red) to 4 (blue). ``changed`` says of its readings what each was and is, where it is told at length."""

    id: str
    grade: int
    title: Text
    place: Text
    began: Instant
    cleared: Instant | None = None
    href: str = ""
    case: str = ""
    case_href: str = ""
    demo: bool = False
    changed: tuple["Fact", ...] = ()


class AlertList(msgspec.Struct, frozen=True):
    """Alerts, newest first; ``empty`` says why there are none."""

    items: tuple[AlertItem, ...]
    empty: Text
    more: str = ""


class CaseItem(msgspec.Struct, frozen=True):
    """A case as a line. ``group`` is the station of the closed loop that colours its tag."""

    number: str
    href: str
    title: Text
    state: Text
    group: Literal["new", "working", "checking", "closed"]
    unit: Text
    area: Text
    opened: Instant
    due: Instant
    closed: Instant | None = None
    grade: int = 3
    handler: str = ""
    instructed: bool = False
    """Whether a leader follows it."""
    demo: bool = False


class CaseList(msgspec.Struct, frozen=True):
    """Cases in the order in which they should be read; ``name`` tells lists on one page apart."""

    name: str
    title: Text
    items: tuple[CaseItem, ...]
    empty: Text
    more: str = ""


class Cell(msgspec.Struct, frozen=True):
    """A cell: words, a number or a time; none of them means missing, and then ``reason`` says why. ``note`` stands small beneath."""

    text: Text | None = None
    number: float | None = None
    decimals: int = 0
    at: Instant | None = None
    href: str = ""
    tone: Tone = "plain"
    reason: Text | None = None
    note: Text | None = None


class Column(msgspec.Struct, frozen=True):
    """A column; ``numeric`` aligns to the right, ``named`` has its title beside each cell where a phone shows no head."""

    name: str
    title: Text
    unit: Text | None = None
    numeric: bool = False
    sorts: bool = False
    named: bool = False


class Table(msgspec.Struct, frozen=True):
    """Rows with sort links (``?sort=name`` or ``-name`` on the page's path) and a keyset ``next`` cursor."""

    name: str
    title: Text
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    empty: Text
    sort: str = ""
    next: str = ""
    first: bool = True
    """Whether this is the first page; another one offers the way back to it."""
    total: int | None = None
    filter: bool = False
    demo: bool = False


# Portal


class Place(msgspec.Struct, frozen=True):
    """A line of a topic: an area, its figure and words beside it (primary pollutant …)."""

    figure: Figure
    detail: Text | None = None


class Topic(msgspec.Struct, frozen=True):
    """A public matter on the portal: its figure now, advice, places, map, forecast."""

    name: str
    title: Text
    figure: Figure
    hint: Text
    """What stands above the advice."""
    advice: Text | None
    detail: Text | None
    places: tuple[Place, ...]
    map: Map
    chart: Chart
    basis: Text
    source: Text


class Portal(msgspec.Struct, frozen=True):
    """``/``: what is public now."""

    topics: tuple[Topic, ...]
    ways: tuple[Link, ...] = ()
    """Ways on, such as the open data catalogue and the hotline."""


# Cockpit


class NightItem(msgspec.Struct, frozen=True):
    """Something that happened in the night."""

    at: Instant
    text: Text
    tone: Tone = "plain"
    href: str = ""


class Night(msgspec.Struct, frozen=True):
    """From ``since`` to ``until``, oldest first; ``counts`` says how much there was of each, ``more`` how many are not shown."""

    since: Instant
    until: Instant
    items: tuple[NightItem, ...]
    empty: Text
    demo: bool = False
    counts: tuple[Fact, ...] = ()
    more: int = 0


class Cockpit(msgspec.Struct, frozen=True):
    """``/cockpit``; ``live`` is the address of the event stream, empty for none."""

    map: Map
    figures: tuple[Figure, ...]
    alerts: AlertList
    cases: CaseList
    late: CaseList
    trends: tuple[Chart, ...]
    night: Night
    live: str = ""
