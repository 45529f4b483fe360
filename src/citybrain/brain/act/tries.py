"""How often somebody who has no account may try, per network address: reports, and keys that do not fit."""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select

from citybrain.brain.act.store import REPORT_TRY
from citybrain.kernel.clock import Clock
from citybrain.kernel.errors import BusyError
from citybrain.kernel.ids import new_id
from citybrain.kernel.instant import MINUTE, SECOND, Duration
from citybrain.kernel.ports import Transactions
from citybrain.kernel.text import Text

_SPAN = Duration(15 * MINUTE)


@dataclass(frozen=True, slots=True)
class Allowed:
    """Within a quarter of an hour, from one address: reports, and keys that did not fit."""

    reports: int = 30
    keys: int = 20


class Tries:
    """Counts tries before they are judged, so that many at once are counted too."""

    def __init__(self, transactions: Transactions[Connection], clock: Clock) -> None:
        self._transactions = transactions
        self._clock = clock

    def count(self, what: str, address: str, most: int) -> str:
        """Record a try and return its id; raises BusyError with the seconds to wait."""
        now, who = self._clock.wall(), f"{what}:{address}"
        with self._transactions.begin() as tx:
            tx.connection.execute(delete(REPORT_TRY).where(REPORT_TRY.c.wall <= now - _SPAN))
            tally = select(func.count(), func.min(REPORT_TRY.c.wall)).where(REPORT_TRY.c.who == who)
            number, first = tx.connection.execute(tally).one()
            if number >= most:
                wait = max(1, (first + _SPAN - now) // SECOND)
                words = Text(f"操作过于频繁，请 {wait} 秒后再试。", f"Too many tries. Try again in {wait} seconds.")
                raise BusyError(words, retry_after=wait)
            made = new_id()
            tx.connection.execute(insert(REPORT_TRY).values(id=made, who=who, wall=now))
        return made

    def forget(self, made: str) -> None:
        """A try that succeeded does not count."""
        with self._transactions.begin() as tx:
            tx.connection.execute(delete(REPORT_TRY).where(REPORT_TRY.c.id == made))
