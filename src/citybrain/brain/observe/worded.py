"""Results that are no numbers: whole counts, true or false, texts and any JSON, each kept in the store of readings as a number.

A count is itself, false and true are 0 and 1. Texts and JSON are words: a reading holds the code of its word, its place in the list
of its stream, and the list stands in a table. A word is entered before the reading that says it is stored, and stays while there is
one that does (see unsaid). Its code is never another's: what is remembered of a code is true for ever, and what is remembered of a word
until words are deleted.
"""

import hashlib
import json
import math
import sys
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Final, TypeGuard, TypeVar

import msgspec
from sqlalchemy import Connection, Row, Table, and_, delete, func, insert, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.elements import ColumnElement

from citybrain.brain.observe.marks import Mark
from citybrain.brain.observe.remembered import Entry, Place, Remembered
from citybrain.brain.observe.store import SPENT, WORD
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
"""Words of a stream at a time."""
MARK: Final = "observe.words"
"""The cursor that moves when words are deleted, so that other processes remember them no longer."""
FULL: Final = (
    "too_many_words",
    Text(
        f"该数据流已有 {MOST} 种取值，不再接收新的；取值如此之多，宜改为测量数值。",
        f"The stream has {MOST} words: no other is taken. What has so many results is better measured.",
    ),
)
LONG: Final = "long_word", Text(f"值超过 {LONGEST} 字节。", f"The value takes more than {LONGEST} bytes.")
WHY: Final = Text(
    "值不是该数据流的结果：不是数，或与数据流声明的结果类型不符。",
    "The value is none of the results of its stream: no number, or not what the stream says that its results are.",
)
_UNFIT: Final[Mapping[Sort, Text]] = {
    "number": Text("值不是数。", "The value is no number."),
    "count": Text("该数据流为计数，值不是整数。", "The stream counts, and the value is no whole number."),
    "truth": Text("该数据流只收 true 和 false。", "The stream takes true and false, and the value is neither."),
    "category": Text("该数据流只收文字。", "The stream takes texts, and the value is none."),
    "any": Text(
        "值为 null、嵌套过深，或含有不能原样保存的数。",
        "The value is null, nested too deeply, or holds a number that cannot be kept as it is.",
    ),
}
_EXACT: Final = 2**53
"""Whole numbers up to here are told apart in a double."""
_GREATEST: Final = sys.float_info.max
_DEEPEST: Final = 32
_NAMED: Final = 400
"""Words that a statement names at once."""
_TRIES: Final = 5
T = TypeVar("T", int, str)


