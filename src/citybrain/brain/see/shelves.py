"""What see puts into the catalogue: figures, indicators and the fact tables, with the sources that serve their rows."""

import re
from collections.abc import Mapping, Sequence

import pyarrow as pa
from sqlalchemy import Connection

from citybrain.brain.see.facts import FACTS, source
from citybrain.brain.see.house import HOUSE
from citybrain.kernel.access import Page, Query
from citybrain.kernel.datasets import Column, ColumnType, Dataset
from citybrain.kernel.errors import BadInputError
from citybrain.kernel.listing import Asker, Listing
from citybrain.kernel.pack import Indicator, Pack
from citybrain.kernel.ports import Facts, Source, Transactions
from citybrain.kernel.predicate import Scalar, holds
from citybrain.kernel.text import Json, Text

_OWNER = "command"
_HERE = Text("本系统运行统计", "CityBrain, how it goes")
_FIGURE = (
    Column("id", Text("标识", "Id"), "text"),
    Column("indicator", Text("指标", "Indicator"), "text"),
    Column("version", Text("口径版本", "Version of the definition"), "integer"),
    Column("area", Text("所属区域（空为全区）", "Area (empty for the district)"), "text"),
    Column("value", Text("数值", "Value"), "number"),
    Column("unknown", Text("不明数", "Unknown"), "integer"),
    Column("reason", Text("无数或存疑的原因", "Why there is none, or doubt"), "json"),
    Column("as_of", Text("数据时间", "As of"), "instant"),
    Column("computed", Text("计算时间", "Computed"), "instant"),
    Column("origin", Text("数据性质", "Origin"), "text"),
)
_INDICATOR = (
    Column("name", Text("指标", "Indicator"), "text"),
    Column("title", Text("名称", "Title"), "json"),
    Column("unit", Text("计量单位", "Unit"), "text"),
    Column("version", Text("口径版本", "Version"), "integer"),
    Column("definition", Text("口径", "Definition"), "json"),
    Column("inputs", Text("数据来源", "Inputs"), "json"),
    Column("pack", Text("应用包", "Pack"), "text"),
)
_TITLES = {
    "event": Text("事件标识", "Event"),
    "position": Text("事件序号", "Position"),
    "time": Text("发生时间", "Time"),
    "case": Text("案件", "Case"),
    "number": Text("案件编号", "Number"),
    "matter": Text("事项", "Matter"),
    "title_zh": Text("名称（中文）", "Title (Chinese)"),
    "title_en": Text("名称（英文）", "Title (English)"),
    "flow": Text("流程", "Flow"),
    "state": Text("状态", "State"),
    "unit": Text("承办单位", "Unit"),
    "handler": Text("处置人员", "Handler"),
    "area": Text("所属区域", "Area"),
    "entity": Text("关联对象", "Entity"),
    "cause": Text("来源", "Cause"),
    "grade": Text("等级", "Grade"),
    "opened": Text("登记时间", "Opened"),
    "due": Text("办理期限", "Due"),
    "closed": Text("结案时间", "Closed"),
    "on_time": Text("是否按期结案", "Closed in time"),
    "version": Text("版本", "Version"),
    "origin": Text("数据性质", "Origin"),
    "move": Text("步骤", "Move"),
    "alert": Text("预警", "Alert"),
    "rule": Text("规则", "Rule"),
    "rule_version": Text("规则版本", "Rule version"),
    "began": Text("起始时间", "Began"),
    "told": Text("发布时间", "Told"),
    "cleared": Text("解除时间", "Cleared"),
    "because_zh": Text("原因（中文）", "Reason (Chinese)"),
    "because_en": Text("原因（英文）", "Reason (English)"),
    "booking": Text("预订", "Booking"),
    "offer": Text("预订项目", "Offer"),
    "offer_window": Text("开放时段", "Window of an offer"),
    "kind": Text("对象种类", "Kind"),
    "begins": Text("开始", "Begins"),
    "ends": Text("结束", "Ends"),
    "left_at": Text("离开时间", "Left"),
    "units": Text("数量", "Units"),
    "price": Text("价格（分）", "Price in 分"),
    "appeal": Text("申诉", "Appeal"),
    "rating": Text("评价", "Rating"),
    "form": Text("上报表单", "Form"),
    "closing": Text("被评价的结案时间", "Closing judged"),
    "rated": Text("评价时间", "Rated"),
    "solved": Text("是否解决", "Solved"),
}
_INSTANTS = frozenset(
    ("time", "opened", "due", "closed", "began", "told", "cleared", "begins", "ends", "left_at", "closing", "rated")
)
_TYPES: dict[pa.DataType, ColumnType] = {pa.string(): "text", pa.int32(): "integer", pa.int64(): "integer", pa.bool_(): "boolean"}
_FACT_WORDS = {
    "case_opened": (
        Text("立案事实", "Facts: cases opened"),
        Text("每件案件登记时的情况，只增不改。", "Every case as it was opened; appended, never changed."),
    ),
    "case_moved": (
        Text("办理事实", "Facts: cases moved"),
        Text("每个办理步骤之后的案件情况，只增不改。", "Every case after each step; appended, never changed."),
    ),
    "case_closed": (
        Text("结案事实", "Facts: cases closed"),
        Text("每件案件结案时的情况及是否按期。", "Every case as it was closed, and whether in time."),
    ),
    "alert_told": (Text("预警发布事实", "Facts: alerts told"), Text("每条预警发布时的情况。", "Every alert as it was told.")),
    "alert_cleared": (
        Text("预警解除事实", "Facts: alerts cleared"),
        Text("每条预警解除时的情况。", "Every alert as it was cleared."),
    ),
    "offer_released": (
        Text("开放时段事实", "Facts: windows offered"),
        Text("每个预订项目发布时的各开放时段。", "The windows of every offer as it was published."),
    ),
    "offer_withdrawn": (
        Text("撤回时段事实", "Facts: windows withdrawn"),
        Text("项目撤回后各时段的实际长短。", "The windows of an offer as a withdrawal left them."),
    ),
    "booking_made": (
        Text("预订事实", "Facts: bookings made"),
        Text("每次预订时的情况，不含预订人。", "Every booking as it was made, without who made it."),
    ),
    "booking_changed": (
        Text("预订变更事实", "Facts: bookings changed"),
        Text(
            "每次到达、离开、取消、未到之后的情况，不含预订人。",
            "Every booking after arrival, leaving, cancelling or a no-show, without who made it.",
        ),
    ),
    "report_rated": (
        Text("评价事实", "Facts: closings rated"),
        Text(
            "上报人对每次办结的五级评价（5 为最好），不含上报人和评语。",
            "How reporters judged each closing, from 5 (best) to 1, without who they are or what they wrote.",
        ),
    ),
}


