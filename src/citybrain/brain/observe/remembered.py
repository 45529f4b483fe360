"""What is remembered of words, and which of them are being said: none is deleted of which a reading is on its way."""

import threading
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final, TypeAlias

_REMEMBERED: Final = 8_000_000
"""Characters of words that are remembered."""
Entry: TypeAlias = tuple[int, str]
"""A stream's number and a word of it, as JSON."""
Place: TypeAlias = tuple[int, int]
"""A stream's number and a code of it."""


class Remembered:
    """Codes by word and words by code; both are replaced, never emptied: others may be looking into the old ones.

    ``age`` is another object after each forgetting, and None while there is one: what was read from the store in an earlier age is
    not remembered, for it may be gone.
    """

    def __init__(self) -> None:
        self.codes: dict[Entry, int] = {}
        self.words: dict[Place, str] = {}
        self.age: object | None = object()
        self._size = 0
        self._lock = threading.Lock()
        self._saying: Counter[Entry] = Counter()
        self._heard: set[Entry] = set()
        self._listening = False

    def remember(self, found: Mapping[Entry, int], age: object | None) -> None:
        """Remember codes that were read, or entered, in an age."""
        with self._lock:
            if age is None or age is not self.age:
                return
            fresh = {entry: code for entry, code in found.items() if entry not in self.codes}
            if self._size > _REMEMBERED:
                self._empty()
            self.codes |= fresh
            self.words |= {(stream, code): word for (stream, word), code in fresh.items()}
            self._size += sum(len(word) for _, word in fresh)

    def clear(self) -> None:
        """Remember nothing of what was read so far."""
        with self._lock:
            self._empty()
            self.age = object()

    @contextmanager
    def saying(self, entries: Collection[Entry]) -> Iterator[None]:
        """Within it, and while somebody listens, these words are said."""
        if not entries:
            yield
            return
        with self._lock:
            self._saying.update(entries)
        try:
            yield
        finally:
            with self._lock:
                self._saying.subtract(entries)
                for entry in entries:
                    if not self._saying[entry]:
                        del self._saying[entry]
                if self._listening:
                    self._heard.update(entries)

    def listen(self) -> None:
        """From now on, until ``deafen``, keep in mind what is said."""
        with self._lock:
            self._heard, self._listening = set(), True

    def deafen(self) -> None:
        """Listen no longer."""
        with self._lock:
            self._heard, self._listening = set(), False

    @contextmanager
    def forgetting(self, entries: Iterable[Entry]) -> Iterator[frozenset[Entry]]:
        """Within it those of the words that nobody says may be deleted; nothing is remembered until then."""
        with self._lock:
            going = frozenset(entry for entry in entries if entry not in self._saying and entry not in self._heard)
            self._empty()
            self.age = None
        try:
            yield going
        finally:
            with self._lock:
                self.age = object()

    def _empty(self) -> None:
        self.codes, self.words, self._size = {}, {}, 0
