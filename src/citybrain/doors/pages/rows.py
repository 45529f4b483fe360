"""Rows of the guard's reader turned into what views show."""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from citybrain.doors.pages.parts import PageParts
from citybrain.kernel.access import Caller, Guarded, Query
from citybrain.kernel.errors import ForbiddenError, NotFoundError
from citybrain.kernel.instant import Instant, parse
from citybrain.kernel.text import Json, Text, same
from citybrain.kernel.units import UNITS
from citybrain.web.views import AlertItem, CaseItem

Row = Mapping[str, Json]
Group = Literal["new", "working", "checking", "closed"]
_GROUPS: Final[dict[str, Group]] = {
    "reported": "new",
    "filed": "new",
    "assigned": "working",
    "handling": "working",
    "finished": "checking",
}
DOORS: Final[dict[str, Text]] = {
    "api": Text("接口批量写入 api", "API"),
    "mqtt": Text("设备消息 mqtt", "MQTT"),
    "replay": Text("演示回放 replay", "Replay"),
    "derived": Text("派生计算 derived", "Derived"),
    "import": Text("历史导入 import", "Import"),
    "sensorthings": Text("SensorThings 接口 sensorthings", "SensorThings"),
    "correction": Text("人工更正 correction", "Corrections"),
    "struck": Text("人工作废 struck", "Struck out"),
    "restored": Text("撤回更正 restored", "Corrections taken back"),
}
_ENGLISH: Final[dict[str, str]] = {
    "{case}": "cases",
    "{count}": "",
    "{space}": "spaces",
    "{vehicle}/d": "vehicles a day",
    "{fen}/h": "fen an hour",
    "h": "h",
    "min": "min",
    "s": "s",
}
"""Signs that are Chinese words, in English."""
_NOWHERE: Final = Text("未定位", "No place")


def read(parts: PageParts, caller: Caller, query: Query, purpose: str = "") -> Guarded:
    """A page of what the caller may see; nothing for a dataset that the caller may not read at all."""
    try:
        return parts.guard.reader(caller, purpose).read(query)
    except ForbiddenError:
        return Guarded((), None, 0 if query.count else None, (), ())


def first(rows: Sequence[Row], what: str) -> Row:
    """The only row; raises NotFoundError, the same whether it is not there or not for this caller."""
    if not rows:
        raise NotFoundError(Text(f"没有找到“{what}”，或您无权查看。", f"'{what}' does not exist, or not for you."), id=what)
    return rows[0]


def sign(unit: str) -> Text:
    """A UCUM unit as it stands behind a number; its code where it is not known."""
    shown = UNITS[unit].sign if unit in UNITS else unit
    return Text(shown, _ENGLISH.get(unit, shown))


def words(value: Json) -> Text:
    """A text of a row: bilingual, or the same in both."""
    if isinstance(value, dict):
        return Text(str(value.get("zh", "")), str(value.get("en", "")))
    return same("" if value is None else str(value))


def moment(value: Json) -> Instant | None:
    """An instant of a row, written as RFC 3339."""
    return parse(value) if isinstance(value, str) and value else None


def needed(value: Json) -> Instant:
    """An instant that every row has."""
    found = moment(value)
    return Instant(0) if found is None else found


def number(value: Json) -> float | None:
    """A number of a row."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def area(parts: PageParts, code: Json) -> Text:
    """An area's name, with its subdistrict's before it where it is smaller."""
    if not isinstance(code, str) or not code:
        return _NOWHERE
    known = [_named(parts, part) for part in dict.fromkeys((code[:9], code[:12])) if len(part) > 6]
    chain = [name for name in known if name is not None]
    if not chain:
        return _named(parts, code) or same(code)
    return Text("".join(name.zh for name in chain), ", ".join(name.en for name in reversed(chain)))


def _named(parts: PageParts, code: str) -> Text | None:
    try:
        return parts.areas.area(code).name
    except NotFoundError:
        return None


def group(state: str) -> Group:
    """The station of the closed loop that a state belongs to."""
    return _GROUPS.get(state, "closed")


def case_item(parts: PageParts, row: Row) -> CaseItem:
    """A case row as a line of a list."""
    state = str(row["state"])
    return CaseItem(
        number=str(row["number"]),
        href=f"/desk/{row['number']}",
        title=words(row["title"]),
        state=parts.cases.state_title(str(row["flow"]), state),
        group=group(state),
        unit=words(row["unit_name"]),
        area=area(parts, row["area"]),
        opened=needed(row["opened"]),
        due=needed(row["due"]),
        closed=moment(row["closed"]),
        grade=int(number(row["grade"]) or 3),
        handler=str(row["handler"] or ""),
        instructed=row["instructed"] is True,
        demo=row["origin"] != "real",
    )


def alert_item(parts: PageParts, row: Row) -> AlertItem:
    """An alert row as a line of a list."""
    return AlertItem(
        id=str(row["id"]),
        grade=int(number(row["grade"]) or 4),
        title=words(row["because"]),
        place=area(parts, row["area"]),
        began=needed(row["began"]),
        cleared=moment(row["cleared"]),
        href=f"/alerts/{row['id']}",
        case="",
        demo=row["origin"] != "real",
    )
