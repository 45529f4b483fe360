"""Rows and verdicts on their way between processes: the doors of one read them, the intake of another makes them durable."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

import msgspec
import pyarrow as pa

from citybrain.brain.observe.inlet import Inlet
from citybrain.brain.observe.intake import Verdict
from citybrain.brain.observe.rows import Rows
from citybrain.kernel.observations import Floats, Ints, Numbers, Refusal
from citybrain.kernel.text import Text

_EACH = 200
"""Bytes that one row may take: so many rows fit into a piece at first. Where that was too little, the piece is halved."""
_NUMBERED = 9
"""Bytes that a row takes in the answer, which has the same room: its place in the sending, for a reason is said once."""
Refused: TypeAlias = tuple[tuple[str, Text, tuple[int, ...]], ...]
"""Refusals on their way: each code and its words once, with the rows."""


class Piece(NamedTuple):
    """A piece of a sending: its bytes, and how many rows it is of."""

    body: bytes
    rows: int


class Sent(msgspec.Struct, frozen=True, array_like=True):
    """A piece of a sending: rows with stream ids, or columns with stream numbers, as an Arrow IPC stream.

    ``key`` stays the same when the piece is sent again.
    """

    door: str
    key: str
    columns: bytes
    refused: Refused = ()


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """A verdict on its way back."""

    stored: int
    duplicate: int
    refused: Refused


def pieces(rows: Rows, door: str, key: str, largest: int) -> Iterator[Piece]:
    """A sending in pieces of at most so many bytes; each has its own key; rows that could not be read go along."""
    table = pa.table(
        {
            "stream": pa.array(rows.streams, pa.string()),
            "time": rows.time,
            "value": rows.value,
            "row": rows.row,
            "unit": pa.array(rows.units or [None] * len(rows.time), pa.string()),
        }
    )
    if rows.said:
        said = [json.dumps(rows.said[row]) if row in rows.said else None for row in rows.row.tolist()]
        table = table.append_column("said", pa.array(said, pa.string()))
    return _pieces(table, door, key, rows.refused, largest)


def column_pieces(stream_no: Numbers, time: Ints, value: Floats, door: str, key: str, largest: int) -> Iterator[Piece]:
    """The same for columns (n,) with stream numbers."""
    return _pieces(pa.table({"stream_no": stream_no, "time": time, "value": value}), door, key, (), largest)


async def taken(taker: Inlet, piece: bytes) -> Answer:
    """Have a piece taken; the same piece again gives the first verdict."""
    sent = msgspec.msgpack.decode(piece, type=Sent)
    table = pa.ipc.open_stream(sent.columns).read_all()
    if "stream_no" in table.column_names:
        time, value = table["time"].to_numpy(), table["value"].to_numpy()
        verdict = await taker.take_columns(table["stream_no"].to_numpy(), time, value, sent.door, sent.key)
    else:
        verdict = await taker.take(_rows(table, sent.refused), sent.door, sent.key)
    return Answer(verdict.stored, verdict.duplicate, _once(verdict.refused))


def rows_of(piece: bytes) -> tuple[Rows, str]:
    """The rows of a piece, and the door by which they came."""
    sent = msgspec.msgpack.decode(piece, type=Sent)
    return _rows(pa.ipc.open_stream(sent.columns).read_all(), sent.refused), sent.door


def joined(answers: Sequence[Answer]) -> Verdict:
    """The verdict on a sending from the answers to its pieces."""
    refused = _each(reason for one in answers for reason in one.refused)
    return Verdict(sum(one.stored for one in answers), sum(one.duplicate for one in answers), refused)


def _once(refused: Iterable[Refusal]) -> Refused:
    rows: dict[tuple[str, Text], list[int]] = {}
    for one in refused:
        rows.setdefault((one.code, one.why), []).append(one.row)
    return tuple((code, why, tuple(places)) for (code, why), places in rows.items())


def _each(refused: Iterable[tuple[str, Text, tuple[int, ...]]]) -> tuple[Refusal, ...]:
    found = (Refusal(row, code, why) for code, why, rows in refused for row in rows)
    return tuple(sorted(found, key=lambda one: one.row))


def _rows(table: pa.Table, refused: Refused) -> Rows:
    units = table["unit"].to_pylist() if table["unit"].null_count < len(table) else None
    streams, row = [str(name) for name in table["stream"].to_pylist()], table["row"].to_numpy()
    told = table["said"].to_pylist() if "said" in table.column_names else ()
    said = {place: json.loads(one) for place, one in zip(row.tolist(), told, strict=False) if one is not None}
    return Rows(streams, table["time"].to_numpy(), table["value"].to_numpy(), units, row, _each(refused), said)


def _pieces(table: pa.Table, door: str, key: str, refused: tuple[Refusal, ...], largest: int) -> Iterator[Piece]:
    at, bad, size = 0, 0, max(1, largest // _EACH)
    while True:
        part = table.slice(at, size)
        unread = refused[bad : bad + size - len(part)]
        last = at + len(part) >= len(table) and bad + len(unread) >= len(refused)
        name = key if last and not at and not bad else f"{key}#{at + bad}"
        body = msgspec.msgpack.encode(Sent(door, name, _bytes(part), _once(unread)))
        if len(body) + _NUMBERED * len(part) > largest and len(part) + len(unread) > 1:
            size = (len(part) + len(unread)) // 2
            continue
        yield Piece(body, len(part) + len(unread))
        at, bad = at + len(part), bad + len(unread)
        if last:
            return


def _bytes(table: pa.Table) -> bytes:
    # Encoded a piece at a time: a slice of a column that is encoded already has the words of all others too.
    words = [name for name in ("stream", "unit") if name in table.column_names]
    for name in words:
        table = table.set_column(table.column_names.index(name), name, table[name].combine_chunks().dictionary_encode())
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()
