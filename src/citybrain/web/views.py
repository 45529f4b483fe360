"""Views: what a page shows, as plain frozen values; pages are filled from them and from nothing else."""

from typing import Literal, TypeAlias

import msgspec

from citybrain.kernel.instant import Instant
from citybrain.kernel.text import Lang, Text

Theme: TypeAlias = Literal["auto", "light", "dark"]
Size: TypeAlias = Literal["normal", "large"]
LifeWord: TypeAlias = Literal["live", "late", "stuck", "drifting", "out_of_range", "contradicted", "closed", "never"]
Tone: TypeAlias = Literal["plain", "good", "info", "warn", "bad"]
Better: TypeAlias = Literal["up", "down", "neither"]
Ring: TypeAlias = tuple[tuple[float, float], ...]


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


class Level(msgspec.Struct, frozen=True):
    """A step of a graded scale, always shown with its word; ``colour`` is #rrggbb, from the scale's own standard."""

    rank: int
    title: Text
    colour: str
    span: str = ""
    """The values of the step, such as ``51-100``."""


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
    """One time of a chart; ``low`` and ``high`` bound the forecast."""

    at: Instant
    seen: float | None = None
    ahead: float | None = None
    low: float | None = None
    high: float | None = None


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


class Mark(msgspec.Struct, frozen=True):
    """How many things of a layer stand in an area, in the colour of the most urgent: of its ``level``, or its ``grade``."""

    layer: str
    look: Literal["points", "cases", "reports", "alerts"]
    count: int
    level: Level | None = None
    grade: int | None = None


class Shape(msgspec.Struct, frozen=True):
    """An area on a map: outer rings then holes, each a closed ring of (lon, lat) in degrees."""

    id: str
    title: Text
    rings: tuple[Ring, ...]
    value: str = ""
    level: Level | None = None
    href: str = ""
    reason: Text | None = None
    marks: tuple[Mark, ...] = ()
    """What the district's view says in one line instead of drawing each thing."""


class Point(msgspec.Struct, frozen=True):
    """A thing on a map; ``grade`` 1-4 marks an open alert there."""

    id: str
    title: Text
    lon: float
    lat: float
    value: str = ""
    level: Level | None = None
    grade: int | None = None
    href: str = ""
    at: Instant | None = None
    reason: Text | None = None
    count: int = 1
    """How many things stand at this place."""
    area: str = ""
    """The drawn area whose ``marks`` count it; such a thing is drawn itself only from near."""


class MapLayer(msgspec.Struct, frozen=True):
    """A layer over a map that a reader may take away; ``look`` says how its points are drawn: dots, cases (◆), reports (■) or alerts (▲)."""

    name: str
    title: Text
    look: Literal["points", "cases", "reports", "alerts"]
    points: tuple[Point, ...]
    src: str
    levels: tuple[Level, ...] = ()
    note: Text | None = None


class Map(msgspec.Struct, frozen=True):
    """A map and the same places as a list.

    With ``tiles`` true only a schematic of equal tiles is drawn and no coordinate leaves the server (no approval number).
    ``src`` are GeoJSON layers for the interactive map, ``look:layer|/path`` each (look: areas, sites, points, cases, alerts); it
    takes from each feature ``id``, ``title`` (or ``title_en``), ``value``, ``level`` (word), ``colour``, ``grade``, ``count``, ``area``, ``href``,
    and from an area ``<layer>_count``, ``<layer>_colour`` and ``<layer>_grade`` of its marks.
    """

    name: str
    title: Text
    shapes: tuple[Shape, ...] = ()
    points: tuple[Point, ...] = ()
    levels: tuple[Level, ...] = ()
    measure: Text | None = None
    """What value is coloured."""
    tiles: bool = False
    approval: str = ""
    src: tuple[str, ...] = ()
    layers: tuple[MapLayer, ...] = ()
    reason: Text | None = None
    demo: bool = False


