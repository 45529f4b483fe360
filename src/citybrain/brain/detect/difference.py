"""The difference between two tellings of the same days: which alerts would appear, vanish, or move in time. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal, TypeAlias

import msgspec

from citybrain.kernel.instant import Instant, local_date

Change: TypeAlias = Literal["appears", "vanishes", "moves"]


class Retold(msgspec.Struct, frozen=True):
    """An alert that a rule would have told of an entity: since when its reason held, when it was told, and when it was gone."""

    rule: str
    entity: str
    began: Instant
    told: Instant
    cleared: Instant | None


class Shift(msgspec.Struct, frozen=True):
    """One alert that differs; ``before`` is missing for one that appears, ``after`` for one that vanishes."""

    change: Change
    before: Retold | None
    after: Retold | None

    @property
    def one(self) -> Retold:
        """The alert spoken of: as it would be, or as it was where it vanishes."""
        found = self.after or self.before
        if found is None:
            message = "A shift without an alert."
            raise ValueError(message)
        return found


class Tally(msgspec.Struct, frozen=True):
    """How many alerts there were and would be, of an entity, a day (YYYY-MM-DD) or a rule."""

    key: str
    before: int
    after: int


def shifts(before: Sequence[Retold], after: Sequence[Retold]) -> tuple[Shift, ...]:
    """What differs, in the order of time; alerts of a rule and entity that overlap in time are one that moved."""
    found: list[Shift] = []
    keys = dict.fromkeys((each.rule, each.entity) for each in (*before, *after))
    for key in keys:
        mine = [each for each in before if (each.rule, each.entity) == key]
        theirs = [each for each in after if (each.rule, each.entity) == key]
        found += _paired(mine, theirs)
    return tuple(sorted(found, key=lambda shift: (shift.one.began, shift.one.entity, shift.one.rule)))


def tallies(before: Iterable[str], after: Iterable[str]) -> tuple[Tally, ...]:
    """Counts by key, in the order of keys."""
    old, new = Counter(before), Counter(after)
    return tuple(Tally(key, old[key], new[key]) for key in sorted(old | new))


def day(alert: Retold) -> str:
    """The district's date on which an alert was told."""
    return local_date(alert.told).isoformat()


def _paired(before: Sequence[Retold], after: Sequence[Retold]) -> list[Shift]:
    left = list(before)
    found: list[Shift] = []
    for new in after:
        old = next((each for each in left if each.began == new.began), None) or next(
            (each for each in left if _meet(each, new)), None
        )
        if old is None:
            found.append(Shift("appears", None, new))
            continue
        left.remove(old)
        if old != new:
            found.append(Shift("moves", old, new))
    return found + [Shift("vanishes", each, None) for each in left]


def _meet(one: Retold, other: Retold) -> bool:
    return (one.cleared is None or other.began < one.cleared) and (other.cleared is None or one.began < other.cleared)
