"""Decisions: every question with its newest advice, and for each the whole advice, what it rests on, and accepting or declining it."""

from collections.abc import Sequence
from typing import Final

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect

from citybrain.brain.decide import Posed
from citybrain.doors.pages import frame
from citybrain.doors.pages.parts import Call, PageParts, Parts
from citybrain.doors.pages.rows import sign
from citybrain.kernel.access import Ask
from citybrain.kernel.datasets import Sheet
from citybrain.kernel.errors import BadInputError, ConflictError, NotFoundError
from citybrain.kernel.pack import Parameter, Question
from citybrain.kernel.text import Json, Text, same
from citybrain.web.decide_views import AdvicePage, Found, Made, QuestionCard, Questions
from citybrain.web.desk_views import FormError
from citybrain.web.views import Cell, Column, Fact, Table, Tone

_FOUND: Final[dict[str, Found]] = {
    "advised": Found(Text("有建议", "Advised"), "good"),
    "nothing": Found(Text("无需行动", "Nothing to do"), "plain"),
    "infeasible": Found(Text("有建议，部分需求无法满足", "Advised; part of the need cannot be met"), "warn"),
    "unknown": Found(Text("无从建议", "No advice"), "warn"),
}
_WAITING: Final = Found(Text("尚未求解", "Not computed yet"), "plain")
_NOT_YET: Final = Text("启动后一小时内求解，结果会显示在这里。", "It is computed within the hour and will stand here.")
_VERDICTS: Final[dict[str, tuple[Text, Tone]]] = {
    "accepted": (Text("已采纳", "Accepted"), "good"),
    "declined": (Text("未采纳", "Declined"), "plain"),
}
_MARKS: Final[dict[str, Text]] = {
    "confirmed": Text("已核实", "confirmed"),
    "secondary": Text("二手来源", "secondary source"),
    "memory": Text("待核实", "to be confirmed"),
    "local": Text("本区设定", "set locally"),
}
_LOOKS_ONLY: Final = Text(
    "您的角色可以查看建议；是否采纳由区领导或派遣员决定。", "Your role may look at advice; leaders and dispatchers decide on it."
)
_NOTHING: Final = Text("这次没有可采纳的建议。", "There is nothing to accept this time.")


class Deciding(msgspec.Struct, frozen=True):
    """The form as sent."""

    advice: str = ""
    verdict: str = ""
    words: str = ""
    csrf: str = ""


@get("/decide", opt=frame.opens("page.decide"), sync_to_thread=True)
def decide(request: Call, parts: Parts) -> Response[str]:
    """Every question with its newest advice."""
    return frame.shown(parts, request, Questions(tuple(_card(parts, one) for one in parts.questions.all())))


@get("/decide/{question:str}", opt=frame.opens("page.decide"), sync_to_thread=True)
def advice_page(request: Call, parts: Parts, question: FromPath[str]) -> Response[str]:
    """The newest advice on a question, or the one that ``advice`` names."""
    return frame.shown(parts, request, _view(parts, request, question, request.query_params.get("advice", "")))


@post("/decide/{question:str}", opt=frame.opens("advice.decide"), sync_to_thread=True)
def decided(request: Call, parts: Parts, question: FromPath[str], data: URLEncodedBody[Deciding]) -> Response[str] | Redirect:
    """Accept or decline an advice; a refusal shows it again with what was typed and what is wrong."""
    frame.own_form(request, data.csrf)
    if data.verdict not in ("accepted", "declined"):
        raise BadInputError(Text("请选择采纳或不采纳。", "Accept the advice or decline it."), field="verdict")
    facts: dict[str, Json] = {"access": "conditional", "question": question, "verdict": data.verdict, "words": data.words}
    parts.guard.require(Ask(request.user, "advice.decide", f"advice:{data.advice}", "", facts))
    try:
        parts.questions.decide(
            data.advice, "accepted" if data.verdict == "accepted" else "declined", data.words, request.user.account
        )
    except (BadInputError, ConflictError) as error:
        view = _view(parts, request, question, data.advice)
        wrong = FormError("words" if view.id else "decide", error.what)
        return frame.shown(parts, request, msgspec.structs.replace(view, errors=(wrong,), typed=data.words), status=error.status)
    return Redirect(f"/decide/{question}?advice={data.advice}&done=decided", status_code=303)


def _card(parts: PageParts, question: Question) -> QuestionCard:
    newest = parts.questions.newest(question.name)
    made = None if newest is None or newest.decision is None else _VERDICTS[newest.decision.verdict][0]
    return QuestionCard(
        question.title,
        f"/decide/{question.name}",
        question.about,
        _WAITING if newest is None else _FOUND[newest.advice.found],
        _NOT_YET if newest is None else newest.advice.said,
        None if newest is None else newest.asked,
        made,
        demo=newest is not None and newest.origin != "real",
    )


