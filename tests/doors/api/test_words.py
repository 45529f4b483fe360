"""Results that are no numbers over HTTP: in every form of a sending, in rows, latest values and files; buckets of them are refused."""

import csv
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from citybrain.kernel.instant import MINUTE, Instant, rfc3339
from citybrain.kernel.things import Contract, Sort, Stream
from tests.doors.conftest import NOW, World

ROAD = "/api/v1/observe"
SORTS: dict[str, Sort] = {"door": "truth", "sky": "category", "log": "any", "cars": "count"}


@pytest.fixture
def box(world: World) -> World:
    """A well with a door, a sky, a log and cars that are counted."""
    registry = world.parts.registry
    first = len(registry.streams()) + 1
    made = (
        Stream(f"well-1.{name}", no, "well-1", "well", name, "1", Contract(), "test", "real", None, sort)
        for no, (name, sort) in enumerate(SORTS.items(), first)
    )
    registry.change((), tuple(made), ())
    return world


def at(minute: int) -> str:
    return rfc3339(Instant(NOW + (minute - 59) * MINUTE))


ROWS: tuple[tuple[str, object], ...] = (
    ("well-1.door", True),
    ("well-1.sky", "rain"),
    ("well-1.level", 2.5),
    ("well-1.cars", 3),
    ("well-1.door", "open"),
    ("well-1.sky", True),
    ("well-1.level", "high"),
    ("well-1.cars", 2.5),
    ("well-1.door", 1),
)
GOOD = [0, 1, 2, 3]