class AlertItem(msgspec.Struct, frozen=True):
    """An alert as a line; ``grade`` 1 (red) to 4 (blue)."""

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
    demo: bool = False


class CaseList(msgspec.Struct, frozen=True):
    """Cases in the order in which they should be read; ``name`` tells lists on one page apart."""

    name: str
    title: Text
    items: tuple[CaseItem, ...]
    empty: Text
    more: str = ""


class Cell(msgspec.Struct, frozen=True):
    """A cell: words, a number or a time; none of them means missing, and then ``reason`` says why."""

    text: Text | None = None
    number: float | None = None
    decimals: int = 0
    at: Instant | None = None
    href: str = ""
    tone: Tone = "plain"
    reason: Text | None = None


class Column(msgspec.Struct, frozen=True):
    """A column; ``numeric`` aligns to the right."""

    name: str
    title: Text
    unit: Text | None = None
    numeric: bool = False
    sorts: bool = False


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
    """From ``since`` to ``until``, oldest first."""

    since: Instant
    until: Instant
    items: tuple[NightItem, ...]
    empty: Text
    demo: bool = False


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


# Desk


class Tab(msgspec.Struct, frozen=True):
    """A filter of the desk with its count."""

    title: Text
    href: str
    count: int
    current: bool = False
    tone: Tone = "plain"


class News(msgspec.Struct, frozen=True):
    """That a list has changed since it was shown, and where it is shown anew: a list is never changed under somebody's hands."""

    changed: bool
    href: str


class Desk(msgspec.Struct, frozen=True):
    """``/desk``: the cases of this caller's unit."""

    tabs: tuple[Tab, ...]
    cases: CaseList
    search: str = ""
    live: str = ""
    next: str = ""


class StepLine(msgspec.Struct, frozen=True):
    """One step of a case's history; ``clock`` says what it did to the clock."""

    at: Instant
    title: Text
    by: str
    unit: Text
    note: str = ""
    clock: Text | None = None
    tone: Tone = "plain"


class Option(msgspec.Struct, frozen=True):
    """A choice in a form."""

    value: str
    title: Text
    hint: Text | None = None


class MoveForm(msgspec.Struct, frozen=True):
    """A step that this caller may take now; posted to ``action`` with fields csrf, move, version, note and unit.

    The first form of a case is shown open as the main thing to do, the others fold.
    """

    move: str
    title: Text
    action: str
    needs_note: bool = False
    takes_note: bool = True
    note_label: Text | None = None
    units: tuple[Option, ...] = ()
    hint: Text | None = None
    tone: Tone = "plain"


class FormError(msgspec.Struct, frozen=True):
    """What is wrong in a form; ``field`` is the id of the input."""

    field: str
    text: Text


class ReportLine(msgspec.Struct, frozen=True):
    """What somebody reported, as far as this caller may see it; ``rating`` is how they judged the end."""

    filed: Instant
    words: str
    spot: str = ""
    contact: str = ""
    photo: str = ""
    """Where the photo is served."""
    rating: Text | None = None
    judged: str = ""
    demo: bool = False


class CasePage(msgspec.Struct, frozen=True):
    """``/desk/<number>``. ``typed`` gives back what was typed when a form was refused, by ``<move>-<field>``."""

    case: CaseItem
    version: int
    words: str
    facts: tuple[Fact, ...]
    steps: tuple[StepLine, ...]
    moves: tuple[MoveForm, ...]
    alert: AlertItem | None = None
    chart: Chart | None = None
    trace: str = ""
    errors: tuple[FormError, ...] = ()
    typed: dict[str, str] = {}
    idle: Text | None = None
    """Why there is nothing to do here for this caller."""
    reports: tuple[ReportLine, ...] = ()
    map: Map | None = None


# Reports


class PlaceGroup(msgspec.Struct, frozen=True):
    """Places to choose by name, such as the communities of a subdistrict."""

    title: Text
    options: tuple[Option, ...]


