"""What is: kinds of things and their fields, entities, streams with contracts, and the life of a value."""

from enum import StrEnum
from typing import Literal, TypeAlias

import msgspec

from citybrain.kernel.instant import Duration, Instant
from citybrain.kernel.places import Place
from citybrain.kernel.text import Json, Text

Access: TypeAlias = Literal["unconditional", "conditional", "closed"]
"""无条件共享 · 有条件共享 · 不予共享."""
Origin: TypeAlias = Literal["real", "demo", "generated"]
Sort: TypeAlias = Literal["number", "count", "truth", "category", "any"]
"""What a stream's results are: numbers, whole ones, true or false, texts, or any JSON."""
Agrees: TypeAlias = Literal["ratio", "difference"]
"""How a stream is held against its neighbours: by its ratio to them (concentrations, flows) or its difference (temperatures)."""


class By(StrEnum):
    """Who fills a field."""

    SENSOR = "sensor"
    DERIVED = "derived"
    FEED = "feed"
    FORM = "form"


class Life(StrEnum):
    """The life of a value; when several hold, the first in this order counts."""

    CLOSED = "closed"
    NEVER = "never"
    LATE = "late"
    OUT_OF_RANGE = "out_of_range"
    STUCK = "stuck"
    CONTRADICTED = "contradicted"
    DRIFTING = "drifting"
    LIVE = "live"


LIFE_WORDS: dict[Life, Text] = {
    Life.CLOSED: Text("停用时段", "Closed"),
    Life.NEVER: Text("从未上报", "Never reported"),
    Life.LATE: Text("数据中断", "No recent reading"),
    Life.OUT_OF_RANGE: Text("超出量程", "Out of range"),
    Life.STUCK: Text("数值不变", "Stuck"),
    Life.CONTRADICTED: Text("与他源矛盾", "Contradicted"),
    Life.DRIFTING: Text("漂移", "Drifting"),
    Life.LIVE: Text("正常", "Live"),
}


class Contract(msgspec.Struct, frozen=True):
    """What a stream promises: durations in µs, limits in the stream's unit; None is not promised.

    ``opens`` and ``closes`` are minutes of the local day between which it reports; None is all day. ``agrees`` promises that it
    goes as the same field of its neighbours does: by a difference, or a factor, of ``within`` at least before it is doubted.
    """

    every: Duration | None = None
    silent_after: Duration | None = None
    stuck_after: Duration | None = None
    low: float | None = None
    high: float | None = None
    opens: int | None = None
    closes: int | None = None
    agrees: Agrees | None = None
    within: float = 1.0


class Field(msgspec.Struct, frozen=True):
    """A property of a kind of thing: its words, its UCUM unit, and who fills it.

    Durations are ISO 8601 (``PT1H``); ``range`` is closed, in the unit; ``hours`` are local times of the day (``08:00``, ``16:30``)
    outside of which the stream is closed: neither silent nor zero. ``agrees`` has it held against its
    neighbours: a departure by less than that factor or difference (in the unit) is never doubted.
    """

    name: str
    title: Text
    by: By
    unit: str | None = None
    every: str | None = None
    silent_after: str | None = None
    stuck_after: str | None = None
    range: tuple[float | None, float | None] = (None, None)
    hours: tuple[str, str] | None = None
    agrees: tuple[Agrees, float] | None = None
    choices: tuple[tuple[str, Text], ...] = ()
    required: bool = False
    long: bool = False
    personal: bool = False
    purpose: Text | None = None
    """What a personal field is needed for (个人信息保护法 第六条); ``check`` refuses one without."""

    @property
    def measured(self) -> bool:
        """Whether the field is a stream of observations."""
        return self.by in (By.SENSOR, By.DERIVED)


class Kind(msgspec.Struct, frozen=True):
    """A kind of entity, declared by a pack."""

    name: str
    title: Text
    fields: tuple[Field, ...]
    owner: str
    """The function of the unit that answers for it, such as ``environment``."""
    place: Literal["none", "point", "polygon"] = "none"
    access: Access = "conditional"

    def field(self, name: str) -> Field:
        """The field of a name; raises KeyError."""
        return {field.name: field for field in self.fields}[name]

    def has(self, name: str) -> bool:
        """Whether the kind has a field of that name."""
        return any(field.name == name for field in self.fields)


class Entity(msgspec.Struct, frozen=True):
    """A thing of the district, typed and placed; ``body`` holds the fields filled by form or feed."""

    id: str
    kind: str
    title: Text
    place: Place | None
    area: str | None
    body: dict[str, Json]
    version: int
    valid_from: Instant
    valid_to: Instant | None = None
    origin: Origin = "real"


class Stream(msgspec.Struct, frozen=True):
    """An entity's observed property; ``no`` is its small number in the series store, kept also once the stream has ended."""

    id: str
    no: int
    entity: str
    kind: str
    field: str
    unit: str
    contract: Contract
    source: str
    origin: Origin = "real"
    ended: Instant | None = None
    sort: Sort = "number"
