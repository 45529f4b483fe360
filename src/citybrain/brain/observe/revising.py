"""What a correction does to readings: one sum for all of a span, worked out in full before anything is written. Pure.

A reading that a person sets where none stood is a correction of nothing: infinite before, as what is struck out is afterwards.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa

from citybrain.brain.observe import derive
from citybrain.brain.observe.checking import AHEAD
from citybrain.brain.observe.striking import NOTHING, STRUCK
from citybrain.kernel.errors import BadInputError, ConflictError
from citybrain.kernel.instant import Instant, rfc3339
from citybrain.kernel.observations import Floats, Ints
from citybrain.kernel.text import Text
from citybrain.kernel.things import Contract

MOST: Final = 100_000
"""Readings that one correction may change."""
CORRECTION: Final = "correction"
"""The door of a value that a person set: whoever reads it knows that it was not measured."""
RESTORED: Final = "restored"
"""The door of a measured value that stands again after its correction was taken back."""
UNSAID: Final = 0.0
"""In the place of the code of a word that its stream has never said: no code is 0."""


class Change(msgspec.Struct, frozen=True):
    """Readings of [since, until) become ``factor`` × reading + ``offset``, in the stream's unit; a factor of 0 sets one reading.

    With ``strikes`` they are struck out: there was nothing to measure, or nobody knows what. Of a reading that is set to a word ``word``
    is that one as it is kept (JSON), and ``offset`` its code: ``UNSAID`` as long as it has none.
    """

    since: Instant
    until: Instant
    factor: float = 1.0
    offset: float = 0.0
    strikes: bool = False
    word: str | msgspec.UnsetType = msgspec.UNSET

    @property
    def door(self) -> str:
        """The door by which what it makes of readings goes in."""
        return STRUCK if self.strikes else CORRECTION

    @property
    def sets(self) -> bool:
        """Whether it sets one reading to a value."""
        return self.factor == 0


def strike(at: Instant) -> Change:
    """The change that strikes out the reading of an instant."""
    return Change(at, Instant(at + 1), strikes=True)


def setting(at: Instant, value: float) -> Change:
    """The change that sets the reading of an instant."""
    return Change(at, Instant(at + 1), 0.0, value)


class Changed(msgspec.Struct, frozen=True):
    """One reading: its time, what stands there, and what is to stand there: infinite (in JSON null) where it is struck out."""

    time: Instant
    before: float
    after: float


class Preview(msgspec.Struct, frozen=True):
    """What a change would do, in the stream's unit; nothing is written.

    ``rows`` are changed, ``unchanged`` stay as they are; of the changed, ``corrected`` were corrected before and ``outside`` would
    leave the range of the contract. ``before`` and ``after`` are the least and the greatest; what is struck out is infinite, in JSON
    null. ``seen`` names what was looked at.
    """

    change: Change
    rows: int
    unchanged: int
    corrected: int
    outside: int
    first: Changed
    last: Changed
    before: tuple[float, float]
    after: tuple[float, float]
    seen: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The readings that a change alters, by time: shapes (n,), n > 0; ``door`` and ``received`` are those of what stands."""

    change: Change
    time: Ints
    before: Floats
    after: Floats
    door: list[str]
    received: Ints
    unchanged: int

    @property
    def adds(self) -> bool:
        """Whether it sets a reading where none stands."""
        return bool(self.before[0] == NOTHING)

    def seen(self) -> str:
        """Sixteen digits that stand for the readings and what is to become of them: a word is the same before and after it has a code."""
        word = self.change.word
        after = self.after.astype("<f8").tobytes() if word is msgspec.UNSET else word.encode()
        parts = (self.time.astype("<i8").tobytes(), self.before.astype("<f8").tobytes(), after)
        return hashlib.blake2b(b"".join(parts), digest_size=8).hexdigest()

    def preview(self, contract: Contract) -> Preview:
        """The plan as it is shown."""
        low = -np.inf if contract.low is None else contract.low
        high = np.inf if contract.high is None else contract.high
        return Preview(
            self.change,
            len(self.time),
            self.unchanged,
            self.door.count(CORRECTION),
            0 if self.change.strikes else int(((self.after < low) | (self.after > high)).sum()),
            self._changed(0),
            self._changed(-1),
            (float(self.before.min()), float(self.before.max())),
            (float(self.after.min()), float(self.after.max())),
            self.seen(),
        )

    def _changed(self, place: int) -> Changed:
        return Changed(Instant(int(self.time[place])), float(self.before[place]), float(self.after[place]))


