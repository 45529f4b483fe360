"""Chart images: gaps stay gaps, the band lies between its bounds, axes begin where they should."""

import msgspec
import pytest

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


HOURS = tuple(190.0 + hour % 7 for hour in range(48))


@pytest.mark.parametrize("promised", [None, (0.0, 1000.0)])
def test_one_reading_that_cannot_be_true_flattens_no_other(promised: tuple[float, float] | None) -> None:
    view = msgspec.structs.replace(chart(*HOURS, 1e308, -1e308, 195.0), promised=promised)
    sound, broken = chartimage.draw(chart(*HOURS), "zh"), chartimage.draw(view, "zh")
    assert sound is not None
    assert broken is not None
    assert (broken.least, broken.most) == (sound.least, sound.most)
    assert len(broken.edges) == 2
    html = render.fragment(view, examples.page()).html
    assert "2 个读数远超合理范围" in html
    assert "1e308" in html
    assert len(html) < 40_000


def test_what_is_a_little_out_of_its_range_is_shown_where_it_is() -> None:
    drawn = chartimage.draw(msgspec.structs.replace(chart(900.0, 1200.0), promised=(0.0, 1000.0)), "zh")
    assert drawn is not None
    assert drawn.edges == ()
    assert drawn.most >= 1200


def test_a_range_in_which_hardly_anything_lies_is_not_what_is_shown() -> None:
    drawn = chartimage.draw(msgspec.structs.replace(chart(9000.0, 9100.0, 9200.0), promised=(0.0, 10.0)), "zh")
    assert drawn is not None
    assert drawn.edges == ()


@pytest.mark.parametrize("value", [0.0, -0.0, 42.0, 123_456_789.0, 1e15, 1e308, -1e308, 5e-324, 0.004])
def test_a_value_that_never_changes_is_drawn(value: float) -> None:
    drawn = chartimage.draw(chart(value, value), "zh")
    assert drawn is not None
    assert drawn.most > drawn.least
    assert "nan" not in drawn.seen


def test_a_reading_between_holes_is_a_dot_and_not_invisible() -> None:
    drawn = chartimage.draw(chart(5.0, 6.0, None, 7.0, None, 8.0), "zh")
    assert drawn is not None
    assert drawn.seen.count("h0") == 2
