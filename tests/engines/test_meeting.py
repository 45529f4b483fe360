"""Processes of one district work together where they are of one release, and say what is wrong where they are not."""

from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa
import pytest
from pyarrow import flight

from bench.program import free_port
from citybrain.engines.flight import Answers, Calls, plain
from citybrain.engines.meeting import MixedError, Place, Process, shown
from citybrain.kernel.errors import BusyError

INGEST, API = Process("ingest", "1.2.0", 4), Process("api", "1.2.0", 4)
ADDRESS = f"grpc://127.0.0.1:{free_port()}"


@contextmanager
def calls(me: Process = API, newest: Place = (0, "")) -> Iterator[Calls]:
    made = Calls(ADDRESS, "s", patience=10, me=me, newest=lambda: newest)
    yield made
    made.close()


@contextmanager
def ingest(me: Process = INGEST, event: str = "e7") -> Iterator[list[str]]:
    """One that answers; what it was asked. It knows one event, at position 7."""
    asked: list[str] = []

    def where(_: object) -> pa.Table:
        asked.append("where")
        return plain("here")

    with Answers(ADDRESS, "s", {"where": where}, None, me, lambda place: place in ((0, ""), (7, event))):
        yield asked


@pytest.mark.parametrize("other", [Process("api", "1.1.0", 4), Process("api", "1.2.0", 5)], ids=["release", "wire"])
def test_nothing_is_asked_of_a_process_of_another_release_and_both_are_named(other: Process) -> None:
    with ingest() as asked, calls(other) as one:
        for ask in (one.ask, lambda name: one.wait(name, 60)):
            with pytest.raises(MixedError, match=r"All processes are of one release: .*Stop all of them") as told:
                ask("where")
        for words in (told.value.what.zh, told.value.what.en):
            assert f"ingest {INGEST.release} ({INGEST.wire})" in words
            assert f"api {other.release} ({other.wire})" in words
        assert (told.value.status, told.value.code, asked) == (503, "mixed_processes", [])


def test_processes_of_one_release_and_district_answer_one_another() -> None:
    with ingest() as asked, calls(newest=(7, "e7")) as one, calls() as fresh:
        assert (one.plain("where"), fresh.plain("where"), one.meet()) == ("here", "here", True)
        assert len(asked) == 2


def test_nothing_is_asked_of_a_process_of_another_district() -> None:
    with ingest(event="another's") as asked, calls(newest=(7, "e7")) as one:
        for _ in range(2):
            with pytest.raises(MixedError, match="database of the process ingest is another district's"):
                one.ask("where")
        assert asked == []


def test_one_that_was_replaced_while_nobody_asked_is_asked_who_it_is() -> None:
    with calls(newest=(7, "e7")) as one:
        assert one.meet() is False
        with pytest.raises(BusyError, match="does not answer"):
            one.ask("where")
        with ingest():
            one.wait("where", 10)
        with ingest(Process("ingest", "1.3.0", 4)), pytest.raises(MixedError, match=r"ingest 1\.3\.0"):
            one.wait("where", 10)
        with ingest():
            one.wait("where", 10)
            assert one.plain("where") == "here"


def test_a_caller_of_an_earlier_release_that_says_nothing_of_itself_is_refused() -> None:
    silent = Process("", "", 0)
    assert shown(str(silent)) is None
    with ingest() as asked, calls(silent) as one, pytest.raises(MixedError, match="the other is an earlier release"):
        one.ask("where")
    assert asked == []


class _Earlier(flight.FlightServerBase):
    """A process of an earlier release: it knows its questions, and that is none of them."""

    def do_get(self, context: flight.ServerCallContext, ticket: flight.Ticket) -> flight.FlightDataStream:
        del context, ticket
        raise KeyError("who")


def test_a_process_of_an_earlier_release_that_cannot_say_who_it_is_is_told_by_that() -> None:
    with _Earlier(ADDRESS), calls() as one, pytest.raises(MixedError, match="is an earlier release"):
        one.ask("where")


@pytest.mark.parametrize("line", ["", "x 1.0 api", "1", "² 1.0 api"])
def test_what_shows_no_process_is_none(line: str) -> None:
    assert shown(line) is None
    assert shown(str(API)) == API
