"""Devices over MQTT: many fields in one message, the same rules as over HTTP, and a ledger that accounts for every row."""

import asyncio
import json
from collections import Counter

import pytest
from structlog.testing import capture_logs

from citybrain.brain.observe import Intake, Rows, Verdict
from citybrain.doors.mqtt import BULK, PREFIX, MqttDoor
from citybrain.kernel.access import Caller
from citybrain.kernel.errors import BadInputError, ForbiddenError, TooLargeError, UnauthenticatedError, UnreadableError
from citybrain.kernel.instant import MINUTE, Instant, parse, rfc3339
from citybrain.kernel.text import same
from tests.doors.conftest import World

TIME = "2026-11-22T06:58:00Z"


@pytest.fixture
def door(world: World) -> MqttDoor:
    return MqttDoor(world.parts.guard, world.parts.accounts, world.parts.intake, world.clock)


@pytest.fixture
async def probe(world: World, door: MqttDoor) -> Caller:
    found = await door.authorise("probe", world.secret)
    assert found is not None
    return found


def message(**fields: object) -> bytes:
    return json.dumps(fields).encode()


async def test_a_device_signs_in_with_its_secret_and_with_nothing_else(world: World, door: MqttDoor) -> None:
    known = await door.authorise("probe", world.secret)
    assert known is not None
    assert known.roles == {"device"}
    assert await door.authorise("probe", "wrong") is None
    assert await door.authorise("", "") is None


async def test_one_message_carries_many_fields_of_an_entity(door: MqttDoor, probe: Caller) -> None:
    verdict = await door.take(f"{PREFIX}well-1", message(time=TIME, level=12.5, salt=3), probe)
    assert (verdict.stored, verdict.duplicate, verdict.refused) == (2, 0, ())
    again = await door.take(f"{PREFIX}well-1", message(time=TIME, level=12.5, salt=3), probe)
    assert (again.stored, again.duplicate) == (0, 2)


async def test_a_message_without_a_time_was_measured_when_it_came(world: World, door: MqttDoor, probe: Caller) -> None:
    assert (await door.take(f"{PREFIX}well-1", message(level=12.5), probe)).stored == 1
    reading = world.parts.latest.of(world.parts.registry.stream("well-1.level").no)
    assert reading is not None
    assert reading.time == world.clock.city()


async def test_refused_rows_stand_in_the_ledger_and_spoil_no_other(world: World, door: MqttDoor, probe: Caller) -> None:
    rows = [
        {"stream": "well-1.level", "time": TIME, "value": 1},
        {"stream": "well-2.level", "time": TIME, "value": 1},
        {"stream": "well-1.colour", "time": TIME, "value": 1},
    ]
    bulk = await door.take(BULK, json.dumps({"observations": rows}).encode(), probe)
    assert [(refusal.row, refusal.code) for refusal in bulk.refused] == [(1, "forbidden_stream"), (2, "unknown_stream")]
    single = await door.take(f"{PREFIX}well-1", message(time="yesterday", level=2, salt=None), probe)
    assert (single.stored, [refusal.code for refusal in single.refused]) == (0, ["bad_time", "bad_value"])
    foreign = await door.take(f"{PREFIX}well-2", message(time=TIME, level=2), probe)
    assert [refusal.code for refusal in foreign.refused] == ["forbidden_stream"]
    ledger = next(account for account in world.series.doors() if account.door == "mqtt")
    assert ledger.received == 6 == ledger.stored + ledger.duplicate + Counter(ledger.refused).total()
    assert ledger.refused == {"forbidden_stream": 2, "unknown_stream": 1, "bad_time": 1, "bad_value": 1}


