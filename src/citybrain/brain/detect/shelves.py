"""What detect puts into the catalogue: the datasets alert and forecast, with the sources that serve their rows."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from citybrain.kernel.datasets import Column, Dataset
from citybrain.kernel.listing import Listing
from citybrain.kernel.pack import Pack
from citybrain.kernel.ports import Source, Transactions
from citybrain.kernel.text import Text

_HERE = Text("本系统研判", "CityBrain, rules and forecasts")
_ORIGIN = Column("origin", Text("数据性质", "Origin"), "text")
_ALERT = Dataset(
    "alert",
    Text("预警", "Alerts"),
    Text("规则触发的预警，含等级、依据与所据观测值。", "Alerts raised by rules, with grade, basis and the readings they rest on."),
    "command",
    "detect",
    (
        Column("id", Text("标识", "Id"), "text"),
        Column("rule", Text("规则", "Rule"), "text"),
        Column("rule_version", Text("规则版本", "Rule version"), "text"),
        Column("entity", Text("对象", "Entity"), "text"),
        Column("kind", Text("类别", "Kind"), "text"),
        Column("title", Text("名称", "Title"), "json"),
        Column("area", Text("所属区域", "Area"), "text"),
        Column("lon", Text("经度", "Longitude"), "number", "deg"),
        Column("lat", Text("纬度", "Latitude"), "number", "deg"),
        Column("grade", Text("预警等级", "Grade"), "integer"),
        Column("state", Text("状态", "State"), "text"),
        Column("began", Text("起始时间", "Began"), "instant"),
        Column("told", Text("发布时间", "Told"), "instant"),
        Column("cleared", Text("解除时间", "Cleared"), "instant"),
        Column("because", Text("原因", "Because"), "json"),
        Column("basis", Text("依据", "Basis"), "json"),
        Column("evidence", Text("所据观测值", "Evidence"), "json"),
        Column("case", Text("案件", "Case"), "text"),
        _ORIGIN,
    ),
    "conditional",
    "real",
    _HERE,
)
_FORECAST = Dataset(
    "forecast",
    Text("预测", "Forecasts"),
    Text("各算法逐小时发布的预测及其误差。", "Forecasts issued hour by hour, with their errors on unseen time."),
    "command",
    "detect",
    (
        Column("id", Text("标识", "Id"), "text"),
        Column("stream", Text("数据流", "Stream"), "text"),
        Column("issued", Text("发布时间", "Issued"), "instant"),
        Column("model", Text("模型版本", "Model"), "text"),
        Column("points", Text("预测值", "Points"), "json"),
        Column("skill", Text("检验误差", "Skill"), "json"),
        Column("reliability", Text("概率检验", "Reliability"), "json"),
        Column("note", Text("说明", "Note"), "json"),
        _ORIGIN,
    ),
    "conditional",
    "real",
    _HERE,
)


def datasets(packs: Sequence[Pack]) -> tuple[Dataset, ...]:
    """The catalogue entries of detect; forecasts only where a pack has an algorithm."""
    return (_ALERT, _FORECAST) if any(pack.forecasts for pack in packs) else (_ALERT,)


def sources(transactions: Transactions[Connection]) -> Mapping[str, Source]:
    """The sources of all datasets of detect by name."""
    alert = {column.name: column.name for column in _ALERT.columns} | {"case": "case_id"}
    forecast = {column.name: column.name for column in _FORECAST.columns} | {"id": "(stream || '@' || CAST(issued AS VARCHAR))"}
    return {
        "alert": Listing(transactions.ask, _ALERT, "alert", alert, ("told", "began", "grade", "id")),
        "forecast": Listing(transactions.ask, _FORECAST, "forecast", forecast, ("issued", "stream")),
    }