def datasets(packs: Sequence[Pack]) -> tuple[Dataset, ...]:
    """The catalogue entries of see; what is said of figures names the indicators."""
    zh = "、".join(one.title.zh for one in _indicators(packs))
    en = ", ".join(one.title.en for one in _indicators(packs))
    about = Text(f"各指标的数值及其历史。指标：{zh}。", f"The values of all indicators, with their history. Indicators: {en}.")
    declared = Text("各指标的名称、口径、版本和数据来源。", "Every indicator: its definition, version and inputs.")
    return (
        Dataset("figure", Text("指标数值", "Figures"), about, _OWNER, "see", _FIGURE, "conditional", "real", _HERE),
        Dataset(
            "indicator", Text("指标口径", "Indicators"), declared, _OWNER, "see", _INDICATOR, "unconditional", "real", _HERE, "name"
        ),
        *(
            Dataset(name, *_FACT_WORDS[name], _OWNER, "see", _columns(schema), "conditional", "real", _HERE, "position")
            for name, schema in FACTS.items()
        ),
    )


def sources(transactions: Transactions[Connection], facts: Facts, packs: Sequence[Pack]) -> Mapping[str, Source]:
    """The rows of see's datasets, before policy."""
    entries = {entry.name: entry for entry in datasets(packs)}
    cells = {column.name: f'"{column.name}"' for column in _FIGURE} | {"area": "NULLIF(\"area\", '')"}
    found: dict[str, Source] = {
        "figure": Listing(transactions.ask, entries["figure"], '"figure"', cells, ("computed", "as_of")),
        "indicator": lambda query: _declared(query, packs),
    }
    return found | {name: _fact_source(facts, entries[name]) for name in FACTS}


def _fact_source(facts: Facts, entry: Dataset) -> Source:
    cells = {column.name: f'"{column.name}"' for column in entry.columns}

    def rows(query: Query) -> Page:
        tables = f"{source(facts, entry.name)} AS fact"
        return Listing(_series(facts), entry, tables, cells, ("time", "position"))(query)

    return rows


def _columns(schema: pa.Schema) -> tuple[Column, ...]:
    return tuple(
        Column(field.name, _TITLES[field.name], "instant" if field.name in _INSTANTS else _TYPES[field.type]) for field in schema
    )


def _series(facts: Facts) -> Asker:
    def ask(sql: str, values: Mapping[str, Scalar]) -> Sequence[Mapping[str, object]]:
        return facts.query(re.sub(r":(p\d+|after_key|after)\b", r"$\1", sql), dict(values)).to_pylist()

    return ask


def _indicators(packs: Sequence[Pack]) -> tuple[Indicator, ...]:
    return (*HOUSE, *(one for pack in packs for one in pack.indicators))


def _declared(query: Query, packs: Sequence[Pack]) -> Page:
    owners = {one.name: pack.name for pack in packs for one in pack.indicators}
    rows = [_indicator_row(one, owners.get(one.name)) for one in _indicators(packs)]
    kept = sorted((row for row in rows if holds(query.where, row)), key=lambda row: str(row["name"]))
    start = _place(query.cursor, kept)
    shown = kept[start : start + query.limit]
    more = start + query.limit < len(kept)
    return Page(tuple(shown), str(shown[-1]["name"]) if more and shown else None, len(kept) if query.count else None)


def _place(cursor: str | None, rows: Sequence[Mapping[str, Json]]) -> int:
    if cursor is None:
        return 0
    for place, row in enumerate(rows, start=1):
        if row["name"] == cursor:
            return place
    what = Text("游标无法识别，请从第一页开始。", "The cursor cannot be read. Start from the first page.")
    raise BadInputError(what, cursor=cursor)


def _indicator_row(one: Indicator, pack: str | None) -> dict[str, Json]:
    return {
        "name": one.name,
        "title": {"zh": one.title.zh, "en": one.title.en},
        "unit": one.unit,
        "version": one.version,
        "definition": {"zh": one.definition.zh, "en": one.definition.en},
        "inputs": list(one.inputs),
        "pack": pack,
    }
