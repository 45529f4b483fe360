"""Every block in every state, as the page of the design shows them and the tests look at them: invented values, real macros."""

from typing import Final, Literal, TypeAlias, get_args

from citybrain.kernel.instant import DAY, HOUR, MINUTE, Instant
from citybrain.kernel.text import Text, same
from citybrain.web.desk_views import FormError, MoveForm, Option, StepLine
from citybrain.web.frame_views import Design
from citybrain.web.map_views import Level, Map, Shape
from citybrain.web.views import (
    AlertItem,
    AlertList,
    CaseItem,
    CaseList,
    Cell,
    Chart,
    ChartRow,
    Column,
    Figure,
    Link,
    Message,
    Night,
    NightItem,
    Table,
    Threshold,
)

Group: TypeAlias = Literal["new", "working", "checking", "closed"]
State: TypeAlias = Literal["ready", "demo", "loading", "empty", "stale", "error", "denied"]
STATES: Final[tuple[State, ...]] = get_args(State)
_TITLES: Final[dict[State, Text]] = {
    "ready": Text("正常", "Ready"),
    "demo": Text("演示数据", "Demonstration"),
    "loading": Text("计算中", "Loading"),
    "empty": Text("无数据", "Empty"),
    "stale": Text("数据过时", "Stale"),
    "error": Text("出错", "Error"),
    "denied": Text("无权限", "No permission"),
}
_WHY: Final[dict[State, Text]] = {
    "loading": Text("正在计算，约1分钟后显示。", "Being computed; it will stand here in about a minute."),
    "empty": Text(
        "今天还没有登记。由受理人员登记后显示。", "Nothing is registered today. It appears when intake registers something."
    ),
    "error": Text("计算失败，系统管理员已收到通知。", "It could not be computed; the administrator has been told."),
    "denied": Text("您无权查看。如有需要，请联系系统管理员。", "This is not for you. Ask the administrator if you need it."),
}
"""Why there is nothing to show; the other states have something."""
_MESSAGES: Final[dict[State, Message]] = {
    "ready": Message("good", Text("已办理，案件状态已更新。", "Done. The case has moved on.")),
    "stale": Message("warn", Text("06:40起无数据，所示为此前的数值。", "No data since 06:40; what is shown is from before.")),
    "error": Message(
        "bad", Text("没有保存，请稍后再试。您填写的内容仍在。", "Not saved; try again. What you typed is still here.")
    ),
}
_INFO: Final = Message("info", Text("所有数值均为虚构。", "All values are invented."))
_GOOD: Final = Level(2, Text("良", "Good"), "#FFFF00", "51-100")
_LIGHT: Final = Level(3, Text("轻度污染", "Lightly polluted"), "#FF7E00", "101-150")
_SQUARE: Final = ((117.0, 39.0), (117.1, 39.0), (117.1, 39.1), (117.0, 39.1), (117.0, 39.0))
_STREET: Final = Text("和桥街道", "Heqiao Subdistrict")
_CAPTION: Final = Text("空气质量指数", "Air quality index")


def design(state: State, now: Instant) -> Design:
    """The page of one state."""
    why, demo = _WHY.get(state), state == "demo"
    return Design(
        state=_TITLES[state],
        states=tuple(Link(title, f"/docs/design?state={name}") for name, title in _TITLES.items()),
        message=_MESSAGES.get(state, _INFO),
        blocks=(
            _figure(state, now, why, demo=demo),
            _alerts(now, why, demo=demo),
            _cases(now, why, demo=demo),
            _map(why, demo=demo),
            _chart(now, why, demo=demo),
            _night(now, why, demo=demo),
        ),
        table=_table(now, why, demo=demo),
        steps=_steps(now),
        form=_FORM,
        errors=(FormError("transfer-note", Text("请填写移交原因。", "Say why it is handed over.")),) if state == "error" else (),
    )


def named(name: str) -> State:
    """The state of an address; the first for any other word."""
    return next((state for state in STATES if state == name), STATES[0])


def _figure(state: State, now: Instant, why: Text | None, *, demo: bool) -> Figure:
    stale = state == "stale"
    return Figure(
        name="sample",
        title=Text("在办案件", "Open cases"),
        value=None if why else 36.0,
        unit=Text("件", "cases"),
        at=None if why else Instant(now - 5 * MINUTE),
        life="late" if stale else "live",
        since=Instant(now - 75 * MINUTE) if stale else None,
        unknown=1 if stale else 0,
        reason=why,
        error=why if state == "error" else None,
        href="/docs/design",
        demo=demo,
    )


