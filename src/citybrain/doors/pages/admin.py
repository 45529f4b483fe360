"""Administration: the ledger of every door, the health of the program, streams by life, people and units."""

from collections.abc import Mapping, Sequence
from typing import Final

from litestar import Response, get

from citybrain.brain.act import duty_words
from citybrain.doors.pages import frame, rows
from citybrain.doors.pages.parts import Call, PageParts, Parts
from citybrain.kernel.access import ROLES, Ask, Caller, Query
from citybrain.kernel.errors import BusyError
from citybrain.kernel.text import Json, Text, same
from citybrain.kernel.things import LIFE_WORDS, Life
from citybrain.web.frame_views import Admin, DoorLedger
from citybrain.web.views import Cell, Column, Table

_PURPOSE: Final = "账号管理 · administration of accounts"
"""Why the administrator is shown names and logins; it stands in the audit trail."""
_REFUSED: Final = {
    "unknown_stream": Text("没有这个监测项", "No such stream"),
    "forbidden_stream": Text("该设备无权写入", "Not for this device to write"),
    "bad_row": Text("缺少必要的项", "Parts of the row are missing"),
    "bad_value": Text("值不是数", "The value is no number"),
    "long_word": Text("取值过长", "The value is too long"),
    "too_many_words": Text("取值过多", "The stream has too many words"),
    "no_reading": Text("是估计或作废的，不是读数", "An estimate, or struck out: no reading"),
    "not_a_number": Text("值不是有限的数", "The value is not finite"),
    "wrong_unit": Text("单位不能换算", "The unit does not convert"),
    "bad_time": Text("时间写法有误", "The time cannot be read"),
    "future_time": Text("时间超前", "The time is ahead"),
    "bad_feature": Text("没有这个观测对象", "No such feature of interest"),
    "bad_said": Text("附带的说明写法有误", "What is said beside the value is wrong"),
    "too_old": Text("时间早于 2000 年", "Before the year 2000"),
    "expired": Text("已过保存期", "Older than is kept"),
    "unreadable": Text("报文无法读取", "The message cannot be read"),
    "bad_input": Text("报文主题或内容有误", "Topic or message is wrong"),
    "not_found": Text("报文主题不存在", "No such topic"),
    "too_large": Text("报文过大", "The message is too large"),
}
"""Reasons for which rows are refused, by the code that senders and metrics have."""


@get("/admin", opt=frame.opens("page.admin"), sync_to_thread=True)
def admin(request: Call, parts: Parts) -> Response[str]:
    """The whole page."""
    may = parts.policy.decide(Ask(request.user, "page.streams", "page")).allowed
    found = (_lives(parts, may_open=may), _people(parts, request.user), _units(parts, request.user))
    tables = tuple(table for table in found if table)
    try:
        ledgers, away = _ledgers(parts), None
    except BusyError as error:
        ledgers, away = (), error.what
    return frame.shown(parts, request, Admin(ledgers, parts.health(), tables, parts.silent(), away))


def _ledgers(parts: PageParts) -> tuple[DoorLedger, ...]:
    """Raises BusyError where the process that keeps them was never there."""
    return tuple(
        DoorLedger(
            rows.DOORS.get(door.door, same(door.door)),
            door.received,
            door.stored,
            door.duplicate,
            sum(door.refused.values()),
            door.pending,
            door.last,
            deleted=door.deleted,
            reasons=_reasons(door.refused) if door.refused else None,
        )
        for door in parts.doors()
    )


def _reasons(refused: Mapping[str, int]) -> Text:
    """Reasons with their counts, the commonest first."""
    counts = sorted(refused.items(), key=lambda one: (-one[1], one[0]))
    return _listed([Text(f"{words.zh} {count:,}", f"{words.en} {count:,}") for code, count in counts for words in (_why(code),)])


def _why(code: str) -> Text:
    words = _REFUSED.get(code, same(""))
    return Text(f"{words.zh} {code}".strip(), f"{words.en} {code}".strip())


def _lives(parts: PageParts, *, may_open: bool) -> Table:
    counts = parts.census.counts()
    columns = (Column("life", Text("状态", "Life")), Column("count", Text("监测项", "Streams"), numeric=True))
    cells = tuple(
        (
            Cell(text=LIFE_WORDS[life], href=f"/admin/streams?life={life.value}" if may_open else ""),
            Cell(number=float(counts.get(life, 0))),
        )
        for life in Life
    )
    return Table("lives", Text("监测项状态", "Streams by life"), columns, cells, Text("没有监测项。", "There are no streams."))


def _people(parts: PageParts, caller: Caller) -> Table | None:
    found = rows.read(parts, caller, Query("account", limit=200), _PURPOSE).rows
    if not found:
        return None
    units = {unit.id: unit.name for unit in parts.units.all()}
    columns = (
        Column("login", Text("账号", "Account")),
        Column("name", Text("姓名", "Name")),
        Column("roles", Text("角色", "Roles")),
        Column("unit", Text("单位", "Unit")),
    )
    cells = tuple(
        (
            _cell(row.get("login")),
            _cell(row.get("name")),
            Cell(text=_roles(row.get("roles"))),
            Cell(text=units.get(str(row.get("unit"))), reason=Text("无", "none")),
        )
        for row in found
    )
    return Table("people", Text("人员", "People"), columns, cells, Text("没有账号。", "There are no accounts."))


def _units(parts: PageParts, caller: Caller) -> Table | None:
    found = rows.read(parts, caller, Query("unit", limit=200)).rows
    if not found:
        return None
    columns = (Column("name", Text("单位", "Unit")), Column("duties", Text("职责", "Duties")), Column("area", Text("辖区", "Area")))
    cells = tuple(
        (Cell(text=rows.words(row["name"])), Cell(text=_duties(row.get("duties"))), Cell(text=rows.area(parts, row.get("area"))))
        for row in found
    )
    return Table("units", Text("单位", "Units"), columns, cells, Text("没有单位。", "There are no units."))


def _duties(value: Json) -> Text:
    return _listed([duty_words(str(one)) for one in value] if isinstance(value, list) else [])


def _roles(value: Json) -> Text:
    return _listed([ROLES[name] for name in ROLES if isinstance(value, list) and name in value])


def _listed(names: Sequence[Text]) -> Text:
    return Text("、".join(name.zh for name in names), ", ".join(name.en for name in names))


def _cell(value: Json) -> Cell:
    if value in (None, "", []):
        return Cell(reason=Text("无", "none"))
    return Cell(text=same(", ".join(map(str, value)) if isinstance(value, list) else str(value)))


HANDLERS = (admin,)
