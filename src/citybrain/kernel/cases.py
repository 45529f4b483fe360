"""Who does what: cases, their steps, and the flows that say which step may follow which."""

from typing import Literal, TypeAlias

import msgspec

from citybrain.kernel.calendar import Allowance
from citybrain.kernel.instant import Instant
from citybrain.kernel.places import Place
from citybrain.kernel.text import Text
from citybrain.kernel.things import Origin

Party: TypeAlias = Literal["dispatcher", "handler", "checker", "system"]


class State(msgspec.Struct, frozen=True):
    """A station of a flow; ``end`` closes the case."""

    name: str
    title: Text
    end: bool = False


class Move(msgspec.Struct, frozen=True):
    """A step that people take; ``by`` are the roles that may, ``needs_note`` asks for words."""

    name: str
    title: Text
    sources: tuple[str, ...]
    target: str
    by: tuple[str, ...]
    needs_note: bool = False
    needs_unit: bool = False
    answers: bool = False
    """Whether its note is the answer to whoever reported the matter."""
    photo: bool = False
    """Whether it takes a photo that proves the work."""


class Flow(msgspec.Struct, frozen=True):
    """The closed loop of one kind of case, as data: 立案 → 派遣 → 处置 → 核查 → 结案."""

    name: str
    version: int
    title: Text
    states: tuple[State, ...]
    moves: tuple[Move, ...]
    first: str
    reopens: tuple[tuple[str, str], ...] = ()
    """From which end to which state a case returns when who reported it says that it is not solved."""

    def state(self, name: str) -> State:
        """The state of a name; raises StopIteration never: flows are checked when they are declared."""
        return next(state for state in self.states if state.name == name)

    def moves_from(self, state: str) -> tuple[Move, ...]:
        """The moves that leave a state."""
        return tuple(move for move in self.moves if state in move.sources)


class CaseRequest(msgspec.Struct, frozen=True):
    """What somebody asks act to open; the same ``key`` joins the open case it already has."""

    key: str
    matter: str
    title: Text
    flow: str
    duty: str
    """The function of the unit that should answer, such as ``environment``."""
    allowance: Allowance
    place: Place | None
    area: str | None
    entity: str | None
    cause: str
    """What opened it: ``alert:<id>`` or ``report:<id>``."""
    words: str
    at: Instant
    grade: int = 3
    origin: Origin = "real"


class Case(msgspec.Struct, frozen=True):
    """A matter that somebody answers for, with a clock; history stands in its steps."""

    id: str
    number: str
    matter: str
    title: Text
    flow: str
    flow_version: int
    state: str
    unit: str
    handler: str | None
    place: Place | None
    area: str | None
    entity: str | None
    cause: str
    words: str
    opened: Instant
    due: Instant
    closed: Instant | None
    grade: int
    version: int
    origin: Origin


class Step(msgspec.Struct, frozen=True):
    """One thing that was done to a case, never changed afterwards."""

    id: str
    case: str
    move: str
    source: str
    target: str
    by: str
    """Account id, or ``system``."""
    unit: str
    at: Instant
    wall: Instant
    note: str
