"""The rows behind a figure as a table: cases, alerts or streams, those that this caller may see, in words."""

from collections.abc import Callable
from typing import Final

from citybrain.doors.pages import rows
from citybrain.doors.pages.parts import PageParts
from citybrain.doors.pages.rows import Row
from citybrain.kernel.access import Caller, Query
from citybrain.kernel.predicate import Compare
from citybrain.kernel.text import Json, Text, same
from citybrain.kernel.things import LIFE_WORDS, Life
from citybrain.web.views import Cell, Column, Table

_SHOWN: Final = 50
_TITLE: Final = Text("背后的记录", "Rows behind it")
_NONE: Final = Text("无", "none")
_AREA: Final = Column("area", Text("区域", "Area"))
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
    noun = next((name for name in ("alert", "stream", "case") if found and name in found[0]), "case")
    keys = tuple(str(row[noun]) for row in found[:_SHOWN])
    seen = rows.read(parts, caller, Query(noun, Compare("id", "in", keys), limit=_SHOWN)).rows if keys else ()
    empty = (
        Text("您无权查看这些记录。", "These rows are not for you.")
        if found
        else Text("这个数字目前没有对应的记录。", "No rows stand behind this figure now.")
    )
    cells = tuple(_CELLS[noun](parts, row) for row in seen)
    return Table("rows", _TITLE, _COLUMNS[noun], cells, empty, total=len(found), demo=demo)


def _case(parts: PageParts, row: Row) -> tuple[Cell, ...]:
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


def _alert(parts: PageParts, row: Row) -> tuple[Cell, ...]:
    item = rows.alert_item(parts, row)
    return Cell(text=item.title, href=item.href), Cell(text=item.place), Cell(at=item.began), _moment(row["told"])


def _stream(parts: PageParts, row: Row) -> tuple[Cell, ...]:
    known = parts.registry.stream(str(row["id"]))
    thing, field = parts.registry.entity(known.entity).title, parts.registry.kind(known.kind).field(known.field).title
    life = Life(str(row["life"]))
    return (
        Cell(text=Text(f"{thing.zh} · {field.zh}", f"{thing.en} · {field.en}")),
        Cell(text=LIFE_WORDS[life], tone="plain" if life in (Life.LIVE, Life.CLOSED) else "warn"),
        Cell(number=rows.number(row["value"]), decimals=1, reason=LIFE_WORDS[life]),
        _moment(row["time"]),
        Cell(text=rows.area(parts, row["area"])),
    )


def _moment(value: Json) -> Cell:
    return Cell(at=rows.moment(value), reason=_NONE)


_CELLS: Final[dict[str, Callable[[PageParts, Row], tuple[Cell, ...]]]] = {"case": _case, "alert": _alert, "stream": _stream}