class ReportPage(msgspec.Struct, frozen=True):
    """``/report``: the form; posted to ``action``. ``typed`` gives back what was typed, ``held`` the photo that was taken already.

    ``map`` is for clicking: a point on the plan, or a subdistrict of the schematic. No forms: ``empty`` says why.
    """

    title: Text
    about: Text
    form: str = ""
    action: str = "/report"
    key: str = ""
    forms: tuple[Link, ...] = ()
    typed: dict[str, str] = {}
    errors: tuple[FormError, ...] = ()
    groups: tuple[PlaceGroup, ...] = ()
    map: Map | None = None
    photo: bool = True
    held: str = ""
    keep_days: int = 0
    empty: Text | None = None


class ClassChoice(msgspec.Struct, frozen=True):
    """A class to choose, with who would answer and by when."""

    code: str
    title: Text
    major: Text
    unit: Text | None
    promise: Text


class LikeLine(msgspec.Struct, frozen=True):
    """An open case that may be the same matter; nothing of what others said of it."""

    number: str
    title: Text
    area: Text
    state: Text
    opened: Instant
    metres: int | None = None


class ReportCheck(msgspec.Struct, frozen=True):
    """The second step: the class by what was said, likely duplicates, then one button; ``hidden`` carries the first step along."""

    title: Text
    hidden: tuple[tuple[str, str], ...]
    words: str
    place: Text
    classes: tuple[ClassChoice, ...]
    edition: Text
    chosen: str = ""
    likes: tuple[LikeLine, ...] = ()
    search: str = ""
    photo: bool = False
    action: str = "/report"
    errors: tuple[FormError, ...] = ()


class RatingLine(msgspec.Struct, frozen=True):
    """A rating that was given."""

    at: Instant
    title: Text
    solved: bool
    words: str


class ReportStand(msgspec.Struct, frozen=True):
    """``/report/<number>``: what became of a report, for whoever holds its ``key``."""

    case: CaseItem
    key: str
    words: str
    spot: str
    photo: str
    steps: tuple[StepLine, ...]
    answers: tuple[str, ...]
    ratings: tuple[RatingLine, ...]
    grades: tuple[Option, ...] = ()
    """The grades to choose from; empty where there is nothing to rate."""
    may_reopen: bool = False
    action: str = ""
    keep_days: int = 0
    errors: tuple[FormError, ...] = ()


class Follow(msgspec.Struct, frozen=True):
    """``/report/follow``: the way back to a report by number and key."""

    number: str = ""
    errors: tuple[FormError, ...] = ()


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


# Studio


class RuleItem(msgspec.Struct, frozen=True):
    """A rule as a line: what it tells (places of values in brackets), its condition, its grade 1 to 4 and its version."""

    name: str
    href: str
    says: Text
    on: Text
    condition: str
    basis: Text
    grade: int
    version: str
    limits: tuple[Text, ...] = ()
    """The limits in its condition with their values now."""


class PackRules(msgspec.Struct, frozen=True):
    """A pack with its rules."""

    name: str
    title: Text
    about: Text
    rules: tuple[RuleItem, ...]


class Studio(msgspec.Struct, frozen=True):
    """``/studio``."""

    packs: tuple[PackRules, ...]


class LimitForm(msgspec.Struct, frozen=True):
    """A limit with its form; ``unit`` is the UCUM code, ``sign`` what is shown, ``typed`` what stands in the field."""

    key: str
    title: Text
    value: float
    unit: str
    sign: Text
    low: float
    high: float
    version: int
    facts: tuple[Fact, ...]
    source: str
    """In the words of whoever declared it, in whichever language those are."""
    typed: str
    days: int


class Bar(msgspec.Struct, frozen=True):
    """Counts before and after under one word, such as a day."""

    word: str
    title: Text
    before: int
    after: int


