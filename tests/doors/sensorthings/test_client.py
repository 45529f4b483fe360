"""A client that others wrote drives the door: frost-sta-client, over a socket. Skipped where it is not installed.

It is not in the lock: demjson3, which it needs, has no wheel, and what is locked is installed without building anything.
"""

import socket
import threading
from collections.abc import Iterator

import pytest
import uvicorn
from requests import PreparedRequest

from tests.doors.conftest import PASSWORD, World
from tests.doors.sensorthings.conftest import ROOT

frost = pytest.importorskip("frost_sta_client")


@pytest.fixture
def served(sta: World) -> Iterator[str]:
    """The address of the door, served."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        server = uvicorn.Server(uvicorn.Config(sta.app, log_level="error", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}{ROOT}"
        server.should_exit = True
        thread.join()


@pytest.mark.filterwarnings("ignore:furl.pathstr is deprecated:DeprecationWarning")
def test_frost_client_writes_and_reads(sta: World, served: str) -> None:
    probe = frost.SensorThingsService(served, auth_handler=frost.AuthHandler("probe", sta.secret))
    stream = frost.Datastream(id="well-1.level")
    one = frost.Observation(result=12.5, phenomenon_time="2026-11-22T06:59:00Z", datastream=stream)
    probe.create(one)
    assert one.id.startswith("1.")

    rows = frost.model.ext.data_array_value.DataArrayValue()
    rows.datastream = stream
    rows.components = {rows.Property.PHENOMENON_TIME, rows.Property.RESULT}
    for minute, value in ((57, 10.0), (58, 11.0)):
        rows.add_observation(frost.Observation(result=value, phenomenon_time=f"2026-11-22T06:{minute}:00Z"))
    document = frost.model.ext.data_array_document.DataArrayDocument()
    document.add_data_array_value(rows)
    assert len(probe.observations().create(document)) == 2

    sta.parts.accounts.create("派遣员", "desk", PASSWORD, ["dispatcher"])
    desk = frost.SensorThingsService(served, auth_handler=signed_in(sta.parts.accounts.sign_in("desk", PASSWORD)))
    things = desk.things().query().filter("properties/kind eq 'well'").orderby("id", "ASC").count().list()
    assert (things.count, [thing.id for thing in things.entities]) == (2, ["well-1", "well-2"])
    found = desk.datastreams().find("well-1.level")
    assert (found.name, found.unit_of_measurement.symbol, found.properties["life"]) == ("井1 · 水位", "m", "live")
    newest = found.get_observations().query().orderby("phenomenonTime", "DESC").top(2).list()
    assert [each.result for each in newest.entities[:2]] == [12.5, 11.0]
    assert [each.result for each in found.get_observations().query().top(1).list()] == [12.5, 11.0, 10.0]
    assert desk.observations().find(one.id).result == 12.5


def signed_in(token: str) -> object:
    """What signs the client's requests with a session's token."""

    def sign(request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = f"Bearer {token}"
        return request

    handler = frost.AuthHandler()
    handler.add_auth_header = lambda: sign
    return handler
