"""Device accounts: a login with a secret of 256 random bits, the streams it may write, and the things it may make.

The secret is kept as its digest, not by a slow hash: devices show it with every message.
"""

import hmac
import secrets
import threading
from collections.abc import Callable, Iterable, Sequence

import msgspec
from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from citybrain.brain.protect.digests import digest
from citybrain.brain.protect.store import DEVICE
from citybrain.kernel.access import Caller, Role
from citybrain.kernel.clock import Clock
from citybrain.kernel.errors import BadInputError, ConflictError, NotFoundError
from citybrain.kernel.ids import new_id
from citybrain.kernel.instant import SECOND, Duration, Instant
from citybrain.kernel.ports import Transactions
from citybrain.kernel.text import Text

_FRESH = Duration(10 * SECOND)
_REMEMBERED = 100_000
_LISTS = 64
"""Streams of one device that are remembered as its own."""
_MAKES = "+"
"""Before an entry of things that a device may make as well."""
_DEVICE: frozenset[Role] = frozenset({"device"})


class Devices:
    """The machines that may write observations. Who a device is and what it may write is remembered for ten wall seconds."""

    def __init__(self, transactions: Transactions[Connection], clock: Clock) -> None:
        self._transactions = transactions
        self._clock = clock
        self._known: dict[str, tuple[Instant, _Covered]] = {}
        self._callers: dict[tuple[str, str], tuple[Instant, Caller]] = {}
        self._lock = threading.Lock()

    def create(self, name: str, login: str, writes: Iterable[str], unit: str | None = None) -> str:
        """A new device's secret, shown this once.

        ``writes`` lists entities (``air-01``), streams (``air-01.pm25``) or beginnings (``air-*``); with a plus sign before it
        (``+air-*``) the device may also make the things and features of these ids. Raises ConflictError for a login in use, BadInputError for
        an empty list.
        """
        listed = tuple(sorted({entry.strip() for entry in writes if entry.strip()}))
        if not listed:
            what = Text("请至少指定一个可写的对象或数据流。", "Name at least one entity or stream that the device may write.")
            raise BadInputError(what, field="writes")
        secret = secrets.token_urlsafe(32)
        row = {
            "id": new_id(),
            "name": name,
            "login": login,
            "secret": digest(secret),
            "writes": msgspec.json.encode(listed).decode(),
            "unit": unit,
            "enabled": True,
            "created": self._clock.wall(),
        }
        try:
            with self._transactions.begin() as tx:
                tx.connection.execute(insert(DEVICE).values(row))
        except IntegrityError as error:
            what = Text(f"设备登录名“{login}”已被使用。", f"The device login '{login}' is taken. Choose another.")
            raise ConflictError(what, login=login) from error
        return secret

    def device_caller(self, login: str, secret: str) -> Caller | None:
        """The device of a login and secret, or None."""
        return self._caller(login, digest(secret))

    def named(self, login: str) -> Caller | None:
        """The device of a login, if it is not shut out; for messages that another broker has let in."""
        return self._caller(login, "")

    def _caller(self, login: str, shown: str) -> Caller | None:
        """The device of a login that showed a secret of this digest; no digest is empty, which asks for none."""
        now = self._clock.wall()
        with self._lock:
            kept = self._callers.get((login, shown))
        if kept is not None and 0 <= now - kept[0] < _FRESH:
            return kept[1]
        with self._transactions.read() as connection:
            row = connection.execute(select(DEVICE).where(DEVICE.c.login == login)).first()
        if row is None or not row.enabled or (shown and not hmac.compare_digest(row.secret, shown)):
            return None
        caller = Caller(row.id, row.name, _DEVICE, row.unit)
        with self._lock:
            self._callers[login, shown] = (now, caller)
        return caller

    def may_write(self, caller: Caller, stream: str) -> bool:
        """Whether a device may write a stream; nobody else may."""
        return not self.barred(caller)((stream,))

    def barred(self, caller: Caller) -> Callable[[Sequence[str]], frozenset[str]]:
        """What tells of many streams at once which of them a caller may not write."""
        return self._writes(caller.account).barred if "device" in caller.roles else frozenset

    def may_make(self, caller: Caller, thing: str) -> bool:
        """Whether a device may make a thing of this id, and streams for it; what others may is for policy to say."""
        return "device" in caller.roles and self._writes(caller.account).makes(thing)

    def enable(self, device_id: str, *, enabled: bool) -> None:
        """Shut a device out, or let it in again; at once in this process. Raises NotFoundError."""
        with self._transactions.begin() as tx:
            if tx.connection.execute(update(DEVICE).where(DEVICE.c.id == device_id).values(enabled=enabled)).rowcount == 0:
                raise NotFoundError(Text("没有这个设备。", "There is no such device."), device=device_id)
        self._forget()

    def remove(self, login: str) -> None:
        """Take a device out of the books; harmless when there is none."""
        with self._transactions.begin() as tx:
            tx.connection.execute(delete(DEVICE).where(DEVICE.c.login == login))
        self._forget()

    def _forget(self) -> None:
        with self._lock:
            self._known.clear()
            self._callers.clear()

    def _writes(self, device_id: str) -> "_Covered":
        now = self._clock.wall()
        with self._lock:
            kept = self._known.get(device_id)
        if kept is not None and 0 <= now - kept[0] < _FRESH:
            return kept[1]
        with self._transactions.read() as connection:
            row = connection.execute(select(DEVICE.c.writes, DEVICE.c.enabled).where(DEVICE.c.id == device_id)).first()
        listed = msgspec.json.decode(row.writes, type=tuple[str, ...]) if row is not None and row.enabled else ()
        test = _Covered(listed)
        with self._lock:
            self._known[device_id] = (now, test)
        return test


class _Covered:
    """The streams that a device's entries speak of: a beginning with ``*``, an entity, or the stream itself; remembered."""

    def __init__(self, given: tuple[str, ...]) -> None:
        entries = tuple(entry.removeprefix(_MAKES) for entry in given)
        self._made = tuple(entry.removeprefix(_MAKES) for entry in given if entry.startswith(_MAKES))
        self._beginnings = tuple(entry[:-1] if entry.endswith("*") else entry + "." for entry in entries)
        self._whole = frozenset(entries)
        self._seen: set[str] = set()
        self._listed: dict[tuple[int, str, str], Sequence[str]] = {}

    def makes(self, thing: str) -> bool:
        """Whether an entry lets the device make this thing."""
        return any(thing.startswith(entry[:-1]) if entry.endswith("*") else thing == entry for entry in self._made)

    def barred(self, streams: Sequence[str]) -> frozenset[str]:
        """Those of some streams that no entry speaks of."""
        if not len(streams):
            return frozenset()
        # A gateway sends the same list again and again: to see that takes less than to look each of it up.
        key = len(streams), streams[0], streams[-1]
        if self._listed.get(key) == streams:
            return frozenset()
        if self._seen.issuperset(streams):
            if len(self._listed) >= _LISTS:
                self._listed = {}
            self._listed[key] = streams
            return frozenset()
        others = {stream for stream in streams if stream not in self._whole and not stream.startswith(self._beginnings)}
        if len(self._seen) < _REMEMBERED:
            self._seen |= set(streams) - others
        return frozenset(others)
