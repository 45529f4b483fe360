"""Instructions of leaders (批示) and how they are followed (督办): given on a case with a clock of their own, answered, closed or sent back.

open → (the unit answers) answered → (the leader) done, or back to open. Each step is a step of the case too, in one commit with its event.
"""

from typing import Final, Literal, TypeAlias

import msgspec
from sqlalchemy import Connection, RowMapping, insert, select, update

from citybrain.brain.act import records
from citybrain.brain.act.store import INSTRUCTION
from citybrain.kernel.access import Caller
from citybrain.kernel.calendar import Allowance
from citybrain.kernel.cases import Case, Step
from citybrain.kernel.clock import Clock
from citybrain.kernel.errors import BadInputError, ForbiddenError, NotFoundError, RefusedMoveError
from citybrain.kernel.events import Event
from citybrain.kernel.ids import new_id
from citybrain.kernel.instant import Instant
from citybrain.kernel.ports import Transactions, Tx, WorkingTime
from citybrain.kernel.text import Text
from citybrain.kernel.things import Origin

Standing: TypeAlias = Literal["open", "answered", "done"]
Following: TypeAlias = Literal["answer", "close", "back"]
INSTRUCTED: Final = "citybrain.act.instruction.moved.v1"
TERMS: Final[dict[str, tuple[Text, Allowance]]] = {
    "4h": (Text("4 个工作小时", "4 working hours"), Allowance(4, "working_hours")),
    "1d": (Text("1 个工作日", "1 working day"), Allowance(1, "working_days")),
    "3d": (Text("3 个工作日", "3 working days"), Allowance(3, "working_days")),
}
"""The terms that a leader may set."""
STANDINGS: Final[dict[Standing, Text]] = {
    "open": Text("待反馈", "To be answered"),
    "answered": Text("已反馈", "Answered"),
    "done": Text("督办办结", "Done"),
}
FOLLOWING: Final[dict[Following, Text]] = {
    "answer": Text("反馈办理情况", "Answer"),
    "close": Text("督办办结", "Close"),
    "back": Text("退回继续办理", "Send back"),
}
INSTRUCTED_STEPS: Final[dict[str, Text]] = {
    "instruct": Text("领导批示", "Instruction of a leader"),
    "instruct_answer": Text("反馈督办事项", "Instruction answered"),
    "instruct_close": Text("督办办结", "Instruction closed"),
    "instruct_back": Text("督办退回", "Instruction sent back"),
}
"""The words of the steps that instructions leave on their case; they stay inside the house."""
_LONGEST: Final = 2000


class Instruction(msgspec.Struct, frozen=True):
    """What a leader (an account) wants of a case, until when in city time, and what came of it."""

    id: str
    case: str
    by: str
    words: str
    given: Instant
    due: Instant
    state: Standing
    answer: str
    answered: Instant | None
    closed: Instant | None
    origin: Origin


