"""An export of observations read back: the value that each row says, and no reading where there was none."""

import csv
import io
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.brain.exchange import export
from citybrain.brain.observe import FORMS, is_export, read_export
from citybrain.brain.observe.shelves import OBSERVATION
from citybrain.kernel.errors import UnreadableError
from citybrain.kernel.instant import SECOND, Instant, parse, rfc3339
from citybrain.kernel.text import Json

NOON = parse("2026-11-22T07:00:00Z")
_JSON = st.recursive(
    st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NASTY: tuple[Json, ...] = (
    "",
    "3",
    "true",
    "null",
    "=1+1",
    "'-2",
    '"',
    "a,b\r\nc",
    '{"a":1}',
    "雨",
    3,
    -2.5,
    True,
    {"a": [None, "x"]},
    [],
)


def rows(*words: Json, mark: str = "measured") -> list[dict[str, Json]]:
    """Rows of an export; the value is the code of the word."""
    return [
        {
            "stream": "box.log",
            "time": rfc3339(Instant(NOON + at * SECOND)),
            "value": 1.0 + at,
            "word": word,
            "unit": "1",
            "mark": mark,
        }
        for at, word in enumerate(words)
    ]


def exported(file: Path, listed: list[dict[str, Json]]) -> Path:
    """The file as an export writes it."""
    form = msgspec.convert(file.suffix[1:], export.Format)
    parts = export._WRITERS[form](iter([listed]), export.columns_of(OBSERVATION), OBSERVATION, None)
    file.write_bytes(b"".join(parts))
    return file


def said(file: Path, size: int = 4) -> list[Json]:
    found = list(read_export(file, size))
    assert all(not one.refused for one in found)
    return [one.said.get(row, value) for one in found for row, value in zip(one.row.tolist(), one.value.tolist(), strict=True)]


@pytest.mark.parametrize("form", ["csv", "json", "parquet"])
def test_every_word_comes_back_as_what_it_was(tmp_path: Path, form: str) -> None:
    back = said(exported(tmp_path / f"a.{form}", rows(*NASTY)))
    assert [(type(one), one) for one in back if not isinstance(one, float)] == [
        (type(one), one) for one in NASTY if isinstance(one, bool) or not isinstance(one, int | float)
    ]
    assert [one for one in back if isinstance(one, float)] == [3.0, -2.5]


@given(st.lists(_JSON, min_size=1, max_size=4))
def test_whatever_is_said_stands_in_a_table_as_json(words: list[Json]) -> None:
    body = b"".join(export._csv([rows(*words)], export.columns_of(OBSERVATION), OBSERVATION, None))
    read = FORMS["text/csv"](body)
    assert [read.said.get(at, value) for at, value in enumerate(read.value.tolist())] == words
    assert [msgspec.json.decode(row["word"]) for row in csv.DictReader(io.StringIO(body.decode("utf-8-sig")))] == words


@pytest.mark.parametrize("form", ["csv", "json", "parquet"])
def test_numbers_come_back_beside_words_and_what_is_no_reading_is_refused(tmp_path: Path, form: str) -> None:
    listed = [
        *rows("rain", None),
        *rows(None, mark="corrected"),
        *rows(None, mark="estimated"),
        *({**row, "value": None} for row in rows(None, mark="struck")),
    ]
    (found,) = read_export(exported(tmp_path / f"a.{form}", listed), 9)
    assert (found.said, found.value.tolist()[1:], found.row.tolist()) == ({0: "rain"}, [2.0, 1.0], [0, 1, 2])
    assert [(one.row, one.code) for one in found.refused] == [(3, "no_reading"), (4, "no_reading")]


@pytest.mark.parametrize("form", FORMS)
def test_the_doors_take_rows_as_they_were_read(form: str) -> None:
    listed = [*rows("rain", [1]), *rows("hail", mark="estimated")]
    plain = [{**row, "word": msgspec.json.encode(row["word"]).decode()} for row in listed]
    match form:
        case "application/json":
            body = msgspec.json.encode(listed)
        case "application/x-ndjson":
            body = b"\n".join(map(msgspec.json.encode, listed))
        case "text/csv":
            out = io.StringIO()
            writer = csv.DictWriter(out, list(plain[0]))
            writer.writeheader()
            writer.writerows(plain)
            body = out.getvalue().encode()
        case _:
            sink = io.BytesIO()
            table = pa.Table.from_pylist(plain)
            with pa.ipc.new_stream(sink, table.schema) as stream:
                stream.write_table(table)
            body = sink.getvalue()
    found = FORMS[form](body)
    assert (found.said, [(one.row, one.code) for one in found.refused]) == ({0: "rain", 1: [1]}, [(2, "no_reading")])


def test_rows_count_through_the_pieces_of_a_file(tmp_path: Path) -> None:
    for form in ("csv", "json", "parquet"):
        pieces = list(read_export(exported(tmp_path / f"a.{form}", rows(*map(str, range(5)))), 2))
        assert [one.row.tolist() for one in pieces] == [[0, 1], [2, 3], [4]]


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("a.json", b'{"dataset":"observation","items":[\n{"stream":"a"},\n'),
        ("a.json", b'{"dataset":"case","items":[\n]}'),
        ("a.json", b""),
        ("a.json", b'{"dataset":"observation","items":[\n{"stream":"\xff"},\n'),
        ("a.parquet", b"PAR1"),
        ("a.csv", b"id\n1\n"),
    ],
)
def test_a_file_that_is_no_export_or_was_cut_off_is_told(tmp_path: Path, name: str, body: bytes) -> None:
    (tmp_path / name).write_bytes(body)
    with pytest.raises(UnreadableError):
        list(read_export(tmp_path / name, 9))


def test_parquet_without_the_columns_of_a_reading_is_told(tmp_path: Path) -> None:
    pq.write_table(pa.table({"stream": ["a"], "time": ["x"]}), tmp_path / "a.parquet")
    with pytest.raises(UnreadableError):
        list(read_export(tmp_path / "a.parquet", 9))


def test_an_export_is_told_from_other_json(tmp_path: Path) -> None:
    file = exported(tmp_path / "a.json", rows("rain"))
    assert is_export(file)
    for body in ('{"units": []}', "", "[]", '{"dataset":"observation"}'):
        file.write_text(body, "utf-8")
        assert not is_export(file)