def _alerts(now: Instant, why: Text | None, *, demo: bool) -> AlertList:
    words = Text("空气质量指数为{n}，轻度污染", "Air quality index {n}, lightly polluted")
    items = tuple(
        AlertItem(
            id=f"sample-{grade}",
            grade=grade,
            title=Text(words.zh.format(n=100 + grade), words.en.format(n=100 + grade)),
            place=_STREET,
            began=Instant(now - grade * HOUR),
            cleared=Instant(now - HOUR) if grade == 4 else None,
            href="/docs/design",
            demo=demo,
        )
        for grade in (1, 2, 3, 4)
    )
    return AlertList(() if why else items, why or same(""))


def _cases(now: Instant, why: Text | None, *, demo: bool) -> CaseList:
    states: tuple[tuple[Group, Text, int, int | None], ...] = (
        ("new", Text("待受理", "New"), 4 * HOUR, None),
        ("working", Text("处置中", "Being handled"), -2 * HOUR, None),
        ("checking", Text("待核查", "To be checked"), DAY, None),
        ("closed", Text("已结案", "Closed"), HOUR, -HOUR),
    )
    items = tuple(
        CaseItem(
            number=f"YL-20261122-{index:06d}",
            href="/docs/design",
            title=Text("井盖缺失", "Missing manhole cover"),
            state=words,
            group=group,
            unit=Text("市政设施科", "Municipal works"),
            area=_STREET,
            opened=Instant(now - DAY),
            due=Instant(now + left),
            closed=None if closed is None else Instant(now + closed),
            demo=demo,
        )
        for index, (group, words, left, closed) in enumerate(states, 1)
    )
    return CaseList("sample", Text("案件", "Cases"), () if why else items, why or same(""))


def _map(why: Text | None, *, demo: bool) -> Map:
    shape = Shape("sample", _STREET, (_SQUARE,), "74", _GOOD)
    return Map(
        "sample",
        Text("空气质量分布", "Air quality by place"),
        () if why else (shape,),
        (),
        (_GOOD, _LIGHT),
        tiles=True,
        reason=why,
        demo=demo,
    )


def _chart(now: Instant, why: Text | None, *, demo: bool) -> Chart:
    past = tuple(ChartRow(Instant(now - hours * HOUR), seen=60.0 + hours % 7) for hours in range(24, -1, -1))
    ahead = tuple(ChartRow(Instant(now + hours * HOUR), ahead=66.0, low=60.0 - hours, high=72.0 + hours) for hours in range(1, 13))
    limit = Threshold(75.0, Text("限值", "Limit"))
    return Chart("sample", _CAPTION, same(""), () if why else past + ahead, thresholds=(limit,), reason=why, demo=demo)


def _night(now: Instant, why: Text | None, *, demo: bool) -> Night:
    items = (
        NightItem(Instant(now - 9 * HOUR), Text("预警：轻度污染", "Alert: lightly polluted"), "warn", "/docs/design"),
        NightItem(Instant(now - 6 * HOUR), Text("预警解除", "Alert cleared"), "good"),
        NightItem(Instant(now - 5 * HOUR), Text("立案：井盖缺失", "Case opened: missing manhole cover")),
    )
    return Night(Instant(now - 12 * HOUR), now, () if why else items, why or same(""), demo)


def _table(now: Instant, why: Text | None, *, demo: bool) -> Table:
    columns = (
        Column("area", Text("街道", "Subdistrict")),
        Column("value", Text("数值", "Value"), numeric=True),
        Column("at", Text("时间", "Time")),
    )
    rows = (
        (Cell(text=_STREET), Cell(number=1234.0), Cell(at=Instant(now - HOUR))),
        (Cell(text=Text("望河街道", "Wanghe Subdistrict")), Cell(reason=Text("数据中断", "silent")), Cell(at=now)),
    )
    return Table(
        "sample", Text("分街道", "By subdistrict"), columns, () if why else rows, why or same(""), total=0 if why else 2, demo=demo
    )


def _steps(now: Instant) -> tuple[StepLine, ...]:
    unit = Text("市政设施科", "Municipal works")
    return (
        StepLine(Instant(now - DAY), Text("登记", "Opened"), "CityBrain", unit),
        StepLine(Instant(now - HOUR), Text("处置完成", "Finished"), "CityBrain", unit, tone="good"),
    )


_FORM: Final = MoveForm(
    move="transfer",
    title=Text("移交", "Hand over"),
    action="/docs/design",
    needs_note=True,
    note_label=Text("移交原因", "Why"),
    units=(Option("works", Text("市政设施科", "Municipal works")), Option("street", _STREET)),
    tone="info",
)
