"""The desk (工作台): the cases of the caller's unit, one case with its history, and the steps that may be taken now."""

import hashlib
from typing import Final
from urllib.parse import urlencode

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect

from citybrain.doors.pages import charts, frame, rows
from citybrain.doors.pages.parts import Call, PageParts, Parts
from citybrain.kernel.access import SYSTEM, Caller, Order, Query
from citybrain.kernel.cases import Case, Move
from citybrain.kernel.errors import BadInputError, CityError, ConflictError, ForbiddenError
from citybrain.kernel.predicate import And, Compare, Or, Predicate
from citybrain.kernel.text import Text, same
from citybrain.web.views import AlertItem, CaseList, CasePage, Chart, Desk, Fact, FormError, MoveForm, Option, StepLine, Tab, Tone

_OPEN: Final = Compare("state", "in", ("reported", "filed", "assigned", "handling", "finished"))
_CLOSED: Final = Compare("closed", "ge", 0)
"""Cases that have a time of closing: asked so, the newest are read by their time of opening and the rest are not sorted."""
_TABS: Final[tuple[tuple[str, Text, Predicate, Tone], ...]] = (
    ("open", Text("在办", "Open"), _OPEN, "plain"),
    ("new", Text("待受理", "New"), Compare("state", "in", ("reported", "filed")), "plain"),
    ("working", Text("处置中", "Being handled"), Compare("state", "in", ("assigned", "handling")), "plain"),
    ("checking", Text("待核查", "To be checked"), Compare("state", "eq", "finished"), "plain"),
    ("late", Text("逾期", "Overdue"), And((_OPEN, Compare("overdue", "eq", value=True))), "bad"),
    ("closed", Text("已结案", "Closed"), _CLOSED, "plain"),
)
_EMPTY: Final = Text("此栏目下没有案件。", "There are no cases here.")
_TONES: Final[dict[str, Tone]] = {"approve": "good", "return": "warn", "dismiss": "bad"}
_PROGRAM: Final = "CityBrain"
"""Who took a step that nobody took."""
_IDLE: Final = Text("当前状态下您没有可办理的步骤。", "There is nothing for you to do at this stage.")


class Step(msgspec.Struct, frozen=True):
    """The form of a step as sent."""

    move: str
    version: int
    csrf: str = ""
    note: str = ""
    unit: str = ""


class Asked(msgspec.Struct, frozen=True):
    """What the list is asked for."""

    tab: tuple[str, Text, Predicate, Tone]
    search: str
    cursor: str


@get("/desk", opt=frame.opens("page.desk"), sync_to_thread=True)
def desk(request: Call, parts: Parts) -> Response[str]:
    """The list, by tab and search; the most urgent first."""
    wanted = asked(request)
    cases, following = listed(parts, frame.signed_in(request), wanted)
    live = {"lang": frame.language(request), "tab": wanted.tab[0], "q": wanted.search, "cursor": wanted.cursor, "seen": mark(cases)}
    view = Desk(
        tabs=tuple(_tab(parts, request, tab, current=tab is wanted.tab) for tab in _TABS),
        cases=cases,
        search=wanted.search,
        live=f"/live/desk?{urlencode(live)}",
        next=following,
    )
    return frame.shown(parts, request, view)


def asked(request: Call) -> Asked:
    """What an address asks for; the first tab for one that there is not."""
    said = request.query_params
    tab = next((tab for tab in _TABS if tab[0] == said.get("tab")), _TABS[0])
    return Asked(tab, said.get("q", "").strip()[:100], said.get("cursor", ""))


def address(wanted: Asked) -> str:
    """Where a list stands."""
    said = {"tab": wanted.tab[0], "q": wanted.search, "cursor": wanted.cursor}
    return f"/desk?{urlencode({name: value for name, value in said.items() if value})}"


def listed(parts: PageParts, caller: Caller, wanted: Asked) -> tuple[CaseList, str]:
    """The cases of a list, and the cursor of what follows."""
    name, title, where, _ = wanted.tab
    if wanted.search:
        found = tuple(Compare(field, "contains", wanted.search) for field in ("number", "words", "title"))
        where = And((where, Or(found)))
    order = Order("opened", descending=True) if name == "closed" else Order("due")
    page = rows.read(parts, caller, Query("case", where, order, 50, wanted.cursor or None))
    return CaseList("cases", title, tuple(rows.case_item(parts, row) for row in page.rows), _EMPTY), page.next or ""


def mark(cases: CaseList) -> str:
    """A few letters that change when a case comes, goes or moves."""
    said = [(case.number, case.state, case.unit, case.handler) for case in cases.items]
    return hashlib.blake2b(msgspec.json.encode(said), digest_size=8).hexdigest()


@get("/desk/{number:str}", opt=frame.opens("page.desk"), sync_to_thread=True)
def case_page(request: Call, parts: Parts, number: FromPath[str]) -> Response[str]:
    """One case."""
    return frame.shown(parts, request, _view(parts, request, _visible(parts, request, number)))


