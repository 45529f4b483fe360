"""Results that are no numbers: whole counts, true or false, texts and any JSON, each kept in the store of readings as a number.

A count is itself, false and true are 0 and 1. Texts and JSON are words: a reading holds the code of its word, its place in the list
of its stream, and the list stands in a table. A word is entered before the reading that says it is stored, and neither changed nor
taken out after that: so what is remembered of it here is true for ever, whichever process entered it.
"""

import hashlib
import json
import math
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, TypeAlias, TypeGuard, TypeVar

import msgspec
from sqlalchemy import Connection, and_, delete, func, insert, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.elements import ColumnElement

from citybrain.brain.observe.store import WORD
from citybrain.kernel.errors import BusyError
from citybrain.kernel.ports import Transactions
from citybrain.kernel.text import Json, Text
from citybrain.kernel.things import Contract, Sort, Stream

WORDED: Final[frozenset[Sort]] = frozenset({"category", "any"})
"""Sorts whose results stand in the store of readings as codes."""
UNMEASURED: Final[frozenset[Sort]] = frozenset({"truth", *WORDED})
"""Sorts whose numbers are no quantities: nothing is reckoned with them."""
LONGEST: Final = 8192
"""Bytes of a word, as JSON."""
MOST: Final = 100_000
"""Words of a stream."""
FULL: Final = ("too_many_words", f"The stream has {MOST} words: no other is taken. What has so many results is better measured.")
LONG: Final = ("long_word", f"The value takes more than {LONGEST} bytes.")
WHY: Final = "The value is none of the results of its stream: no number, or not what the stream says that its results are."
_UNFIT: Final[Mapping[Sort, str]] = {
    "number": "The value is no number.",
    "count": "The stream counts, and the value is no whole number.",
    "truth": "The stream takes true and false, and the value is neither.",
    "category": "The stream takes texts, and the value is none.",
    "any": "The value is null, nested too deeply, or holds a number that cannot be kept as it is.",
}
_EXACT: Final = 2**53
"""Whole numbers up to here are told apart in a double."""
_GREATEST: Final = sys.float_info.max
_DEEPEST: Final = 32
_NAMED: Final = 400
"""Words that a statement names at once."""
_TRIES: Final = 5
_REMEMBERED: Final = 8_000_000
"""Characters of words that are remembered."""
Entry: TypeAlias = tuple[int, str]
"""A stream's number and a word of it, as JSON."""
Place: TypeAlias = tuple[int, int]
"""A stream's number and a code of it."""
T = TypeVar("T", int, str)


class UnfitError(ValueError):
    """Why a value is none of its stream: the code and the words of its refusal."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(why)
        self.code = code
        self.why = why


def fitted(sort: Sort, value: Json) -> float | str:
    """The number that stands for a value of a sort, or its word as it is kept; raises UnfitError."""
    match sort:
        case "number" if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _GREATEST:
            return float(value)
        case "count" if (whole := _whole(value)) is not None:
            return float(whole)
        case "truth" if isinstance(value, bool):
            return float(value)
        case "category" if isinstance(value, str):
            return _word(sort, value)
        case "any" if value is not None:
            return _word(sort, value)
    raise UnfitError("bad_value", _UNFIT[sort])


def promising(sort: Sort, contract: Contract) -> Contract:
    """What a stream of a sort can promise of a contract: what is no quantity has no limits."""
    return msgspec.structs.replace(contract, low=None, high=None) if sort in UNMEASURED else contract


def _word(sort: Sort, value: Json) -> str:
    """JSON in one form alone, so that the same is written in the same way: keys in order, no spaces, 1.0 as 1."""
    try:
        text = json.dumps(_plain(value, _DEEPEST), ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
        size = len(text.encode())
    except (ValueError, RecursionError):
        raise UnfitError("bad_value", _UNFIT[sort]) from None
    if size > LONGEST:
        raise UnfitError(*LONG)
    return text


def _plain(value: Json, depth: int) -> Json:
    if depth < 0:
        raise ValueError("nested too deeply")
    match value:
        case dict():
            return {name: _plain(one, depth - 1) for name, one in value.items()}
        case list():
            return [_plain(one, depth - 1) for one in value]
        case bool() | str() | None:
            return value
    whole = _whole(value)
    if whole is None and (isinstance(value, int) or abs(value) >= _EXACT):
        raise ValueError("not exact")
    return value if whole is None else whole


def _whole(value: Json) -> int | None:
    """A whole number that a double holds exactly; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _EXACT:
        return None
    return int(value) if value == int(value) else None


