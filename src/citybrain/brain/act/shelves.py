"""What act puts into the catalogue: the datasets case, step, unit and notice, with the sources that serve their rows."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from citybrain.brain.act import booking_shelves
from citybrain.kernel.clock import Clock
from citybrain.kernel.datasets import Column, Dataset
from citybrain.kernel.listing import Listing
from citybrain.kernel.pack import Pack
from citybrain.kernel.ports import Source, Transactions
from citybrain.kernel.text import Text

_OWNER = "command"
_HERE = Text("本系统案件处置", "CityBrain, handling of cases")
_CASE = (
    Column("id", Text("标识", "Id"), "text"),
    Column("number", Text("案件编号", "Number"), "text"),
    Column("matter", Text("事项", "Matter"), "text"),
    Column("title", Text("名称", "Title"), "json"),
    Column("flow", Text("流程", "Flow"), "text"),
    Column("flow_version", Text("流程版本", "Flow version"), "integer"),
    Column("state", Text("状态", "State"), "text"),
    Column("unit", Text("承办单位", "Unit"), "text"),
    Column("unit_name", Text("承办单位名称", "Unit's name"), "json"),
    Column("handler", Text("处置人员", "Handler"), "text"),
    Column("area", Text("所属区域", "Area"), "text"),
    Column("lon", Text("经度", "Longitude"), "number", "deg"),
    Column("lat", Text("纬度", "Latitude"), "number", "deg"),
    Column("entity", Text("关联对象", "Entity"), "text"),
    Column("cause", Text("来源", "Cause"), "text"),
    Column("words", Text("情况说明", "Words"), "text"),
    Column("opened", Text("登记时间", "Opened"), "instant"),
    Column("due", Text("办理期限", "Due"), "instant"),
    Column("closed", Text("结案时间", "Closed"), "instant"),
    Column("overdue", Text("是否超期", "Overdue"), "boolean"),
    Column("instructed", Text("是否在督办", "Instructed"), "boolean"),
    Column("grade", Text("等级", "Grade"), "integer"),
    Column("version", Text("版本", "Version"), "integer"),
    Column("origin", Text("数据性质", "Origin"), "text"),
)
_STEP = (
    Column("id", Text("标识", "Id"), "text"),
    Column("case", Text("案件", "Case"), "text"),
    Column("number", Text("案件编号", "Case number"), "text"),
    Column("no", Text("序号", "No."), "integer"),
    Column("move", Text("步骤", "Move"), "text"),
    Column("source", Text("原状态", "From"), "text"),
    Column("target", Text("新状态", "To"), "text"),
    Column("by", Text("经办账号", "By"), "text"),
    Column("unit", Text("案件承办单位", "Unit of the case"), "text"),
    Column("then_unit", Text("当时承办单位", "Unit at the time"), "text"),
    Column("at", Text("办理时间", "At"), "instant"),
    Column("wall", Text("记录时间", "Recorded"), "instant"),
    Column("note", Text("说明", "Note"), "text"),
    Column("origin", Text("数据性质", "Origin"), "text"),
)
_INSTRUCTION = (
    Column("id", Text("标识", "Id"), "text"),
    Column("case", Text("案件", "Case"), "text"),
    Column("number", Text("案件编号", "Case number"), "text"),
    Column("title", Text("案件名称", "Case"), "json"),
    Column("unit", Text("承办单位", "Unit"), "text"),
    Column("unit_name", Text("承办单位名称", "Unit's name"), "json"),
    Column("area", Text("所属区域", "Area"), "text"),
    Column("by", Text("批示账号", "By"), "text"),
    Column("words", Text("批示内容", "Words"), "text"),
    Column("given", Text("批示时间", "Given"), "instant"),
    Column("due", Text("督办期限", "Due"), "instant"),
    Column("overdue", Text("是否超期", "Overdue"), "boolean"),
    Column("state", Text("状态", "State"), "text"),
    Column("answer", Text("反馈内容", "Answer"), "text"),
    Column("answered", Text("反馈时间", "Answered"), "instant"),
    Column("closed", Text("办结时间", "Closed"), "instant"),
    Column("origin", Text("数据性质", "Origin"), "text"),
)
_REPORT = (
    Column("id", Text("标识", "Id"), "text"),
    Column("form", Text("表单", "Form"), "text"),
    Column("case", Text("案件", "Case"), "text"),
    Column("number", Text("编号", "Number"), "text"),
    Column("code", Text("类别代码", "Class code"), "text"),
    Column("words", Text("反映内容", "Words"), "text", personal=True),
    Column("spot", Text("位置描述", "Place in words"), "text", personal=True),
    Column("contact", Text("联系方式", "Contact"), "text", personal=True),
    Column("photo", Text("照片", "Photo"), "text", personal=True),
    Column("lon", Text("经度", "Longitude"), "number", "deg"),
    Column("lat", Text("纬度", "Latitude"), "number", "deg"),
    Column("area", Text("所属区域", "Area"), "text"),
    Column("unit", Text("承办单位", "Unit"), "text"),
    Column("account", Text("上报账号", "Account"), "text"),
    Column("filed", Text("上报时间", "Filed"), "instant"),
    Column("grade", Text("满意程度", "Satisfaction"), "integer"),
    Column("solved", Text("是否解决", "Solved"), "boolean"),
    Column("rating", Text("评价内容", "Words of the rating"), "text", personal=True),
    Column("erased", Text("个人信息删除时间", "Personal data deleted"), "instant"),
    Column("origin", Text("数据性质", "Origin"), "text"),
)
_UNIT = (
    Column("id", Text("标识", "Id"), "text"),
    Column("name", Text("名称", "Name"), "json"),
    Column("duties", Text("职责", "Duties"), "json"),
    Column("area", Text("辖区", "Area"), "text"),
    Column("parent", Text("上级单位", "Parent"), "text"),
)
_NOTICE = (
    Column("id", Text("标识", "Id"), "text"),
    Column("recipient", Text("收件方", "Recipient"), "text"),
    Column("words", Text("内容", "Words"), "json"),
    Column("subject", Text("关联案件", "Case"), "text"),
    Column("at", Text("时间", "At"), "instant"),
    Column("wall", Text("记录时间", "Recorded"), "instant"),
    Column("origin", Text("数据性质", "Origin"), "text"),
)


def _cells(table: str, columns: Sequence[Column], **others: str) -> dict[str, str]:
    return {column.name: others.get(column.name, f'"{table}"."{column.name}"') for column in columns}


_UNIT_NAME = '(SELECT "unit"."name" FROM "unit" WHERE "unit"."id" = "case"."unit")'
"""Looked up for the rows of a page alone: a join would be made for every case that is only counted."""


def _rated(column: str) -> str:
    """A column of a report's newest rating."""
    return f'(SELECT "r"."{column}" FROM "report_rating" AS "r" WHERE "r"."report" = "report"."id" ORDER BY "r"."at" DESC, "r"."id" DESC LIMIT 1)'


