"""The desk (工作台): the cases of the caller's unit, one case with its history, and the steps that may be taken now."""

from typing import Final
from urllib.parse import urlencode

import msgspec
from anyio import to_thread
from litestar import Response, get, post
from litestar.datastructures import UploadFile
from litestar.exceptions import HTTPException
from litestar.params import FromPath
from litestar.response import Redirect

from citybrain.brain.act import Proof
from citybrain.doors.pages import case_reports, changed, charts, deskmap, frame, instructed, reports, rows, worklist
from citybrain.doors.pages.parts import Call, PageParts, Parts
from citybrain.kernel.access import REPORTER, SYSTEM, Order, Query
from citybrain.kernel.cases import Case, Move
from citybrain.kernel.errors import BadInputError, CityError, ConflictError, ForbiddenError
from citybrain.kernel.instant import local
from citybrain.kernel.predicate import Compare, Predicate
from citybrain.kernel.text import Text, same
from citybrain.web.desk_views import CasePage, Desk, FormError, MoveForm, Option, StepLine, Tab
from citybrain.web.views import AlertItem, Chart, Fact, Tone

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


@get("/desk", opt=frame.opens("page.desk"), sync_to_thread=True)
def desk(request: Call, parts: Parts) -> Response[str]:
    """The list, by tab and search; the most urgent first."""
    wanted = worklist.asked(request)
    cases, following = worklist.listed(parts, frame.signed_in(request), wanted)
    live = {"lang": frame.language(request), **worklist.told(wanted), "seen": worklist.mark(cases)}
    one = msgspec.structs.replace(wanted, cursor="")
    views = tuple(worklist.address(msgspec.structs.replace(one, mapped=mapped)) for mapped in (False, True))
    shown = Desk(
        tabs=tuple(_tab(parts, request, tab, wanted) for tab in worklist.TABS),
        cases=cases,
        search=wanted.search,
        live=f"/live/desk?{urlencode(live)}",
        next=following,
        views=(views[0], views[1]),
        map=deskmap.view(parts, request.user, wanted) if wanted.mapped else None,
        within=deskmap.within(parts, wanted),
        kept=tuple((name, value) for name, value in worklist.told(one).items() if name != "q"),
    )
    return frame.shown(parts, request, shown)


@get("/desk/{number:str}", opt=frame.opens("page.desk"), sync_to_thread=True)
def case_page(request: Call, parts: Parts, number: FromPath[str]) -> Response[str]:
    """One case."""
    return frame.shown(parts, request, view(parts, request, visible(parts, request, number)))


@get("/desk/{number:str}/photos/{report:str}", opt=frame.opens("page.desk"), sync_to_thread=True)
def photo(request: Call, parts: Parts, number: FromPath[str], report: FromPath[str]) -> Response[bytes]:
    """The photo of a report, for those who may see what it says."""
    case = visible(parts, request, number)
    return reports.picture(parts, case_reports.photo_of(parts, request.user, case, report))


@get("/desk/{number:str}/steps/{step:str}/photo", opt=frame.opens("page.desk"), sync_to_thread=True)
def step_photo(request: Call, parts: Parts, number: FromPath[str], step: FromPath[str]) -> Response[bytes]:
    """The photo that proves a step."""
    proof = parts.proofs.of(visible(parts, request, number).id).get(step)
    return reports.picture(parts, None if proof is None else proof.photo)


@post("/desk/{number:str}/moves", opt=frame.opens("page.desk"), request_max_body_size=reports.LARGEST)
async def step(request: Call, parts: Parts, number: FromPath[str]) -> Response[str] | Redirect:
    """Take a step; a refusal shows the page again with what was typed and what is wrong."""
    try:
        sent = await request.form()
    except HTTPException as error:
        if error.status_code != reports.TOO_LARGE.status:
            raise
        # What was typed did not arrive: it stays on the device.
        return await to_thread.run_sync(_over, parts, request, number)
    words = {name: str(value).replace("\x00", "") for name, value in sent.items() if isinstance(value, str)}
    photo = next((value for value in sent.values() if isinstance(value, UploadFile) and value.filename), None)
    try:
        data = msgspec.convert({name: words[name] for name in Step.__struct_fields__ if name in words}, Step, strict=False)
    except msgspec.ValidationError as error:
        raise BadInputError(Text(f"表单有误：{error}", f"The form is wrong: {error}")) from error
    return await to_thread.run_sync(_step, parts, request, number, data, photo)


def _over(parts: PageParts, request: Call, number: str) -> Response[str]:
    seen = view(parts, request, visible(parts, request, number))
    named = next((form.move for form in seen.moves if form.photo), "note")
    wrong = (FormError(f"{named}-photo", reports.TOO_LARGE.what),)
    return frame.shown(parts, request, msgspec.structs.replace(seen, errors=wrong), status=reports.TOO_LARGE.status)


def _step(parts: PageParts, request: Call, number: str, data: Step, photo: UploadFile | None) -> Response[str] | Redirect:
    frame.own_form(request, data.csrf)
    case = visible(parts, request, number)
    try:
        if data.move == "note":
            parts.cases.note(case.id, request.user, data.note)
            return Redirect(f"/desk/{number}?done=noted", status_code=303)
        may = any(move.photo and move.name == data.move for move in parts.cases.moves_for(case, request.user))
        proof = None if photo is None or not may else parts.proofs.beside(case, parts.proofs.keep(case, photo.file))
        parts.cases.move(case.id, data.move, request.user, data.note, data.version, data.unit or None, proof)
    except (ConflictError, BadInputError, ForbiddenError) as error:
        return frame.shown(
            parts, request, _refused(view(parts, request, parts.cases.case(case.id)), data, error), status=error.status
        )
    return Redirect(f"/desk/{number}?done=moved", status_code=303)


