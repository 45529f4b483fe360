"""What came through each door, and which batches came within the last 24 hours."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec
import numpy as np

from citybrain.kernel.instant import Instant
from citybrain.kernel.observations import Batch, DoorAccount, Ints


class Door(msgspec.Struct, frozen=True):
    """A door by its number in the series store, with its account."""

    no: int
    account: DoorAccount


def opened(no: int, name: str) -> Door:
    """A door through which nothing came yet."""
    return Door(no, DoorAccount(name, 0, 0, 0, {}, None))


def next_no(doors: Iterable[Door]) -> int:
    """The number of a new door: no two doors ever share one, for rows bear it for good."""
    return max((door.no for door in doors), default=-1) + 1


def added(account: DoorAccount, stored: int, duplicate: int, refused: dict[str, int], last: Instant | None) -> DoorAccount:
    """The account after some more rows; received = stored + duplicate + refused."""
    sent = stored + duplicate + sum(refused.values())
    reasons = dict(Counter(account.refused) + Counter(refused)) if refused else account.refused
    latest = last if account.last is None or (last is not None and last > account.last) else account.last
    counts = account.received + sent, account.stored + stored, account.duplicate + duplicate
    return DoorAccount(account.door, *counts, reasons, latest, account.deleted)


def after_batch(account: DoorAccount, batch: Batch) -> DoorAccount:
    """The account of a door after a batch."""
    return added(account, len(batch.time), batch.duplicate, dict(batch.refused), batch.received)


def key(batch_id: str) -> int:
    """Eight bytes that stand for a batch id in memory; two ids may share them, so a hit is looked up."""
    return int.from_bytes(hashlib.blake2b(batch_id.encode(), digest_size=8).digest(), "big", signed=True)


class RecentKeys:
    """Keys of batches: a set while young, sorted arrays of eight bytes a key once there are many."""

    def __init__(self, keys: Ints, newest: int, young: int = 65_536) -> None:
        self._old: list[tuple[Ints, int]] = [(np.sort(keys), newest)] if len(keys) else []
        self._young: set[int] = set()
        self._newest = newest
        self._limit = young

    def add(self, keys: Iterable[int], received: int) -> None:
        """Remember keys of batches received at an instant."""
        self._young.update(keys)
        self._newest = max(self._newest, received)
        if len(self._young) >= self._limit:
            self._old.append((np.sort(np.fromiter(self._young, dtype=np.int64)), self._newest))
            self._young = set()

    def among(self, keys: Sequence[int]) -> frozenset[int]:
        """Those of some keys that are remembered."""
        found = {one for one in keys if one in self._young}
        asked = np.array(keys, dtype=np.int64)
        for known, _ in self._old:
            place = np.minimum(np.searchsorted(known, asked), len(known) - 1)
            found.update(asked[known[place] == asked].tolist())
        return frozenset(found)

    def forget(self, before: int) -> None:
        """Drop arrays whose newest batch came before an instant."""
        self._old = [(known, newest) for known, newest in self._old if newest >= before]
