"""The readings of another broker: taken as those of one device account, by the topics that the district declares."""

import json
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from citybrain.app import parts
from citybrain.app.city import City
from citybrain.app.outside import outside
from citybrain.app.settings import load
from citybrain.doors.mqtt import Topic
from citybrain.engines.mqtt_client import Subscription
from citybrain.kernel.errors import BadInputError
from tests.brokers import foreign, publish, until

TOPIC = Topic("emqx/+/air", "air-{1}", {"pm25": "d.pm2_5"}, "t", "s")
SAID = json.dumps({"t": 1_795_330_680, "d": {"pm2_5": 41.5}})


def reading(city: City, port: int) -> City:
    settings = msgspec.structs.replace(
        city.settings, mqtt_broker=f"mqtt://127.0.0.1:{port}", mqtt_account="gateway", mqtt_topics=(TOPIC,), mqtt_client="test-city"
    )
    return replace(city, settings=settings)


def _said(city: City, reader: Subscription) -> str:
    """What the administrator's page says of the broker."""
    return parts.pages(city, None, lambda: reader.connected).health()[-1].tone


def stored(city: City) -> int:
    return sum(door.stored for door in city.stores.series.doors() if door.door == "mqtt")


@pytest.mark.thorough
async def test_readings_of_another_broker_are_stored_and_wait_there_while_their_account_is_shut_out(city: City) -> None:
    city.accounts.devices.create("网关", "gateway", ["air-*"])
    account = city.accounts.devices.named("gateway")
    assert account is not None
    async with foreign() as port:
        wired = reading(city, port)
        reader = outside(wired, parts.mqtt(wired))
        assert reader is not None
        assert _said(city, reader) == "bad"
        reader.start()
        try:
            await until(lambda: reader.connected)
            assert _said(city, reader) == "good"
            await publish(port, SAID, topic="emqx/01/air")
            await until(lambda: stored(city) == 1)
            city.accounts.devices.enable(account.account, enabled=False)
            await publish(port, json.dumps({"pm25": 40.0, "time": "2026-11-22T06:59:00Z"}), topic="citybrain/v1/air-01")
            city.accounts.devices.enable(account.account, enabled=True)
            await until(lambda: stored(city) == 2)
        finally:
            await reader.stop()
    newest = city.latest.of(city.registry.stream("air-01.pm25").no)
    assert newest is not None
    assert newest.value == 40.0


def test_no_broker_is_read_where_none_is_named(city: City) -> None:
    assert outside(city, parts.mqtt(city)) is None


def test_an_account_that_is_none_stops_the_start_with_what_to_do(city: City) -> None:
    wired = reading(city, 1883)
    with pytest.raises(BadInputError, match="gateway"):
        outside(wired, parts.mqtt(wired))


def test_topics_are_declared_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "citybrain.toml"
    file.write_text(
        '[[mqtt_topics]]\ntopic = "emqx/+/air"\nentity = "air-{1}"\nfields = { pm25 = "d.pm2_5" }\ntime = "t"\ntime_form = "s"\n',
        encoding="utf-8",
    )
    assert load(file).mqtt_topics == (TOPIC,)
