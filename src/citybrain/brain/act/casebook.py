"""The case book: opens or joins cases, moves them along their flow, and keeps every step.

One transaction holds the change, its step and its event; a version that somebody else has changed meanwhile is refused.
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import msgspec
from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError

from citybrain.brain.act import flow as flows_of
from citybrain.brain.act import instructions, records, refusals
from citybrain.brain.act.store import CASE, STEP
from citybrain.kernel.access import Caller
from citybrain.kernel.cases import Case, CaseRequest, Flow, Move, Step
from citybrain.kernel.clock import Clock
from citybrain.kernel.errors import BadInputError, ConflictError, NotFoundError
from citybrain.kernel.events import Event
from citybrain.kernel.ids import case_number, new_id
from citybrain.kernel.instant import Instant, local_date
from citybrain.kernel.ports import Duty, Transactions, Tx, WorkingTime
from citybrain.kernel.text import Text, same

OPENED = "citybrain.act.case.opened.v1"
MOVED = "citybrain.act.case.moved.v1"
_TRIES = 5
Beside: TypeAlias = Callable[[Connection, Case], None]
"""What else is written in the transaction of a case, or not at all."""
_OWN_STEPS = {
    "reopen": Text("反映人表示未解决，继续办理", "Not solved, says the reporter: reopened"),
    "open": Text("登记", "Opened"),
    "join": Text("并入", "Joined"),
    "note": Text("补充说明", "Note"),
    **instructions.INSTRUCTED_STEPS,
}
_NOTE = Move("note", _OWN_STEPS["note"], (), "", ("dispatcher", "handler"))


class CaseBook:
    """All cases of the district; implements the port Cases. ``prefix`` begins every number, such as ``NK``."""

    def __init__(
        self,
        transactions: Transactions[Connection],
        flows: Mapping[str, Flow],
        duty: Duty,
        working: WorkingTime,
        clock: Clock,
        prefix: str,
    ) -> None:
        for flow in flows.values():
            flows_of.check_flow(flow)
        self._transactions = transactions
        self._flows = dict(flows)
        self._duty = duty
        self._working = working
        self._clock = clock
        self._prefix = prefix

    def open(self, request: CaseRequest, beside: Beside | None = None) -> str:
        """Open a case, or join the open one of the same key; returns its id. ``beside`` is written in the same commit.

        Raises NotFoundError for an unknown flow or where no unit answers for the duty.
        """
        flow = self._flow(request.flow)
        unit = self._duty.responsible(request.duty, request.area)
        due = self._working.due(request.at, request.allowance)
        for _ in range(_TRIES):
            try:
                with self._transactions.begin() as tx:
                    case = self._open(tx, request, flow, unit, due)
                    if beside is not None:
                        beside(tx.connection, case)
                    return case.id
            except IntegrityError:
                # Another process opened a case of this key at the same moment: the next try joins it.
                continue
        what = Text("同一事项正在被多处同时登记，请稍后重试。", "The same matter is being opened elsewhere. Try again.")
        raise ConflictError(what, key=request.key)

    def move(
        self,
        case_id: str,
        move: str,
        caller: Caller,
        note: str,
        version: int,
        to_unit: str | None = None,
        proof: Callable[[Connection, Step], None] | None = None,
    ) -> Case:
        """Take a move and return the case as it is now; ``proof`` is written with its step, or not at all.

        Raises NotFoundError, StaleError, RefusedMoveError, ForbiddenError, and BadInputError for a missing note or unit.
        """
        with self._transactions.begin() as tx:
            case = records.lock_case(tx.connection, case_id)
            if case.version != version:
                raise refusals.stale(case, version)
            taken = flows_of.move_named(self._flow(case.flow), case, move)
            refusals.require(taken, case, caller)
            words = note.strip()
            if taken.needs_note and not words:
                what = Text(f"“{taken.title.zh}”需要填写说明。", f"'{taken.title.en}' needs a note. Write what was done or why.")
                raise BadInputError(what, field="note")
            if proof is not None and not taken.photo:
                what = Text(f"“{taken.title.zh}”不收照片。", f"'{taken.title.en}' takes no photo.")
                raise BadInputError(what, field="photo")
            unit = refusals.unit_for(tx.connection, taken, case, to_unit)
            moved = self._moved(case, taken, caller, unit)
            if not records.replace_case(tx.connection, moved, case.version):
                raise refusals.stale(case, version)
            step = self._step(moved, taken.name, case.state, caller.account, words)
            records.add_step(tx.connection, step)
            if proof is not None:
                proof(tx.connection, step)
            self._emit(tx, MOVED, moved, step)
            return moved

    def reopen(self, case_id: str, by: str, beside: Callable[[Tx[Connection]], None]) -> Case:
        """Send a closed case back to its unit because it is not solved; its steps, its opening and its promised time all stay.

        Raises NotFoundError, and ConflictError for a case whose flow does not reopen from where it stands.
        """
        with self._transactions.begin() as tx:
            case = records.lock_case(tx.connection, case_id)
            target = dict(self._flow(case.flow).reopens).get(case.state)
            if target is None:
                what = Text(f"案件 {case.number} 现在不能重新办理。", f"{case.number} cannot be reopened as it stands.")
                raise ConflictError(what, case=case.number, state=case.state)
            back = msgspec.structs.replace(case, state=target, handler=None, closed=None, version=case.version + 1)
            records.reopen_case(tx.connection, back)
            step = self._step(back, "reopen", case.state, by, "")
            records.add_step(tx.connection, step)
            self._emit(tx, MOVED, back, step)
            beside(tx)
            return back

    def note(self, case_id: str, caller: Caller, words: str) -> Step:
        """Add words to a case without moving it; raises NotFoundError, ForbiddenError, BadInputError for no words."""
        if not words.strip():
            what = Text("说明内容为空。请填写后再提交。", "The note is empty. Write something before sending it.")
            raise BadInputError(what, field="words")
        with self._transactions.begin() as tx:
            case = records.lock_case(tx.connection, case_id)
            refusals.require(_NOTE, case, caller)
            step = self._step(case, _NOTE.name, case.state, caller.account, words.strip())
            records.add_step(tx.connection, step)
            return step

    def case(self, case_id: str) -> Case:
        """A case by id; raises NotFoundError."""
        with self._transactions.read() as connection:
            return records.load_case(connection, case_id)

    def by_number(self, number: str) -> Case:
        """A case by the number that people quote; raises NotFoundError."""
        with self._transactions.read() as connection:
            case = records.find_case(connection, CASE.c.number == number)
        if case is None:
            raise NotFoundError(Text(f"没有编号为“{number}”的案件。", f"There is no case '{number}'."), number=number)
        return case

    def steps(self, case_id: str) -> tuple[Step, ...]:
        """The history of a case, oldest first; raises NotFoundError."""
        with self._transactions.read() as connection:
            records.load_case(connection, case_id)
            rows = connection.execute(select(STEP).where(STEP.c.case == case_id).order_by(STEP.c.no)).mappings().all()
        return tuple(records.step_of(dict(row)) for row in rows)

    def moves_for(self, case: Case, caller: Caller) -> tuple[Move, ...]:
        """The moves that this caller may take now; empty for a closed case."""
        moves = self._flow(case.flow).moves_from(case.state)
        return tuple(move for move in moves if flows_of.may_take(move, case, caller))

    def reopens(self, case: Case) -> bool:
        """Whether the case stands at an end from which its flow reopens."""
        return case.state in dict(self._flow(case.flow).reopens)

    def answers(self, flow: str) -> frozenset[str]:
        """The moves of a flow whose note is the answer to whoever reported; raises NotFoundError."""
        return frozenset(move.name for move in self._flow(flow).moves if move.answers)

    def state_title(self, flow: str, state: str) -> Text:
        """The words of a state; its bare name where the flow no longer has it. Raises NotFoundError for an unknown flow."""
        return next((each.title for each in self._flow(flow).states if each.name == state), same(state))

    def move_titles(self, flow: str) -> Mapping[str, Text]:
        """The words of every move that a step of this flow may name; raises NotFoundError."""
        return _OWN_STEPS | {move.name: move.title for move in self._flow(flow).moves}

    def _flow(self, name: str) -> Flow:
        try:
            return self._flows[name]
        except KeyError:
            raise NotFoundError(Text(f"没有流程“{name}”。", f"There is no flow '{name}'."), flow=name) from None

    def _open(self, tx: Tx[Connection], request: CaseRequest, flow: Flow, unit: str, due: Instant) -> Case:
        known = records.find_case(tx.connection, CASE.c.open_key == request.key)
        if known is not None:
            if records.add_cause(tx.connection, known.id, request.cause):
                held = records.lock_case(tx.connection, known.id)
                records.add_step(tx.connection, self._step(held, "join", held.state, "system", request.words))
            return known
        day = local_date(request.at).strftime("%Y%m%d")
        case = Case(
            id=new_id(),
            number=case_number(self._prefix, day, records.next_serial(tx.connection, day)),
            flow=flow.name,
            flow_version=flow.version,
            state=flows_of.start_of(flow, request.cause),
            unit=unit,
            handler=None,
            opened=request.at,
            due=due,
            closed=None,
            version=1,
            **{name: getattr(request, name) for name in _CARRIED},
        )
        step = self._step(case, "open", "", "system", request.words)
        records.insert_case(tx.connection, case, request.key)
        records.add_step(tx.connection, step)
        self._emit(tx, OPENED, case, step)
        return case

    def _moved(self, case: Case, move: Move, caller: Caller, unit: str) -> Case:
        handler = case.handler
        if move.needs_unit:
            handler = None
        elif "handler" in move.by and "handler" in caller.roles:
            handler = caller.account
        closed = self._clock.city() if self._flow(case.flow).state(move.target).end else None
        return msgspec.structs.replace(case, state=move.target, unit=unit, handler=handler, closed=closed, version=case.version + 1)

    def _step(self, case: Case, move: str, source: str, by: str, words: str) -> Step:
        at, wall = self._clock.city(), self._clock.wall()
        return Step(new_id(), case.id, move, source, case.state, by, case.unit, at, wall, words)

    def _emit(self, tx: Tx[Connection], kind: str, case: Case, step: Step) -> None:
        body = {"case": msgspec.to_builtins(case), "step": msgspec.to_builtins(step)}
        tx.emit(Event(step.id, kind, case.id, step.at, body))


_CARRIED = ("matter", "title", "place", "area", "entity", "cause", "words", "grade", "origin")
