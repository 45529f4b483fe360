"""Persons, organisations and units; homes and who lives in them; who may act for whom (户、房、人、监护、代办)."""

from typing import Literal, TypeAlias

import msgspec

from citybrain.kernel.instant import Instant
from citybrain.kernel.places import Place
from citybrain.kernel.text import Text

PartyKind: TypeAlias = Literal["person", "organisation", "unit"]


class Party(msgspec.Struct, frozen=True):
    """Somebody who can be responsible or be served; names keep every character of GB 18030."""

    id: str
    kind: PartyKind
    name: str


class Unit(msgspec.Struct, frozen=True):
    """An office of the district; ``duties`` are the functions it answers for, ``area`` where it does."""

    id: str
    name: Text
    duties: tuple[str, ...]
    area: str | None
    parent: str | None = None


class Dwelling(msgspec.Struct, frozen=True):
    """A home as a place; people come and go, it stays."""

    id: str
    address: str
    area: str
    place: Place | None


class Household(msgspec.Struct, frozen=True):
    """Who lives in a dwelling, from and until when; a change of tenancy is a new household."""

    id: str
    dwelling: str
    members: tuple[str, ...]
    valid_from: Instant
    valid_to: Instant | None = None


class Guardianship(msgspec.Struct, frozen=True):
    """A guardian decides for a ward between two instants."""

    guardian: str
    ward: str
    basis: str
    valid_from: Instant
    valid_to: Instant | None = None


class Delegation(msgspec.Struct, frozen=True):
    """Somebody acts for another (代办) in named matters until an instant."""

    principal: str
    agent: str
    matters: tuple[str, ...]
    valid_from: Instant
    valid_to: Instant

    def covers(self, matter: str, at: Instant) -> bool:
        """Whether the agent may act in a matter at an instant."""
        return matter in self.matters and self.valid_from <= at < self.valid_to
