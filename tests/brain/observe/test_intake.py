"""Intake: every row sent is stored, known already, or refused with a reason."""

import asyncio

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import json

from citybrain.brain.observe import Intake, Latest, read_rows
from citybrain.brain.observe.intake import BEHIND
from citybrain.engines.bus import LocalBus
from citybrain.kernel.errors import ConflictError
from citybrain.kernel.events import Recorded
from citybrain.kernel.instant import MINUTE, Instant, parse
from citybrain.kernel.observations import SeriesQuery
from citybrain.kernel.things import Life
from tests.brain.observe.conftest import World

NOON = parse("2026-11-22T07:00:00Z")


async def test_stored_duplicate_and_refused_add_up_to_what_was_sent(world: World) -> None:
    await world.send(("p1.level", -2, 1.0), ("p1.level", -1, 2.0))
    verdict = await world.send(
        ("p1.level", -1, 2.0),  # known
        ("p1.level", -2, 1.5),  # a revision
        ("p1.level", 0, 3.0),
        ("p1.level", 0, 3.0),  # twice in one sending
        ("p1.nothing", 0, 3.0),
        ("p2.level", 6, 3.0),  # 6 minutes ahead
        ("p2.level", 5, 3.0),
    )
    assert (verdict.stored, verdict.duplicate) == (3, 2)
    assert [(refusal.row, refusal.code) for refusal in verdict.refused] == [(4, "unknown_stream"), (5, "future_time")]
    account = world.series.doors()[0]
    assert (account.received, account.stored, account.duplicate) == (9, 5, 2)
    assert account.refused == {"unknown_stream": 1, "future_time": 1}


async def test_a_late_row_with_another_value_is_a_revision_that_wins(world: World) -> None:
    await world.send(("p1.level", -2, 1.0), ("p1.level", -1, 2.0))
    await world.send(("p1.level", -2, 1.5))
    no = world.registry.stream("p1.level").no
    assert world.series.scan(SeriesQuery((no,), Instant(0), NOON))["value"].to_pylist() == [1.5, 2.0]
    reading = world.latest.of(no)
    assert reading is not None
    assert reading.value == 2.0


async def test_a_value_out_of_range_is_stored_and_marked(world: World) -> None:
    assert (await world.send(("p1.level", 0, 11.0))).stored == 1
    reading = world.latest.of(world.registry.stream("p1.level").no)
    assert reading is not None
    assert (reading.value, reading.life) == (11.0, Life.OUT_OF_RANGE)


async def test_units_are_turned_into_the_streams_and_others_refused(world: World) -> None:
    at = "2026-11-22T07:00:00Z"
    body = json.encode(
        [
            {"stream": "p1.level", "time": at, "value": 250, "unit": "cm"},
            {"stream": "p2.level", "time": at, "value": 2, "unit": "m"},
            {"stream": "p1.flow", "time": at, "value": 2, "unit": "Cel"},
            {"stream": "p2.flow", "time": at, "value": 2, "unit": "parrots"},
        ]
    )
    verdict = await world.intake.take(read_rows(body), "test", None)
    assert [(refusal.row, refusal.code) for refusal in verdict.refused] == [(2, "wrong_unit"), (3, "wrong_unit")]
    values = {row["stream_no"]: row["value"] for row in world.latest.table().to_pylist()}
    assert values[world.registry.stream("p1.level").no] == 2.5
    assert values[world.registry.stream("p2.level").no] == 2.0


async def test_the_same_key_again_gives_the_first_verdict_and_stores_nothing(world: World) -> None:
    first = await world.send(("p1.level", 0, 1.0), ("x.y", 0, 1.0), key="k")
    again = await world.send(("p1.level", 0, 1.0), ("x.y", 0, 1.0), key="k")
    assert again == first
    assert world.series.last_seq() == 1


async def test_a_key_that_was_used_for_other_readings_is_refused_and_nothing_is_acknowledged(world: World) -> None:
    await world.send(("p1.level", 0, 1.0), key="k")
    for other in (("p1.level", 0, 2.0), ("p1.level", -1, 1.0), ("p2.level", 0, 1.0)):
        with pytest.raises(ConflictError):
            await world.send(("p1.level", 0, 1.0), other, key="k")
    assert world.series.last_seq() == 1
    assert (await world.send(("p1.level", 0, 2.0), key="k2")).stored == 1


async def test_a_key_stands_for_the_rows_that_were_refused_as_well(world: World) -> None:
    await world.send(("p1.level", 0, 1.0), ("x.y", 0, 1.0), key="k")
    with pytest.raises(ConflictError):
        await world.send(("p1.level", 0, 1.0), key="k")