class UnfitError(ValueError):
    """Why a value is none of its stream: the code and the words of its refusal."""

    def __init__(self, code: str, why: Text) -> None:
        super().__init__(why.en)
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
        self._memory = Remembered()
        self._mark = Mark(transactions, MARK)

    def being_said(self, entries: Collection[Entry]) -> AbstractContextManager[None]:
        """Whoever is to store readings that say words asks for their codes within it, and leaves it when the readings are stored."""
        return self._memory.saying(entries)

    def recalled(self, entries: Iterable[Entry]) -> dict[Entry, int] | None:
        """The codes of words, where all of them are remembered; None otherwise. Does not block."""
        codes = self._memory.codes
        found = {entry: codes.get(entry) for entry in entries}
        known = {entry: code for entry, code in found.items() if code is not None}
        return known if len(known) == len(found) else None

    def codes(self, entries: Iterable[Entry]) -> dict[Entry, int]:
        """The codes of words, durable when it returns: those that are new are entered. A word of a full stream has none."""
        wanted = dict.fromkeys(entries)
        for _ in range(_TRIES):
            # Held while it looks, too: what it finds is not being deleted.
            with self._lock:
                found = self._found(wanted)
                missing = [entry for entry in wanted if entry not in found]
                if not missing:
                    return found
                age = self._memory.age
                try:
                    with self._transactions.begin() as tx:
                        found |= self._entered(tx.connection, missing)
                except IntegrityError:
                    # Another process entered one of them meanwhile: it is found there.
                    continue
                self._memory.remember(found, age)
                return found
        what = Text("取值正在别处登记，请重试。", "Words are being entered elsewhere at this moment. Try again.")
        raise BusyError(what, retry_after=1)

    def code(self, stream: int, word: str) -> int | None:
        """The code of a word of a stream; None for one that it never said."""
        return self._found([(stream, word)]).get((stream, word))

    def full(self, stream: int) -> bool:
        """Whether a stream takes no other word."""
        with self._transactions.read() as connection:
            return _room(connection, stream, _last(connection, WORD, stream)) <= 0

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
        wanted, kept, age = dict.fromkeys(places), self._memory.words, self._memory.age
        texts = {place: kept[place] for place in wanted if place in kept}
        missing = [place for place in wanted if place not in texts]
        if missing:
            read = self._read(missing, lambda stream, codes: and_(WORD.c.stream == stream, WORD.c.code.in_(codes)))
            texts |= {(stream, code): word for (stream, word), code in read.items()}
            self._memory.remember(read, age)
        return {place: msgspec.json.decode(text) for place, text in texts.items()}

    def results(self, readings: Sequence[tuple[Stream, float | None]]) -> list[Json]:
        """What readings (n,) say, each in its own type; null for one that says nothing."""
        places = [(stream.no, int(value)) for stream, value in readings if stream.sort in WORDED and _stands(value)]
        words = self.words(places) if places else {}
        return [_result(stream, value, words) for stream, value in readings]

    def result(self, stream: Stream, value: float | None) -> Json:
        """What one reading says."""
        return self.results([(stream, value)])[0]

    def coded(self, streams: Sequence[int]) -> dict[int, set[int]]:
        """The codes of all words of streams (n,), by the number of each that has some."""
        found: dict[int, set[int]] = {}
        with self._transactions.read() as connection:
            for begin in range(0, len(streams), _NAMED):
                wanted = select(WORD.c.stream, WORD.c.code).where(WORD.c.stream.in_(streams[begin : begin + _NAMED]))
                for stream, code in connection.execute(wanted):
                    found.setdefault(stream, set()).add(code)
        return found

    def listen(self) -> None:
        """From now on keep in mind which words are said, for a look at which are not."""
        self._memory.listen()

    def deafen(self) -> None:
        """Keep it in mind no longer."""
        self._memory.deafen()

    def delete(self, places: Sequence[Place], record: Callable[[Connection, "Sequence[Row[tuple[object, ...]]]"], None]) -> int:
        """Delete the words of codes, less those that somebody says since ``listen``; returns how many went. Blocks.

        ``record`` is handed what goes (stream, code, word; in order of stream and code) within the commit. No code is given again.
        """
        with self._lock:
            with self._transactions.read() as connection:
                rows = [row for begin in range(0, len(places), _NAMED) for row in _rows(connection, places[begin : begin + _NAMED])]
            with self._memory.forgetting((row.stream, row.word) for row in rows) as going:
                gone = sorted((row for row in rows if (row.stream, row.word) in going), key=lambda row: (row.stream, row.code))
                if gone:
                    with self._transactions.begin() as tx:
                        self._delete(tx.connection, gone)
                        record(tx.connection, gone)
        return len(gone)

    def _delete(self, connection: Connection, gone: "Sequence[Row[tuple[object, ...]]]") -> None:
        for stream, last in {row.stream: row.code for row in gone}.items():
            codes = [row.code for row in gone if row.stream == stream]
            for begin in range(0, len(codes), _NAMED):
                named = WORD.c.code.in_(codes[begin : begin + _NAMED])
                connection.execute(delete(WORD).where(WORD.c.stream == stream, named))
            spent = max(last, _last(connection, SPENT, stream))
            connection.execute(delete(SPENT).where(SPENT.c.stream == stream))
            connection.execute(insert(SPENT).values(stream=stream, code=spent))
        self._mark.move(connection)

    def renew(self) -> None:
        """Remember nothing that another process has deleted meanwhile. Blocks."""
        if self._mark.moved():
            self._mark.note()
            self._memory.clear()

    def _found(self, entries: Iterable[Entry]) -> dict[Entry, int]:
        wanted, codes, age = dict.fromkeys(entries), self._memory.codes, self._memory.age
        found = {entry: codes[entry] for entry in wanted if entry in codes}
        missing = [entry for entry in wanted if entry not in found]
        if missing:
            read = self._read([(stream, _digest(word)) for stream, word in missing], _of_digests)
            self._memory.remember(read, age)
            found |= {entry: read[entry] for entry in missing if entry in read}
        return found

    def _read(self, wanted: Sequence[tuple[int, T]], asked: Callable[[int, Sequence[T]], ColumnElement[bool]]) -> dict[Entry, int]:
        with self._transactions.read() as connection:
            return _listed(connection, wanted, asked)

    def _entered(self, connection: Connection, missing: Sequence[Entry]) -> dict[Entry, int]:
        """Enter what is not there, as far as the lists have room."""
        found = _listed(connection, [(stream, _digest(word)) for stream, word in missing], _of_digests)
        last: dict[int, int] = {}
        free: dict[int, int] = {}
        for stream in {stream for stream, _ in missing}:
            held = _last(connection, WORD, stream)
            last[stream] = max(held, _last(connection, SPENT, stream))
            free[stream] = _room(connection, stream, held)
        fresh: list[dict[str, int | str]] = []
        for stream, word in missing:
            if (stream, word) in found or free[stream] <= 0:
                continue
            last[stream] += 1
            free[stream] -= 1
            found[stream, word] = last[stream]
            fresh.append({"stream": stream, "code": last[stream], "digest": _digest(word), "word": word})
        if fresh:
            connection.execute(insert(WORD), fresh)
        return found


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


def _rows(connection: Connection, places: Sequence[Place]) -> "Iterator[Row[tuple[object, ...]]]":
    of: dict[int, list[int]] = {}
    for stream, code in places:
        of.setdefault(stream, []).append(code)
    asked = or_(*(and_(WORD.c.stream == stream, WORD.c.code.in_(codes)) for stream, codes in of.items()))
    yield from connection.execute(select(*WORD.c).where(asked))


def _last(connection: Connection, table: Table, stream: int) -> int:
    """The greatest code of a stream in a table; 0 for none."""
    asked = select(func.coalesce(func.max(table.c.code), 0)).where(table.c.stream == stream)
    return int(connection.execute(asked).scalar_one())


def _room(connection: Connection, stream: int, last: int) -> int:
    """How many words a stream still takes; ``last`` is its greatest code: they are counted where those may be too many."""
    if last < MOST:
        return MOST - last
    asked = select(func.count()).select_from(WORD).where(WORD.c.stream == stream)
    return MOST - int(connection.execute(asked).scalar_one())
