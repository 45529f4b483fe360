"""The chain from a figure, a case or an alert down to the wire: who said it, through which door, and when it came in."""

from collections.abc import Iterator
from typing import Final

from litestar import Response, get
from litestar.params import FromPath

from citybrain.brain.act import STATE_WORDS
from citybrain.brain.see import Trace as Found
from citybrain.doors.pages import changed, frame, rows
from citybrain.doors.pages.parts import Call, PageParts, Parts
from citybrain.doors.pages.rows import DOORS
from citybrain.kernel.instant import parse
from citybrain.kernel.text import Json, Text, same
from citybrain.kernel.things import LIFE_WORDS, Life
from citybrain.kernel.units import UNITS
from citybrain.web.data_views import Trace, TraceLink
from citybrain.web.views import Fact

_BREADTH: Final = 3
"""How many branches are followed below a figure; the rest are counted."""
_INPUTS: Final = 12
"""How many readings are followed below an alert or a reading: all that a value was derived from."""
_WORDS: Final[dict[str, Text]] = {
    "figure": Text("指标", "Figure"),
    "case": Text("案件", "Case"),
    "alert": Text("预警", "Alert"),
    "rule": Text("规则", "Rule"),
    "reading": Text("读数", "Reading"),
    "stream": Text("监测项", "Stream"),
    "booking": Text("预订", "Booking"),
    "offer": Text("共享项目", "Offer"),
    "missing": Text("未找到", "Not found"),
}
_SAID: Final[dict[str, Text]] = {
    "value": Text("数值", "Value"),
    "unknown": Text("不明", "Unknown"),
    "unit": Text("单位", "Unit"),
    "version": Text("版本", "Version"),
    "definition": Text("定义", "Definition"),
    "as_of": Text("数据截至", "As of"),
    "computed": Text("计算时间", "Computed"),
    "state": Text("状态", "State"),
    "opened": Text("登记时间", "Opened"),
    "due": Text("办理期限", "Due"),
    "closed": Text("结案时间", "Closed"),
    "grade": Text("等级", "Grade"),
    "entity": Text("对象", "Entity"),
    "began": Text("开始时间", "Began"),
    "told": Text("发布时间", "Told"),
    "cleared": Text("解除时间", "Cleared"),
    "basis": Text("依据", "Basis"),
    "when": Text("条件", "Condition"),
    "time": Text("观测时间", "Observed"),
    "stored": Text("入库数值", "Stored"),
    "door": Text("接入方式", "Door"),
    "received": Text("收到时间", "Received"),
    "life": Text("状态", "Life"),
    "begins": Text("开始", "Begins"),
    "ends": Text("结束", "Ends"),
    "units": Text("数量", "Number"),
}
_CHANGED: Final = Text("其后有变的读数（见下）", "Readings that have changed since (below)")
_STATES: Final = {"open": Text("生效", "Open"), "cleared": Text("已解除", "Cleared")}
_TIMES: Final = frozenset(
    ("as_of", "computed", "opened", "due", "closed", "began", "told", "cleared", "time", "received", "begins", "ends")
)


@get("/trace/{kind:str}/{name:str}", opt=frame.opens("page.trace"), sync_to_thread=True)
def trace_page(request: Call, parts: Parts, kind: FromPath[str], name: FromPath[str]) -> Response[str]:
    """The chain as a page; the caller sees of it what the caller may."""
    return _page(parts, request, kind, name)


@get("/alerts/{name:str}", opt=frame.opens("alert.read"), sync_to_thread=True)
def alert_page(request: Call, parts: Parts, name: FromPath[str]) -> Response[str]:
    """An alert is shown by its chain: rule, evidence, readings."""
    return _page(parts, request, "alert", name)


def _page(parts: PageParts, request: Call, kind: str, name: str) -> Response[str]:
    found = parts.trace(request.user, kind, name)
    title = Text(f"{found.title.zh}：从数字到读数", f"{found.title.en}: from the figure to the reading")
    return frame.shown(parts, request, Trace(title, tuple(_links(parts, found))))