def _view(parts: PageParts, request: Call, name: str, advice: str) -> AdvicePage:
    question = parts.questions.question(name)
    past = parts.questions.history(name)
    shown = parts.questions.posed(advice) if advice else next(iter(past), None)
    if shown is not None and shown.question != name:
        raise NotFoundError(Text(f"没有建议“{advice}”。", f"There is no advice '{advice}'."), advice=advice)
    view = AdvicePage(
        title=question.title,
        about=question.about,
        path=f"/decide/{name}",
        found=_WAITING,
        said=_NOT_YET,
        asked=None,
        goal=question.goal,
        costs=(),
        tables=(),
        binding=(),
        assumed=(),
        parameters=_parameters(parts.questions.parameters(name)),
        history=_history(question, past),
        why_not=_NOT_YET,
    )
    if shown is None:
        return view
    may = parts.policy.decide(Ask(request.user, "advice.decide", "advice", "", {"access": "conditional"})).allowed
    advises = shown.advice.found in ("advised", "infeasible")
    return msgspec.structs.replace(
        view,
        found=_FOUND[shown.advice.found],
        said=shown.advice.said,
        asked=shown.asked,
        costs=_costs(question, shown),
        tables=tuple(_table(number, sheet, demo=shown.origin != "real") for number, sheet in enumerate(shown.advice.sheets)),
        binding=shown.advice.binding,
        assumed=shown.advice.assumed,
        later=bool(past) and past[0].id != shown.id,
        made=_made(parts, shown),
        id=shown.id if may and advises and shown.decision is None else "",
        why_not=None if may and advises else _LOOKS_ONLY if advises else _NOTHING,
        demo=shown.origin != "real",
    )


def _made(parts: PageParts, posed: Posed) -> Made | None:
    if posed.decision is None:
        return None
    title, tone = _VERDICTS[posed.decision.verdict]
    return Made(title, tone, posed.decision.words, parts.accounts.name_of(posed.decision.by), posed.decision.decided)


def _costs(question: Question, posed: Posed) -> tuple[Fact, ...]:
    """The cost as advised, of doing nothing and of the simple rule, as far as they are known."""
    lines = (
        (Text("按建议", "As advised"), posed.advice.cost),
        (Text("不采取行动", "Doing nothing"), posed.advice.idle),
        (question.simple, posed.advice.simple),
    )
    return tuple(Fact(title, same(f"{value:,.10g}")) for title, value in lines if value is not None)


def _table(number: int, sheet: Sheet, *, demo: bool) -> Table:
    numeric = [
        bool(sheet.rows) and all(not isinstance(row[place], Text) for row in sheet.rows) for place in range(len(sheet.columns))
    ]
    columns = tuple(Column(f"c{place}", title, numeric=numeric[place]) for place, title in enumerate(sheet.columns))
    rows = tuple(tuple(_cell(value) for value in row) for row in sheet.rows)
    return Table(
        f"sheet-{number}", sheet.title, columns, rows, Text("无。", "None."), total=len(rows), filter=len(rows) > 12, demo=demo
    )


def _cell(value: Text | float) -> Cell:
    if isinstance(value, Text):
        return Cell(text=value)
    decimals = 0 if value == round(value) else 1 if value * 10 == round(value * 10) else 2
    return Cell(number=value, decimals=decimals)


def _parameters(stated: tuple[Parameter, ...]) -> Table:
    columns = (
        Column("title", Text("参数", "Parameter")),
        Column("value", Text("数值", "Value"), numeric=True),
        Column("mark", Text("可信程度", "How sure")),
        Column("since", Text("自", "Since")),
        Column("source", Text("来源", "Source")),
    )
    rows = tuple(
        (
            Cell(text=one.title or same(one.name)),
            Cell(text=_value(one)),
            Cell(text=_MARKS[one.mark]),
            Cell(text=same(one.since)),
            Cell(text=_source(one.source)),
        )
        for one in stated
    )
    return Table("parameters", Text("所用参数", "Parameters it rests on"), columns, rows, Text("无。", "None."))


def _source(said: str) -> Text:
    """A source written in both languages, each in its own; one written in a single language as it is."""
    zh, dot, en = said.partition(" · ")
    return Text(zh, en) if dot else same(said)


def _value(one: Parameter) -> Text:
    unit = sign(one.unit)
    shown = one.value if isinstance(one.value, str) else f"{one.value:g}"
    return Text(f"{shown} {unit.zh}".strip(), f"{shown} {unit.en}".strip())


def _history(question: Question, past: Sequence[Posed]) -> Table:
    columns = (
        Column("asked", Text("求解时间", "Computed")),
        Column("found", Text("结论", "Found")),
        Column("made", Text("决定", "Decision")),
    )
    rows = tuple(
        (
            Cell(at=one.asked, href=f"/decide/{question.name}?advice={one.id}"),
            Cell(text=_FOUND[one.advice.found].title),
            Cell(text=Text("—", "—") if one.decision is None else _VERDICTS[one.decision.verdict][0]),
        )
        for one in past
    )
    return Table("history", Text("最近的建议", "Recent advice"), columns, rows, _NOT_YET)


HANDLERS = (decide, advice_page, decided)
