"""The rows behind a figure as a table: cases, alerts, streams, bookings, ratings; those that this caller may see, in words."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec

from citybrain.brain.act import STATE_WORDS
from citybrain.brain.observe import CORRECTION
from citybrain.doors.pages import changed, rows
from citybrain.doors.pages.parts import PageParts
from citybrain.doors.pages.rows import Row
from citybrain.kernel.access import Caller, Query
from citybrain.kernel.predicate import Compare
from citybrain.kernel.reports import RATINGS
from citybrain.kernel.text import Json, Text, same
from citybrain.kernel.things import LIFE_WORDS, Life
from citybrain.web import plausible
from citybrain.web.views import Cell, Column, Table

_SHOWN: Final = 50
_TITLE: Final = Text("背后的记录", "Rows behind it")
_NONE: Final = Text("无", "none")
_SOLVED, _UNSOLVED = Text("已解决", "Solved"), Text("未解决", "Not solved")
_CHANGED: Final = Text("所据读数其后更正", "a reading behind it was corrected since")
_SET: Final = Text("由人员更正", "set by a person")
_SATISFIED: Final = 3
"""The lowest grade that is no complaint."""
_AREA: Final = Column("area", Text("区域", "Area"))
_THING: Final = Column("entity", Text("地点", "Where"))
_SPAN: Final = (Column("begins", Text("开始", "Begins")), Column("ends", Text("结束", "Ends")))
_UNITS: Final = Column("units", Text("数量", "Number"), numeric=True)
_NOUNS: Final = {
    "alert": ("alert", "alert"),
    "stream": ("stream", "stream"),
    "rating": ("case", "case"),
    "booking": ("booking", "booking"),
    "offer_window": ("offer", "offer"),
    "case": ("case", "case"),
}
"""What a row is, by the column that names it in this order → the dataset that says who may see it, and the column of its id there."""
_COLUMNS: Final[dict[str, tuple[Column, ...]]] = {
    "case": (
        Column("number", Text("编号", "Number")),
        Column("title", Text("案由", "Matter")),
        Column("state", Text("状态", "State")),
        Column("unit", Text("承办单位", "Unit")),
        _AREA,
        Column("opened", Text("登记时间", "Opened")),
        Column("due", Text("办理期限", "Due")),
        Column("closed", Text("结案时间", "Closed")),
    ),
    "alert": (
        Column("because", Text("预警", "Alert")),
        _AREA,
        Column("began", Text("开始时间", "Began")),
        Column("told", Text("发布时间", "Told")),
    ),
    "rating": (
        Column("number", Text("编号", "Number")),
        Column("title", Text("案由", "Matter")),
        Column("grade", Text("评价", "Rated")),
        Column("solved", Text("是否解决", "Solved")),
        Column("unit", Text("承办单位", "Unit")),
        _AREA,
        Column("rated", Text("评价时间", "Rated at")),
    ),
    "booking": (
        Column("code", Text("预订码", "Code")),
        _THING,
        _AREA,
        *_SPAN,
        _UNITS,
        Column("state", Text("状态", "State")),
    ),
    "offer_window": (
        _THING,
        _AREA,
        *_SPAN,
        _UNITS,
        Column("price", Text("每个每小时（元）", "¥ for one and an hour"), numeric=True),
    ),
    "stream": (
        Column("stream", Text("监测项", "Stream")),
        Column("life", Text("状态", "Life")),
        Column("value", Text("数值", "Value"), numeric=True),
        Column("time", Text("观测时间", "Observed")),
        _AREA,
    ),
}


def table(parts: PageParts, caller: Caller, found: tuple[Row, ...], *, demo: bool) -> Table:
    """The table; a row that the caller may not read is counted in the total and not shown."""
    noun = next((name for name in _NOUNS if found and name in found[0]), "case")
    dataset, column = _NOUNS[noun]
    shown = found[:_SHOWN]
    keys = tuple(dict.fromkeys(str(row[column]) for row in shown))
    seen = {str(row["id"]): row for row in _read(parts, caller, dataset, keys)}
    empty = (
        Text("您无权查看这些记录。", "These rows are not for you.")
        if found
        else Text("这个数字目前没有对应的记录。", "No rows stand behind this figure now.")
    )
    touched = changed.behind(parts, caller, _causes(noun, seen))
    cells = tuple(
        _noted(_CELLS[noun](parts, seen[key], row), changed=key in touched) for row in shown if (key := str(row[column])) in seen
    )
    return Table("rows", _TITLE, _COLUMNS[noun], cells, empty, total=len(found), demo=demo)


def _read(parts: PageParts, caller: Caller, dataset: str, keys: tuple[str, ...]) -> Sequence[Row]:
    return rows.read(parts, caller, Query(dataset, Compare("id", "in", keys), limit=_SHOWN)).rows if keys else ()


def _causes(noun: str, seen: Mapping[str, Row]) -> dict[str, str]:
    """The alert that each row is, or was opened for, by the row's id."""
    if noun == "alert":
        return {key: key for key in seen}
    causes = {key: str(row.get("cause") or "").partition(":") for key, row in seen.items()}
    return {key: name for key, (kind, _, name) in causes.items() if kind == "alert"}


