"""The forms in which observations may come: one meaning, whatever the form; one bad row spoils no other."""

import io

import msgspec
import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.brain.observe import FORMS, Rows, read_pieces
from citybrain.kernel.errors import UnreadableError
from citybrain.kernel.instant import Instant, moment, parse, rfc3339

JSON, NDJSON, CSV, ARROW = FORMS
GOOD = [("a.x", "2026-11-22T07:00:00Z", 1.5, None), ("b.y", "2026-11-22T15:00:00.25+08:00", -2.0, "ug/m3")]


def arrow(table: pa.Table) -> bytes:
    """A table as an IPC stream."""
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def written(form: str, rows: list[tuple[str, str, float, str | None]]) -> bytes:
    """Rows in a form."""
    plain = [
        {"stream": stream, "time": time, "value": value} | ({"unit": unit} if unit else {}) for stream, time, value, unit in rows
    ]
    if form == NDJSON:
        return b"\n".join(msgspec.json.encode(row) for row in plain) + b"\n"
    if form == CSV:
        lines = [f"{stream},{time},{value!r},{unit or ''}" for stream, time, value, unit in rows]
        return ("\ufeffstream,time,value,unit\r\n" + "\r\n".join(lines)).encode()
    if form == ARROW:
        columns = {
            "stream": pa.array([row[0] for row in rows], pa.string()).dictionary_encode(),
            "time": pa.array([parse(row[1]) for row in rows], pa.int64()).cast(pa.timestamp("us", tz="UTC")),
            "value": pa.array([row[2] for row in rows], pa.float64()),
            "unit": pa.array([row[3] for row in rows], pa.string()),
        }
        return arrow(pa.table(columns))
    return msgspec.json.encode({"observations": plain})


def told(rows: Rows) -> list[tuple[str, int, float, str | None]]:
    """Rows as tuples."""
    units = rows.units or [None] * len(rows.time)
    return list(zip(rows.streams, rows.time.tolist(), rows.value.tolist(), units, strict=True))


@pytest.mark.parametrize("form", FORMS)
def test_the_same_rows_mean_the_same_in_every_form(form: str) -> None:
    rows = FORMS[form](written(form, GOOD))
    assert told(rows) == [("a.x", parse(GOOD[0][1]), 1.5, None), ("b.y", parse(GOOD[1][1]), -2.0, "ug/m3")]
    assert (rows.row.tolist(), rows.refused) == ([0, 1], ())


@given(
    st.lists(
        st.tuples(
            st.text("abz.-_中", min_size=1, max_size=6),
            st.integers(0, 4_000_000_000_000_000).map(lambda micros: rfc3339(Instant(micros))),
            st.floats(-1e9, 1e9),
            st.none(),
        ),
        max_size=20,
    )
)
def test_any_rows_mean_the_same_in_every_form(rows: list[tuple[str, str, float, None]]) -> None:
    given_rows: list[tuple[str, str, float, str | None]] = list(rows)
    found = [told(FORMS[form](written(form, given_rows))) for form in FORMS]
    assert found == [found[0]] * len(found)


@pytest.mark.parametrize(
    ("form", "body", "codes"),
    [
        (NDJSON, b'{"stream":"a","time":"2026-11-22T07:00:00Z","value":1}\n\n{"stream":\n17\n', [(1, "bad_row"), (2, "bad_row")]),
        (NDJSON, b'{"stream":"a","time":"2026-11-22T07:00:00Z","value":NaN}', [(0, "not_a_number")]),
        (
            CSV,
            b"stream,time,value\na,2026-11-22T07:00:00Z,\na,then,1\n,2026-11-22T07:00:00Z\n",
            [(0, "bad_value"), (1, "bad_time"), (2, "bad_value")],
        ),
        (CSV, b"value,stream,time\ninf,a,2026-11-22T07:00:00Z\n", [(0, "not_a_number")]),
    ],
)
def test_a_row_that_cannot_be_read_is_refused_alone(form: str, body: bytes, codes: list[tuple[int, str]]) -> None:
    rows = FORMS[form](body)
    assert [(refusal.row, refusal.code) for refusal in rows.refused] == codes