class Instructions:
    """All instructions of the district."""

    def __init__(self, transactions: Transactions[Connection], working: WorkingTime, clock: Clock, origin: Origin = "real") -> None:
        self._transactions = transactions
        self._working = working
        self._clock = clock
        self._origin = origin

    def give(self, case_id: str, caller: Caller, words: str, term: str) -> Instruction:
        """A leader's instruction on a case; durable when it returns.

        Raises NotFoundError, ForbiddenError for whoever leads nothing, and BadInputError for no words or a term that is not offered.
        """
        if "leader" not in caller.roles:
            raise ForbiddenError(Text("只有领导可以批示。", "Only a leader gives instructions."), by=["leader"])
        if term not in TERMS:
            listed = ", ".join(TERMS)
            raise BadInputError(
                Text(f"没有时限“{term}”。可选：{listed}。", f"There is no term '{term}'. Possible: {listed}."), field="term"
            )
        said, now = _said(words), self._clock.city()
        made = Instruction(
            new_id(),
            case_id,
            caller.account,
            said,
            now,
            self._working.due(now, TERMS[term][1]),
            "open",
            "",
            None,
            None,
            self._origin,
        )
        with self._transactions.begin() as tx:
            case = records.lock_case(tx.connection, case_id)
            tx.connection.execute(insert(INSTRUCTION).values(**msgspec.structs.asdict(made)))
            self._step(tx, case, made, "instruct", caller, said)
        return made

    def follow(self, instruction_id: str, following: Following, caller: Caller, words: str) -> Instruction:
        """The unit answers; who gave it, or another leader, closes it or sends it back. Words are needed but for closing.

        Raises NotFoundError, ForbiddenError, RefusedMoveError where it does not stand so, and BadInputError for no words.
        """
        said = words.strip() if following == "close" else _said(words)
        with self._transactions.begin() as tx:
            before = _one(tx.connection, instruction_id)
            case = records.lock_case(tx.connection, before.case)
            # Asked again once the case is held: whoever was faster has moved it.
            before = _one(tx.connection, instruction_id)
            _require(following, before, case, caller)
            after = self._after(before, following, said)
            changed = {name: getattr(after, name) for name in ("state", "answer", "answered", "closed")}
            tx.connection.execute(update(INSTRUCTION).where(INSTRUCTION.c.id == before.id).values(**changed))
            self._step(tx, case, after, f"instruct_{following}", caller, said)
        return after

    def instruction(self, instruction_id: str) -> Instruction:
        """An instruction by id; raises NotFoundError."""
        with self._transactions.read() as connection:
            return _one(connection, instruction_id)

    def of(self, case_id: str) -> tuple[Instruction, ...]:
        """The instructions on a case, oldest first."""
        wanted = select(INSTRUCTION).where(INSTRUCTION.c.case == case_id).order_by(INSTRUCTION.c.given, INSTRUCTION.c.id)
        with self._transactions.read() as connection:
            return tuple(_instruction(row) for row in connection.execute(wanted).mappings())

    def open_to(self, instruction: Instruction, case: Case, caller: Caller) -> tuple[Following, ...]:
        """What a caller may do of an instruction as it stands."""
        return tuple(one for one in FOLLOWING if _may(one, case, caller) and instruction.state in _FROM[one])

    def _after(self, before: Instruction, following: Following, said: str) -> Instruction:
        now = self._clock.city()
        match following:
            case "answer":
                return msgspec.structs.replace(before, state="answered", answer=said, answered=now)
            case "close":
                return msgspec.structs.replace(before, state="done", closed=now)
            case "back":
                return msgspec.structs.replace(before, state="open", answered=None)

    def _step(self, tx: Tx[Connection], case: Case, made: Instruction, move: str, caller: Caller, words: str) -> None:
        at, wall = self._clock.city(), self._clock.wall()
        step = Step(new_id(), case.id, move, case.state, case.state, caller.account, case.unit, at, wall, words)
        records.add_step(tx.connection, step)
        told = (("case", case), ("step", step), ("instruction", made))
        tx.emit(Event(step.id, INSTRUCTED, case.id, at, {name: msgspec.to_builtins(one) for name, one in told}))


_FROM: Final[dict[Following, tuple[Standing, ...]]] = {"answer": ("open",), "close": ("open", "answered"), "back": ("answered",)}


def _may(following: Following, case: Case, caller: Caller) -> bool:
    if following == "answer":
        return "dispatcher" in caller.roles or ("handler" in caller.roles and caller.unit == case.unit)
    return "leader" in caller.roles


def _require(following: Following, instruction: Instruction, case: Case, caller: Caller) -> None:
    title = FOLLOWING[following]
    if not _may(following, case, caller):
        what = Text(
            f"您不能“{title.zh}”：反馈由承办单位或派遣员办理，办结和退回由领导办理。",
            f"You may not '{title.en}': the unit or a dispatcher answers, a leader closes or sends back.",
        )
        raise ForbiddenError(what, following=following)
    if instruction.state not in _FROM[following]:
        here = STANDINGS[instruction.state]
        what = Text(
            f"督办事项现为“{here.zh}”，不能“{title.zh}”。", f"The instruction stands at '{here.en}': it cannot take '{title.en}'."
        )
        raise RefusedMoveError(what, following=following, state=instruction.state)


def _said(words: str) -> str:
    said = words.strip()
    if not 0 < len(said) <= _LONGEST:
        raise BadInputError(
            Text(f"请填写内容（至多 {_LONGEST} 个字）。", f"Write something, {_LONGEST} characters at most."), field="words"
        )
    return said


def _one(connection: Connection, instruction_id: str) -> Instruction:
    row = connection.execute(select(INSTRUCTION).where(INSTRUCTION.c.id == instruction_id)).mappings().one_or_none()
    if row is None:
        raise NotFoundError(Text("没有这条督办事项。", "There is no such instruction."), instruction=instruction_id)
    return _instruction(row)


def _instruction(row: RowMapping) -> Instruction:
    return msgspec.convert({name: row[name] for name in Instruction.__struct_fields__}, Instruction)
