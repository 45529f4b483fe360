"""The census of streams: how many live, and what ails the others."""

from collections.abc import Mapping

import numpy as np

from citybrain.brain.observe.latest import Latest
from citybrain.brain.observe.life import ORDER
from citybrain.brain.observe.registry import Registry
from citybrain.kernel.things import Life


class Census:
    """Counts of streams by life, from the latest values."""

    def __init__(self, registry: Registry, latest: Latest) -> None:
        self._registry = registry
        self._latest = latest

    def counts(self) -> Mapping[Life, int]:
        """Streams of the whole district by life; lives that none has are left out."""
        return self._count([stream.no for stream in self._registry.present()])

    def of_kind(self, kind: str) -> Mapping[Life, int]:
        """Streams of one kind of thing by life."""
        return self._count([stream.no for stream in self._registry.present() if stream.kind == kind])

    def by_kind(self) -> Mapping[str, Mapping[Life, int]]:
        """Streams by kind of thing and life, for the kinds that have any."""
        return {kind: self.of_kind(kind) for kind in sorted({stream.kind for stream in self._registry.present()})}

    def _count(self, numbers: list[int]) -> Mapping[Life, int]:
        codes = self._latest.codes(np.array(numbers, np.int32))
        counts = np.bincount(codes, minlength=len(ORDER)).tolist()
        return {life: count for life, count in zip(ORDER, counts, strict=True) if count}