def table(rows: tuple[tuple[str, object], ...]) -> bytes:
    """The rows as CSV."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["stream", "time", "value"])
    writer.writerows(
        [name, at(place), str(value).lower() if isinstance(value, bool) else value] for place, (name, value) in enumerate(rows)
    )
    return out.getvalue().encode()


def body(form: str) -> bytes:
    rows = [{"stream": name, "time": at(place), "value": value} for place, (name, value) in enumerate(ROWS)]
    match form:
        case "application/json":
            return json.dumps(rows).encode()
        case "application/x-ndjson":
            return "\n".join(map(json.dumps, rows)).encode()
        case _:
            return table(ROWS)


@pytest.mark.parametrize("form", ["application/json", "application/x-ndjson", "text/csv"])
async def test_words_and_truths_come_in_beside_numbers_row_by_row(box: World, form: str) -> None:
    async with box.client("device") as device:
        answer = await device.post(f"{ROAD}/observations", content=body(form), headers={"Content-Type": form})
    verdict = answer.json()
    assert (verdict["stored"], [one["row"] for one in verdict["refused"]]) == (4, [4, 5, 6, 7, 8])
    assert {one["code"] for one in verdict["refused"]} == {"bad_value"}
    async with box.client("dispatcher") as client:
        listed = "well-1.door,well-1.sky,well-1.level,well-1.cars"
        rows = (await client.get(f"{ROAD}/observations", params={"stream.in": listed})).json()["items"]
    assert {row["stream"]: row["word"] for row in rows} == {
        "well-1.door": True,
        "well-1.sky": "rain",
        "well-1.level": None,
        "well-1.cars": None,
    }
    assert {row["stream"]: row["value"] for row in rows if row["word"] is None} == {"well-1.level": 2.5, "well-1.cars": 3}


@pytest.mark.parametrize(
    ("name", "values"),
    [("well-1.sky", ["rain", "雨", "rain"]), ("well-1.door", [True, False, True]), ("well-1.level", [1.0, 2.0, 3.0])],
)
async def test_arrow_brings_a_column_of_texts_truths_or_numbers(box: World, name: str, values: list[object]) -> None:
    times = pa.array([Instant(NOW - place * MINUTE) for place in range(3)], pa.int64()).cast(pa.timestamp("us", tz="UTC"))
    found: dict[str, int] = {}
    for stream in ("well-1.sky", "well-1.door", "well-1.level"):
        sheet = pa.table({"stream": [stream] * 3, "time": times, "value": values})
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, sheet.schema) as writer:
            writer.write_table(sheet)
        async with box.client("device") as device:
            headers = {"Content-Type": "application/vnd.apache.arrow.stream"}
            answer = await device.post(f"{ROAD}/observations", content=sink.getvalue().to_pybytes(), headers=headers)
        found[stream] = answer.json().get("stored", 0)
        if stream != name:
            assert (answer.status_code, {one["code"] for one in answer.json()["refused"]}) == (422, {"bad_value"})
    assert found == {stream: 3 if stream == name else 0 for stream in found}


async def test_numbers_of_a_csv_are_no_texts(box: World) -> None:
    async with box.client("device") as device:
        rows = (("well-1.sky", 12), ("well-1.log", 12), ("well-1.log", "twelve"), ("well-1.log", ""))
        answer = await device.post(f"{ROAD}/observations", content=table(rows), headers={"Content-Type": "text/csv"})
    assert (answer.json()["stored"], [one["row"] for one in answer.json()["refused"]]) == (2, [0, 3])


async def test_what_is_latest_and_what_is_asked_say_the_word(box: World) -> None:
    async with box.client("device") as device:
        await device.post(f"{ROAD}/observations", content=body("application/json"), headers={"Content-Type": "application/json"})
    for role in ("dispatcher", "leader"):
        async with box.client(role) as client:
            latest = {row["id"]: row for row in (await client.get(f"{ROAD}/latest")).json()}
            assert (latest["well-1.sky"]["word"], latest["well-1.door"]["word"]) == ("rain", True)
            one = (await client.get(f"{ROAD}/streams/well-1.sky")).json()
            assert (one["word"], one["result_type"]) == ("rain", "category")
            assert [
                row["id"] for row in (await client.get(f"{ROAD}/streams", params={"result_type": "truth"})).json()["items"]
            ] == ["well-1.door"]
            found = await client.get(f"{ROAD}/observations", params={"stream": "well-1.sky", "word.contains": "rai"})
            assert [row["word"] for row in found.json()["items"]] == ["rain"]
            refused = await client.get(f"{ROAD}/streams/well-1.sky/history")
            assert (refused.status_code, "不是数量" in refused.text) == (400, True)


async def test_files_say_the_word_and_their_counts_agree(box: World) -> None:
    async with box.client("device") as device:
        await device.post(f"{ROAD}/observations", content=body("application/json"), headers={"Content-Type": "application/json"})
    road = "/api/v1/exchange/datasets/observation/export"
    async with box.client("data_officer") as client:
        words = {"stream.in": "well-1.door,well-1.sky,well-1.level"}
        sheet = list(csv.DictReader(io.StringIO((await client.get(f"{road}.csv", params=words)).content.decode("utf-8-sig"))))
        assert {row["stream"]: row["word"] for row in sheet} == {"well-1.door": "true", "well-1.sky": '"rain"', "well-1.level": ""}
        file = pq.read_table(io.BytesIO((await client.get(f"{road}.parquet", params=words)).content))
        told = dict(zip(file["stream"].to_pylist(), file["word"].to_pylist(), strict=True))
        assert told == {"well-1.door": "true", "well-1.sky": '"rain"', "well-1.level": None}
        whole = (await client.get(f"{road}.json", params=words)).json()
        assert {row["stream"]: row["word"] for row in whole["items"]} == {
            "well-1.door": True,
            "well-1.sky": "rain",
            "well-1.level": None,
        }
        counts = (await client.get(f"{road}.manifest", params=words)).json()
        assert (counts["readings"], "word" in [one["name"] for one in counts["columns"]]) == (whole["readings"], True)


async def test_a_word_is_corrected_by_a_word(box: World) -> None:
    async with box.client("device") as device:
        await device.post(f"{ROAD}/observations", content=body("application/json"), headers={"Content-Type": "application/json"})
    road = f"{ROAD}/streams/well-1.sky/corrections"
    async with box.client("data_officer") as client:
        change = {"at": at(1), "word": "hail"}
        shown = await client.post(f"{road}?preview=true", json=change)
        assert shown.json()["words"] == {"1": "rain", "0": "hail"}, "hail has no code before it is said"
        assert "hail" not in box.parts.registry.worded.results([(box.parts.registry.stream("well-1.sky"), 2.0)])
        made = await client.post(road, json={**change, "why": "看错了天气"}, headers={"If-Match": shown.headers["etag"]})
        assert made.status_code == 201, made.text
        assert list((await client.get(f"{road}/1")).json()["words"].values()) == ["rain", "hail"]
        assert list((await client.get(road)).json()["words"].values()) == ["hail"]
        for wrong in (
            {"at": at(1), "word": 3},
            {"at": at(1), "word": "rain", "value": 1},
            {"since": at(0), "until": at(9), "factor": 2},
            {"at": at(1), "value": 77},
        ):
            assert (await client.post(f"{road}?preview=true", json=wrong)).status_code == 400, wrong
        plain = f"{ROAD}/streams/well-1.level/corrections?preview=true"
        assert (await client.post(plain, json={"at": at(2), "word": "high"})).status_code == 400
        assert "words" not in (await client.post(plain, json={"at": at(2), "value": 3.5})).json()