def test_what_is_missing_in_arrow_is_refused_row_by_row_and_the_others_stay_in_their_place() -> None:
    table = pa.table(
        {
            "stream": pa.array(["a", None, "c", "d"]),
            "time": pa.array([1, 2, 3, None], pa.timestamp("s", tz="Asia/Shanghai")),
            "value": pa.array([1, 2, 3, 4], pa.int32()),
        }
    )
    rows = FORMS[ARROW](arrow(table))
    assert told(rows) == [("a", 1_000_000, 1.0, None), ("c", 3_000_000, 3.0, None)]
    assert rows.row.tolist() == [0, 2]
    assert [(refusal.row, refusal.code) for refusal in rows.refused] == [(1, "bad_row"), (3, "bad_row")]


def test_times_as_text_in_arrow_are_read_as_in_json() -> None:
    table = pa.table({"stream": ["a", "a"], "time": ["2026-11-22T07:00:00Z", "yesterday"], "value": [1.0, 2.0]})
    rows = FORMS[ARROW](arrow(table))
    assert told(rows) == [("a", parse("2026-11-22T07:00:00Z"), 1.0, None)]
    assert [(refusal.row, refusal.code) for refusal in rows.refused] == [(1, "bad_time")]


@pytest.mark.parametrize(
    "table",
    [
        pa.table({"stream": ["a"], "value": [1.0]}),
        pa.table({"stream": ["a"], "time": pa.array([1], pa.timestamp("s")), "value": [1.0]}),
        pa.table({"stream": ["a"], "time": pa.array([1], pa.int64()), "value": [1.0]}),
    ],
    ids=["no time", "a time without zone", "a bare number"],
)
def test_an_arrow_stream_without_the_columns_is_unreadable(table: pa.Table) -> None:
    with pytest.raises(UnreadableError):
        FORMS[ARROW](arrow(table))


@pytest.mark.parametrize("form", [CSV, ARROW])
@given(body=st.binary(max_size=60))
def test_any_bytes_are_rows_or_unreadable(form: str, body: bytes) -> None:
    try:
        rows = FORMS[form](body)
    except UnreadableError:
        return
    assert rows.sent == len(rows.time) + len(rows.refused)


def test_a_broken_arrow_stream_is_unreadable_wherever_it_breaks() -> None:
    whole = written(ARROW, GOOD)
    for cut in np.linspace(1, len(whole) - 20, 40).astype(int).tolist():
        try:
            rows = FORMS[ARROW](whole[:cut])
        except UnreadableError:
            continue
        assert rows.sent in (0, 2), cut


def test_a_line_of_a_table_with_more_cells_than_the_header_is_refused_rather_than_cut() -> None:
    rows = FORMS[CSV](b"stream,time,value\na.x,2026-11-22T07:00:00Z,1,5\na.x,2026-11-22T07:01:00Z,2\na.x,2026-11-22T07:02:00Z\n")
    assert [(one.row, one.code) for one in rows.refused] == [(0, "bad_row"), (2, "bad_value")]
    assert list(rows.value) == [2.0]


def test_a_number_with_an_underscore_is_no_number_in_a_table() -> None:
    rows = FORMS[CSV](b"stream,time,value\na.x,2026-11-22T07:00:00Z,1_5\na.x,2026-11-22T07:01:00Z,15\n")
    assert (rows.value.tolist()[1:], dict(rows.said)) == ([15.0], {0: "1_5"})


def test_a_long_table_is_read_in_pieces_whose_rows_count_through() -> None:
    lines = [
        "stream,time,value\n",
        *(f"a.x,2026-11-22T07:0{minute}:00Z,{said}\n" for minute, said in enumerate(("1", "open", "", "shut"))),
    ]
    pieces = list(read_pieces(lines, 3))
    assert [piece.row.tolist() for piece in pieces] == [[0, 1], [3]]
    assert [dict(piece.said) for piece in pieces] == [{1: "open"}, {3: "shut"}]
    assert [one.row for piece in pieces for one in piece.refused] == [2]


def test_a_table_with_two_columns_of_one_name_is_unreadable_rather_than_read_from_one_of_them() -> None:
    with pytest.raises(UnreadableError, match="value more than once"):
        FORMS[CSV](b"stream,time,value,value\na.x,2026-11-22T07:00:00Z,1,2\n")


