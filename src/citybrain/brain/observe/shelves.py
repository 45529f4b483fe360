"""The catalogue entries of observe, columns written once."""

from collections.abc import Sequence

from citybrain.kernel.datasets import Column, ColumnType, Dataset
from citybrain.kernel.pack import Pack
from citybrain.kernel.text import Text
from citybrain.kernel.things import Field, Kind

_HERE = Text("本系统感知登记", "CityBrain, register of what is observed")
_ID = Column("id", Text("标识", "Id"), "text")
_AREA_COLUMN = Column("area", Text("所属区域", "Area"), "text")
_ORIGIN = Column("origin", Text("数据性质", "Origin"), "text")
_TITLE = Column("title", Text("名称", "Title"), "json")
_LON, _LAT = Column("lon", Text("经度", "Longitude"), "number", "deg"), Column("lat", Text("纬度", "Latitude"), "number", "deg")
_KIND = Column("kind", Text("类别", "Kind"), "text")

ENTITY = Dataset(
    "entity",
    Text("对象", "Entities"),
    Text("区内登记的部件、设施等对象，含位置与所属区域。", "Things of the district with place and area."),
    "command",
    "observe",
    (
        _ID,
        _KIND,
        _TITLE,
        _LON,
        _LAT,
        _AREA_COLUMN,
        Column("h3_9", Text("六边形网格", "H3 cell"), "text"),
        Column("body", Text("属性", "Properties"), "json", personal=True),
        Column("version", Text("版本", "Version"), "integer"),
        Column("valid_from", Text("登记时间", "Valid from"), "instant"),
        Column("valid_to", Text("注销时间", "Valid to"), "instant"),
        _ORIGIN,
        Column("location", Text("所在位置（自有位置为空）", "Its Location; none where the place is its own"), "text"),
    ),
    "conditional",
    "real",
    _HERE,
)
STREAM = Dataset(
    "stream",
    Text("数据流与最新值", "Streams with their latest values"),
    Text("每条数据流的约定、最新值与状态。", "Every stream with its contract, latest value and life."),
    "command",
    "observe",
    (
        _ID,
        Column("entity", Text("对象", "Entity"), "text"),
        _KIND,
        Column("field", Text("指标", "Field"), "text"),
        Column("unit", Text("单位", "Unit"), "text"),
        _AREA_COLUMN,
        Column("time", Text("观测时间", "Observed"), "instant"),
        Column("value", Text("最新值", "Latest value"), "number"),
        Column("word", Text("最新值（非数值）", "Latest value that is no number"), "json"),
        Column("received", Text("接收时间", "Received"), "instant"),
        Column("door", Text("接入方式", "Door"), "text"),
        Column("life", Text("数据状态", "Life"), "text"),
        Column("since", Text("状态起始时间", "Since"), "instant"),
        Column("why", Text("状态原因", "Why"), "json"),
        Column("every", Text("约定间隔", "Interval promised"), "number", "s"),
        Column("silent_after", Text("中断判定时长", "Late after"), "number", "s"),
        Column("low", Text("量程下限", "Low limit"), "number"),
        Column("high", Text("量程上限", "High limit"), "number"),
        Column("contract", Text("有无约定", "Contract"), "text"),
        Column("result_type", Text("结果类型", "What results are"), "text"),
        Column("source", Text("来源", "Source"), "text"),
        _ORIGIN,
    ),
    "conditional",
    "real",
    _HERE,
)
AREA = Dataset(
    "area",
    Text("区域", "Areas"),
    Text("区、街道、社区与网格。", "District, subdistricts, communities and grids."),
    "command",
    "observe",
    (
        Column("code", Text("代码", "Code"), "text"),
        Column("level", Text("层级", "Level"), "text"),
        Column("name", Text("名称", "Name"), "json"),
        Column("parent", Text("上级代码", "Parent"), "text"),
        Column("origin", Text("边界来源", "Origin of the outline"), "text"),
    ),
    "unconditional",
    "real",
    _HERE,
    key="code",
)
OBSERVATION = Dataset(
    "observation",
    Text("观测数据", "Observations"),
    Text(
        "数据流的历次观测值。查询时须指明数据流。标记说明每行是测得、算出还是更正的；作废的和估计的须指明标记才列出。",
        "What streams observed. A query names its streams. The mark says what was measured, computed or corrected; what was struck out,"
        " and estimates, come where their marks are named.",
    ),
    "command",
    "observe",
    (
        _ID,
        Column("stream", Text("数据流", "Stream"), "text"),
        Column("time", Text("观测时间", "Observed"), "instant"),
        Column("value", Text("值", "Value"), "number"),
        Column("word", Text("值（非数值）", "Value that is no number"), "json"),
        Column("unit", Text("单位", "Unit"), "text"),
        Column("mark", Text("标记", "Mark"), "text"),
        Column("received", Text("接收时间", "Received"), "instant"),
        Column("door", Text("接入方式", "Door"), "text"),
        Column("seq", Text("入库序号", "Sequence number"), "integer"),
        _ORIGIN,
    ),
    "conditional",
    "real",
    _HERE,
)
DELETION = Dataset(
    "deletion",
    Text("到期删除记录", "Deletions"),
    Text(
        "按保存期限删除的观测数据：每个文件一条，含删除内容的 SHA-256；同样的内容写入审计记录。",
        "Observations that were kept long enough and deleted: a row a file, with the SHA-256 of what went; the audit trail says the same.",
    ),
    "command",
    "observe",
    (
        _ID,
        _KIND,
        Column("days", Text("保存天数", "Days kept"), "integer", "d"),
        Column("before", Text("删除此前的数据", "Older than"), "instant"),
        Column("first", Text("最早一条的时间", "First row"), "instant"),
        Column("last", Text("最晚一条的时间", "Last row"), "instant"),
        Column("rows", Text("条数", "Rows"), "integer"),
        Column("streams", Text("数据流数", "Streams"), "integer"),
        Column("doors", Text("各接入口条数", "Rows by door"), "json"),
        Column("digest", Text("内容 SHA-256", "SHA-256 of the rows"), "text"),
        Column("wall", Text("删除时间", "Deleted"), "instant"),
        Column("erased", Text("文件确认清除时间", "File found gone"), "instant"),
    ),
    "conditional",
    "real",
    _HERE,
)


