"""Instructions over HTTP: given on a case by a leader, answered by its unit, closed or sent back."""

from typing import Annotated

import msgspec
from litestar import get, post
from litestar.params import FromPath, JSONBody

from citybrain.brain.act import Following, Instruction
from citybrain.doors.api.caller import asks, purpose
from citybrain.doors.api.parts import ApiParts, Call, Parts
from citybrain.doors.api.rows import Row, Rows, listed, one
from citybrain.kernel.access import Ask
from citybrain.kernel.instant import rfc3339
from citybrain.kernel.text import Json

Short = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Words = Annotated[str, msgspec.Meta(max_length=5000)]


class Instructing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is wanted, and until when: ``term`` is ``4h`` (working hours), ``1d`` or ``3d`` (working days)."""

    words: Words
    term: Short = "1d"


class Followed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``answer`` by the unit, ``close`` or ``back`` by a leader; words are needed but for closing."""

    following: Following
    words: Words = ""


class Stands(msgspec.Struct, frozen=True):
    """An instruction as it stands now."""

    id: str
    case: str
    words: str
    given: str
    due: str
    state: str
    answer: str


@get("/instructions", opt=asks("instruction.read", of="instruction", columns=True), sync_to_thread=True)
def instructions(request: Call, parts: Parts) -> Rows:
    """Instructions by any of their columns, newest first unless ``sort`` says otherwise."""
    return listed(parts, request, "instruction")


@post("/cases/{name:str}/instructions", opt=asks("instruction.create"), sync_to_thread=True)
def instruct(request: Call, parts: Parts, name: FromPath[str], data: JSONBody[Instructing]) -> Stands:
    """Give an instruction on a case, named by its id or number; its clock begins now and is not the case's."""
    row = one(parts, request, "case", name, "id" if len(name) == 36 else "number")
    _require(request, parts, "instruction.create", row)
    return _stands(parts.instructions.give(str(row["id"]), request.user, data.words, data.term))


@post("/instructions/{name:str}/steps", opt=asks("instruction.move"), sync_to_thread=True, status_code=200)
def follow(request: Call, parts: Parts, name: FromPath[str], data: JSONBody[Followed]) -> Stands:
    """Answer, close or send back an instruction."""
    row = one(parts, request, "instruction", name, "id")
    _require(request, parts, "instruction.move", row)
    return _stands(parts.instructions.follow(name, data.following, request.user, data.words))


def _require(request: Call, parts: ApiParts, action: str, row: Row) -> None:
    facts: dict[str, Json] = {"unit": str(row["unit"])}
    parts.guard.require(Ask(request.user, action, str(row["id"]), purpose(request), facts))


def _stands(made: Instruction) -> Stands:
    return Stands(made.id, made.case, made.words, rfc3339(made.given), rfc3339(made.due), made.state, made.answer)


HANDLERS = (instructions, instruct, follow)
