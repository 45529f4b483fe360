"""Allocation advice on weeks that had no part in choosing anything: what it avoids against doing nothing and against the simple rule."""

from functools import lru_cache

import pytest

from bench.parking_advice import EXTRACT, JUDGED, Score, report
from citybrain.services.livelihood.parking.guidance import terms_on
from citybrain.services.livelihood.parking.source import hourly

TERMS = terms_on("2026-11-22")


@lru_cache(maxsize=1)
def scores() -> dict[str, Score]:
    return report(hourly(EXTRACT), JUDGED, TERMS, (1, 24))


def remains(name: str) -> int:
    return scores()[name].left + scores()[name].caused


def test_asking_owners_a_day_ahead_avoids_more_than_the_simple_rule_and_costs_less() -> None:
    for lead in (1, 24):
        asked = f"owners asked {lead} h ahead, simple rule"
        assert remains(asked) < 0.75 * remains("simple rule") < 0.1 * remains("nothing")
        assert scores()[asked].cost(TERMS) < scores()["simple rule"].cost(TERMS) < scores()["nothing"].cost(TERMS)


def test_boards_that_follow_the_forecast_alone_do_worse_than_the_simple_rule_which_therefore_serves() -> None:
    for lead in (1, 24):
        alone = f"boards by the forecast alone, {lead} h ahead"
        assert remains("simple rule") < remains(alone) < remains("nothing")


@pytest.mark.thorough
def test_what_was_really_taken_is_the_same_for_every_way() -> None:
    assert {score.idle for score in scores().values()} == {3478}
