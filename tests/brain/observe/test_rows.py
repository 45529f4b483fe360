"""Reading what a door was sent."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.brain.observe import read_rows
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
        ('{"stream":"a","time":"2026-11-22T07:00:00Z","value":"3"}', "bad_value"),
        ('{"stream":"a","time":"2026-11-22T07:00:00Z","value":true}', "bad_value"),
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
