"""Furnishing a real district from one file: its offices, its things, its people and its devices."""

from pathlib import Path

import msgspec

from citybrain.app.city import City
from citybrain.kernel.access import Role
from citybrain.kernel.errors import BadInputError
from citybrain.kernel.ids import new_id
from citybrain.kernel.pack import Planted
from citybrain.kernel.parties import Unit
from citybrain.kernel.places import Place
from citybrain.kernel.text import Json, Text


class Thing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An entity of a declared kind; without ``area`` it belongs where its place lies."""

    id: str
    kind: str
    title: Text
    place: Place
    area: str = ""
    body: dict[str, str | float | int | bool | None] = {}


class Person(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody who may sign in; the first password is made here and shown once."""

    login: str
    name: str
    roles: tuple[Role, ...]
    unit: str | None = None


class Device(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A machine that may write observations of the entities or streams named (``air-01``, ``air-*``)."""

    login: str
    name: str
    writes: tuple[str, ...]


class Furniture(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the file holds; every part may be left out. Units and things of the same id are replaced, people and devices are only added."""

    units: tuple[Unit, ...] = ()
    entities: tuple[Thing, ...] = ()
    accounts: tuple[Person, ...] = ()
    devices: tuple[Device, ...] = ()


def read(file: Path) -> Furniture:
    """The file's content; raises BadInputError saying where it does not fit."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=Furniture)
    except (OSError, msgspec.DecodeError) as error:
        what = Text(
            f"{file.name} 无法读取：{error}。格式见 docs/how-to/deploy.md。",
            f"{file.name} cannot be read: {error}. See docs/how-to/deploy.md.",
        )
        raise BadInputError(what, file=file.name) from error


def furnish(city: City, given: Furniture, source: str) -> tuple[str, ...]:
    """Enter it all; returns lines to show, with each secret once. Things that fail stop before anything of theirs is entered."""
    for unit in given.units:
        city.units.put(unit)
    bodies: list[dict[str, Json]] = [dict(thing.body) for thing in given.entities]
    planted = [
        Planted(one.id, one.kind, one.title, one.place, one.area, body) for one, body in zip(given.entities, bodies, strict=True)
    ]
    city.registry.plant(planted, source, "real", city.clock.city())
    known = {account.login for account in city.accounts.all()}
    lines = [f"{len(given.units)} 个单位 · units, {len(planted)} 个对象 · entities"]
    for person in given.accounts:
        if person.login not in known:
            password = f"Qu-{new_id().replace('-', '')[8:]}"
            city.accounts.create(person.name, person.login, password, person.roles, person.unit)
            lines.append(f"{person.login} / {password}")
    lines += [f"{one.login} / {city.accounts.devices.create(one.name, one.login, one.writes)}" for one in given.devices]
    return tuple(lines)