class Worded:
    """The words of all streams; what looks into the store blocks: run it in a thread."""

    def __init__(self, transactions: Transactions[Connection]) -> None:
        self._transactions = transactions
        self._lock = threading.Lock()
        self._codes: dict[Entry, int] = {}
        self._words: dict[Place, str] = {}
        self._size = 0

    def recalled(self, entries: Iterable[Entry]) -> dict[Entry, int] | None:
        """The codes of words, where all of them are remembered; None otherwise. Does not block."""
        codes = self._codes
        found = {entry: codes.get(entry) for entry in entries}
        known = {entry: code for entry, code in found.items() if code is not None}
        return known if len(known) == len(found) else None

    def codes(self, entries: Iterable[Entry]) -> dict[Entry, int]:
        """The codes of words, durable when it returns: those that are new are entered. A word of a full stream has none."""
        wanted = dict.fromkeys(entries)
        for _ in range(_TRIES):
            found = self._found(wanted)
            missing = [entry for entry in wanted if entry not in found]
            if not missing:
                return found
            try:
                with self._lock, self._transactions.begin() as tx:
                    found |= self._entered(tx.connection, missing)
            except IntegrityError:
                # Another process entered one of them meanwhile: it is found there.
                continue
            self._remember(found)
            return found
        what = Text("取值正在别处登记，请重试。", "Words are being entered elsewhere at this moment. Try again.")
        raise BusyError(what, retry_after=1)

    def code(self, stream: int, word: str) -> int | None:
        """The code of a word of a stream; None for one that it never said."""
        return self._found([(stream, word)]).get((stream, word))

    def saying(self, word: str, most: int) -> dict[int, int] | None:
        """The codes of a word by stream, of all that ever said it; None where those are more than ``most``."""
        wanted = select(WORD.c.stream, WORD.c.code).where(WORD.c.digest == _digest(word)).limit(most + 1)
        with self._transactions.read() as connection:
            found = {row.stream: row.code for row in connection.execute(wanted)}
        return found if len(found) <= most else None

    def listed(self, streams: Sequence[int], most: int, size: int) -> list[tuple[int, int, Json]] | None:
        """All words of streams, each with its stream and its code; None where they are more than ``most``, or of more characters."""
        found: list[tuple[int, int, Json]] = []
        with self._transactions.read() as connection:
            for begin in range(0, len(streams), _NAMED):
                mine = WORD.c.stream.in_(streams[begin : begin + _NAMED])
                asked = select(func.count(), func.coalesce(func.sum(func.length(WORD.c.word)), 0)).where(mine)
                count, length = connection.execute(asked).one()
                most, size = most - count, size - length
                if most < 0 or size < 0:
                    return None
                rows = connection.execute(select(WORD.c.stream, WORD.c.code, WORD.c.word).where(mine))
                found += [(row.stream, row.code, msgspec.json.decode(row.word)) for row in rows]
        return found

    def words(self, places: Iterable[Place]) -> dict[Place, Json]:
        """The words of codes; a code that is none has none."""
        wanted, kept = dict.fromkeys(places), self._words
        texts = {place: kept[place] for place in wanted if place in kept}
        missing = [place for place in wanted if place not in texts]
        if missing:
            read = self._read(missing, lambda stream, codes: and_(WORD.c.stream == stream, WORD.c.code.in_(codes)))
            texts |= {(stream, code): word for (stream, word), code in read.items()}
            self._remember(read)
        return {place: msgspec.json.decode(text) for place, text in texts.items()}

    def results(self, readings: Sequence[tuple[Stream, float | None]]) -> list[Json]:
        """What readings (n,) say, each in its own type; null for one that says nothing."""
        places = [(stream.no, int(value)) for stream, value in readings if stream.sort in WORDED and _stands(value)]
        words = self.words(places) if places else {}
        return [_result(stream, value, words) for stream, value in readings]

    def result(self, stream: Stream, value: float | None) -> Json:
        """What one reading says."""
        return self.results([(stream, value)])[0]

    def forget(self, streams: Iterable[int]) -> int:
        """Forget the words of streams that have ended and of which no reading is left; returns how many.

        Their numbers are never given again. While a stream lives its list stays: a reading that is on its way may say any word of it.
        """
        with self._lock, self._transactions.begin() as tx:
            gone = [tx.connection.execute(delete(WORD).where(WORD.c.stream == stream)).rowcount for stream in streams]
            self._codes, self._words, self._size = {}, {}, 0
        return sum(gone)

    def _found(self, entries: Iterable[Entry]) -> dict[Entry, int]:
        wanted, codes = dict.fromkeys(entries), self._codes
        found = {entry: codes[entry] for entry in wanted if entry in codes}
        missing = [entry for entry in wanted if entry not in found]
        if missing:
            read = self._read([(stream, _digest(word)) for stream, word in missing], _of_digests)
            self._remember(read)
            found |= {entry: read[entry] for entry in missing if entry in read}
        return found

    def _read(self, wanted: Sequence[tuple[int, T]], asked: Callable[[int, Sequence[T]], ColumnElement[bool]]) -> dict[Entry, int]:
        with self._transactions.read() as connection:
            return _listed(connection, wanted, asked)

    def _entered(self, connection: Connection, missing: Sequence[Entry]) -> dict[Entry, int]:
        """Enter what is not there, as far as the lists have room."""
        found = _listed(connection, [(stream, _digest(word)) for stream, word in missing], _of_digests)
        last: dict[int, int] = {}
        for stream in {stream for stream, _ in missing}:
            asked = select(func.coalesce(func.max(WORD.c.code), 0)).where(WORD.c.stream == stream)
            last[stream] = int(connection.execute(asked).scalar_one())
        fresh: list[dict[str, int | str]] = []
        for stream, word in missing:
            if (stream, word) in found or last[stream] >= MOST:
                continue
            last[stream] += 1
            found[stream, word] = last[stream]
            fresh.append({"stream": stream, "code": last[stream], "digest": _digest(word), "word": word})
        if fresh:
            connection.execute(insert(WORD), fresh)
        return found

    def _remember(self, found: Mapping[Entry, int]) -> None:
        fresh = {entry: code for entry, code in found.items() if entry not in self._codes}
        if self._size > _REMEMBERED:
            # Replaced, not emptied: others may be looking into the old ones.
            self._codes, self._words, self._size = {}, {}, 0
        self._codes |= fresh
        self._words |= {(stream, code): word for (stream, word), code in fresh.items()}
        self._size += sum(len(word) for _, word in fresh)


