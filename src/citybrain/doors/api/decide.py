"""What decide offers over HTTP: questions with their newest advice, the ledger, and accepting or declining an advice."""

from typing import Annotated

import msgspec
from litestar import get, post
from litestar.params import FromPath, JSONBody

from citybrain.brain.decide import Posed, Verdict
from citybrain.doors.api.caller import asks, purpose
from citybrain.doors.api.parts import ApiParts, Call, Parts
from citybrain.doors.api.plain import mapping
from citybrain.doors.api.rows import Row, Rows, listed, marked
from citybrain.kernel.access import Ask
from citybrain.kernel.pack import Question
from citybrain.kernel.text import Text


class Deciding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether an advice is accepted, and why."""

    verdict: Verdict
    words: Annotated[str, msgspec.Meta(max_length=2000)]


class Stated(msgspec.Struct, frozen=True):
    """A parameter that an answer rests on, with its source and how sure that is."""

    name: str
    title: Text | None
    value: float | str
    unit: str
    since: str
    source: str
    mark: str


class QuestionSheet(msgspec.Struct, frozen=True):
    """A question with what a cost of it is, what it rests on, and its newest advice (none before the first)."""

    name: str
    title: Text
    about: Text
    goal: Text
    simple: Text
    every: str
    inputs: tuple[str, ...]
    parameters: tuple[Stated, ...]
    newest: Row | None


@get("/questions", opt=asks("advice.read"), sync_to_thread=True)
def questions(parts: Parts) -> list[QuestionSheet]:
    """Every question of the packs."""
    return [_sheet(parts, question) for question in parts.questions.all()]


@get("/questions/{name:str}", opt=asks("advice.read"), sync_to_thread=True)
def question(parts: Parts, name: FromPath[str]) -> QuestionSheet:
    """One question."""
    return _sheet(parts, parts.questions.question(name))


@get("/advice", opt=asks("advice.read", of="advice", columns=True), sync_to_thread=True)
def ledger(request: Call, parts: Parts) -> Rows:
    """The ledger of advice and decisions by any of its columns, newest first."""
    return listed(parts, request, "advice")


@get("/advice/{name:str}", opt=asks("advice.read"), sync_to_thread=True)
def advice(parts: Parts, name: FromPath[str]) -> Row:
    """One advice as it was given, with what was decided on it."""
    return _row(parts.questions.posed(name))


@post("/advice/{name:str}/decision", opt=asks("advice.decide"), sync_to_thread=True)
def decide(request: Call, parts: Parts, name: FromPath[str], data: JSONBody[Deciding]) -> Row:
    """Accept or decline an advice, once; nothing else changes by it."""
    posed = parts.questions.posed(name)
    facts = {"access": "conditional", "question": posed.question, "verdict": data.verdict, "words": data.words}
    parts.guard.require(Ask(request.user, "advice.decide", f"advice:{name}", purpose(request), dict(facts)))
    return _row(parts.questions.decide(name, data.verdict, data.words, request.user.account))


def _sheet(parts: ApiParts, asked: Question) -> QuestionSheet:
    newest = parts.questions.newest(asked.name)
    stated = tuple(
        Stated(one.name, one.title, one.value, one.unit, one.since, one.source, one.mark)
        for one in parts.questions.parameters(asked.name)
    )
    return QuestionSheet(
        asked.name,
        asked.title,
        asked.about,
        asked.goal,
        asked.simple,
        asked.every,
        asked.inputs,
        stated,
        None if newest is None else _row(newest),
    )


def _row(posed: Posed) -> Row:
    return marked(mapping(posed), posed.origin)


HANDLERS = (questions, question, ledger, advice, decide)
