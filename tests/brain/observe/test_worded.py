"""Results that are no numbers: each is a number in the store, its word is durable before any reading that says it."""

import json
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import NoReturn

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from citybrain.brain.observe import UnfitError, Verdict, Worded, fitted, pieces, read_rows, remembered, taken, worded
from citybrain.brain.observe.observed import Observed
from citybrain.brain.observe.shelves import OBSERVATION
from citybrain.brain.observe.store import WORD
from citybrain.engines.transactions import SqlTransactions
from citybrain.kernel.access import Query
from citybrain.kernel.errors import StorageFullError
from citybrain.kernel.instant import MINUTE, Instant, parse, rfc3339
from citybrain.kernel.observations import SeriesQuery
from citybrain.kernel.predicate import Compare
from citybrain.kernel.text import Json, same
from citybrain.kernel.things import Contract, Sort, Stream
from tests.brain.observe.conftest import World

NOON = parse("2026-11-22T07:00:00Z")
_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def stream(world: World, sort: Sort, name: str = "state") -> Stream:
    """A stream of the first pump whose results are of a sort."""
    made = Stream(f"p1.{name}", len(world.registry.streams()) + 1, "p1", "pump", name, "1", Contract(), "test", "real", None, sort)
    world.registry.change((), (made,), ())
    return made


async def send(world: World, *values: Json, name: str = "p1.state", minute: int = -30) -> Verdict:
    """Values of a stream, a minute apart."""
    rows = [
        {"stream": name, "time": rfc3339(Instant(NOON + (minute + at) * MINUTE)), "value": value} for at, value in enumerate(values)
    ]
    return await world.intake.take(read_rows(msgspec.json.encode(rows)), "test", None)


def numbers(world: World, name: str = "p1.state") -> list[float]:
    """What stands in the store."""
    no = world.registry.stream(name).no
    found: list[float] = world.series.scan(SeriesQuery((no,), Instant(0), Instant(NOON + 1)))["value"].to_numpy().tolist()
    return found


def words(world: World, name: str = "p1.state") -> list[Json]:
    """What is read of it, oldest first."""
    source = Observed(world.registry, world.series, world.latest, OBSERVATION)
    page = source(Query("observation", Compare("stream", "eq", name), limit=1000))
    return [row["word"] for row in reversed(page.rows)]


def kept(transactions: SqlTransactions) -> int:
    """How many words stand in the table."""
    with transactions.read() as connection:
        return int(connection.execute(select(func.count()).select_from(WORD)).scalar_one())


@pytest.mark.parametrize(
    ("sort", "good", "bad"),
    [
        ("truth", [True, False, True], [1, 0.0, "true", {}, []]),
        ("count", [3, 0, -7, 12.0], [1.5, True, "3", 1e17, 10**400, {}]),
        ("category", ["open", "", "门开", "a\0b"], [1, True, {}, ["open"], "\ud800", "x" * 8191]),
        (
            "any",
            ["open", True, 3, 3.5, {"b": [None, 1], "a": ""}, [[]]],
            [{"a": float("nan")}, 2**60, {"a": 2**64}, {"a": 10**400}, 10**400],
        ),
    ],
)
async def test_a_stream_takes_what_is_of_its_sort_and_refuses_each_other_value(
    world: World, sort: Sort, good: list[Json], bad: list[Json]
) -> None:
    stream(world, sort)
    verdict = await send_raw(world, [*good, *bad, None])
    assert (verdict.stored, [one.row for one in verdict.refused]) == (len(good), list(range(len(good), len(good) + len(bad) + 1)))
    assert {one.code for one in verdict.refused} <= {"bad_value", "long_word", "not_a_number"}
    if sort == "count":
        assert numbers(world) == good
    else:
        assert words(world) == good
        assert [type(one) for one in words(world)] == [type(one) for one in good]


async def send_raw(world: World, values: list[Json]) -> Verdict:
    """As ``send``, for what msgspec does not write."""
    rows = [
        {"stream": "p1.state", "time": rfc3339(Instant(NOON + (at - 30) * MINUTE)), "value": one} for at, one in enumerate(values)
    ]
    return await world.intake.take(read_rows(json.dumps(rows).encode()), "test", None)


