"""Exports: every row, every character, every mark; and no formula that a spreadsheet would run."""

import codecs
import csv
import io
import json
from datetime import UTC, date, datetime

import msgspec
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.brain.exchange import CatalogueBook
from citybrain.brain.exchange.export import Format, columns_of, file_name, neutral, stream
from citybrain.kernel.access import Query
from citybrain.kernel.datasets import Column
from citybrain.kernel.errors import ForbiddenError, NotFoundError, UnsupportedError
from citybrain.kernel.predicate import Compare
from citybrain.kernel.text import Json, same
from citybrain.kernel.things import Origin
from tests.brain.exchange.conftest import RowReader, dataset, row

RARE = "䶮·𠅤 “引号”"


def written(rows: list[dict[str, Json]], form: Format, origin: Origin = "demo", query: Query | None = None) -> bytes:
    return b"".join(stream(RowReader(rows), query or Query("air_station"), dataset(origin=origin), form))


def table(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_a_csv_begins_with_a_byte_order_mark_and_holds_every_page() -> None:
    content = written([row(str(number)) for number in range(7)], "csv")
    assert content.startswith(codecs.BOM_UTF8)
    assert content.count(codecs.BOM_UTF8) == 1
    assert [one["id"] for one in table(content)] == [str(number) for number in range(7)]
    assert list(table(content)[0]) == ["id", "name", "value", "count", "live", "time", "title", "demo", "origin"]


@pytest.mark.parametrize("form", ["csv", "json", "parquet"])
def test_rare_characters_and_quotes_survive(form: Format) -> None:
    content = written([row("1", name=RARE)], form)
    if form == "parquet":
        names = pq.read_table(io.BytesIO(content)).column("name").to_pylist()
    else:
        names = [one["name"] for one in (table(content) if form == "csv" else json.loads(content)["items"])]
    assert names == [RARE]


def test_every_row_says_whether_it_is_a_demonstration() -> None:
    rows = [row("1"), row("2", origin="real"), row("3", origin="generated")]
    assert [(one["demo"], one["origin"]) for one in table(written(rows, "csv"))] == [
        ("true", "demo"),
        ("false", "real"),
        ("true", "generated"),
    ]
    assert [one["demo"] for one in table(written([row("1")], "csv", "real"))] == ["false"]


def test_what_a_spreadsheet_would_run_is_plain_text_and_negative_numbers_stay_numbers() -> None:
    rows = [row("1", name="=HYPERLINK(1)", value=-3.5), row("2", name="@SUM(A1)"), row("3", name="-1+1"), row("4", name="a=b")]
    found = table(written(rows, "csv"))
    assert [one["name"] for one in found] == ["'=HYPERLINK(1)", "'@SUM(A1)", "'-1+1", "a=b"]
    assert found[0]["value"] == "-3.5"


@given(st.text())
def test_no_cell_begins_like_a_formula(text: str) -> None:
    assert not neutral(text).startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"))
    assert neutral(text).removeprefix("'") == text.removeprefix("'") or neutral(text) == f"'{text}"


def test_json_is_one_document_with_its_origin() -> None:
    document = json.loads(written([row("1"), row("2", value=None), row("3")], "json"))
    assert (document["dataset"], document["demo"], document["origin"]) == ("air_station", True, "demo")
    assert [(one["id"], one["value"], one["demo"]) for one in document["items"]] == [
        ("1", 35.5, True),
        ("2", None, True),
        ("3", 35.5, True),
    ]
    assert json.loads(written([], "json"))["items"] == []


def test_parquet_has_typed_columns_units_and_marks() -> None:
    found = pq.read_table(io.BytesIO(written([row("1"), row("2", time=None), row("3")], "parquet")))
    assert found.column("time").to_pylist() == [datetime(2026, 11, 22, 7, tzinfo=UTC), None, datetime(2026, 11, 22, 7, tzinfo=UTC)]
    assert found.column("value").to_pylist() == [35.5, 35.5, 35.5]
    assert found.column("demo").to_pylist() == [True, True, True]
    assert found.schema.field("value").metadata == {b"unit": b"ug/m3"}
    assert pq.read_table(io.BytesIO(written([], "parquet"))).num_rows == 0


def test_only_the_rows_asked_for_go_out() -> None:
    rows = [row(str(number), count=number) for number in range(6)]
    asked = Query("air_station", Compare("count", "ge", 4), limit=1)
    assert [one["id"] for one in table(written(rows, "csv", query=asked))] == ["4", "5"]


def test_a_refusal_comes_before_the_first_piece() -> None:
    with pytest.raises(ForbiddenError):
        stream(RowReader([], allowed=False), Query("air_station"), dataset(), "csv")


def test_masked_columns_are_empty_not_missing() -> None:
    bare = {name: cell for name, cell in row("1").items() if name != "name"}
    assert table(written([bare], "csv"))[0]["name"] == ""


def test_the_name_of_a_file_says_what_it_is() -> None:
    day = date(2026, 11, 22)
    assert file_name(dataset(), day, "csv") == "air_station_20261122_演示数据.csv"
    assert file_name(dataset(origin="real"), day, "parquet") == "air_station_20261122.parquet"
    assert [column.name for column in columns_of(dataset())][-2:] == ["demo", "origin"]


def test_the_catalogue_exports_what_it_knows(catalogue: CatalogueBook) -> None:
    catalogue.register(dataset())
    reader = RowReader([row("1")])
    assert len(table(b"".join(catalogue.export(reader, Query("air_station"), "csv")))) == 1
    assert catalogue.file_name("air_station", "csv") == "air_station_20261122_演示数据.csv"
    with pytest.raises(NotFoundError):
        catalogue.export(reader, Query("nothing"), "csv")


def test_geojson_is_one_collection_with_a_point_for_each_row_that_has_a_place() -> None:
    columns = (*dataset().columns, Column("lon", same("lon"), "number"), Column("lat", same("lat"), "number"))
    placed = msgspec.structs.replace(dataset(origin="demo"), columns=columns)
    rows = [row("1", name=RARE) | {"lon": 117.15, "lat": 39.12}, row("2") | {"lon": "***", "lat": "***"}, row("3") | {"lon": None}]
    found = json.loads(b"".join(stream(RowReader(rows), Query("air_station"), placed, "geojson")))
    assert (found["type"], found["demo"]) == ("FeatureCollection", True)
    assert [one["geometry"] for one in found["features"]] == [{"type": "Point", "coordinates": [117.15, 39.12]}, None, None]
    first = found["features"][0]
    assert (first["id"], first["properties"]["name"], first["properties"]["demo"]) == ("1", RARE, True)
    assert not {"lon", "lat"} & first["properties"].keys()


def test_geojson_of_what_has_no_places_is_refused_before_the_first_piece() -> None:
    with pytest.raises(UnsupportedError):
        stream(RowReader([row("1")]), Query("air_station"), dataset(), "geojson")