def _tab(parts: PageParts, request: Call, tab: tuple[str, Text, Predicate, Tone], wanted: worklist.Asked) -> Tab:
    there = worklist.Asked(tab, area=wanted.area, mapped=wanted.mapped)
    count = rows.read(parts, request.user, Query("case", worklist.sought(there), limit=0, count=True)).total or 0
    return Tab(tab[1], worklist.address(there), count, tab is wanted.tab, tab[3] if count else "plain")


def visible(parts: PageParts, request: Call, number: str) -> Case:
    """The case of a number, if this caller may see it; raises NotFoundError."""
    frame.signed_in(request)
    rows.first(rows.read(parts, request.user, Query("case", Compare("number", "eq", number), limit=1)).rows, number)
    return parts.cases.by_number(number)


def view(parts: PageParts, request: Call, case: Case) -> CasePage:
    """A case as its page shows it."""
    row = rows.first(rows.read(parts, request.user, Query("case", Compare("id", "eq", case.id), limit=1)).rows, case.number)
    moves = parts.cases.moves_for(case, request.user)
    # What carries the case on stands open before what hands it to somebody else.
    forms = tuple(_form(parts, case, move) for move in sorted(moves, key=lambda move: move.needs_unit))
    closed, alert = case.closed is not None, _alert(parts, request, case)
    reported = case_reports.lines(parts, request.user, case)
    return CasePage(
        case=rows.case_item(parts, row),
        version=case.version,
        words="" if alert or reported else case.words,
        facts=_facts(parts, case),
        steps=_steps(parts, request, case),
        moves=forms if closed or not moves else (*forms, _note_form(case)),
        alert=alert,
        chart=_chart(parts, request, case),
        trace=f"/trace/case/{case.number}",
        idle=None if moves else _IDLE,
        reports=reported,
        instructions=instructed.lines(parts, request.user, case),
        instruct=instructed.form(request.user, case),
        map=case_reports.place_map(parts, case),
    )


def _form(parts: PageParts, case: Case, move: Move) -> MoveForm:
    # Who hands a case on does not hand it to themselves; who sends it out finds its unit first.
    ranked = sorted(parts.units.all(), key=lambda unit: unit.id != case.unit) if move.needs_unit else ()
    units = tuple(Option(unit.id, unit.name) for unit in ranked if unit.id != case.unit or "handler" not in move.by)
    return MoveForm(
        move=move.name,
        title=move.title,
        action=f"/desk/{case.number}/moves",
        needs_note=move.needs_note,
        note_label=Text("说明", "Note"),
        units=units,
        tone=_TONES.get(move.name, "plain"),
        photo=move.photo,
    )


def _note_form(case: Case) -> MoveForm:
    words = Text("备注", "Note")
    return MoveForm(
        move="note", title=Text("添加备注", "Add a note"), action=f"/desk/{case.number}/moves", needs_note=True, note_label=words
    )


def _steps(parts: PageParts, request: Call, case: Case) -> tuple[StepLine, ...]:
    found = rows.read(parts, request.user, Query("step", Compare("case", "eq", case.id), Order("at"), 1000))
    units = {unit.id: unit.name for unit in parts.units.all()}
    titles, proofs = parts.cases.move_titles(case.flow), parts.proofs.of(case.id)
    return tuple(
        StepLine(
            at=rows.needed(row["at"]),
            title=titles.get(str(row["move"]), same(str(row["move"]))),
            by=_by(parts, str(row["by"])),
            unit=units.get(str(row["then_unit"]), same("")),
            note="" if row["note"] == case.words else str(row["note"] or ""),
            tone=_TONES.get(str(row["move"]), "plain"),
            photo=f"/desk/{case.number}/steps/{row['id']}/photo" if str(row["id"]) in proofs else "",
            proof=_proof(proofs.get(str(row["id"]))),
        )
        for row in found.rows
    )


def _proof(proof: Proof | None) -> Text | None:
    """What a photo says of when and where it was taken, and what it does not say."""
    if proof is None:
        return None
    when = None if proof.taken is None else local(proof.taken).strftime("%Y-%m-%d %H:%M")
    time = Text("拍摄时间未核验", "time not verified") if when is None else Text(f"拍摄于 {when}", f"taken {when}")
    metres = proof.metres
    place = (
        Text("拍摄地点未核验", "place not verified")
        if metres is None
        else Text(f"距案件位置 {metres} 米", f"{metres} m from the place of the case")
    )
    return Text(f"现场照片：{time.zh}，{place.zh}", f"Photo on site: {time.en}, {place.en}")


def _by(parts: PageParts, account: str) -> str:
    known = {SYSTEM.account: _PROGRAM, REPORTER: ""}
    return known[account] if account in known else parts.accounts.name_of(account)


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
    if not found:
        return None
    return msgspec.structs.replace(rows.alert_item(parts, found[0]), changed=changed.of_alert(parts, request.user, found[0]))


def _chart(parts: PageParts, request: Call, case: Case) -> Chart | None:
    if case.entity is None:
        return None
    entity = parts.registry.entity(case.entity)
    board = next((board for pack in parts.packs for board in pack.boards if board.kind == entity.kind), None)
    return None if board is None else charts.trend(parts, request.user, board, entity)


def _refused(seen: CasePage, data: Step, error: CityError) -> CasePage:
    typed = {f"{data.move}-note": data.note, f"{data.move}-unit": data.unit}
    field = "photo" if error.fields.get("field") == "photo" else "note"
    return msgspec.structs.replace(seen, errors=(FormError(f"{data.move}-{field}", error.what),), typed=typed)


HANDLERS = (desk, case_page, photo, step_photo, step)