@pytest.mark.parametrize("value", [10**400, -(10**400), float("nan"), float("inf"), "1", True, None, {}])
def test_what_is_no_number_is_none(value: Json) -> None:
    with pytest.raises(UnfitError):
        fitted("number", value)


async def test_a_number_is_still_no_text_and_a_bad_row_spoils_no_other(world: World) -> None:
    stream(world, "category")
    verdict = await send(world, *(1.0, "2", True, None, 3.0), name="p1.level")
    assert (verdict.stored, [(one.row, one.code) for one in verdict.refused]) == (2, [(row, "bad_value") for row in (1, 2, 3)])
    assert numbers(world, "p1.level") == [1.0, 3.0]


async def test_a_word_has_one_code_in_its_stream_and_the_same_again_is_known(world: World) -> None:
    stream(world, "category")
    stream(world, "category", "mode")
    assert (await send(world, "open", "shut", "open", "open")).stored == 4
    assert (await send(world, "shut", name="p1.mode")).stored == 1
    assert (numbers(world), numbers(world, "p1.mode")) == ([1.0, 2.0, 1.0, 1.0], [1.0])
    again = await send(world, "open", "shut", "shut", "open")
    assert (again.stored, again.duplicate) == (1, 3)
    assert (words(world), kept(world.transactions)) == (["open", "shut", "shut", "open"], 3)


async def test_the_same_json_is_one_word_however_it_is_written(world: World) -> None:
    stream(world, "any")
    assert (await send(world, {"a": 1, "b": 2.0}, {"b": 2, "a": 1.0}, -0.0, 0)).stored == 4
    assert (numbers(world), words(world)[:1]) == ([1.0, 1.0, 2.0, 2.0], [{"a": 1, "b": 2}])


@given(_JSON)
def test_what_is_kept_of_json_says_the_same(value: Json) -> None:
    try:
        word = fitted("any", value)
    except UnfitError:
        assert value is None or _great(value)
        return
    assert isinstance(word, str)
    assert msgspec.json.decode(word) == value
    assert fitted("any", msgspec.json.decode(word)) == word


def _great(value: Json) -> bool:
    """Whether a number stands in it that is past what a double tells apart."""
    match value:
        case dict():
            return any(map(_great, value.values()))
        case list():
            return any(map(_great, value))
        case float() | int():
            return abs(value) >= 2**53
    return False


async def test_no_reading_is_stored_where_its_word_is_not(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    stream(world, "category")
    await send(world, "open")

    def full(*_: object) -> NoReturn:
        raise StorageFullError(same("full"))

    with monkeypatch.context() as patch:
        patch.setattr(SqlTransactions, "begin", full)
        with pytest.raises(StorageFullError):
            await send(world, "shut", minute=-20)
        assert (await send(world, "open", minute=-10)).stored == 1
    assert (words(world), kept(world.transactions)) == (["open", "open"], 1)


async def test_a_word_that_was_entered_for_a_reading_that_never_came_waits_for_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream(world, "category")

    async def cut(*_: object) -> NoReturn:
        raise StorageFullError(same("full"))

    with monkeypatch.context() as patch:
        patch.setattr(world.series, "append", cut)
        with pytest.raises(StorageFullError):
            await send(world, "open", "shut")
    assert (numbers(world), kept(world.transactions)) == ([], 2)
    world.registry.worded = Worded(world.transactions)
    assert (await send(world, "shut", "ajar")).stored == 2
    assert (numbers(world), words(world), kept(world.transactions)) == ([2.0, 3.0], ["shut", "ajar"], 3)


async def test_a_full_list_refuses_new_words_alone_and_of_one_instant_all_of_the_thing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worded, "MOST", 2)
    stream(world, "category")
    verdict = await send(world, "a", "b", "c", "a")
    assert (verdict.stored, [(one.row, one.code) for one in verdict.refused]) == (3, [(2, "too_many_words")])
    at = rfc3339(NOON)
    beside = [("p1.state", "d"), ("p1.level", 1.0), ("p2.level", 2.0)]
    rows = [{"stream": name, "time": at, "value": value} for name, value in beside]
    verdict = await world.intake.take(read_rows(msgspec.json.encode(rows)), "test", None)
    assert (verdict.stored, [one.row for one in verdict.refused]) == (1, [0, 1])
    assert words(world) == ["a", "b", "a"]