def _noted(cells: tuple[Cell, ...], *, changed: bool) -> tuple[Cell, ...]:
    """The cells of a row, the first with the note that a reading behind it was corrected since."""
    return (msgspec.structs.replace(cells[0], note=_CHANGED), *cells[1:]) if changed else cells


def _case(parts: PageParts, row: Row, _: Row) -> tuple[Cell, ...]:
    item = rows.case_item(parts, row)
    return (
        Cell(text=same(item.number), href=item.href),
        Cell(text=item.title),
        Cell(text=item.state),
        Cell(text=item.unit),
        Cell(text=item.area),
        Cell(at=item.opened),
        Cell(at=item.due),
        _moment(row["closed"]),
    )


def _alert(parts: PageParts, row: Row, _: Row) -> tuple[Cell, ...]:
    item = rows.alert_item(parts, row)
    return Cell(text=item.title, href=item.href), Cell(text=item.place), Cell(at=item.began), _moment(row["told"])


def _stream(parts: PageParts, row: Row, _: Row) -> tuple[Cell, ...]:
    known = parts.registry.stream(str(row["id"]))
    thing, field = parts.registry.entity(known.entity).title, parts.registry.kind(known.kind).field(known.field).title
    life, value = Life(str(row["life"])), rows.number(row["value"])
    return (
        Cell(text=Text(f"{thing.zh} · {field.zh}", f"{thing.en} · {field.en}")),
        Cell(text=LIFE_WORDS[life], tone="plain" if life in (Life.LIVE, Life.CLOSED) else "warn"),
        Cell(
            number=value,
            decimals=0 if value is None else plausible.decimals([value]),
            reason=LIFE_WORDS[life],
            note=_SET if row["door"] == CORRECTION else None,
        ),
        _moment(row["time"]),
        Cell(text=rows.area(parts, row["area"])),
    )


def _rating(parts: PageParts, row: Row, fact: Row) -> tuple[Cell, ...]:
    item, grade = rows.case_item(parts, row), int(rows.number(fact["grade"]) or 0)
    return (
        Cell(text=same(item.number), href=item.href),
        Cell(text=item.title),
        Cell(text=dict(RATINGS).get(grade), tone="plain" if grade >= _SATISFIED else "warn"),
        Cell(text=_SOLVED if fact["solved"] else _UNSOLVED),
        Cell(text=item.unit),
        Cell(text=item.area),
        _moment(fact["rated"]),
    )


def _booking(parts: PageParts, row: Row, fact: Row) -> tuple[Cell, ...]:
    state = next((words for name, words in STATE_WORDS.items() if name == fact["state"]), _NONE)
    return Cell(text=same(str(row["code"]))), *_spanned(parts, fact), Cell(text=state)


def _window(parts: PageParts, _: Row, fact: Row) -> tuple[Cell, ...]:
    price = rows.number(fact["price"])
    return *_spanned(parts, fact), Cell(number=None if price is None else price / 100, decimals=2)


def _spanned(parts: PageParts, fact: Row) -> tuple[Cell, ...]:
    thing = parts.registry.entity(str(fact["entity"])).title
    begins, ends = _moment(fact["begins"]), _moment(fact["ends"])
    return Cell(text=thing), Cell(text=rows.area(parts, fact["area"])), begins, ends, Cell(number=rows.number(fact["units"]))


def _moment(value: Json) -> Cell:
    return Cell(at=rows.moment(value), reason=_NONE)


_CELLS: Final[dict[str, Callable[[PageParts, Row, Row], tuple[Cell, ...]]]] = {
    "case": _case,
    "alert": _alert,
    "stream": _stream,
    "rating": _rating,
    "booking": _booking,
    "offer_window": _window,
}
