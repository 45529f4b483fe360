"""The same load on two servers, with our own as both: figures for each, all that was made gone again, refusals in words."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

import pytest

from bench import peer, program, sta
from bench.peer import LOADS, Sizes, measure, report, visited

TINY = Sizes(things=3, streams=2, seconds=0.3, rows=5, turns=2)
pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[program.Running]:
    with program.running(tmp_path_factory.mktemp("peer"), bare=True) as found:
        yield found


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


async def posted(server: sta.Server, body: bytes) -> int:
    line = sta.Line(server, server.makes)
    answer = await line.ask("POST", "/Things", body)
    await line.close()
    return answer.status


def test_every_load_is_measured_at_both_and_nothing_that_was_made_stays(running: program.Running) -> None:
    lines = [cells(line) for line in measure(sta.ours(running), TINY)]
    assert [line[0] for line in lines] == [load.words.format(TINY) for load in LOADS.values()]
    assert [line for line in lines if not line[3].endswith("×")] == [], "a figure and a ratio everywhere, and nothing left behind"
    for name in ("Things", "Datastreams", "Sensors", "Locations"):
        assert json.loads(running.get(f"/sta/v1.1/{name}"))["value"] == []
    ledger = running.ledger("sensorthings")
    assert ledger["stored"] == ledger["received"] > 0


def test_what_the_peer_refuses_stands_in_its_cell(running: program.Running) -> None:
    """A device may write and do nothing else, so it makes no Thing here; over plain pages nothing is found at all."""
    device = sta.Server("127.0.0.1", running.target.port, tls=False, root="/sta/v1.1", makes=running.target.auth)
    pages = sta.at(f"http://127.0.0.1:{running.target.port}")
    lines = [cells(line) for line in report(visited(device, TINY, "mark"), visited(pages, TINY, "mark"), TINY)]
    assert lines[0][1].startswith("refused: 403")
    assert lines[0][2].startswith("refused: 404")
    assert {line[1] for line in lines[1:4]} == {"not asked: no Datastream was made"}
    assert {line[3] for line in lines} == {"–"}


def test_what_cannot_be_deleted_is_told_and_the_next_visit_deletes_it(running: program.Running) -> None:
    server = sta.ours(running)
    made = json.dumps({"name": "bench-stays-0", "description": "left by a run that was killed"}).encode()
    assert asyncio.run(posted(server, made)) == 201
    barred = visited(replace(server, makes=server.writes), TINY, "bench-stays")
    done = visited(server, TINY, "bench-stays")
    assert done.left == ""
    assert cells(report(done, barred, TINY)[-1])[1:3] == ["nothing", barred.left]
    assert barred.left.startswith("Things: refused: 403")


def test_a_peer_that_is_not_there_ends_nothing() -> None:
    nobody = sta.at(f"http://127.0.0.1:{program.free_port()}/v1.1", "user", "password")
    found = visited(nobody, TINY, "mark")
    assert str(found.found["make"]).startswith("refused: no answer")
    assert str(found.found["expand"]).startswith("refused: no answer")


def test_an_address_is_read_with_its_path_and_its_credentials() -> None:
    found = sta.at("https://peer.example/FROST-Server/v1.1/", "user", "secret")
    assert (found.host, found.port, found.tls, found.root) == ("peer.example", 443, True, "/FROST-Server/v1.1")
    assert found.makes == found.writes == found.reads == "Basic dXNlcjpzZWNyZXQ="
    with pytest.raises(ValueError, match="no address of a server"):
        sta.at("peer.example/v1.1")


async def test_answers_in_chunks_and_connections_that_end_are_read_all_the_same() -> None:
    """As other servers answer: in chunks, and closing the connection after some requests without a word."""
    served, ended = 0, asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal served
        with suppress(asyncio.IncompleteReadError):
            for _ in range(2):
                await reader.readuntil(b"\r\n\r\n")
                served += 1
                writer.write(
                    b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7\r\n{"value\r\n14;x=y\r\n": [{"@iot.id": 7}]}\r\n0\r\n\r\n'
                )
        writer.close()
        await writer.wait_closed()
        if served == 5:
            ended.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        line = sta.Line(sta.at(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"), "")
        for _ in range(5):
            assert (await line.ask("GET", "/Things")).entities == [{"@iot.id": 7}]
        await line.close()
        await ended.wait()
    assert served == 5


def test_numbers_and_texts_are_keys_as_the_standard_writes_them() -> None:
    assert [peer._key(key) for key in (7, "a'b")] == ["7", "'a''b'"]