def test_several_who_enter_words_at_once_give_each_one_code(world: World) -> None:
    stream(world, "category")
    there = [Worded(world.transactions) for _ in range(4)]
    found: list[Mapping[tuple[int, str], int]] = []

    def enter(own: Worded, listed: Iterable[str]) -> None:
        found.extend(own.codes([(7, word)]) for word in listed)

    threads = [
        threading.Thread(target=enter, args=(one, [f'"{n % 40}"' for n in range(at, at + 40)])) for at, one in enumerate(there)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    codes = {entry: code for each in found for entry, code in each.items()}
    assert all(codes[entry] == code for each in found for entry, code in each.items())
    assert sorted(codes.values()) == list(range(1, 41))
    assert Worded(world.transactions).words((7, code) for code in codes.values()) == {
        (7, code): msgspec.json.decode(word) for (_, word), code in codes.items()
    }


def test_where_another_process_was_first_its_code_is_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = Worded(world.transactions), Worded(world.transactions)
    real: Callable[..., dict[tuple[int, str], int]] = Worded._read
    late = iter([lambda: there.codes([(7, '"a"'), (7, '"b"')])])

    def read(self: Worded, *given: object) -> dict[tuple[int, str], int]:
        found = real(self, *given)
        if self is here:
            next(late, lambda: None)()
        return found

    monkeypatch.setattr(Worded, "_read", read)
    assert here.codes([(7, '"b"'), (7, '"c"')]) == {(7, '"b"'): 2, (7, '"c"'): 3}


def test_little_is_remembered_and_all_is_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "_REMEMBERED", 100)
    own = Worded(world.transactions)
    entries = [(7, f'"{number:04}"') for number in range(1000)]
    for begin in range(0, 1000, 10):
        own.codes(entries[begin : begin + 10])
    assert own.recalled(entries) is None
    assert own.codes(entries) == {entry: code for code, entry in enumerate(entries, 1)}
    assert len(own.words((7, code) for code in range(1002))) == 1000


async def test_words_go_to_another_process_whole(world: World) -> None:
    stream(world, "any")
    rows = read_rows(
        msgspec.json.encode(
            [
                {"stream": name, "time": rfc3339(Instant(NOON - at)), "value": value}
                for at, (name, value) in enumerate(
                    [("p1.state", {"a": "x" * 300}), ("p1.level", 2.5), ("p1.state", "y"), ("p1.state", 1)]
                )
            ]
        )
    )
    sent = list(pieces(rows, "test", "key", 900))
    assert len(sent) > 1
    for piece in sent:
        assert not (await taken(world.intake, piece.body)).refused
    assert (words(world), numbers(world, "p1.level")) == ([1, "y", {"a": "x" * 300}], [2.5])


async def test_codes_come_in_by_no_other_way(world: World) -> None:
    made = stream(world, "category")
    none = await world.intake.take_columns(np.array([made.no], np.int32), np.array([NOON]), np.array([1.0]), "test", None)
    assert [one.code for one in none.refused] == ["bad_value"]
    counting = stream(world, "count", "cars")
    some = np.array([counting.no] * 2, np.int32)
    verdict = await world.intake.take_columns(some, np.array([NOON, NOON - 1]), np.array([2.0, 2.5]), "test", None)
    assert (verdict.stored, [one.row for one in verdict.refused]) == (1, [1])


async def test_no_unit_turns_one_word_into_another(world: World) -> None:
    stream(world, "truth")
    row = {"stream": "p1.state", "time": rfc3339(NOON), "value": True, "unit": "%"}
    verdict = await world.intake.take(read_rows(msgspec.json.encode([row])), "test", None)
    assert [one.code for one in verdict.refused] == ["wrong_unit"]
