"""What derived streams rest on: a value computed from one that stands still, or that its neighbours contradict, is no sounder than that."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from citybrain.brain.observe.life import CODE
from citybrain.kernel.observations import Numbers
from citybrain.kernel.pack import Pack
from citybrain.kernel.things import Life, Stream

_HANDED_ON: Final = (CODE[Life.STUCK], CODE[Life.CONTRADICTED])
"""Lives whose values are there, look sound and are not; what is late, absent or out of range is not computed with at all."""


class Grounds:
    """Derived streams with their inputs, as pairs (m, 2) of stream numbers; read again when the register changed."""

    def __init__(self, packs: Sequence[Pack]) -> None:
        self._inputs: Mapping[tuple[str, str], tuple[str, ...]] = {
            (each.kind, each.field): each.inputs for pack in packs for each in pack.derived
        }
        self._pairs = np.zeros((0, 2), np.int32)

    def read(self, streams: Sequence[Stream]) -> None:
        """Take the streams as they are now."""
        if not self._inputs:
            return
        numbers = {(one.entity, one.field): one.no for one in streams if one.ended is None}
        found = [
            (one.no, numbers[one.entity, name])
            for one in streams
            if one.ended is None
            for name in self._inputs.get((one.kind, one.field), ())
            if (one.entity, name) in numbers
        ]
        self._pairs = np.array(found, np.int32).reshape(-1, 2)

    def lives(self, numbers: Numbers, own: NDArray[np.uint8], of: Callable[[Numbers], NDArray[np.uint8]]) -> NDArray[np.uint8]:
        """Lives of streams (n,), given what they are by themselves; ``of`` says that of others."""
        pairs = self._pairs
        if not len(pairs):
            return own
        pairs = pairs[np.isin(pairs[:, 0], numbers)]
        inputs = of(pairs[:, 1])
        bad = np.isin(inputs, _HANDED_ON)
        if not bad.any():
            return own
        gravest = np.full(int(max(numbers.max(), pairs.max())) + 1, CODE[Life.LIVE])
        np.minimum.at(gravest, pairs[bad, 0], inputs[bad])
        found: NDArray[np.uint8] = np.minimum(own, gravest[numbers])
        return found

    def inputs(self, no: int) -> Numbers:
        """The streams that one is computed from; none for one that is measured."""
        found: Numbers = self._pairs[self._pairs[:, 0] == no, 1]
        return found
