"""Accounts of people and their sessions: sign in, be recognised, sign out; every sign-in stands in the audit trail.

A session token is 256 random bits and kept only as its digest.
"""

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from citybrain.brain.protect import attempts, passwords
from citybrain.brain.protect.attempts import Limits
from citybrain.brain.protect.devices import Devices
from citybrain.brain.protect.digests import digest
from citybrain.brain.protect.store import ACCOUNT, SESSION
from citybrain.kernel.access import ANYONE, ROLES, SYSTEM, Ask, Caller, Role, Verdict
from citybrain.kernel.clock import Clock
from citybrain.kernel.errors import BadInputError, BusyError, ConflictError, NotFoundError, StorageFullError, UnauthenticatedError
from citybrain.kernel.ids import new_id
from citybrain.kernel.instant import HOUR, MINUTE, Duration, Instant
from citybrain.kernel.ports import Audit, Transactions
from citybrain.kernel.text import Text

_IDLE, _ABSOLUTE = Duration(30 * MINUTE), Duration(12 * HOUR)
_TOUCH = MINUTE
"""A session's sliding end is written at most this often."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """When a session ends, in µs of the wall clock: after ``idle`` without a request, after ``absolute`` in any case."""

    idle: Duration = _IDLE
    absolute: Duration = _ABSOLUTE


class Account(msgspec.Struct, frozen=True):
    """Somebody who can sign in; never with the password's hash."""

    id: str
    name: str
    login: str
    roles: frozenset[Role]
    unit: str | None
    enabled: bool


