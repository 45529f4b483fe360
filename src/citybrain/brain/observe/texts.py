"""Columns of texts as sequences: compared as bytes lie in memory, or said once a run; turned into words only where somebody reads them."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import chain, repeat
from typing import TypeAlias, overload

import pyarrow as pa

Column: TypeAlias = "pa.ChunkedArray[pa.Scalar[pa.DataType]]"


class Texts(Sequence[str]):
    """The texts of an Arrow column without nulls (n,)."""

    def __init__(self, column: Column) -> None:
        self._column = column

    def __len__(self) -> int:
        return len(self._column)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...
    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        return self._words[index] if isinstance(index, slice) else str(self._column[index].as_py())

    def __iter__(self) -> Iterator[str]:
        return iter(self._words)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Texts):
            return self._column.equals(other._column)
        return isinstance(other, Sequence) and self._words == list(other)

    def __hash__(self) -> int:
        return hash((len(self), *self[:1], *self[-1:]))

    @cached_property
    def _words(self) -> list[str]:
        return [str(word) for word in self._column.to_numpy()]


class Runs(Sequence[str]):
    """Texts that stand so many times one after another (n,): the streams of data arrays."""

    def __init__(self, words: Sequence[str], counts: Sequence[int]) -> None:
        self.words = words
        self.counts = counts

    def __len__(self) -> int:
        return sum(self.counts)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...
    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        return self._all[index]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    @cached_property
    def _all(self) -> list[str]:
        return list(chain.from_iterable(map(repeat, self.words, self.counts)))


def different(texts: Sequence[str]) -> Sequence[str]:
    """At least the different ones of some texts."""
    return texts.words if isinstance(texts, Runs) else texts
