"""What matters: findings of rules, and the alerts that people are told (预警, in four colours)."""

from enum import IntEnum
from typing import Literal, TypeAlias

import msgspec

from citybrain.kernel.instant import Instant
from citybrain.kernel.text import Json, Text
from citybrain.kernel.things import Origin


class Grade(IntEnum):
    """预警等级; 1 is the gravest."""

    RED = 1
    ORANGE = 2
    YELLOW = 3
    BLUE = 4


GRADE_WORDS: dict[Grade, Text] = {
    Grade.RED: Text("红色预警", "Red alert"),
    Grade.ORANGE: Text("橙色预警", "Orange alert"),
    Grade.YELLOW: Text("黄色预警", "Yellow alert"),
    Grade.BLUE: Text("蓝色预警", "Blue alert"),
}
AlertState: TypeAlias = Literal["open", "cleared"]


class Evidence(msgspec.Struct, frozen=True):
    """A reading that a finding rests on."""

    stream: str
    time: Instant
    value: float
    unit: str


class Finding(msgspec.Struct, frozen=True):
    """A rule's condition began to hold (``fires``) or ceased to (not ``fires``) for an entity at an event time."""

    rule: str
    rule_version: str
    entity: str
    time: Instant
    fires: bool
    seen: dict[str, Json]
    evidence: tuple[Evidence, ...]


class Alert(msgspec.Struct, frozen=True):
    """What people are told; one open alert per rule and entity, cleared when its reason is gone."""

    id: str
    rule: str
    rule_version: str
    entity: str
    area: str | None
    grade: Grade
    state: AlertState
    began: Instant
    told: Instant
    cleared: Instant | None
    because: Text
    basis: Text
    evidence: tuple[Evidence, ...]
    case: str | None
    origin: Origin