@pytest.mark.parametrize(
    ("topic", "payload", "error"),
    [
        ("elsewhere", b"{}", BadInputError),
        (PREFIX, b"{}", BadInputError),
        (f"{PREFIX}a/b", b"{}", BadInputError),
        (f"{PREFIX}well-1", b"12.5", UnreadableError),
        (f"{PREFIX}well-1", b"{", UnreadableError),
        (f"{PREFIX}well-1", '{"level": "你好"}'.encode("gbk"), UnreadableError),
        (f"{PREFIX}well-1", b'{"a":' * 100_000, UnreadableError),
        (BULK, b"{}", UnreadableError),
        (BULK, "你好".encode("gbk"), UnreadableError),
        (BULK, b" " * 1_000_001, TooLargeError),
    ],
)
async def test_what_is_no_message_of_ours_raises_why(
    door: MqttDoor, probe: Caller, topic: str, payload: bytes, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await door.take(topic, payload, probe)


async def test_messages_sent_together_are_stored_together_in_their_order(
    world: World, door: MqttDoor, probe: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bad message among them costs no other, and nobody else's messages are among them."""
    sent: list[int] = []
    take = Intake.take

    async def counted(self: Intake, rows: Rows, name: str, key: str | None) -> Verdict:
        sent.append(rows.sent)
        return await take(self, rows, name, key)

    monkeypatch.setattr(Intake, "take", counted)
    start = parse(TIME)
    payloads = [message(time=rfc3339(Instant(start + number * 1000)), level=number) for number in range(9)]
    answers = await asyncio.gather(
        *(door.take(f"{PREFIX}well-1", payload, probe) for payload in payloads[:5]),
        door.take(f"{PREFIX}well-1", b"nonsense", probe),
        *(door.take(f"{PREFIX}well-1", payload, probe) for payload in payloads[5:]),
        return_exceptions=True,
    )
    assert [type(answer).__name__ for answer in answers] == ["Verdict"] * 5 + ["UnreadableError"] + ["Verdict"] * 4
    assert sorted(sent) == [1, 9]
    number = world.parts.registry.stream("well-1.level").no
    assert world.series.after(0, 99)["stream_no"].to_pylist() == [number] * 9
    assert world.series.after(0, 99)["value"].to_pylist() == list(range(9))


async def test_people_and_strangers_write_nothing(door: MqttDoor) -> None:
    with pytest.raises(ForbiddenError):
        await door.take(BULK, b"[]", Caller("x", "", frozenset({"dispatcher"})))
    with pytest.raises(UnauthenticatedError):
        await door.take(BULK, b"[]", Caller("anyone", "", frozenset()))


async def test_what_is_acknowledged_and_could_not_be_read_stands_in_the_ledger(world: World, door: MqttDoor, probe: Caller) -> None:
    for topic, payload in ((f"{PREFIX}well-1", b"{"), (BULK, b"{}"), ("elsewhere", b"{}"), (BULK, b" " * 1_000_001)):
        with pytest.raises(BadInputError):
            await door.take(topic, payload, probe)
    ledger = next(account for account in world.series.doors() if account.door == "mqtt")
    assert (ledger.received, ledger.stored) == (4, 0)
    assert ledger.refused == {"unreadable": 2, "bad_input": 1, "too_large": 1}


async def test_a_field_that_is_no_number_costs_no_other_field_of_its_message(door: MqttDoor, probe: Caller) -> None:
    verdict = await door.take(f"{PREFIX}well-1", b'{"time": "%s", "level": 12.5, "salt": NaN}' % TIME.encode(), probe)
    assert (verdict.stored, [(each.row, each.code) for each in verdict.refused]) == (1, [(1, "bad_value")])


async def test_the_log_says_why_rows_were_refused_in_both_languages(door: MqttDoor, probe: Caller) -> None:
    rows = [{"stream": "well-2.level", "time": TIME, "value": 1}, {"stream": "well-1.level", "time": "yesterday", "value": 1}]
    with capture_logs() as said:
        await door.take(BULK, json.dumps(rows).encode(), probe)
    (line,) = said
    assert (line["event"], line["rows"]) == ("rows_refused", 2)
    assert line["first"].startswith("forbidden_stream: 该发送者无权写入此数据流，")
    assert line["first"].endswith("Ask the administrator to entrust it to the device.")


async def test_a_kept_message_without_its_time_is_no_reading_of_now(world: World, door: MqttDoor, probe: Caller) -> None:
    """A broker sends what it kept with every connection: a sensor that died long ago would report for ever."""
    with pytest.raises(BadInputError, match="retained"):
        await door.take_kept(f"{PREFIX}well-1", message(level=12.5), probe)
    assert world.parts.latest.of(world.parts.registry.stream("well-1.level").no) is None
    told = message(time=TIME, level=12.5)
    assert (await door.take_kept(f"{PREFIX}well-1", told, probe)).stored == 1
    assert (await door.take_kept(f"{PREFIX}well-1", told, probe)).duplicate == 1


async def test_a_message_that_is_sent_again_is_of_its_first_arrival(world: World, door: MqttDoor, probe: Caller) -> None:
    first = Instant(world.clock.city() - MINUTE)
    for stored, duplicate in ((1, 0), (0, 1)):
        verdict = await door.take_at(f"{PREFIX}well-1", message(level=12.5), probe, first)
        assert (verdict.stored, verdict.duplicate) == (stored, duplicate)
    reading = world.parts.latest.of(world.parts.registry.stream("well-1.level").no)
    assert reading is not None
    assert reading.time == first


async def test_a_packet_that_was_not_read_stands_in_the_ledger_as_one_row(world: World, door: MqttDoor, probe: Caller) -> None:
    large = TooLargeError(same("3 MB"))
    await door.refuse(large, probe)
    await door.refuse(UnreadableError(same("no topic")), probe)
    (ledger,) = (account for account in world.series.doors() if account.door == "mqtt")
    assert (ledger.received, ledger.stored, ledger.refused) == (2, 0, {"too_large": 1, "unreadable": 1})
    with pytest.raises(ForbiddenError):
        await door.refuse(large, Caller("x", "", frozenset({"dispatcher"})))