class Accounts:
    """The people who work with the system. Hashing takes the caller's thread: call off the event loop."""

    def __init__(
        self,
        transactions: Transactions[Connection],
        clock: Clock,
        audit: Audit | None = None,
        timeouts: Timeouts | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._transactions = transactions
        self._clock = clock
        self._audit = audit
        self._timeouts = timeouts or Timeouts()
        self._limits = limits or Limits()
        self._unwritten: dict[str, Instant] = {}
        self.devices = Devices(transactions, clock)

    def create(self, name: str, login: str, password: str, roles: Iterable[Role], unit: str | None = None) -> str:
        """A new account's id; raises BadInputError for a weak password or unknown role, ConflictError for a login in use."""
        given = _checked(roles)
        passwords.check_strength(password, login)
        row = {
            "id": new_id(),
            "name": name,
            "login": login,
            "password": passwords.hashed(password),
            "roles": _json(given),
            "unit": unit,
            "enabled": True,
            "created": self._clock.wall(),
        }
        try:
            with self._transactions.begin() as tx:
                tx.connection.execute(insert(ACCOUNT).values(row))
        except IntegrityError as error:
            what = Text(f"登录名“{login}”已被使用。", f"The login '{login}' is taken. Choose another.")
            raise ConflictError(what, login=login) from error
        return str(row["id"])

    def sign_in(self, login: str, password: str, address: str = "") -> str:
        """A fresh session's token; raises UnauthenticatedError, and BusyError with ``retry_after`` after too many attempts."""
        now = self._clock.wall()
        try:
            with self._transactions.begin() as tx:
                counted = attempts.count_in(tx.connection, login, address, now, self._limits)
        except BusyError as error:
            # One that has a cause is of a store that is away: nobody tried too often.
            if error.__cause__ is None:
                self._record(ANYONE, login, address, "too-many-attempts")
            raise
        with self._transactions.read() as connection:
            row = connection.execute(select(ACCOUNT).where(ACCOUNT.c.login == login)).first()
        if not passwords.fits(row.password if row is not None and row.enabled else None, password) or row is None:
            self._record(ANYONE, login, address, "wrong-login-or-password")
            raise UnauthenticatedError(Text("登录名或密码不正确。", "The login or the password is wrong."))
        token = secrets.token_urlsafe(32)
        session = {"id": new_id(), "token": digest(token), "account": row.id, "began": now, "seen": now}
        with self._transactions.begin() as tx:
            attempts.forget(tx.connection, login, counted)
            tx.connection.execute(delete(SESSION).where(SESSION.c.began <= now - self._timeouts.absolute))
            tx.connection.execute(insert(SESSION).values(session))
        self._record(Caller(row.id, row.name, _roles(row.roles), row.unit), login, address, "")
        return token

    def caller(self, token: str) -> Caller | None:
        """Who holds a token, or None when the session has ended or the account is shut; keeps the session going."""
        now = self._clock.wall()
        wanted = select(SESSION.c.id.label("session"), SESSION.c.began, SESSION.c.seen, ACCOUNT).join(
            ACCOUNT, ACCOUNT.c.id == SESSION.c.account
        )
        with self._transactions.read() as connection:
            row = connection.execute(wanted.where(SESSION.c.token == digest(token))).first()
        if row is None or not row.enabled:
            return None
        seen = max(row.seen, self._unwritten.get(row.session, 0))
        if now - seen >= self._timeouts.idle or now - row.began >= self._timeouts.absolute:
            return None
        if now - row.seen >= _TOUCH:
            self._touch(row.session, now)
        return Caller(row.id, row.name, _roles(row.roles), row.unit)

    def _touch(self, session: str, now: Instant) -> None:
        """Write that a session goes on; a store that takes nothing now keeps nobody from reading: then it is known here alone."""
        try:
            with self._transactions.begin() as tx:
                tx.connection.execute(update(SESSION).where(SESSION.c.id == session).values(seen=now))
            self._unwritten.pop(session, None)
        except (BusyError, StorageFullError):
            self._unwritten[session] = now

    def sign_out(self, token: str) -> None:
        """End a session; harmless when it has ended."""
        with self._transactions.begin() as tx:
            tx.connection.execute(delete(SESSION).where(SESSION.c.token == digest(token)))

    def device_caller(self, login: str, secret: str) -> Caller | None:
        """The device of a login and secret, or None."""
        return self.devices.device_caller(login, secret)

    def may_write(self, caller: Caller, stream: str) -> bool:
        """Whether a device may write a stream; nobody else may."""
        return self.devices.may_write(caller, stream)

    def barred(self, caller: Caller) -> Callable[[Sequence[str]], frozenset[str]]:
        """What tells of many streams at once which of them a caller may not write."""
        return self.devices.barred(caller)

    def all(self) -> tuple[Account, ...]:
        """Every account, by login."""
        with self._transactions.read() as connection:
            rows = connection.execute(select(ACCOUNT).order_by(ACCOUNT.c.login)).all()
        return tuple(Account(row.id, row.name, row.login, _roles(row.roles), row.unit, bool(row.enabled)) for row in rows)

    def name_of(self, account_id: str) -> str:
        """How somebody who took a step is called: the name of the account, 系统 for the program, the bare id of one unknown."""
        if account_id == SYSTEM.account:
            return "系统"
        with self._transactions.read() as connection:
            name = connection.execute(select(ACCOUNT.c.name).where(ACCOUNT.c.id == account_id)).scalar_one_or_none()
        return account_id if name is None else str(name)

    def entrust(self, account_id: str, roles: Iterable[Role], unit: str | None) -> None:
        """Give an account other roles and another unit; raises NotFoundError, BadInputError."""
        self._change(account_id, {"roles": _json(_checked(roles)), "unit": unit})

    def enable(self, account_id: str, *, enabled: bool) -> None:
        """Shut an account, which ends its sessions, or open it again; raises NotFoundError."""
        self._change(account_id, {"enabled": enabled})

    def change_password(self, account_id: str, password: str) -> None:
        """Set a new password and end the account's sessions; raises NotFoundError, BadInputError."""
        found = next((account for account in self.all() if account.id == account_id), None)
        passwords.check_strength(password, "" if found is None else found.login)
        self._change(account_id, {"password": passwords.hashed(password)})

    def _change(self, account_id: str, values: dict[str, object]) -> None:
        with self._transactions.begin() as tx:
            if tx.connection.execute(update(ACCOUNT).where(ACCOUNT.c.id == account_id).values(values)).rowcount == 0:
                raise NotFoundError(Text("没有这个账号。", "There is no such account."), account=account_id)
            tx.connection.execute(delete(SESSION).where(SESSION.c.account == account_id))

    def _record(self, caller: Caller, login: str, address: str, refused: str) -> None:
        if self._audit is not None:
            verdict = Verdict(not refused, (refused or "password",))
            self._audit.write(Ask(caller, "session.create", "session"), verdict, {"login": login, "address": address})


def _checked(roles: Iterable[Role]) -> list[Role]:
    given = sorted(roles)
    wrong = [role for role in given if role not in ROLES or role == "device"]
    if wrong:
        what = Text(f"账号不能有角色：{'、'.join(wrong)}。", f"An account cannot have these roles: {', '.join(wrong)}.")
        raise BadInputError(what, roles=[str(role) for role in wrong])
    return given


def _roles(kept: str) -> frozenset[Role]:
    return msgspec.json.decode(kept, type=frozenset[Role])


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
