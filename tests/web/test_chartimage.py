"""Chart images: gaps stay gaps, the band lies between its bounds, axes begin where they should."""

import msgspec

from citybrain.kernel.instant import HOUR, Instant
from citybrain.kernel.text import Text, same
from citybrain.web import chartimage, render
from citybrain.web.views import Chart, ChartRow, Skill
from tests.web import examples


def chart(*values: float | None) -> Chart:
    """An hourly chart of measured values."""
    rows = tuple(ChartRow(Instant(examples.NOW + index * HOUR), value) for index, value in enumerate(values))
    return Chart("c", same("c"), same(""), rows)


def test_a_gap_breaks_the_line_and_is_never_drawn_as_zero() -> None:
    drawn = chartimage.draw(chart(5.0, 6.0, None, 7.0, 8.0), "zh")
    assert drawn is not None
    assert drawn.seen.count("M") == 2
    assert drawn.seen.count("L") == 2


def test_a_chart_without_values_is_not_drawn_and_says_why() -> None:
    empty = msgspec.structs.replace(chart(None, None), reason=Text("尚无读数", "no readings yet"))
    assert chartimage.draw(empty, "zh") is None
    html = render.fragment(empty, examples.page()).html
    assert "尚无读数" in html
    assert "<svg" not in html


def test_the_axis_begins_at_zero_unless_the_values_lie_close_together_far_from_it() -> None:
    assert chartimage.floor([1.0, 9.0]) == 0.0
    assert chartimage.floor([-3.0, 9.0]) == -3.0
    assert chartimage.floor([90.0, 98.0]) == 88.0


def test_the_forecast_has_a_band_and_begins_where_the_measured_ends() -> None:
    drawn = chartimage.draw(examples.PM, "zh")
    assert drawn is not None
    assert drawn.band.startswith("M")
    assert drawn.band.endswith("Z")
    assert drawn.now is not None
    assert [limit.threshold.value for limit in drawn.limits] == [75]


def test_an_error_against_persistence_is_said_in_words_and_a_worse_one_says_so() -> None:
    better, worse = Skill(6, 14.2, 21.9, same("µg/m³")), Skill(24, 27.5, 26.8, same("µg/m³"))
    assert render.say_skill(better, "zh") == "往前6小时：平均误差14.2 µg/m³，按“不变”假设推算为21.9 µg/m³，误差小35%。"
    assert (
        render.say_skill(worse, "en")
        == "24 h ahead: mean error 27.5 µg/m³, no better than assuming no change (26.8 µg/m³), which serves instead."
    )
