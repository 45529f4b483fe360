"""Notices inside the house: to a unit, an account or a role, each once, with a receipt when somebody has read it.

Committed case events come in by a durable position; whoever may take the next move is told.
"""

from typing import Final

import msgspec
from sqlalchemy import Connection, RowMapping, and_, exists, insert, select

from citybrain.brain.act.casebook import MOVED, OPENED
from citybrain.brain.act.instructions import INSTRUCTED, STANDINGS, Instruction
from citybrain.brain.act.records import leave_notices
from citybrain.brain.act.store import NOTICE, NOTICE_READ
from citybrain.kernel.access import Caller
from citybrain.kernel.cases import Case, Flow
from citybrain.kernel.clock import Clock
from citybrain.kernel.errors import BadInputError, NotFoundError
from citybrain.kernel.events import Event
from citybrain.kernel.ids import new_id
from citybrain.kernel.instant import Instant, local
from citybrain.kernel.ports import Transactions
from citybrain.kernel.text import Text
from citybrain.kernel.things import Origin

_KINDS = ("unit", "account", "role")


class Notice(msgspec.Struct, frozen=True):
    """Words to a ``recipient`` (``unit:<id>``, ``account:<id>`` or ``role:<name>``); ``subject`` is the case it speaks of."""

    id: str
    recipient: str
    words: Text
    subject: str | None
    origin: Origin
    at: Instant
    wall: Instant


def inbox(caller: Caller) -> tuple[str, ...]:
    """The recipients whose notices are a caller's."""
    unit = () if caller.unit is None else (f"unit:{caller.unit}",)
    return (f"account:{caller.account}", *unit, *(f"role:{role}" for role in sorted(caller.roles)))


def recipients(case: Case, flow: Flow) -> tuple[str, ...]:
    """Whom a case waits for: the unit where handlers may move it, the roles that may otherwise; at the end its unit."""
    waiting = {role for move in flow.moves_from(case.state) for role in move.by} or {"handler"}
    return tuple(f"unit:{case.unit}" if role == "handler" else f"role:{role}" for role in sorted(waiting))


class Notices:
    """The in-app notices of the district."""

    READER: Final = "notices"
    """Its name as a reader of the outbox."""

    def __init__(self, transactions: Transactions[Connection], clock: Clock, flows: dict[str, Flow]) -> None:
        self._transactions = transactions
        self._clock = clock
        self._flows = flows

    def send(self, to: str, words: Text, key: str, subject: str | None = None, origin: Origin = "real") -> None:
        """Tell a recipient once per key; raises BadInputError for a recipient of another shape."""
        kind, _, name = to.partition(":")
        if kind not in _KINDS or not name:
            what = Text(
                f"收件方“{to}”有误，应为 unit:、account: 或 role:。", f"'{to}' is no recipient: use unit:, account: or role:."
            )
            raise BadInputError(what, to=to)
        with self._transactions.begin() as tx:
            leave_notices(tx.connection, [self._row(to, words, key, subject, origin)])

    def run_once(self, limit: int = 500) -> int:
        """Turn committed case events into notices; returns how many events were read. Harmless to repeat."""
        events = self._transactions.events_after(self._transactions.cursor(self.READER), limit)
        if not events:
            return 0
        with self._transactions.begin() as tx:
            leave_notices(tx.connection, [row for _, event in events for row in self._rows(event)])
            self._transactions.advance(tx.connection, self.READER, events[-1][0])
        return len(events)

    def unread(self, caller: Caller) -> tuple[Notice, ...]:
        """What a caller has not read yet, newest first; nothing for nobody."""
        seen = exists().where(and_(NOTICE_READ.c.notice == NOTICE.c.id, NOTICE_READ.c.account == caller.account))
        query = select(NOTICE).where(NOTICE.c.recipient.in_(inbox(caller)), ~seen).order_by(NOTICE.c.at.desc(), NOTICE.c.id.desc())
        if not caller.known:
            return ()
        with self._transactions.read() as connection:
            rows = connection.execute(query.limit(1000)).mappings().all()
        return tuple(_notice(row) for row in rows)

    def read(self, notice_id: str, caller: Caller) -> None:
        """Leave a read receipt; raises NotFoundError for a notice that is not the caller's."""
        with self._transactions.begin() as tx:
            mine = select(NOTICE.c.id).where(NOTICE.c.id == notice_id, NOTICE.c.recipient.in_(inbox(caller)))
            if not caller.known or tx.connection.execute(mine).first() is None:
                raise NotFoundError(Text("没有这条通知。", "There is no such notice for you."), notice=notice_id)
            known = select(NOTICE_READ.c.notice).where(NOTICE_READ.c.notice == notice_id, NOTICE_READ.c.account == caller.account)
            if tx.connection.execute(known).first() is None:
                row = {"notice": notice_id, "account": caller.account, "wall": self._clock.wall()}
                tx.connection.execute(insert(NOTICE_READ).values(row))

    def receipts(self, notice_id: str) -> dict[str, Instant]:
        """Who has read a notice, and when by the wall clock."""
        query = select(NOTICE_READ.c.account, NOTICE_READ.c.wall).where(NOTICE_READ.c.notice == notice_id)
        with self._transactions.read() as connection:
            return {row.account: Instant(row.wall) for row in connection.execute(query)}

    def _rows(self, event: Event) -> list[dict[str, object]]:
        """The notices that an event makes, one a recipient."""
        if event.type == INSTRUCTED:
            return [self._instruction(event)]
        if event.type not in (OPENED, MOVED):
            return []
        case = msgspec.convert(event.body["case"], Case)
        flow = self._flows.get(case.flow)
        if flow is None:
            return []
        words = _words(case, flow, event.type)
        return [self._row(to, words, event.id, case.id, case.origin) for to in recipients(case, flow)]

    def _instruction(self, event: Event) -> dict[str, object]:
        """To whom an instruction now waits: the unit that answers, who gave it, and at the end the unit again."""
        case, told = msgspec.convert(event.body["case"], Case), msgspec.convert(event.body["instruction"], Instruction)
        to = f"account:{told.by}" if told.state == "answered" else f"unit:{case.unit}"
        here, due = STANDINGS[told.state], local(told.due).strftime("%Y-%m-%d %H:%M")
        words = Text(
            f"督办事项（{case.number}）：{told.words}。{here.zh}，期限 {due}。",
            f"Instruction on {case.number}: {told.words}. {here.en}, due {due}.",
        )
        return self._row(to, words, event.id, case.id, told.origin)

    def _row(self, to: str, words: Text, key: str, subject: str | None, origin: Origin) -> dict[str, object]:
        return {
            "id": new_id(),
            "recipient": to,
            "key": key,
            "words": msgspec.json.encode(words).decode(),
            "subject": subject,
            "origin": origin,
            "at": self._clock.city(),
            "wall": self._clock.wall(),
        }


def _notice(row: RowMapping) -> Notice:
    fields = {name: row[name] for name in Notice.__struct_fields__}
    return msgspec.convert({**fields, "words": msgspec.json.decode(row["words"])}, Notice)


def _words(case: Case, flow: Flow, kind: str) -> Text:
    state = flow.state(case.state).title
    due = local(case.due).strftime("%Y-%m-%d %H:%M")
    if kind == OPENED:
        zh, en = f"新案件 {case.number}：{case.title.zh}", f"New case {case.number}: {case.title.en}"
    else:
        zh, en = f"案件 {case.number}：{case.title.zh}", f"Case {case.number}: {case.title.en}"
    return Text(f"{zh}。{state.zh}，办理期限 {due}。", f"{en}. {state.en}, due {due}.")
