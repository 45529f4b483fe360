"""What is told of another process: its ledger with what is on its way there, and what was last told while it is away."""

import msgspec
import pytest

from citybrain.app.sent import AskedLedger
from citybrain.app.waiting import Waiting
from citybrain.engines.flight import Answers, Calls, plain
from citybrain.engines.nats import Link, Work
from citybrain.kernel.clock import FixedClock
from citybrain.kernel.errors import BusyError
from citybrain.kernel.observations import DoorAccount

SECRET = "one that both know"
NOBODY = Waiting(Work(Link("nats://127.0.0.1:1", "990101", "test"), "readings"))
"""Of a bus that does not answer."""


def test_what_is_pending_is_told_by_the_one_that_keeps_the_ledger_and_not_known_while_it_and_the_bus_are_away(
    clock: FixedClock,
) -> None:
    kept = [DoorAccount("api", 20, 12, 1, {"bad_row": 0}, clock.wall(), pending=7)]
    answers = Answers("grpc://127.0.0.1:0", SECRET, {"accounts": lambda _: plain(kept)})
    address = f"grpc://127.0.0.1:{answers.port}"
    calls = Calls(address, SECRET, patience=10)
    ledger = AskedLedger(lambda: msgspec.convert(calls.plain("accounts"), tuple[DoorAccount, ...]), NOBODY, clock)
    assert (list(ledger()), ledger.silent()) == (kept, None)
    answers.close()
    (last,) = ledger()
    assert (last.received, last.stored, last.pending) == (20, 12, None)
    assert ledger.silent() == clock.wall()
    with Answers(address, SECRET, {"accounts": lambda _: plain(kept)}):
        calls.wait("accounts", 30)
        assert (list(ledger()), ledger.silent()) == (kept, None)
    calls.close()


def test_of_one_that_was_never_there_nothing_is_told(clock: FixedClock) -> None:
    calls = Calls("grpc://127.0.0.1:1", SECRET, patience=1)
    ledger = AskedLedger(lambda: msgspec.convert(calls.plain("accounts"), tuple[DoorAccount, ...]), NOBODY, clock)
    with pytest.raises(BusyError, match="does not answer"):
        ledger()
    calls.close()