class Tried(msgspec.Struct, frozen=True):
    """What a limit would have changed, and the form to publish it with (``key`` empty for whoever may not)."""

    title: Text
    old: float
    new: float
    sign: Text
    before: int
    after: int
    coverage: Text
    days: tuple[Bar, ...]
    tables: tuple[Table, ...]
    contradictions: tuple[Text, ...]
    key: str = ""
    unit: str = ""
    version: int = 0


class LimitStep(msgspec.Struct, frozen=True):
    """A published version of a limit; with ``key`` the form to go back to it."""

    version: int
    limit: Text
    value: float
    before: float
    sign: Text
    since: Instant
    by: str
    why: str
    note: str = ""
    back_to: int | None = None


class Back(msgspec.Struct, frozen=True):
    """A version that a limit may go back to: ``seen`` is the version now, 0 the declared value."""

    key: str
    limit: Text
    to: int
    value: float
    sign: Text
    seen: int


class RulePage(msgspec.Struct, frozen=True):
    """``/studio/<pack>/<rule>``; ``typed`` gives back what was typed into a form that was refused."""

    rule: RuleItem
    path: str
    facts: tuple[Fact, ...]
    limits: tuple[LimitForm, ...]
    history: tuple[LimitStep, ...]
    backs: tuple[Back, ...] = ()
    tried: Tried | None = None
    may_try: bool = False
    why_not: Text | None = None
    errors: tuple[FormError, ...] = ()
    typed: dict[str, str] = {}


# Frame pages


class Account(msgspec.Struct, frozen=True):
    """A demo account offered on the sign-in page."""

    name: str
    role: Text
    password: str


class SignIn(msgspec.Struct, frozen=True):
    """``/signin``; posted to ``action`` with fields csrf, next, name and password."""

    next: str
    action: str = "/signin"
    name: str = ""
    errors: tuple[FormError, ...] = ()
    accounts: tuple[Account, ...] = ()
    outside: tuple[Link, ...] = ()
    passwords: bool = True


class Problem(msgspec.Struct, frozen=True):
    """An error page: what, why, what to do."""

    status: int
    code: str
    title: Text
    what: Text
    todo: Text
    why: Text | None = None
    docs: str = ""
    request: str = ""


class DoorLedger(msgspec.Struct, frozen=True):
    """A door's ledger: received = stored + duplicate + refused + pending; anything else is a difference and is shown as one."""

    title: Text
    received: int
    stored: int
    duplicate: int
    refused: int
    pending: int
    last: Instant | None
    href: str = ""


class Health(msgspec.Struct, frozen=True):
    """A part of the program and how it is."""

    title: Text
    tone: Tone
    state: Text
    detail: Text
    at: Instant | None = None


class Admin(msgspec.Struct, frozen=True):
    """``/admin``; times of ledgers and health are wall times."""

    ledgers: tuple[DoorLedger, ...]
    health: tuple[Health, ...]
    tables: tuple[Table, ...]


class ErrorEntry(msgspec.Struct, frozen=True):
    """An error code with its HTTP status and what it means; its heading is where a problem's ``type`` leads."""

    code: str
    status: int
    title: Text
    why: Text
    todo: Text


class Errors(msgspec.Struct, frozen=True):
    """``/docs/errors``: every error code of the API."""

    entries: tuple[ErrorEntry, ...]


class Design(msgspec.Struct, frozen=True):
    """``/docs/design``: every block in one state."""

    state: Text
    states: tuple[Link, ...]
    message: Message
    blocks: "tuple[Block, ...]"
    table: Table
    steps: tuple[StepLine, ...]
    form: MoveForm
    errors: tuple[FormError, ...] = ()


View: TypeAlias = (
    Design
    | Portal
    | Cockpit
    | Desk
    | CasePage
    | ReportPage
    | ReportCheck
    | ReportStand
    | Follow
    | Catalogue
    | DatasetPage
    | FigurePage
    | Trace
    | Studio
    | RulePage
    | SignIn
    | Problem
    | Admin
    | Errors
)
Block: TypeAlias = News | Figure | AlertList | CaseList | Map | Chart | Night
