"""Quality: what keeps a dataset from a full score is said in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citybrain.brain.exchange.quality import Asked, asked_of, assess
from citybrain.kernel.instant import HOUR, Instant, parse, rfc3339
from citybrain.kernel.text import Json
from tests.brain.exchange.conftest import dataset, row

NOW = parse("2026-11-22T07:00:00Z")
ASKED = Asked(("id", "value"), "time", HOUR, "life")


def test_full_live_and_fresh_rows_score_100() -> None:
    found = assess([row("1", life="live"), row("2", life="live")], ASKED, NOW)
    assert (found.complete, found.live, found.fresh, found.score, found.reasons) == (1, 1, 1, 100, ())


def test_each_fault_is_named() -> None:
    old = rfc3339(Instant(NOW - 2 * HOUR))
    rows = [row("1", life="live", time=old), row(" ", value=None, life="stuck", time=old)]
    found = assess(rows, ASKED, NOW)
    assert (found.complete, found.live, found.fresh, found.score) == (0.5, 0.5, 0.5, 50)
    assert [reason.zh for reason in found.reasons] == [
        "“id”有 1 行为空",
        "“value”有 1 行为空",
        "1 项数值不正常",
        "最新一行已是 120 分钟前",
    ]


def test_streams_in_their_closed_hours_do_not_count_as_dead() -> None:
    assert assess([row("1", life="live"), row("2", life="closed")], ASKED, NOW).live == 1


def test_no_rows_have_no_score_but_a_reason() -> None:
    found = assess([], ASKED, NOW)
    assert (found.score, found.reasons[0].zh) == (None, "没有数据行")


def test_a_question_that_does_not_apply_lowers_no_score() -> None:
    found = assess([row("1")], Asked(("id",)), NOW)
    assert (found.live, found.fresh, found.score) == (None, None, 100)


def test_the_declaration_says_what_must_be_filled() -> None:
    assert asked_of(dataset(), HOUR) == Asked(("id", "time", "value", "title"), "time", HOUR, None)


@given(st.lists(st.sampled_from(["", None, "x"]), min_size=1), st.integers(0, 100))
def test_a_score_lies_between_0_and_100(cells: list[str | None], hours: int) -> None:
    rows: list[dict[str, Json]] = [row("1", value=cell, life="live" if cell else "late") for cell in cells]
    found = assess(rows, ASKED, Instant(NOW + hours * HOUR))
    assert found.score is not None
    assert 0 <= found.score <= 100
    assert found.live == pytest.approx(cells.count("x") / len(cells))
