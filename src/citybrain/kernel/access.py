"""Who asks for what, for which purpose, and what policy answers."""

from typing import Literal, TypeAlias

import msgspec

from citybrain.kernel.predicate import EVERYTHING, Predicate
from citybrain.kernel.text import Json, Text

Role: TypeAlias = Literal["admin", "leader", "dispatcher", "handler", "data_officer", "auditor", "citizen", "device"]
ROLES: dict[Role, Text] = {
    "admin": Text("系统管理员", "Administrator"),
    "leader": Text("领导", "Leader"),
    "dispatcher": Text("派遣员", "Dispatcher"),
    "handler": Text("处置人员", "Handler"),
    "data_officer": Text("数据专员", "Data officer"),
    "auditor": Text("安全审计员", "Auditor"),
    "citizen": Text("市民", "Citizen"),
    "device": Text("设备", "Device"),
}


class Caller(msgspec.Struct, frozen=True):
    """Who calls: an account with its roles and unit, or nobody (``ANYONE``)."""

    account: str
    name: str
    roles: frozenset[Role]
    unit: str | None = None

    @property
    def known(self) -> bool:
        """Whether somebody is signed in."""
        return self.account != "anyone"


ANYONE = Caller("anyone", "", frozenset())
SYSTEM = Caller("system", "CityBrain", frozenset())
"""The program itself; never handed to a door."""
REPORTER = "reporter"
"""Who took a step by the key of a report, as it stands in a case's history: no account, and no name."""


class Ask(msgspec.Struct, frozen=True):
    """May this caller do this, to this, for this purpose? ``action`` like ``case.move``, ``resource`` a dataset or noun."""

    caller: Caller
    action: str
    resource: str
    purpose: str = ""
    facts: dict[str, Json] = {}
    """What policy may look at, such as the case's unit."""


class Verdict(msgspec.Struct, frozen=True):
    """Yes or no, and which policies said so."""

    allowed: bool
    reasons: tuple[str, ...]


class Narrowing(msgspec.Struct, frozen=True):
    """What of a dataset a caller may see: rows by predicate, fields less the masked ones."""

    where: Predicate
    masked: frozenset[str]
    reasons: tuple[str, ...]


class Order(msgspec.Struct, frozen=True):
    """Sort by a field."""

    field: str
    descending: bool = False


class Query(msgspec.Struct, frozen=True):
    """Rows of a dataset; ``cursor`` is opaque and comes from the page before. A ``limit`` of 0 asks for the ``count`` alone."""

    dataset: str
    where: Predicate = EVERYTHING
    order: Order | None = None
    limit: int = 100
    cursor: str | None = None
    count: bool = False


class Page(msgspec.Struct, frozen=True):
    """What a source answers: plain rows, the cursor of the next page, and the total only when asked."""

    rows: tuple[dict[str, Json], ...]
    next: str | None = None
    total: int | None = None


class Guarded(msgspec.Struct, frozen=True):
    """A page after policy and masking, with what was hidden and why."""

    rows: tuple[dict[str, Json], ...]
    next: str | None
    total: int | None
    masked: tuple[str, ...]
    reasons: tuple[str, ...]
