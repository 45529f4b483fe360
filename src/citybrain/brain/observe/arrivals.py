"""What came to each door, counted when it comes and apart from what becomes of it: a row that went missing on its way shows as a difference."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from msgspec.structs import replace

from citybrain.kernel.errors import BusyError
from citybrain.kernel.observations import DoorAccount


class Arrival:
    """A sending on its way: whether the store has it, and whether the store knew it already."""

    __slots__ = ("handed", "known")

    def __init__(self) -> None:
        self.handed = self.known = False


class Arrivals:
    """Counts since the start, beside the ledger that the store keeps; on one event loop, read from any thread."""

    def __init__(self, doors: Callable[[], Sequence[DoorAccount]]) -> None:
        self._doors = doors
        self._began = {one.door: one.received for one in doors()}
        self._came: Counter[str] = Counter()
        self._flying: Counter[str] = Counter()
        self._waiting: Callable[[], Mapping[str, int]] = dict

    def waited_by(self, waiting: Callable[[], Mapping[str, int]]) -> None:
        """From now on what waits elsewhere to come here is received and pending: ``waiting`` says how many rows of which door."""
        self._waiting = waiting

    @contextmanager
    def arriving(self, door: str, rows: int) -> Iterator[Arrival]:
        """Count rows for the time of a sending; one that is turned away whole, or known already, came to nothing."""
        arrival, came = Arrival(), False
        self._came[door] += rows
        self._flying[door] += rows
        try:
            yield arrival
            came = not arrival.known
        except Exception:
            raise
        except BaseException:
            # Nobody waits for the answer any more: what the store has by now it keeps.
            came = arrival.handed
            raise
        finally:
            self._flying[door] -= rows
            self._came[door] -= 0 if came else rows

    def accounts(self) -> Sequence[DoorAccount]:
        """The ledger of each door: what was received as it was counted here, and what of it is on its way to the store.

        ``pending`` is None where it is not known how much waits elsewhere.
        """
        # Counted before the store is asked: what settles meanwhile was on its way then.
        came, flying = Counter(self._came), Counter(self._flying)
        known = {one.door: one for one in self._doors()}
        fresh = [DoorAccount(door, 0, 0, 0, {}, None) for door, rows in came.items() if rows > 0 and door not in known]
        counted = [self._held(one, came[one.door], flying[one.door]) for one in (*known.values(), *fresh)]
        try:
            return awaited(counted, self._waiting())
        except BusyError:
            return [replace(one, pending=None) for one in counted]

    def _held(self, one: DoorAccount, came: int, flying: int) -> DoorAccount:
        received = max(one.received, self._began.get(one.door, 0) + came)
        return replace(one, received=received, pending=min(received - one.received, flying))


def awaited(accounts: Sequence[DoorAccount], rows: Mapping[str, int]) -> list[DoorAccount]:
    """The ledgers with rows by door that are on their way from elsewhere: they were received, and are pending."""
    known = {one.door for one in accounts}
    fresh = [DoorAccount(door, 0, 0, 0, {}, None) for door, count in rows.items() if count > 0 and door not in known]
    return [_with(one, rows.get(one.door, 0)) for one in (*accounts, *fresh)]


def settled(accounts: Sequence[DoorAccount]) -> list[DoorAccount]:
    """The ledgers without what was pending."""
    return [replace(one, received=one.received - (one.pending or 0), pending=0) for one in accounts]


def _with(one: DoorAccount, rows: int) -> DoorAccount:
    return one if one.pending is None else replace(one, received=one.received + rows, pending=one.pending + rows)