def check(change: Change, now: Instant) -> None:
    """Raise BadInputError, with the field, for a change that is none or speaks of what is to come, past what is taken in."""
    one = change.until - change.since == 1
    wrong = (
        ("since", change.since >= change.until, Text("起点须早于终点。", "The span must begin before it ends.")),
        (
            "until",
            not one and change.until > now + AHEAD,
            Text("终点不得晚于现在：还没有到的读数不能更正。", "The span must end by now: what has not come cannot be corrected."),
        ),
        (
            "factor",
            change.sets and not one,
            Text("不能把一段时间的读数都改成同一个数。", "Many readings cannot be set to one value."),
        ),
        ("factor", not np.isfinite(change.factor), Text("倍数须为有限的数。", "The factor must be a finite number.")),
        ("offset", not np.isfinite(change.offset), Text("数值须为有限的数。", "The number must be finite.")),
        (
            "factor",
            change.strikes and (change.factor, change.offset) != (1, 0),
            Text("作废的读数没有别的数值。", "What is struck out has no other value."),
        ),
        (
            "factor",
            change.factor == 1 and change.offset == 0 and not change.strikes,
            Text("倍数为 1、加数为 0，什么也不会改变。", "A factor of 1 and an offset of 0 change nothing."),
        ),
    )
    for field, is_wrong, what in wrong:
        if is_wrong:
            raise BadInputError(what, field=field)


def check_count(count: int) -> None:
    """Raise BadInputError for more readings than are corrected at once."""
    if count > MOST:
        what = Text(
            f"这段时间有 {count} 个读数，一次至多更正 {MOST} 个，请分段。",
            f"There are {count} readings in this span; at most {MOST} are corrected at once. Take a shorter one.",
        )
        raise BadInputError(what, field="until")


def plan(change: Change, rows: pa.Table) -> Plan:
    """Work a change out over readings (ROWS of one stream). Raises BadInputError where it changes none, or makes no number of one."""
    time, before = rows["time"].to_numpy(), rows["value"].to_numpy()
    doors = [str(door) for door in rows["door"].to_pylist()]
    if not len(time):
        raise BadInputError(Text("这段时间没有读数。", "There is no reading in this span."), field="since")
    if derive.DOOR in doors:
        what = Text(
            "这一项由其他读数算出，请更正它所依据的读数。",
            "These values are computed from other readings: correct those instead.",
        )
        raise BadInputError(what, field="since")
    with np.errstate(over="ignore", invalid="ignore"):
        after = np.full(len(time), NOTHING) if change.strikes else _rounded(change.factor * before + change.offset)
    if not (change.strikes or np.isfinite(after).all()):
        raise BadInputError(Text("更正后的数值须为有限的数。", "What comes out must be finite numbers."), field="factor")
    differs = np.flatnonzero(after != before)
    if not len(differs):
        raise BadInputError(Text("更正后与现值相同。", "Nothing would be changed: these values stand already."), field="offset")
    unlike = [doors[place] for place in differs.tolist()]
    received = rows["received"].to_numpy()[differs]
    return Plan(change, time[differs], before[differs], after[differs], unlike, received, len(time) - len(differs))


def addition(change: Change, rows: pa.Table, now: Instant) -> Plan:
    """Work out a reading that is set at ``now`` where none is; raises ConflictError for one that stands (ROWS)."""
    if rows.num_rows:
        at = rfc3339(change.since)
        what = Text(
            f"{at} 已有读数，观测值不能移到那里；请更正那一条，或先将它删除。",
            f"There is a reading at {at}, so no Observation is moved there. Correct that one instead, or delete it first.",
        )
        raise ConflictError(what, time=at)
    time, before, after = np.array([change.since], np.int64), np.array([NOTHING]), _rounded(np.array([change.offset]))
    return Plan(change, time, before, after, [CORRECTION], np.array([now], np.int64), 0)


def _rounded(values: Floats) -> Floats:
    """To 15 digits, so that 0.1 × 7 is 0.7 as people reckon."""
    return np.array([float(f"{value:.15g}") for value in values.tolist()], np.float64)
