"""Rows on their way to another process: what arrives is what was sent, in pieces that fit, each taken once."""

from collections.abc import Sequence

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from citybrain.brain.observe import Registry, Rows, Verdict, column_pieces, joined, pieces, taken
from citybrain.brain.observe.rows import SHAPELESS
from citybrain.kernel.observations import DoorAccount, Floats, Ints, Numbers, Refusal
from citybrain.kernel.text import Text, same
from tests.brain.observe.conftest import World


class Noted:
    """An intake that notes what it was handed."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, int, float, str | None, int]] = []
        self.unread: list[Refusal] = []
        self.keys: list[str | None] = []

    async def take(self, rows: Rows, door: str, key: str | None) -> Verdict:
        assert door == "api"
        units = rows.units or [None] * len(rows.time)
        self.rows += zip(rows.streams, rows.time.tolist(), rows.value.tolist(), units, rows.row.tolist(), strict=True)
        self.unread += rows.refused
        self.keys.append(key)
        return Verdict(len(rows.time), 0, rows.refused)

    def accounts(self) -> Sequence[DoorAccount]:
        raise NotImplementedError

    def silent(self) -> None:
        raise NotImplementedError

    def refused(self, rows: Rows, registry: Registry) -> tuple[Refusal, ...]:
        raise NotImplementedError

    async def take_columns(self, stream_no: Numbers, time: Ints, value: Floats, door: str, key: str | None) -> Verdict:
        names = [str(no) for no in stream_no.tolist()]
        return await self.take(Rows(names, time, value, None, np.arange(len(time))), door, key)


_ROW = st.tuples(
    st.sampled_from(["a", "b.c", "站点-1.流量"]),
    st.integers(-(2**60), 2**60),
    st.floats(),
    st.sampled_from([None, "m", "ug/m3"]),
)


@given(st.lists(_ROW, max_size=60), st.integers(900, 3000), st.integers(0, 2))
@settings(max_examples=60, deadline=None)
async def test_every_row_arrives_once_with_its_place_and_its_unit(
    sent: list[tuple[str, int, float, str | None]], largest: int, unread: int
) -> None:
    streams, times, values, units = zip(*sent, strict=True) if sent else ((), (), (), ())
    refused = tuple(Refusal(len(sent) + number, *SHAPELESS) for number in range(unread))
    columns = np.array(times, np.int64), np.array(values, np.float64)
    rows = Rows(list(streams), *columns, list(units) if any(units) else None, np.arange(len(sent)), refused)
    noted = Noted()
    found = joined([await taken(noted, piece.body) for piece in pieces(rows, "api", "k", largest)])
    wanted = [(*row[:2], row[2], row[3], number) for number, row in enumerate(sent)]
    assert repr(noted.rows) == repr(wanted)
    assert (found.stored, found.refused) == (len(sent), refused)
    assert len(set(noted.keys)) == len(noted.keys)


async def test_a_sending_of_columns_arrives_as_columns() -> None:
    noted = Noted()
    no, time, value = np.arange(1, 2001, dtype=np.int32), np.arange(2000), np.linspace(0, 1, 2000)
    sent = list(column_pieces(no, time, value, "api", "k", 10_000))
    assert len(sent) > 1
    assert all(len(piece.body) <= 10_000 for piece in sent)
    for piece in sent:
        await taken(noted, piece.body)
    assert [row[0] for row in noted.rows] == [str(one) for one in no]


async def test_however_many_rows_are_of_other_streams_or_unread_each_piece_and_its_answer_fit() -> None:
    largest, count = 20_000, 3_000
    columns = np.arange(count), np.arange(count, dtype=np.float64)
    long = (f"观测对象“station-{number:06}”不存在。" * 5 for number in range(count))
    refused = tuple(Refusal(count + number, "bad_feature", Text(why, why)) for number, why in enumerate(long))
    rows = Rows([f"station-{number:06}.level" for number in range(count)], *columns, None, np.arange(count), refused)
    noted = Noted()
    sent = list(pieces(rows, "api", "k", largest))
    for piece in sent:
        before = len(noted.rows)
        answer = await taken(noted, piece.body)
        every = "unknown_stream", same("x" * 30), tuple(row[4] for row in noted.rows[before:])
        assert max(len(piece.body), len(msgspec.msgpack.encode(replace(answer, refused=(*answer.refused, every))))) <= largest
    assert sum(piece.rows for piece in sent) == 2 * count
    assert [row[4] for row in noted.rows] == list(range(count))
    assert tuple(noted.unread) == refused
    assert len(set(noted.keys)) == len(sent)


async def test_the_same_piece_again_gives_the_first_verdict(world: World) -> None:
    rows = Rows(["p1.level", "nobody.level"], np.full(2, world.clock.city()), np.array([1.0, 2.0]), None, np.arange(2))
    (piece,) = pieces(rows, "api", "k", 100_000)
    first, again = await taken(world.intake, piece.body), await taken(world.intake, piece.body)
    assert first == again
    assert (first.stored, [(one.row, one.code) for one in joined([first]).refused]) == (1, [(1, "unknown_stream")])
    (account,) = world.series.doors()
    assert (account.received, account.stored, account.duplicate) == (2, 1, 0)


@pytest.mark.parametrize("count", [0, 1])
async def test_a_sending_of_which_no_row_could_be_read_still_counts(world: World, count: int) -> None:
    refused = (Refusal(0, *SHAPELESS),)
    rows = Rows([], np.zeros(0, np.int64), np.zeros(0), None, np.zeros(0, np.int64), refused[:count])
    (piece,) = pieces(rows, "api", "k", 100_000)
    assert joined([await taken(world.intake, piece.body)]).refused == refused[:count]