_TABLES: dict[str, tuple[str, dict[str, str], tuple[str, ...]]] = {
    "case": (
        '"case"',
        _cells(
            "case",
            _CASE,
            unit_name=_UNIT_NAME,
            overdue='(COALESCE("case"."closed", :now) > "case"."due")',
            instructed="""("case"."id" IN (SELECT "i"."case" FROM "instruction" AS "i" WHERE "i"."state" <> 'done'))""",
        ),
        ("opened", "due", "grade"),
    ),
    "instruction": (
        '"instruction" JOIN "case" ON "case"."id" = "instruction"."case"',
        _cells(
            "instruction",
            _INSTRUCTION,
            number='"case"."number"',
            title='"case"."title"',
            unit='"case"."unit"',
            unit_name=_UNIT_NAME,
            area='"case"."area"',
            overdue='(COALESCE("instruction"."closed", :now) > "instruction"."due")',
        ),
        ("given", "due"),
    ),
    "step": (
        '"step" JOIN "case" ON "case"."id" = "step"."case"',
        _cells(
            "step",
            _STEP,
            number='"case"."number"',
            unit='"case"."unit"',
            then_unit='"step"."unit"',
            origin='"case"."origin"',
        ),
        ("wall", "at", "no"),
    ),
    "report": (
        '"report" JOIN "case" ON "case"."id" = "report"."case"',
        _cells(
            "report",
            _REPORT,
            number='"case"."number"',
            unit='"case"."unit"',
            grade=_rated("grade"),
            solved=_rated("solved"),
            rating=_rated("words"),
        ),
        ("filed", "wall"),
    ),
    "unit": ('"unit"', _cells("unit", _UNIT), ("id",)),
    "notice": ('"notice"', _cells("notice", _NOTICE), ("at", "wall")),
}


def datasets(packs: Sequence[Pack]) -> tuple[Dataset, ...]:
    """The catalogue entries of act; what is said of cases names the matters that the packs open."""
    matters = {rule.opens.matter: rule.opens.title for pack in packs for rule in pack.rules if rule.opens is not None}
    zh = "、".join(title.zh for title in matters.values())
    en = ", ".join(title.en for title in matters.values())
    cases = Text(
        f"案件及其办理时限和当前状态。由规则立案的事项：{zh or '无'}。",
        f"Cases with their deadlines and present state. Matters opened by rules: {en or 'none'}.",
    )
    steps = Text("案件办理的每一步，只增不改。", "Every step of every case, appended and never changed.")
    reports = Text(
        "市民上报的问题。内容、位置描述、联系方式和照片为个人信息，须说明用途方可查看；结案后到期删除。",
        "What people reported. Words, place, contact and photo are personal: shown for a stated purpose, deleted in time after closing.",
    )
    units = Text("各承办单位及其职责和辖区。", "The units, their duties and where they answer.")
    told = Text(
        "领导对案件的批示、期限、反馈和办结。", "What leaders instructed on cases, until when, what was answered and how it ended."
    )
    notices = Text("系统内通知。", "Notices inside the house.")
    return (
        Dataset("case", Text("案件", "Cases"), cases, _OWNER, "act", _CASE, "conditional", "real", _HERE),
        Dataset("step", Text("案件办理记录", "Steps of cases"), steps, _OWNER, "act", _STEP, "conditional", "real", _HERE),
        Dataset("instruction", Text("督办事项", "Instructions"), told, _OWNER, "act", _INSTRUCTION, "conditional", "real", _HERE),
        Dataset("report", Text("上报", "Reports"), reports, _OWNER, "act", _REPORT, "closed", "real", _HERE),
        Dataset("unit", Text("承办单位", "Units"), units, _OWNER, "act", _UNIT, "conditional", "real", _HERE),
        Dataset("notice", Text("通知", "Notices"), notices, _OWNER, "act", _NOTICE, "closed", "real", _HERE),
        *booking_shelves.datasets(packs),
    )


def sources(transactions: Transactions[Connection], clock: Clock) -> Mapping[str, Source]:
    """The rows of act's datasets, before policy; ``overdue`` is of the city time at which they are read."""
    return {
        entry.name: Listing(
            transactions.ask,
            entry,
            *_TABLES[entry.name],
            values=(lambda: {"now": clock.city()}) if entry.name in ("case", "instruction") else dict,
        )
        for entry in datasets(())
        if entry.name in _TABLES
    } | dict(booking_shelves.sources(transactions))
