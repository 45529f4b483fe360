"""Retention: from which instant on the observations of a kind are kept. What is not named is kept for ever."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from citybrain.brain.observe.life import NEVER
from citybrain.brain.observe.made import MADE
from citybrain.brain.observe.registry import Registry
from citybrain.kernel.clock import Clock
from citybrain.kernel.errors import BadInputError
from citybrain.kernel.instant import DAY, Instant, local_date, midnight
from citybrain.kernel.observations import Ints, Numbers
from citybrain.kernel.pack import Pack
from citybrain.kernel.text import Text


class Span(NamedTuple):
    """What of a kind is past its days: the observations of its streams (n,), ended ones too, before an instant."""

    kind: str
    days: int
    before: Instant
    streams: Numbers


class Horizon:
    """The days of each kind held against the wall clock: today is kept, and so many whole days of the district before it."""

    def __init__(self, days: Mapping[str, int], registry: Registry, clock: Clock) -> None:
        self._days = dict(days)
        self._registry = registry
        self._clock = clock
        self._made: tuple[int, Instant] | None = None
        self._since = np.full(1, NEVER, np.int64)

    def spans(self) -> tuple[Span, ...]:
        """What is past its days now, by kind; kinds without streams are left out."""
        found = []
        for kind, days in sorted(self._days.items()):
            streams = np.array([one.no for one in self._registry.streams() if one.kind == kind], np.int32)
            if len(streams):
                found.append(Span(kind, days, Instant(self._today() - days * DAY), streams))
        return tuple(found)

    def expired(self, stream_no: Numbers, time: Ints) -> NDArray[np.bool_]:
        """Which observations (n,) are of days that are past; none of an unknown stream (number 0).

        Numbers beyond the register's are of streams about to be made over a door.
        """
        if not self._days:
            return np.zeros(len(time), np.bool_)
        sinces = self._sinces()
        past: NDArray[np.bool_] = time < sinces[np.minimum(stream_no, len(sinces) - 1)]
        return past

    def _sinces(self) -> Ints:
        """The instant from which each stream is kept, by number, and one to be made; made anew when the register or the day has changed."""
        state = self._registry.version, self._today()
        if self._made != state:
            since = np.full(len(self._registry.streams()) + 2, NEVER, np.int64)
            for span in self.spans():
                since[span.streams] = span.before
            if MADE in self._days:
                since[-1] = self._today() - self._days[MADE] * DAY
            self._since, self._made = since, state
        return self._since

    def _today(self) -> Instant:
        return midnight(local_date(self._clock.wall()))


def check_days(days: Mapping[str, int], packs: Sequence[Pack]) -> None:
    """Raise BadInputError for a kind that no pack declares, or of which nothing is observed."""
    kinds = {kind.name: any(field.measured for field in kind.fields) for pack in packs for kind in pack.kinds} | {MADE: True}
    observed = ", ".join(sorted(name for name, measured in kinds.items() if measured))
    for kind in days:
        if not kinds.get(kind, False):
            why_zh, why_en = (
                ("没有观测值", "has no observations") if kind in kinds else ("没有应用包声明", "is declared by no pack")
            )
            what = Text(
                f"设置 retention 中的类别“{kind}”{why_zh}。可用：{observed}。请改正名称，或删去这一项。",
                f"The setting retention names the kind '{kind}', which {why_en}. Those that can be named: {observed}. "
                "Mend the name or take it out.",
            )
            raise BadInputError(what, kind=kind)