_US = pa.timestamp("us", tz="UTC")
_STREAM, _AT, _VALUE = pa.array(["a.x"]), pa.array([parse("2026-11-22T07:00:00Z")], pa.int64()).cast(_US), pa.array([1.5])
_TEXT = pa.array(["2026-11-22T15:00:00+08:00"])


@pytest.mark.parametrize(
    "columns",
    [
        {"stream": _STREAM.cast(pa.string_view()), "time": _AT, "value": _VALUE},
        {"stream": _STREAM.cast(pa.large_string()), "time": _AT.cast(pa.timestamp("s", tz="Asia/Shanghai")), "value": _VALUE},
        {
            "stream": _STREAM.cast(pa.string_view()).cast(pa.string()).dictionary_encode(),
            "time": _AT.dictionary_encode(),
            "value": _VALUE,
        },
        {"stream": _STREAM, "time": _TEXT.cast(pa.large_string()), "value": _VALUE},
        {"stream": _STREAM, "time": _TEXT.cast(pa.string_view()), "value": _VALUE},
        {"stream": _STREAM, "time": _TEXT.dictionary_encode(), "value": _VALUE},
        {"stream": _STREAM, "time": _AT, "value": _VALUE.cast(pa.decimal128(9, 1))},
        {"stream": _STREAM, "time": _AT, "value": _VALUE.cast(pa.float16()), "unit": pa.nulls(1)},
    ],
)
def test_arrow_means_the_same_however_its_columns_are_laid_out(columns: dict[str, "pa.Array[pa.Scalar[pa.DataType]]"]) -> None:
    rows = FORMS[ARROW](arrow(pa.table(columns)))
    assert told(rows) == [("a.x", parse("2026-11-22T07:00:00Z"), 1.5, None)]
    assert rows.refused == ()


def test_what_polars_writes_is_read() -> None:
    frame = pl.DataFrame({"stream": ["a.x"], "time": [moment(parse("2026-11-22T07:00:00Z"))], "value": [1.5]})
    for written_so in (frame, frame.with_columns(pl.col("stream").cast(pl.Categorical))):
        written_so.write_ipc_stream(body := io.BytesIO())
        assert told(FORMS[ARROW](body.getvalue())) == [("a.x", parse("2026-11-22T07:00:00Z"), 1.5, None)]


def test_seconds_beyond_all_times_do_not_come_out_as_a_day_of_this_year() -> None:
    # 2**64 µs are as many seconds more: counted in µs they would turn round and be this instant.
    turned = parse("2026-11-22T07:00:00Z") // 1_000_000 + 2**64 // 1_000_000
    times = pa.array([turned, -turned], pa.int64()).cast(pa.timestamp("s", tz="UTC"))
    late, early = FORMS[ARROW](arrow(pa.table({"stream": ["a.x", "a.x"], "time": times, "value": [1.0, 2.0]}))).time.tolist()
    assert late > parse("9999-12-31T00:00:00Z")
    assert early < parse("0001-01-02T00:00:00Z")


def test_what_is_finer_than_a_microsecond_is_the_nearest_one_in_every_form() -> None:
    text = "2026-11-22T07:00:00.1234567Z"
    fine = pa.array([parse("2026-11-22T07:00:00Z") * 1000 + 123_456_700], pa.int64()).cast(pa.timestamp("ns", tz="UTC"))
    exact = FORMS[ARROW](arrow(pa.table({"stream": ["a.x"], "time": fine, "value": [1.0]}))).time.tolist()
    assert exact == [parse("2026-11-22T07:00:00.123457Z")]
    assert exact == FORMS[JSON](msgspec.json.encode([{"stream": "a.x", "time": text, "value": 1}])).time.tolist()


def test_a_long_table_is_read_in_pieces_that_count_through() -> None:
    lines = ["stream,time,value", *(f"a.x,2026-11-22T07:0{minute}:00Z,{minute or ''}" for minute in range(5))]
    found = list(read_pieces(iter(lines), 2))
    assert [rows.row.tolist() for rows in found] == [[1], [2, 3], [4]]
    assert [(one.row, one.code) for rows in found for one in rows.refused] == [(0, "bad_value")]
    assert [value for rows in found for value in rows.value.tolist()] == [1.0, 2.0, 3.0, 4.0]
