"""How an entity that was read is to be said anew: changed by what is named, replaced, or by operations of a JSON Patch (RFC 6902). Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import msgspec

from citybrain.doors.sensorthings.model import IDS
from citybrain.doors.sensorthings.paths import ROOT, segments
from citybrain.doors.sensorthings.refusals import wrong
from citybrain.kernel.errors import BadInputError, NotFoundError
from citybrain.kernel.text import Json

Body: TypeAlias = dict[str, Json]
PATCH: Final = "application/json-patch+json"
_BIND: Final = "@odata.bind"
_MOST: Final = 100
"""Operations of one JSON Patch."""
_COPIED: Final = 100_000
"""Bytes that one of them copies: copies of copies would fill the memory."""


@dataclass(frozen=True, slots=True)
class Change:
    """What somebody sent, and how it is meant."""

    how: Literal["merge", "replace", "patch"]
    sent: Json

    def of(self, before: Body) -> Body:
        """A body as it is to be from now on.

        Ids, which nobody changes, and links of an answer that is sent back are passed over (OGC 18-088 clause 10.3); a link that is bound
        by an address (OData JSON Format 4.0, 8.5) is one that names an id. Raises BadInputError for what is no object, or operations that
        cannot be done.
        """
        if self.how == "patch":
            return _own(_patched(before, self.sent))
        own = _own(self.sent)
        return own if self.how == "replace" else {**before, **own}

    @property
    def names(self) -> frozenset[str]:
        """The properties and links that it speaks of; of a JSON Patch those that its operations change."""
        if isinstance(self.sent, dict):
            return frozenset(self.sent)
        listed = self.sent if isinstance(self.sent, list) else []
        made = [one for one in listed if isinstance(one, dict) and one.get("op") != "test"]
        return frozenset(str(one.get("path"))[1:].partition("/")[0] for one in made)


def _own(value: Json) -> Body:
    if not isinstance(value, dict):
        raise wrong("内容须为对象。", "The body is an object.", "body")
    own = {
        name: one
        for name, one in value.items()
        if name not in IDS and not name.startswith("@iot.") and not name.endswith("navigationLink")
    }
    return {name.removesuffix(_BIND): _bound(name, one) if name.endswith(_BIND) else one for name, one in own.items()}


def _bound(name: str, value: Json) -> Json:
    """What an address of an entity names, or each of a list, as its id; raises BadInputError for what is no address of one."""
    if isinstance(value, list):
        return [_bound(name, one) for one in value]
    try:
        found = segments(value if ROOT in value else f"{ROOT}/{value}") if isinstance(value, str) else ()
    except NotFoundError:
        found = ()
    if not found or found[-1].key is None:
        raise wrong(
            f"{name} 须为已有对象的地址，如 Datastreams('…')。", f"{name} is the address of an entity, as Datastreams('…').", name
        )
    return {"@iot.id": found[-1].key}


def _patched(document: Json, operations: Json) -> Json:
    if not isinstance(operations, list) or len(operations) > _MOST:
        raise wrong(
            f"JSON Patch 须为操作的列表，至多 {_MOST} 项。", f"A JSON Patch is a list of operations, {_MOST} at most.", "body"
        )
    changed = _copied(document)
    for number, one in enumerate(operations):
        work = _WORK.get(str(one.get("op"))) if isinstance(one, dict) else None
        if work is None or not isinstance(one, dict):
            raise _cannot(number, "op", ", ".join(_WORK))
        try:
            changed = work(changed, one)
        except (KeyError, IndexError, TypeError, ValueError, RecursionError) as error:
            raise _cannot(number, str(one.get("path")), str(error)) from error
    return _copied(changed)


def _copied(document: Json) -> Json:
    """The same, with nothing in common; raises BadInputError for what is nested deeper than it can be written."""
    try:
        found: Json = msgspec.json.decode(msgspec.json.encode(document))
    except RecursionError as error:
        raise wrong("内容嵌套过深。", "The content is nested too deeply.", "body") from error
    return found


def _cannot(number: int, where: str, why: str) -> BadInputError:
    return wrong(
        f"JSON Patch 的第 {number + 1} 项无法执行（{where}）：{why}。",
        f"Operation {number + 1} of the JSON Patch cannot be done ({where}): {why}.",
        "body",
    )


def _steps(pointer: Json) -> list[str]:
    """The steps of a JSON Pointer (RFC 6901)."""
    if not isinstance(pointer, str) or (pointer and not pointer.startswith("/")):
        raise ValueError("no JSON Pointer")
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def _place(step: str, end: int) -> int:
    if not (step == "0" or (step.isascii() and step.isdigit() and not step.startswith("0"))) or int(step) > end:
        raise IndexError(f"no item {step}")
    return int(step)


def _at(document: Json, steps: list[str]) -> Json:
    for step in steps:
        match document:
            case dict():
                document = document[step]
            case list():
                document = document[_place(step, len(document) - 1)]
            case _:
                raise KeyError(step)
    return document


def _put(document: Json, steps: list[str], value: Json) -> Json:
    if not steps:
        return value
    match _at(document, steps[:-1]):
        case dict() as above:
            above[steps[-1]] = value
        case list() as above:
            above.insert(len(above) if steps[-1] == "-" else _place(steps[-1], len(above)), value)
        case _:
            raise KeyError(steps[-1])
    return document


def _taken(document: Json, steps: list[str]) -> Json:
    match _at(document, steps[:-1]):
        case dict() as above if steps:
            del above[steps[-1]]
        case list() as above if steps:
            del above[_place(steps[-1], len(above) - 1)]
        case _:
            raise KeyError("/".join(steps))
    return document


def _add(document: Json, one: Mapping[str, Json]) -> Json:
    return _put(document, _steps(one["path"]), one["value"])


def _remove(document: Json, one: Mapping[str, Json]) -> Json:
    return _taken(document, _steps(one["path"]))


def _replace(document: Json, one: Mapping[str, Json]) -> Json:
    steps = _steps(one["path"])
    _at(document, steps)
    return _put(_taken(document, steps) if steps else document, steps, one["value"])


def _copy(document: Json, one: Mapping[str, Json]) -> Json:
    value = _at(document, _steps(one["from"]))
    if len(msgspec.json.encode(value)) > _COPIED:
        raise ValueError(f"more than {_COPIED} bytes")
    return _put(document, _steps(one["path"]), _copied(value))


def _move(document: Json, one: Mapping[str, Json]) -> Json:
    here, there = _steps(one["from"]), _steps(one["path"])
    if there[: len(here)] == here and there != here:
        raise ValueError("a value cannot be moved into itself")
    value = _at(document, here)
    return _put(_taken(document, here), there, value)


def _test(document: Json, one: Mapping[str, Json]) -> Json:
    if _at(document, _steps(one["path"])) != one["value"]:
        raise ValueError("the value is another")
    return document


_WORK: Final[Mapping[str, Callable[[Json, Mapping[str, Json]], Json]]] = {
    "add": _add,
    "remove": _remove,
    "replace": _replace,
    "move": _move,
    "copy": _copy,
    "test": _test,
}
