"""Why a figure is not sure: what fell silent, since when, and what only rests."""

from citybrain.brain.see.wording import reason
from citybrain.kernel.instant import DAY, HOUR, Instant, parse
from citybrain.kernel.text import Text

NOW = parse("2026-11-25T07:30:00+08:00")


def said(**row: object) -> Text | None:
    return reason(row, missing=False, now=NOW)


def test_what_is_silent_says_since_when_and_what_rests_is_no_fault() -> None:
    since = Instant(NOW - HOUR)
    assert said(unknown=0, closed=0) is None
    assert said(unknown=1, silent_since=since) == Text("06:30起无有效数据", "no good reading since 06:30")
    assert said(unknown=29, closed=29) == Text("停用时段，29项", "closed at this hour, 29")
    assert said(unknown=29, closed=28, silent_since=Instant(since - DAY)) == Text(
        "11月24日06:30起无有效数据，另28项停用时段",
        "no good reading since 2026-11-24 06:30, 28 more closed at this hour",
    )
    assert said(unknown=3, closed=1) == Text("2项无有效数据，另1项停用时段", "2 without a good reading, 1 more closed at this hour")


def test_a_reason_of_the_measure_itself_comes_first_and_no_value_is_never_without_one() -> None:
    assert said(unknown=3, reason_zh="无监测点", reason_en="no station") == Text("无监测点", "no station")
    assert reason({}, missing=True, now=NOW) is not None
