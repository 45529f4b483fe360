"""Figures as cards, and a figure opened: its definition, its history, its parts by area, the rows behind it."""

from typing import Final

from litestar import Response, get
from litestar.params import FromPath

from citybrain.brain.observe import Rested
from citybrain.doors.pages import behind, frame, rows
from citybrain.doors.pages.parts import Call, PageParts, Parts
from citybrain.kernel import datasets
from citybrain.kernel.access import Caller
from citybrain.kernel.errors import NotFoundError
from citybrain.kernel.instant import DAY, Instant
from citybrain.kernel.pack import Indicator
from citybrain.kernel.text import Text, same
from citybrain.web.data_views import FigurePage
from citybrain.web.views import Cell, Chart, ChartRow, Column, Fact, Figure, Link, Table

_TREND_DAYS: Final = 7
_FACTS_OF: Final = {"offer_window": "offer_released", "rating": "report_rated"}
"""Tables that are folded from facts alone, and the dataset of these."""


def card(parts: PageParts, figure: datasets.Figure) -> Figure:
    """A computed figure as a card."""
    declared = parts.indicators.indicator(figure.indicator)
    return Figure(
        name=figure.indicator,
        title=declared.title,
        value=figure.value,
        unit=rows.sign(declared.unit),
        at=figure.as_of,
        decimals=declared.decimals,
        unknown=figure.unknown,
        reason=figure.reason,
        href=f"/figures/{figure.indicator}",
        better=declared.better,
        demo=figure.origin != "real",
    )


def waiting(parts: PageParts, declared: Indicator) -> Figure:
    """The card of a figure that was never computed: it has its place, and is patched when it is."""
    reason = Text("尚未计算", "not computed yet")
    demo = parts.demo is not None
    return Figure(
        declared.name, declared.title, None, rows.sign(declared.unit), None, reason=reason, better=declared.better, demo=demo
    )


def district_cards(parts: PageParts) -> tuple[Figure, ...]:
    """Every figure of the whole district, the house's own first."""
    whole = {figure.indicator: figure for figure in parts.indicators.figures() if figure.area is None}
    return tuple(card(parts, whole[one.name]) if one.name in whole else waiting(parts, one) for one in parts.indicators.all())


@get("/figures/{name:str}", opt=frame.opens("figure.read"), sync_to_thread=True)
def figure_page(request: Call, parts: Parts, name: FromPath[str]) -> Response[str]:
    """A figure opened."""
    declared = parts.indicators.indicator(name)
    found = [figure for figure in parts.indicators.figures() if figure.indicator == name]
    whole = next((figure for figure in found if figure.area is None), None)
    if whole is None:
        raise NotFoundError(
            Text(f"指标“{declared.title.zh}”尚未计算。", f"'{declared.title.en}' has not been computed yet."), indicator=name
        )
    return frame.shown(parts, request, _view(parts, request.user, declared, whole, tuple(found)))


def _view(
    parts: PageParts, caller: Caller, declared: Indicator, whole: datasets.Figure, found: tuple[datasets.Figure, ...]
) -> FigurePage:
    counted = parts.indicators.rows(declared.name)
    return FigurePage(
        figure=card(parts, whole),
        version=f"v{declared.version}",
        definition=declared.definition,
        formula="",
        inputs=tuple(dict.fromkeys(_input(parts, name) for name in declared.inputs)),
        facts=(
            Fact(Text("计算时间", "Computed"), same(""), whole.computed),
            Fact(Text("数据截至", "As of"), same(""), whole.as_of),
            *_made_of(parts, declared, whole),
        ),
        trend=trend(parts, declared),
        parts=_areas(parts, found),
        rows=behind.table(parts, caller, counted, demo=whole.origin != "real"),
        traces=(Link(Text("从这个数字查到读数", "From this figure down to the reading"), f"/trace/figure/{declared.name}"),),
    )


def _made_of(parts: PageParts, declared: Indicator, whole: datasets.Figure) -> tuple[Fact, ...]:
    """What a figure was made of when it was made, and what has become of that; and of the figures of the last days."""
    past = parts.indicators.history(declared.name, Instant(parts.clock.city() - _TREND_DAYS * DAY))
    now, *before = parts.indicators.rested(declared.name, (whole, *past), parts.corrections.rested) or (Rested(),)
    changed = sum(each.changed > 0 for each in before)
    facts = (
        (now.corrected, Text("其中由人员更正的读数", "Readings set by a person"), same(f"{now.corrected}")),
        (
            now.changed,
            Text("算出以后", "Since it was computed"),
            Text(f"有 {now.changed} 条读数被更正", f"{now.changed} of its readings were corrected"),
        ),
        (
            changed,
            Text("近7日的历史", "Its 7 days"),
            Text(f"有 {changed} 个数算出后读数被更正", f"{changed} figures whose readings were corrected afterwards"),
        ),
    )
    return tuple(Fact(title, said) for count, title, said in facts if count)


def _input(parts: PageParts, name: str) -> Link:
    """What a figure is counted from, by its title: the dataset, or of a kind's field the kind's."""
    table, _, field = name.partition(":")
    dataset = field.partition(".")[0] or _FACTS_OF.get(table, table)
    known = parts.catalogue.describe(dataset)
    return Link(known.title, f"/data/{known.name}")


def trend(parts: PageParts, declared: Indicator) -> Chart:
    """How a figure of the district went in the last seven days."""
    now = parts.clock.city()
    past = parts.indicators.history(declared.name, Instant(now - _TREND_DAYS * DAY))
    seen = tuple(ChartRow(figure.computed, seen=figure.value) for figure in past)
    # A single point draws no line.
    points = seen if len(seen) > 1 else ()
    return Chart(
        f"trend-{declared.name}".replace("_", "-"),
        Text(f"{declared.title.zh} 近7日", f"{declared.title.en}, 7 days"),
        rows.sign(declared.unit),
        points,
        declared.decimals,
        reason=None if points else Text("还没有历史", "no history yet"),
        demo=parts.demo is not None,
    )


def _areas(parts: PageParts, found: tuple[datasets.Figure, ...]) -> Table:
    names = {area.code: area.name for area in parts.areas.subdistricts()}
    lines = tuple(
        (Cell(text=names[figure.area]), Cell(number=figure.value, reason=figure.reason), Cell(number=float(figure.unknown)))
        for figure in found
        if figure.area in names
    )
    columns = (
        Column("area", Text("街道", "Subdistrict")),
        Column("value", Text("数值", "Value"), numeric=True),
        Column("unknown", Text("不明", "Unknown"), numeric=True),
    )
    return Table(
        "areas", Text("分街道", "By subdistrict"), columns, lines, Text("没有分街道的数值。", "No figures by subdistrict.")
    )


HANDLERS = (figure_page,)
