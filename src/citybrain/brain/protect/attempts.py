"""How often somebody may try to sign in: per login and per address, where a whole IPv6 /64 is one address."""

import ipaddress
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select

from citybrain.brain.protect.store import ATTEMPT
from citybrain.kernel.errors import BusyError
from citybrain.kernel.ids import new_id
from citybrain.kernel.instant import MINUTE, SECOND, Duration, Instant
from citybrain.kernel.text import Text

_SPAN = Duration(15 * MINUTE)


@dataclass(frozen=True, slots=True)
class Limits:
    """Attempts without success within a span (µs), for a login and for an address."""

    per_login: int = 5
    per_address: int = 30
    span: Duration = _SPAN


def network(address: str) -> str:
    """The address that is counted: IPv4 as it is, IPv6 by its /64, IPv4 in IPv6 as IPv4; other words as they are."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    return str(found.ipv4_mapped or ipaddress.ip_network((found, 64), strict=False))


def count_in(connection: Connection, login: str, address: str, now: Instant, limits: Limits) -> tuple[str, ...]:
    """Record an attempt before it is judged, so that many at once are counted too; returns its ids.

    Raises BusyError with the seconds to wait.
    """
    connection.execute(delete(ATTEMPT).where(ATTEMPT.c.wall <= now - limits.span))
    counted = [(f"login:{login.casefold()}", limits.per_login)]
    if address:
        counted.append((f"address:{network(address)}", limits.per_address))
    for who, most in counted:
        tally = select(func.count(), func.min(ATTEMPT.c.wall)).where(ATTEMPT.c.who == who)
        number, first = connection.execute(tally).one()
        if number >= most:
            wait = max(1, (first + limits.span - now) // SECOND)
            what = Text(f"尝试登录次数过多，请 {wait} 秒后再试。", f"Too many attempts to sign in. Try again in {wait} seconds.")
            raise BusyError(what, retry_after=wait)
    ids = tuple(new_id() for _ in counted)
    for fresh, (who, _) in zip(ids, counted, strict=True):
        connection.execute(insert(ATTEMPT).values(id=fresh, who=who, wall=now))
    return ids


def forget(connection: Connection, login: str, ids: tuple[str, ...]) -> None:
    """A success clears the login's attempts and this one of the address."""
    connection.execute(delete(ATTEMPT).where((ATTEMPT.c.who == f"login:{login.casefold()}") | ATTEMPT.c.id.in_(ids)))