@post("/desk/{number:str}/moves", opt=frame.opens("page.desk"), sync_to_thread=True)
def step(request: Call, parts: Parts, number: FromPath[str], data: URLEncodedBody[Step]) -> Response[str] | Redirect:
    """Take a step; a refusal shows the page again with what was typed and what is wrong."""
    frame.own_form(request, data.csrf)
    case = _visible(parts, request, number)
    try:
        if data.move == "note":
            parts.cases.note(case.id, request.user, data.note)
            return Redirect(f"/desk/{number}?done=noted", status_code=303)
        parts.cases.move(case.id, data.move, request.user, data.note, data.version, data.unit or None)
    except (ConflictError, BadInputError, ForbiddenError) as error:
        return frame.shown(
            parts, request, _refused(_view(parts, request, parts.cases.case(case.id)), data, error), status=error.status
        )
    return Redirect(f"/desk/{number}?done=moved", status_code=303)


def _tab(parts: PageParts, request: Call, tab: tuple[str, Text, Predicate, Tone], *, current: bool) -> Tab:
    name, title, where, tone = tab
    count = rows.read(parts, request.user, Query("case", where, limit=1, count=True)).total or 0
    return Tab(title, f"/desk?tab={name}", count, current, tone if count else "plain")


def _visible(parts: PageParts, request: Call, number: str) -> Case:
    frame.signed_in(request)
    rows.first(rows.read(parts, request.user, Query("case", Compare("number", "eq", number), limit=1)).rows, number)
    return parts.cases.by_number(number)


def _view(parts: PageParts, request: Call, case: Case) -> CasePage:
    row = rows.first(rows.read(parts, request.user, Query("case", Compare("id", "eq", case.id), limit=1)).rows, case.number)
    moves = parts.cases.moves_for(case, request.user)
    # What carries the case on stands open before what hands it to somebody else.
    forms = tuple(_form(parts, case, move) for move in sorted(moves, key=lambda move: move.needs_unit))
    closed, alert = case.closed is not None, _alert(parts, request, case)
    return CasePage(
        case=rows.case_item(parts, row),
        version=case.version,
        words="" if alert else case.words,
        facts=_facts(parts, case),
        steps=_steps(parts, request, case),
        moves=forms if closed or not moves else (*forms, _note_form(case)),
        alert=alert,
        chart=_chart(parts, request, case),
        trace=f"/trace/case/{case.number}",
        idle=None if moves else _IDLE,
    )


def _form(parts: PageParts, case: Case, move: Move) -> MoveForm:
    units = tuple(Option(unit.id, unit.name) for unit in parts.units.all() if unit.id != case.unit) if move.needs_unit else ()
    return MoveForm(
        move=move.name,
        title=move.title,
        action=f"/desk/{case.number}/moves",
        needs_note=move.needs_note,
        note_label=Text("说明", "Note"),
        units=units,
        tone=_TONES.get(move.name, "plain"),
    )


def _note_form(case: Case) -> MoveForm:
    words = Text("备注", "Note")
    return MoveForm(
        move="note", title=Text("添加备注", "Add a note"), action=f"/desk/{case.number}/moves", needs_note=True, note_label=words
    )


def _steps(parts: PageParts, request: Call, case: Case) -> tuple[StepLine, ...]:
    found = rows.read(parts, request.user, Query("step", Compare("case", "eq", case.id), Order("at"), 1000))
    units = {unit.id: unit.name for unit in parts.units.all()}
    titles = parts.cases.move_titles(case.flow)
    return tuple(
        StepLine(
            at=rows.needed(row["at"]),
            title=titles.get(str(row["move"]), same(str(row["move"]))),
            by=_PROGRAM if row["by"] == SYSTEM.account else parts.accounts.name_of(str(row["by"])),
            unit=units.get(str(row["then_unit"]), same("")),
            note="" if row["note"] == case.words else str(row["note"] or ""),
            tone=_TONES.get(str(row["move"]), "plain"),
        )
        for row in found.rows
    )


def _facts(parts: PageParts, case: Case) -> tuple[Fact, ...]:
    facts = []
    if case.entity:
        facts.append(Fact(Text("关联对象", "Entity"), parts.registry.entity(case.entity).title))
    kind, _, cause = case.cause.partition(":")
    if kind == "alert":
        facts.append(Fact(Text("来源", "Cause"), Text("预警", "Alert"), href=f"/alerts/{cause}"))
    return tuple(facts)


def _alert(parts: PageParts, request: Call, case: Case) -> AlertItem | None:
    kind, _, name = case.cause.partition(":")
    if kind != "alert":
        return None
    found = rows.read(parts, request.user, Query("alert", Compare("id", "eq", name), limit=1)).rows
    return rows.alert_item(parts, found[0]) if found else None


def _chart(parts: PageParts, request: Call, case: Case) -> Chart | None:
    if case.entity is None:
        return None
    entity = parts.registry.entity(case.entity)
    board = next((board for pack in parts.packs for board in pack.boards if board.kind == entity.kind), None)
    return None if board is None else charts.trend(parts, request.user, board, entity)


def _refused(view: CasePage, data: Step, error: CityError) -> CasePage:
    typed = {f"{data.move}-note": data.note, f"{data.move}-unit": data.unit}
    return msgspec.structs.replace(view, errors=(FormError(f"{data.move}-note", error.what),), typed=typed)


HANDLERS = (desk, case_page, step)
