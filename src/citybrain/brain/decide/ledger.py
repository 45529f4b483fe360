"""The ledger of decisions as rows: what was asked and advised, and the one decision that each advice may get."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

import msgspec
from sqlalchemy import Connection, RowMapping, delete, exists, insert, select

from citybrain.brain.decide.store import ADVICE, DECISION
from citybrain.kernel.datasets import Advice
from citybrain.kernel.instant import Instant
from citybrain.kernel.things import Origin

Verdict: TypeAlias = Literal["accepted", "declined"]
SHORTEST = 4
"""Characters of a reason that can be one."""
_ROWS = ADVICE.outerjoin(DECISION, DECISION.c.advice == ADVICE.c.id)
_CHOSEN = (
    ADVICE.c.id,
    ADVICE.c.question,
    ADVICE.c.asked,
    ADVICE.c.body,
    ADVICE.c.origin,
    DECISION.c.verdict,
    DECISION.c.words,
    DECISION.c.by,
    DECISION.c.decided,
)


class Decision(msgspec.Struct, frozen=True):
    """What somebody (an account) made of an advice, with their words, in city time."""

    verdict: Verdict
    words: str
    by: str
    decided: Instant


class Posed(msgspec.Struct, frozen=True):
    """An advice as it was given when a question was asked, and what was decided on it."""

    id: str
    question: str
    asked: Instant
    advice: Advice
    origin: Origin
    decision: Decision | None = None


def keep(connection: Connection, posed: Posed, pack: str, wall: Instant) -> None:
    """Add an advice."""
    given = posed.advice
    row = {
        "id": posed.id,
        "question": posed.question,
        "pack": pack,
        "asked": posed.asked,
        "wall": wall,
        "found": given.found,
        "said": msgspec.json.encode(given.said).decode(),
        "cost": given.cost,
        "idle": given.idle,
        "simple": given.simple,
        "body": msgspec.json.encode(given).decode(),
        "origin": posed.origin,
    }
    connection.execute(insert(ADVICE).values(**row))


def forget(connection: Connection, before: Instant) -> None:
    """Drop the advice that was asked for before an instant and that nobody decided on."""
    undecided = ~exists().where(DECISION.c.advice == ADVICE.c.id)
    connection.execute(delete(ADVICE).where(ADVICE.c.asked < before, undecided))


def decided(connection: Connection, posed: Posed, decision: Decision, wall: Instant) -> None:
    """Add a decision; raises IntegrityError where there is one."""
    row = msgspec.structs.asdict(decision) | {"advice": posed.id, "wall": wall}
    connection.execute(insert(DECISION).values(**row))


def one(connection: Connection, id_: str) -> Posed | None:
    """An advice by id."""
    row = connection.execute(select(*_CHOSEN).select_from(_ROWS).where(ADVICE.c.id == id_)).mappings().one_or_none()
    return None if row is None else _posed(row)


def newest(connection: Connection, question: str, limit: int) -> Sequence[Posed]:
    """The last advice on a question, newest first."""
    wanted = select(*_CHOSEN).select_from(_ROWS).where(ADVICE.c.question == question)
    rows = connection.execute(wanted.order_by(ADVICE.c.asked.desc(), ADVICE.c.id.desc()).limit(limit)).mappings()
    return tuple(map(_posed, rows))


def _posed(row: RowMapping) -> Posed:
    made = None if row["verdict"] is None else Decision(row["verdict"], row["words"], row["by"], row["decided"])
    return Posed(row["id"], row["question"], row["asked"], msgspec.json.decode(row["body"], type=Advice), row["origin"], made)