def _result(stream: Stream, value: float | None, words: Mapping[Place, Json]) -> Json:
    if value is None or not _stands(value):
        return None
    match stream.sort:
        case "number":
            return value
        case "count":
            return int(value)
        case "truth":
            return bool(value)
    return words.get((stream.no, int(value)))


def _stands(value: float | None) -> TypeGuard[float]:
    """Whether there is a reading: what is struck out is infinite."""
    return value is not None and math.isfinite(value)


def _digest(word: str) -> str:
    return hashlib.sha256(word.encode()).hexdigest()


def _of_digests(stream: int, digests: Sequence[str]) -> ColumnElement[bool]:
    return and_(WORD.c.digest.in_(digests), WORD.c.stream == stream)


def _listed(
    connection: Connection, wanted: Sequence[tuple[int, T]], asked: Callable[[int, Sequence[T]], ColumnElement[bool]]
) -> dict[Entry, int]:
    """The codes of words that are asked for by stream."""
    found: dict[Entry, int] = {}
    for begin in range(0, len(wanted), _NAMED):
        of: dict[int, list[T]] = {}
        for stream, one in wanted[begin : begin + _NAMED]:
            of.setdefault(stream, []).append(one)
        rows = select(WORD.c.stream, WORD.c.word, WORD.c.code).where(or_(*(asked(stream, each) for stream, each in of.items())))
        found |= {(row.stream, row.word): row.code for row in connection.execute(rows)}
    return found
