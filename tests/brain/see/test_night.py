"""The night's account."""

from collections.abc import Callable

import pytest

from citybrain.brain.see.night import Nights, last_night, night
from citybrain.engines.duckdb.facts import DuckFacts
from citybrain.kernel.instant import HOUR, Instant, parse, rfc3339
from tests.brain.see.conftest import alert, alert_event, case, moved, opened

DUSK = parse("2026-11-21T20:00:00+08:00")
DAWN = parse("2026-11-22T07:55:00+08:00")


@pytest.mark.parametrize(
    ("now", "since", "until"),
    [
        ("2026-11-22T07:54:00+08:00", "2026-11-21T12:00:00Z", "2026-11-21T23:54:00Z"),
        ("2026-11-22T09:00:00+08:00", "2026-11-21T12:00:00Z", "2026-11-21T23:55:00Z"),
        ("2026-11-22T19:59:00+08:00", "2026-11-21T12:00:00Z", "2026-11-21T23:55:00Z"),
        ("2026-11-22T20:00:00+08:00", "2026-11-22T12:00:00Z", "2026-11-22T12:00:00Z"),
        ("2026-11-23T00:30:00+08:00", "2026-11-22T12:00:00Z", "2026-11-22T16:30:00Z"),
    ],
)
def test_the_newest_night_that_has_begun_is_meant(now: str, since: str, until: str) -> None:
    assert tuple(rfc3339(moment) for moment in last_night(parse(now))) == (since, until)


def test_the_night_tells_what_happened(tell: Callable[..., int], facts: DuckFacts) -> None:
    before, within, after = Instant(DUSK - 1), Instant(DUSK + HOUR), DAWN
    tell(
        opened(case("before", opened=before, due=DAWN - HOUR)),
        opened(case("within", opened=within, due=DAWN + HOUR)),
        opened(case("after", opened=after, due=DAWN + HOUR)),
        moved(case("before", state="handling", version=2, due=DAWN - HOUR), within),
        alert_event(alert("a1"), within),
        alert_event(alert("a1", state="cleared", cleared=within + HOUR), Instant(within + HOUR)),
    )
    told = night(facts, Instant(DAWN + 60))
    assert [row["case"] for row in told.opened] == ["within"]
    assert told.closed == ()
    assert [row["alert"] for row in told.told] == [row["alert"] for row in told.cleared] == ["a1"]
    assert told.counts == {"opened": 1, "closed": 0, "told": 1, "cleared": 1}
    assert told.opened[0]["opened"] == rfc3339(within)


def test_a_quiet_night_is_an_empty_account(facts: DuckFacts) -> None:
    assert night(facts, DAWN).counts == {"opened": 0, "closed": 0, "told": 0, "cleared": 0}


def test_the_account_kept_between_looks_is_the_account_itself(tell: Callable[..., int], facts: DuckFacts) -> None:
    nights, evening = Nights(facts), Instant(DUSK + HOUR)
    tell(opened(case("first", opened=DUSK, due=DAWN)))
    assert [row["case"] for row in nights.at(evening).opened] == ["first"]

    later = nights.at(Instant(evening + 60))
    assert later == night(facts, Instant(evening + 60))
    assert later.until == evening + 60

    tell(opened(case("second", opened=evening, due=DAWN)))
    assert [row["case"] for row in nights.at(Instant(evening + 60)).opened] == ["second", "first"]


def test_what_is_recorded_ahead_of_a_replay_that_began_anew_shows_when_its_time_comes(
    tell: Callable[..., int], facts: DuckFacts
) -> None:
    nights, ahead = Nights(facts), Instant(DUSK + 2 * HOUR)
    tell(opened(case("ahead", opened=ahead, due=DAWN)))
    assert nights.at(Instant(DUSK + HOUR)).opened == ()
    assert [row["case"] for row in nights.at(ahead).opened] == ["ahead"]
    assert nights.at(Instant(DUSK + HOUR)).opened == ()
