"""Facts: every committed event lands exactly once."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import delete
from structlog.testing import capture_logs

from citybrain.brain.see.facts import FactFeed, flatten
from citybrain.engines.duckdb.facts import DuckFacts
from citybrain.engines.duckdb.file import DuckFile
from citybrain.engines.transactions import OUTBOX, SqlTransactions
from citybrain.kernel.events import Event
from citybrain.kernel.instant import HOUR, Instant
from tests.brain.see.conftest import MORNING, alert, alert_event, case, moved, opened


def rows(facts: DuckFacts, table: str) -> list[dict[str, object]]:
    return facts.query(f"SELECT * FROM {table} ORDER BY position", {}).to_pylist()


def test_a_case_leaves_a_fact_for_opening_moving_and_closing(tell: Callable[..., int], facts: DuckFacts) -> None:
    end = Instant(MORNING + 2 * HOUR)
    tell(opened(case()), moved(case(state="handling", version=2), MORNING), moved(case(state="closed", version=3, closed=end), end))
    assert [row["state"] for row in rows(facts, "case_opened")] == ["reported"]
    assert [row["state"] for row in rows(facts, "case_moved")] == ["handling", "closed"]
    (closed,) = rows(facts, "case_closed")
    assert (closed["closed"], closed["on_time"], closed["area"], closed["unit"]) == (end, True, "990104001", "u1")
    assert (closed["matter"], closed["grade"], closed["time"], closed["move"]) == ("air_exceedance", 3, end, "moved")


def test_closing_at_the_very_end_of_the_promised_time_is_on_time_and_one_microsecond_later_is_not() -> None:
    due = case().due
    exact = flatten([(1, moved(case(closed=due), due))])["case_closed"][0]
    after = flatten([(1, moved(case(closed=due + 1), Instant(due + 1)))])["case_closed"][0]
    assert (exact["on_time"], after["on_time"]) == (True, False)


def test_alerts_are_told_and_cleared(tell: Callable[..., int], facts: DuckFacts) -> None:
    later = Instant(MORNING + HOUR)
    tell(alert_event(alert(), MORNING), alert_event(alert(state="cleared", cleared=later), later))
    assert [row["grade"] for row in rows(facts, "alert_told")] == [3]
    assert [row["cleared"] for row in rows(facts, "alert_cleared")] == [later]


def test_events_read_again_after_a_kill_are_not_doubled(
    store: SqlTransactions, facts: DuckFacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kill comes between the commit of the facts and the commit of the reader's place."""
    with store.begin() as tx:
        tx.emit(opened(case("c1")))
        tx.emit(alert_event(alert(), MORNING))

    def killed(*_: object) -> None:
        raise InterruptedError

    with monkeypatch.context() as dying:
        dying.setattr(store, "advance", killed)
        with pytest.raises(InterruptedError):
            FactFeed(store, facts).run_once()
    with store.begin() as tx:
        tx.emit(opened(case("c2")))
    feed = FactFeed(store, facts)
    assert feed.run_once() == 3
    assert feed.run_once() == 0
    assert [row["case"] for row in rows(facts, "case_opened")] == ["c1", "c2"]
    assert len(rows(facts, "alert_told")) == 1


def test_an_event_that_cannot_be_read_does_not_stop_the_feed(tell: Callable[..., int], facts: DuckFacts) -> None:
    broken = Event("e1", "citybrain.act.case.opened.v1", "c9", MORNING, {"case": {"id": "c9"}})
    assert tell(broken, opened(case())) == 2
    assert [row["case"] for row in rows(facts, "case_opened")] == ["c1"]


def test_events_of_others_make_no_fact(tell: Callable[..., int], facts: DuckFacts) -> None:
    assert tell(Event("e1", "citybrain.protect.account.created.v1", "x", MORNING, {})) == 1
    assert facts.position("case_opened") == 0


def test_a_folder_without_one_fact_gets_those_of_all_events_that_are_left(
    store: SqlTransactions, facts: DuckFacts, tmp_path: Path
) -> None:
    with store.begin() as tx:
        tx.emit(opened(case("c1")), opened(case("c2")))
    FactFeed(store, facts).run_once()
    with store.begin() as tx:
        tx.emit(opened(case("c3")))
        tx.connection.execute(delete(OUTBOX).where(OUTBOX.c.position == 1))
    file = DuckFile(tmp_path / "new")
    new = DuckFacts(file)
    with capture_logs() as said:
        assert FactFeed(store, new).run_once() == 2
    assert [(one["event"], one["position"]) for one in said] == [("facts_begin_late", 2)]
    assert [row["case"] for row in rows(new, "case_opened")] == ["c2", "c3"]
    file.close()
    assert FactFeed(store, facts).run_once() == 0, "where there are facts none is read again"
