"""Reading what a door was sent."""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.brain.observe import permitted, read_rows, whole
from citybrain.kernel.errors import UnreadableError
from citybrain.kernel.instant import Instant, parse, rfc3339


def test_both_shapes_of_a_body_give_the_same_rows() -> None:
    row = b'{"stream":"a.b","time":"2026-11-22T15:00:00+08:00","value":35,"unit":"ug/m3"}'
    for body in (b"[" + row + b"]", b'{"observations":[' + row + b"]}"):
        rows = read_rows(body)
        assert (rows.streams, rows.time.tolist(), rows.value.tolist(), rows.units) == (
            ["a.b"],
            [parse("2026-11-22T07:00:00Z")],
            [35.0],
            ["ug/m3"],
        )
        assert rows.refused == ()


@given(st.lists(st.integers(0, 4_000_000_000_000_000), max_size=30))
def test_times_are_read_to_the_microsecond(times: list[int]) -> None:
    body = msgspec.json.encode([{"stream": "s", "time": rfc3339(Instant(time)), "value": 1.0} for time in times])
    assert read_rows(body).time.tolist() == times


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ('{"stream":"a","time":"2026-11-22T07:00:00Z","value":NaN}', "not_a_number"),
        ('{"stream":"a","time":"2026-11-22T07:00:00Z","value":-Infinity}', "not_a_number"),
        ('{"stream":"a","time":"2026-11-22T07:00:00Z","value":1e999}', "not_a_number"),
        ('{"stream":"a","time":"2026-11-22T07:00:00Z","value":null}', "bad_value"),
        ('{"stream":"a","time":"2026-11-22T07:00:00","value":3}', "bad_time"),
        ('{"stream":"a","time":"yesterday","value":3}', "bad_time"),
        ('{"stream":"a","value":3}', "bad_time"),
        ('{"stream":"a","time":"2026-11-22T07:00:00Z","value":3,"unit":5}', "wrong_unit"),
        ('{"time":"2026-11-22T07:00:00Z","value":3}', "bad_row"),
        ('{"stream":7,"time":"2026-11-22T07:00:00Z","value":3}', "bad_row"),
        ("17", "bad_row"),
    ],
)
def test_a_row_of_a_wrong_shape_is_refused_alone(row: str, code: str) -> None:
    good = '{"stream":"good","time":"2026-11-22T07:00:00Z","value":1}'
    rows = read_rows(f"[{good},{row},{good}]".encode())
    assert [(refusal.row, refusal.code) for refusal in rows.refused] == [(1, code)]
    assert (rows.row.tolist(), list(rows.streams), rows.sent) == ([0, 2], ["good", "good"], 3)


_VALUES = st.sampled_from(["1", "2.5", "NaN", "null"])


@given(st.lists(st.lists(st.tuples(_VALUES, st.booleans()), min_size=1, max_size=4), max_size=6))
def test_a_piece_is_kept_whole_or_refused_whole(pieces: list[list[tuple[str, bool]]]) -> None:
    """Each row is a value and whether its stream is barred; those of a good piece alone are left."""
    sent = [(number, value, barred) for number, piece in enumerate(pieces) for value, barred in piece]
    body = ",".join(
        f'{{"stream":"{"barred" if barred else f"s{number}"}","time":"2026-11-22T07:00:00Z","value":{value}}}'
        for number, value, barred in sent
    )
    read = permitted(read_rows(f"[{body}]".encode()), lambda streams: frozenset({"barred"} & set(streams)))
    rows = whole(read, [number for number, _, _ in sent])
    good = {number for number, piece in enumerate(pieces) if all(value in ("1", "2.5") and not barred for value, barred in piece)}
    kept = [place for place, (number, _, _) in enumerate(sent) if number in good]
    assert rows.row.tolist() == kept
    assert list(rows.streams) == [f"s{sent[place][0]}" for place in kept]
    assert rows.value.tolist() == [float(sent[place][1]) for place in kept]
    assert sorted([*kept, *(each.row for each in rows.refused)]) == list(range(len(sent)))


def test_rows_are_refused_for_the_reason_of_the_first_bad_one_of_their_piece() -> None:
    body = ",".join(f'{{"stream":"s","time":"2026-11-22T07:00:00Z","value":{value}}}' for value in ("1", "null", "1", "NaN", "2"))
    rows = whole(read_rows(f"[{body}]".encode()), [0, 0, 1, 1, 2])
    assert sorted((each.row, each.code) for each in rows.refused) == [
        (0, "bad_value"),
        (1, "bad_value"),
        (2, "not_a_number"),
        (3, "not_a_number"),
    ]
    assert rows.row.tolist() == [4]


@pytest.mark.parametrize("body", [b"", b"{", b'{"rows":[]}', b'"x"', b"\xff\xfe", b"[" * 100_000])
def test_a_body_that_is_no_json_of_observations_is_unreadable(body: bytes) -> None:
    with pytest.raises(UnreadableError):
        read_rows(body)


@given(st.binary(max_size=60))
def test_any_bytes_are_rows_or_unreadable(body: bytes) -> None:
    try:
        rows = read_rows(body)
    except UnreadableError:
        return
    assert rows.sent == len(rows.time) + len(rows.refused)


def test_a_value_that_is_no_number_is_handed_on_for_the_intake_to_judge() -> None:
    values = ["1", '"3"', "true", '{"a":[1]}', '""']
    body = ",".join(f'{{"stream":"s","time":"2026-11-22T07:00:00Z","value":{value}}}' for value in values)
    rows = permitted(whole(read_rows(f"[{body}]".encode()), [0, 0, 1, 2, 3]), lambda _: frozenset({"barred"}))
    assert (rows.refused, rows.infinite, rows.said) == ((), (), {1: "3", 2: True, 3: {"a": [1]}, 4: ""})
    assert np.isnan(rows.value).tolist() == [False, True, True, True, True]