def _links(parts: PageParts, trace: Found) -> Iterator[TraceLink]:
    yield TraceLink(
        kind="evidence" if trace.link == "missing" else trace.link,
        title=_title(parts, trace),
        what=_what(parts, trace),
        facts=tuple(_facts(parts, trace)),
        href=_address(trace),
        demo=trace.origin != "real",
        missing=Text("记录已不存在或无权查看", "gone, or not for you") if trace.link == "missing" else None,
    )
    most = _BREADTH if trace.link == "figure" else _INPUTS
    for part in trace.parts[:most]:
        yield from _links(parts, part)
    if len(trace.parts) > most:
        more = len(trace.parts) - most
        yield TraceLink(
            trace.parts[0].link if trace.parts[0].link != "missing" else "evidence",
            Text("其余", "More"),
            Text(f"另有 {more} 条", f"{more} more"),
        )


def _title(parts: PageParts, trace: Found) -> Text:
    thing = trace.said.get("entity")
    return parts.registry.entity(thing).title if trace.link in ("booking", "offer") and isinstance(thing, str) else trace.title


def _what(parts: PageParts, trace: Found) -> Text:
    """What stands under the title: the number that people quote, or the name of the stream's field and thing."""
    if trace.link in ("reading", "stream"):
        stream = parts.registry.stream(trace.key)
        thing, field = parts.registry.entity(stream.entity).title, parts.registry.kind(stream.kind).field(stream.field).title
        return Text(f"{thing.zh} · {field.zh}", f"{thing.en} · {field.en}")
    return same(trace.key) if trace.link == "case" else _WORDS[trace.link]


def _facts(parts: PageParts, trace: Found) -> Iterator[Fact]:
    for name, value in trace.said.items():
        if name == "changed":
            yield from _changed(value)
        if value is None or name not in _SAID:
            continue
        if name in _TIMES and isinstance(value, str):
            yield Fact(_SAID[name], same(""), parse(value))
        else:
            yield Fact(_SAID[name], _said(parts, trace, name, value))


def _changed(value: Json) -> Iterator[Fact]:
    """Of an alert how many of its readings are not what they were; of a reading what it was and is."""
    if isinstance(value, dict):
        yield changed.fact(value)
    elif value:
        yield Fact(_CHANGED, same(f"{value}"))


def _said(parts: PageParts, trace: Found, name: str, value: Json) -> Text:
    """A fact in words that people read rather than codes that programs keep."""
    if isinstance(value, float):
        return same(f"{value:g}")
    match trace.link, name, value:
        case "case", "state", str():
            return parts.cases.state_title(parts.cases.case(str(trace.said["id"])).flow, value)
        case "case", "unit", str():
            return parts.units.unit(value).name
        case "alert", "state", str():
            return _STATES.get(value, same(value))
        case "booking", "state", str() if value in STATE_WORDS:
            return STATE_WORDS[value]
        case "alert" | "booking" | "offer", "entity", str():
            return parts.registry.entity(value).title
        case _, "unit", str() if value in UNITS:
            return rows.sign(value) if rows.sign(value).en else same("—")
        case _, "life", str():
            return LIFE_WORDS[Life(value)]
        case _, "door", str():
            return DOORS.get(value, same(value))
        case _:
            return rows.words(value)


def _address(trace: Found) -> str:
    if trace.link == "case":
        return f"/desk/{trace.key}"
    if trace.link == "figure":
        return f"/figures/{trace.key}"
    if trace.link == "rule" and trace.key.partition(".")[0] != "house":
        return f"/studio/{trace.key.replace('.', '/', 1)}"
    return f"/alerts/{trace.key}" if trace.link == "alert" else ""


HANDLERS = (trace_page, alert_page)
