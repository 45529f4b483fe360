"""The page of packs: what each installed pack declares, down to the basis of every rule and the source of every number."""

from collections.abc import Iterator

from citybrain.app.packs import installed
from citybrain.kernel.alerts import GRADE_WORDS
from citybrain.kernel.pack import Derived, Forecast, Indicator, Pack, Parameter, Question, Rule
from citybrain.kernel.text import Text
from citybrain.kernel.things import Field, Kind
from docs.sheets.markdown import both, code, sheet, table

_MARKS = {
    "confirmed": "已核原文 · confirmed",
    "secondary": "转引 · secondary",
    "memory": "凭记忆，待核 · from memory",
    "local": "本区设定 · local",
}
_COUNTING = {
    "hours": Text("小时（昼夜连续）", "hours, day and night"),
    "working_hours": Text("工作小时", "working hours"),
    "working_days": Text("工作日", "working days"),
}


def page() -> str:
    """The page."""
    about = Text(
        "已安装的应用包及其声明。改一个数字，改的是包里的参数文件；改完运行 `citybrain check <包>`，再重新生成本页。",
        "The packs installed, with what they declare. Change a number in the pack's parameter file, run `citybrain check <pack>`, and make this page again.",
    )
    return sheet(Text("应用包", "Packs"), about, *(part for pack in installed() for part in _pack(pack)))


def _pack(pack: Pack) -> Iterator[str]:
    yield f"## {pack.name}（{both(pack.title)}）\n\n规划章节 · section of the plan: {pack.plan}\n\n{pack.about.zh}\n\n{pack.about.en}"
    for kind in pack.kinds:
        yield _kind(pack.name, kind)
    if pack.derived:
        yield f"### 派生字段 · Derived fields（{pack.name}）\n\n" + table(
            ("字段 · field", "由 · from", "回看 · lookback"), map(_derived, pack.derived)
        )
    if pack.rules:
        yield f"### 规则 · Rules（{pack.name}）"
    for rule in pack.rules:
        yield _rule(pack.name, rule)
    if pack.indicators:
        yield f"### 指标 · Indicators（{pack.name}）\n\n" + table(
            ("指标 · indicator", "名称 · title", "单位 · unit", "定义 · definition", "输入 · inputs"),
            map(_indicator, pack.indicators),
        )
    for forecast in pack.forecasts:
        yield _forecast(forecast)
    for question in pack.questions:
        yield _question(question)
    if pack.parameters:
        yield f"### 参数 · Parameters（{pack.name}）\n\n" + table(
            ("参数 · parameter", "值 · value", "自 · since", "来源 · source", "可信 · mark"), map(_parameter, pack.parameters)
        )
    if pack.replay is not None:
        yield f"### 回放 · Replay（{pack.name}）\n\n{pack.replay.origin.zh}\n\n{pack.replay.origin.en}"


def _question(one: Question) -> str:
    rests = "、".join(map(code, (*one.inputs, *one.parameters)))
    return (
        f"### 问题 · Question {code(one.name)}：{both(one.title)}\n\n{one.about.zh}\n\n{one.about.en}\n\n"
        f"- 代价 · cost：{both(one.goal)}\n- 对照 · against：{both(one.simple)}\n- 每 · every {code(one.every)}\n- 依据 · rests on：{rests}"
    )


def _kind(pack: str, kind: Kind) -> str:
    said = f"职能 · owner: {code(kind.owner)}；位置 · place: {code(kind.place)}；共享 · sharing: {code(kind.access)}"
    head = (
        "字段 · field",
        "名称 · title",
        "由 · by",
        "单位 · unit",
        "每 · every",
        "无数据 · silent after",
        "不变 · stuck after",
        "量程 · range",
        "必填 · required",
    )
    return f"### 类型 · Kind {code(kind.name)}：{both(kind.title)}（{pack}）\n\n{said}\n\n" + table(head, map(_field, kind.fields))


def _field(one: Field) -> tuple[str, ...]:
    low, high = ("" if edge is None else f"{edge:g}" for edge in one.range)
    span = f"{low}–{high}" if low or high else ""
    return (
        code(one.name),
        both(one.title),
        one.by.value,
        code(one.unit),
        one.every or "",
        one.silent_after or "",
        one.stuck_after or "",
        span,
        "✓" if one.required else "",
    )


def _derived(one: Derived) -> tuple[str, str, str]:
    return code(f"{one.kind}.{one.field}"), ", ".join(code(name) for name in one.inputs), one.lookback or ""


def _rule(pack: str, rule: Rule) -> str:
    lines = [
        f"#### {pack}.{rule.name}",
        f"- 等级 · grade: {both(GRADE_WORDS[rule.grade])}",
        f"- 条件 · when: {code(rule.when)}"
        + (f"，持续 · lasting {rule.lasting}" if rule.lasting else "")
        + (f"；解除 · clears: {code(rule.clears)}" if rule.clears else ""),
        f"- 因为 · because: {rule.because.zh} · {rule.because.en}",
        f"- 依据 · basis: {rule.basis.zh} · {rule.basis.en}",
    ]
    if rule.opens is not None:
        given = rule.opens.allowance
        lines.append(
            f"- 立案 · opens: {both(rule.opens.title)}，流程 · flow {code(rule.opens.flow)}，职能 · duty {code(rule.opens.duty)}，{given.amount} {both(_COUNTING[given.counting])}"
        )
    return "\n".join((lines[0], "", *lines[1:]))


def _indicator(one: Indicator) -> tuple[str, ...]:
    return (
        f"{code(one.name)} v{one.version}",
        both(one.title),
        code(one.unit),
        both(one.definition),
        ", ".join(code(name) for name in one.inputs),
    )


def _forecast(one: Forecast) -> str:
    inputs = ", ".join(code(name) for name in one.inputs)
    head = f"### 预报 · Forecast {code(one.name)}：{both(one.title)}"
    return "\n\n".join((head, one.method.zh, one.method.en, f"- {code(f'{one.kind}.{one.field}')} ← {inputs}"))


def _parameter(one: Parameter) -> tuple[str, ...]:
    return (code(one.name), str(one.value), one.since, one.source, _MARKS[one.mark])