async def test_sendings_of_one_key_at_the_same_moment_have_one_verdict(world: World) -> None:
    verdicts = await asyncio.gather(*(world.send(("p1.level", 0, 1.0), ("p1.level", -1, 2.0), key="k") for _ in range(6)))
    assert {(verdict.stored, verdict.duplicate) for verdict in verdicts} == {(2, 0)}
    assert world.series.last_seq() == 2


async def test_sendings_at_the_same_moment_store_a_reading_once(world: World) -> None:
    verdicts = await asyncio.gather(*(world.send(("p1.level", 0, 1.0), ("p1.level", -1, 2.0)) for _ in range(6)))
    assert sum(verdict.stored for verdict in verdicts) == 2
    assert sum(verdict.duplicate for verdict in verdicts) == 10


async def test_columns_of_unknown_numbers_nan_and_broken_clocks_are_refused(world: World) -> None:
    no = np.array([1, 99, 1, 1], np.int32)
    time = np.array([NOON, NOON, NOON - MINUTE, 0], np.int64)
    verdict = await world.intake.take_columns(no, time, np.array([1.0, 1.0, np.nan, 1.0]), "import", None)
    assert verdict.stored == 1
    assert [refusal.code for refusal in verdict.refused] == ["unknown_stream", "not_a_number", "too_old"]


async def test_a_clock_that_is_set_back_loses_nothing_and_refuses_what_is_to_come_with_its_reason(world: World) -> None:
    await world.send(("p1.level", 0, 1.0))
    world.clock.set(Instant(NOON - 60 * MINUTE))
    verdict = await world.send(("p1.level", -60, 2.0), ("p2.level", -1, 3.0))
    assert (verdict.stored, [refusal.code for refusal in verdict.refused]) == (1, ["future_time"])
    again = await world.send(("p1.level", -60, 2.0))
    assert (again.stored, again.duplicate) == (0, 1)
    newest = world.latest.of(world.registry.stream("p1.level").no)
    assert newest is not None
    assert newest.value == 1.0
    world.clock.set(Instant(NOON + MINUTE))
    assert (await world.send(("p2.level", -1, 3.0))).stored == 1
    rows = world.series.scan(SeriesQuery((1, 2, 3, 4, 5, 6, 7, 8), Instant(0), Instant(2**61)))
    assert rows.num_rows == 3


async def test_whoever_waits_is_told_after_the_batch_is_durable(world: World, bus: LocalBus) -> None:
    told = bus.listen("recorded")
    intake = Intake(world.registry, world.series, world.latest, world.clock, bus)
    await intake.take_columns(np.array([1], np.int32), np.array([NOON]), np.array([1.0]), "x", None)
    assert await anext(aiter(told)) == Recorded(1)


async def test_senders_wait_while_the_rules_are_far_behind_and_go_on_in_their_order(world: World) -> None:
    behind = BEHIND + 1
    world.intake.paced_by(lambda: behind)
    sendings = [asyncio.create_task(world.send((f"p{number}.level", -number, 1.0))) for number in (1, 2)]
    await asyncio.sleep(0.02)
    assert world.series.last_seq() == 0, "nothing is taken while they are behind"
    behind = BEHIND
    assert [(await sending).stored for sending in sendings] == [1, 1]
    later = [world.registry.stream(f"p{number}.level").no for number in (1, 2)]
    assert world.series.after(0, 9)["stream_no"].to_pylist() == later


async def test_rules_that_stand_still_hold_nobody_for_ever(world: World) -> None:
    world.intake.paced_by(lambda: BEHIND + 1)
    verdicts = await asyncio.wait_for(asyncio.gather(*(world.send(("p1.level", -number, 1.0)) for number in range(4))), 60)
    assert sum(verdict.stored for verdict in verdicts) == 4


@pytest.mark.thorough
@pytest.mark.parametrize("minutes", [0])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sendings=st.lists(
        st.lists(st.tuples(st.sampled_from(["p1.level", "p1.flow"]), st.integers(-4, 0), st.sampled_from([1.0, 2.0])), max_size=6),
        max_size=4,
    )
)
async def test_latest_and_series_agree_whatever_is_sent(
    world: World, minutes: int, sendings: list[list[tuple[str, int, float]]]
) -> None:
    for rows in sendings:
        verdict = await world.send(*rows)
        assert verdict.stored + verdict.duplicate + len(verdict.refused) == len(rows) + minutes
    rebuilt = Latest(world.registry, world.series, world.clock)
    kept = world.latest.table().drop_columns(["received"])
    assert rebuilt.table().drop_columns(["received"]).equals(kept)
