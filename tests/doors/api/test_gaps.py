"""Gaps over HTTP: what was due and did not come, with estimates that are marked and counted nowhere."""

from citybrain.brain.observe import read_rows
from citybrain.kernel.instant import MINUTE, Instant, rfc3339
from tests.doors.conftest import NOW, World

LEVEL = "/api/v1/observe/streams/well-1.level"


async def fill(world: World) -> None:
    """A reading every five minutes of eight hours, but for three."""
    rows = [
        f'{{"stream": "well-1.level", "time": "{rfc3339(Instant(NOW - at * 5 * MINUTE))}", "value": {at % 12}}}'
        for at in range(96)
        if at not in (40, 41, 42)
    ]
    await world.parts.intake.take(read_rows(f"[{','.join(rows)}]".encode()), "test", None)


async def test_a_gap_is_told_with_estimates_and_how_far_off_such_ones_were(world: World) -> None:
    await fill(world)
    async with world.client("data_officer") as client:
        found = (await client.get(f"{LEVEL}/gaps")).json()
    (gap,) = found["items"]
    assert (gap["since"], gap["until"]) == (rfc3339(Instant(NOW - 43 * 5 * MINUTE)), rfc3339(Instant(NOW - 39 * 5 * MINUTE)))
    assert gap["missing"] == 3
    assert [row["estimated"] for row in gap["readings"]] == [6.0, 5.0, 4.0]
    assert (gap["way"], gap["trials"]) == ("line", 20)
    assert gap["error"] > 0
    assert found["unit"] == "m"


async def test_an_estimate_is_neither_stored_nor_counted(world: World) -> None:
    await fill(world)
    span = f"since={rfc3339(Instant(NOW - 8 * 60 * MINUTE))}"
    async with world.client("data_officer") as client:
        await client.get(f"{LEVEL}/gaps")
        rows = (await client.get(f"/api/v1/observe/observations?stream=well-1.level&limit=1000&{span}")).json()["items"]
        buckets = (await client.get(f"{LEVEL}/history?bucket=PT1H&{span}")).json()["items"]
    assert len(rows) == sum(bucket["count"] for bucket in buckets) == 93


async def test_a_span_that_is_none_or_too_long_and_a_stream_that_is_not_there_are_refused(world: World) -> None:
    async with world.client("data_officer") as client:
        for span in (
            "since=2026-01-01T00:00:00Z&until=2026-11-01T00:00:00Z",
            "since=2026-11-02T00:00:00Z&until=2026-11-01T00:00:00Z",
        ):
            assert (await client.get(f"{LEVEL}/gaps?{span}")).status_code == 400
        assert (await client.get("/api/v1/observe/streams/well-9.level/gaps")).status_code == 404
