"""The audit trail: each row's hash covers the row before it, and every so many rows the head is signed.

hash(n) = SHA-256(hash(n-1) + canonical JSON of row n); rows that were changed, removed or put in between show in ``verify``.
What nobody in particular is refused over and over is one row at once and one row more a minute that counts the rest: a flood of
requests must not fill the disk.
"""

import hashlib
import threading
from collections.abc import Iterator, Mapping

import msgspec
from sqlalchemy import Connection, insert, select

from citybrain.brain.protect.store import AUDIT, AUDIT_HEAD
from citybrain.kernel.access import SYSTEM, Ask, Verdict
from citybrain.kernel.clock import Clock
from citybrain.kernel.errors import ConflictError
from citybrain.kernel.instant import MINUTE, Instant, rfc3339
from citybrain.kernel.ports import Keys, Transactions
from citybrain.kernel.text import Json, Text

_CHUNK = 1000
_START = "0" * 64
_KINDS = 1000
"""Different refusals of nobody that are told apart within a minute; what is beyond counts as one."""
_REST = "*"


class _Row(msgspec.Struct, frozen=True):
    no: int
    wall: int
    account: str
    roles: str
    unit: str | None
    action: str
    resource: str
    purpose: str
    allowed: bool
    reasons: str
    detail: str


class _Repeated(msgspec.Struct):
    """A refusal of somebody without a session, and how often it came again in its minute (of the wall clock)."""

    ask: Ask
    verdict: Verdict
    minute: Instant
    again: int = 0


class AuditTrail:
    """Implements Audit. Rows go in one after the other, each in its own durable commit; ``every`` rows the head is signed.

    Of the same refusal of somebody without a session the first in a minute is a row at once; how often it came again is one more
    row, ``{"again", "minute"}``, once the minute is over (a kill loses that count, never the first row).
    """

    def __init__(self, transactions: Transactions[Connection], keys: Keys, clock: Clock, every: int = 64) -> None:
        self._transactions = transactions
        self._keys = keys
        self._clock = clock
        self._every = every
        self._lock = threading.Lock()
        self._repeated: dict[tuple[str, str], _Repeated] = {}

    def write(self, ask: Ask, verdict: Verdict, detail: Mapping[str, Json]) -> None:
        """Append one row, chained to the one before it; durable when it returns. Never within an open transaction.

        A refusal of nobody that stands already for this minute is counted instead.
        """
        self.settle()
        if verdict.allowed or ask.caller.known or self._first(ask, verdict):
            self._append(ask, verdict, detail)

    def told(self, action: str, resource: str) -> Mapping[str, Json] | None:
        """What the program itself wrote first of an action on a resource; None where it wrote nothing."""
        mine = (AUDIT.c.account == SYSTEM.account, AUDIT.c.action == action, AUDIT.c.resource == resource)
        with self._transactions.read() as connection:
            found = connection.execute(select(AUDIT.c.detail).where(*mine).order_by(AUDIT.c.no).limit(1)).scalar()
        detail: dict[str, Json] | None = None if found is None else msgspec.json.decode(found)
        return detail

    def settle(self, *, all_of_them: bool = False) -> None:
        """Write the counts of minutes that are over, one row each; all counts when the program ends."""
        now = self._minute()
        with self._lock:
            over = [key for key, one in self._repeated.items() if all_of_them or one.minute != now]
            counts = [one for one in (self._repeated.pop(key) for key in over) if one.again]
        for one in counts:
            self._append(one.ask, one.verdict, {"again": one.again, "minute": rfc3339(one.minute)})

    def _first(self, ask: Ask, verdict: Verdict) -> bool:
        """Whether a refusal is the first of its action and resource in this minute; the others are counted."""
        with self._lock:
            key = (ask.action, ask.resource)
            if key not in self._repeated and len(self._repeated) >= _KINDS:
                key, ask = (_REST, _REST), msgspec.structs.replace(ask, resource=_REST, purpose="")
            known = self._repeated.get(key)
            if known is None:
                self._repeated[key] = _Repeated(ask, verdict, self._minute())
                return True
            known.again += 1
            return False

    def _minute(self) -> Instant:
        return Instant(self._clock.wall() // MINUTE * MINUTE)

    def _append(self, ask: Ask, verdict: Verdict, detail: Mapping[str, Json]) -> None:
        with self._transactions.begin() as tx:
            last = tx.connection.execute(select(AUDIT.c.no, AUDIT.c.hash).order_by(AUDIT.c.no.desc()).limit(1)).first()
            no, before = (1, _START) if last is None else (last.no + 1, last.hash)
            row = _row(no, self._clock.wall(), ask, verdict, detail)
            mark = chained(before, row)
            tx.connection.execute(insert(AUDIT).values(**msgspec.structs.asdict(row), hash=mark))
            if no == 1 or no % self._every == 0:
                signature = self._keys.sign(_head(no, mark)).hex()
                tx.connection.execute(insert(AUDIT_HEAD).values(no=no, hash=mark, signature=signature))

    def verify(self) -> int:
        """How many rows stand unbroken; raises ConflictError with the number of the first bad row.

        Rows cut off after the last signed head cannot be told from rows that were never written.
        """
        with self._transactions.read() as connection:
            heads = {row.no: (row.hash, row.signature) for row in connection.execute(select(AUDIT_HEAD))}
            before, count = _START, 0
            for row, mark in _rows(connection):
                count += 1
                if row.no != count or chained(before, row) != mark or not self._signed(heads.pop(row.no, None), row.no, mark):
                    raise _broken(count)
                before = mark
        if heads:
            raise _broken(count + 1)
        return count

    def _signed(self, head: tuple[str, str] | None, no: int, mark: str) -> bool:
        if head is None:
            return no != 1 and no % self._every != 0
        return head[0] == mark and self._keys.verify(_head(no, mark), bytes.fromhex(head[1]))


def chained(before: str, row: msgspec.Struct) -> str:
    """The hash of a row after another's: SHA-256 over the earlier hash and the row's JSON with sorted keys, in hex."""
    return hashlib.sha256(bytes.fromhex(before) + msgspec.json.encode(row, order="sorted")).hexdigest()


def _row(no: int, wall: int, ask: Ask, verdict: Verdict, detail: Mapping[str, Json]) -> _Row:
    return _Row(
        no=no,
        wall=wall,
        account=ask.caller.account,
        roles=_json(sorted(ask.caller.roles)),
        unit=ask.caller.unit,
        action=ask.action,
        resource=ask.resource,
        purpose=ask.purpose,
        allowed=verdict.allowed,
        reasons=_json(verdict.reasons),
        detail=_json(dict(detail)),
    )


def _rows(connection: Connection) -> Iterator[tuple[_Row, str]]:
    seen = 0
    wanted = select(AUDIT).order_by(AUDIT.c.no).limit(_CHUNK)
    while found := connection.execute(wanted.where(AUDIT.c.no > seen)).mappings().all():
        for each in found:
            fields = {name: each[name] for name in _Row.__struct_fields__}
            yield msgspec.convert(fields, _Row), each["hash"]
            seen = each["no"]


def _head(no: int, mark: str) -> bytes:
    return f"citybrain audit head {no} {mark}".encode()


def _json(value: object) -> str:
    return msgspec.json.encode(value, order="sorted").decode()


def _broken(no: int) -> ConflictError:
    what = Text(
        f"审计记录第 {no} 行与校验链不符：该行被改动、删除或插入。请从备份核对。",
        f"Row {no} of the audit trail does not fit the chain: it was changed, removed or put in. Compare with a backup.",
    )
    return ConflictError(what, row=no)