def datasets(packs: Sequence[Pack]) -> tuple[Dataset, ...]:
    """The catalogue entries of observe: its own, and one for each kind that a pack declares."""
    return (ENTITY, STREAM, AREA, OBSERVATION, DELETION, *(of_kind(kind, pack.name) for pack in packs for kind in pack.kinds))


def of_kind(kind: Kind, pack: str | None) -> Dataset:
    """The entry of a kind: its entities with their properties and latest values."""
    columns = (_ID, _TITLE, _LON, _LAT, _AREA_COLUMN, _ORIGIN, *(column for field in kind.fields for column in _columns(field)))
    about = Text(f"{kind.title.zh}：登记属性与最新值。", f"{kind.title.en}: properties and latest values.")
    return Dataset(kind.name, kind.title, about, kind.owner, "observe", columns, kind.access, "real", _HERE, pack=pack)


def _columns(field: Field) -> tuple[Column, ...]:
    own = Column(field.name, field.title, _type(field), field.unit, field.personal)
    if not field.measured:
        return (own,)
    return (
        own,
        Column(f"{field.name}_time", Text(f"{field.title.zh}观测时间", f"{field.title.en}: observed"), "instant"),
        Column(f"{field.name}_life", Text(f"{field.title.zh}数据状态", f"{field.title.en}: life"), "text"),
    )


def _type(field: Field) -> ColumnType:
    return "number" if field.measured or field.unit is not None or field.range != (None, None) else "text"
