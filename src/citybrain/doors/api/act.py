"""What act offers over HTTP: lists of cases, one case with its steps and moves, filing, moving and noting."""

import re
from io import BytesIO
from typing import Annotated, Final

import msgspec
from anyio import to_thread
from litestar import Response, get, post
from litestar.params import FromPath, HeaderParameter, JSONBody

from citybrain.brain.act import Proof
from citybrain.doors.api import changed
from citybrain.doors.api.caller import asks, purpose
from citybrain.doors.api.parts import ApiParts, Call, Parts
from citybrain.doors.api.plain import mapping
from citybrain.doors.api.rows import Row, Rows, listed, one, page
from citybrain.doors.api.versions import Tag, seen
from citybrain.kernel.access import Ask, Order, Query
from citybrain.kernel.calendar import Allowance, Counting
from citybrain.kernel.cases import Case, CaseRequest, Move
from citybrain.kernel.errors import BadInputError, NotFoundError
from citybrain.kernel.ids import new_id
from citybrain.kernel.instant import rfc3339
from citybrain.kernel.places import Place, level_of
from citybrain.kernel.predicate import Compare
from citybrain.kernel.text import Json, Text, same

_ID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

Short = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Long = Annotated[str, msgspec.Meta(max_length=5000)]


class Promise(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The time promised: at most 365 of hours, working hours or working days."""

    amount: Annotated[int, msgspec.Meta(ge=1, le=365)]
    counting: Counting


class Spot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A point in WGS 84 degrees."""

    lon: Annotated[float, msgspec.Meta(ge=-180, le=180)]
    lat: Annotated[float, msgspec.Meta(ge=-90, le=90)]


class Filing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A case that a dispatcher files by hand; ``duty`` is the function of the unit that should answer."""

    title: Short
    words: Annotated[str, msgspec.Meta(min_length=1, max_length=5000)]
    duty: Short
    matter: Short = "report"
    flow: Short = "standard"
    grade: Annotated[int, msgspec.Meta(ge=1, le=4)] = 3
    allowance: Promise = Promise(5, "working_days")
    area: str | None = None
    place: Spot | None = None
    entity: Short | None = None


class Moving(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A move by its name, with words and, where the move asks for it, the unit that answers from now on.

    ``photo`` is what ``POST /cases/{name}/photos`` answered, for a move that takes one.
    """

    move: Short
    note: Long = ""
    to_unit: Short | None = None
    photo: Annotated[str, msgspec.Meta(max_length=1000)] | None = None


class Noting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words to add to a case."""

    words: Annotated[str, msgspec.Meta(min_length=1, max_length=5000)]


class Filed(msgspec.Struct, frozen=True):
    """What became of a case that was filed: its number to quote, who answers, and until when."""

    id: str
    number: str
    state: str
    unit: str
    opened: str
    due: str
    version: int


class Kept(msgspec.Struct, frozen=True):
    """The word that names a photo in the move that it proves."""

    photo: str


class Proven(msgspec.Struct, frozen=True):
    """The photo of a step: when it was taken (wall clock) and how many metres from the case, null where it does not say so itself."""

    step: str
    href: str
    taken: str | None
    metres: int | None


class CaseSheet(msgspec.Struct, frozen=True):
    """A case as this caller sees it, its steps from the first, the photos that prove them, and the moves that this caller may take now.

    ``changed`` are the readings behind its alert that are not what they were then, with what each was and is.
    """

    case: Row
    steps: Rows
    photos: tuple[Proven, ...]
    moves: tuple[Move, ...]
    changed: tuple[Row, ...] = ()


@get("/cases", opt=asks("case.read", of="case", columns=True), sync_to_thread=True)
def cases(request: Call, parts: Parts) -> Rows:
    """Cases by any of their columns, newest first unless ``sort`` says otherwise."""
    return listed(parts, request, "case")


@get("/cases/{name:str}", opt=asks("case.read", of="case"), sync_to_thread=True)
def case(request: Call, parts: Parts, name: FromPath[str]) -> Response[CaseSheet]:
    """One case by its id or by the number that people quote; the ETag is its version."""
    return _sheet(request, parts, _visible(request, parts, name))


@post("/cases", opt=asks("case.open"), sync_to_thread=True)
def file_case(
    request: Call,
    parts: Parts,
    data: JSONBody[Filing],
    key: Annotated[str | None, HeaderParameter(name="Idempotency-Key", max_length=200)] = None,
) -> Response[Filed]:
    """File a case by hand; the same Idempotency-Key of the same caller joins the case it opened, while that is open."""
    place = None if data.place is None else Place(data.place.lon, data.place.lat)
    report = f"report:{request.user.account}:{key or new_id()}"
    opened = CaseRequest(
        key=report,
        matter=data.matter,
        title=same(data.title),
        flow=data.flow,
        duty=data.duty,
        allowance=Allowance(data.allowance.amount, data.allowance.counting),
        place=place,
        area=_area(parts, data.area, place),
        entity=data.entity,
        cause=report,
        words=data.words,
        at=parts.clock.city(),
        grade=data.grade,
        origin=parts.origin,
    )
    parts.guard.require(Ask(request.user, "case.open", opened.key, purpose(request)))
    made = parts.cases.case(parts.cases.open(opened))
    filed = Filed(made.id, made.number, made.state, made.unit, rfc3339(made.opened), rfc3339(made.due), made.version)
    return Response(filed, headers={"Location": f"/api/v1/act/cases/{made.id}", "ETag": f'"{made.version}"'})


@post("/cases/{name:str}/moves", opt=asks("case.move"), sync_to_thread=True, status_code=200)
def move_case(
    request: Call,
    parts: Parts,
    name: FromPath[str],
    data: JSONBody[Moving],
    version: Tag = None,
) -> Response[CaseSheet]:
    """Take a move; If-Match names the version that was seen (428 without, 412 when somebody else was faster)."""
    found = _visible(request, parts, name)
    _require(request, parts, "case.move", found)
    proof = None if data.photo is None else parts.proofs.beside(found, data.photo)
    moved = parts.cases.move(
        found.id, data.move, request.user, data.note, seen(version, found.version, same(found.number)), data.to_unit, proof
    )
    return _sheet(request, parts, moved)


@post("/cases/{name:str}/photos", opt=asks("case.move"))
async def prove_case(request: Call, parts: Parts, name: FromPath[str]) -> Kept:
    """Judge, clean and keep a photo (JPEG, PNG or WebP as the body) for a move to come; refused when old, from elsewhere or too large."""
    given = await request.body()

    def kept() -> str:
        """Off the loop: decoding takes a while."""
        found = _visible(request, parts, name)
        _require(request, parts, "case.move", found)
        return parts.proofs.keep(found, BytesIO(given))

    return Kept(await to_thread.run_sync(kept))


@get("/cases/{name:str}/steps/{step:str}/photo", opt=asks("step.read", of="step"), sync_to_thread=True)
def step_photo(request: Call, parts: Parts, name: FromPath[str], step: FromPath[str]) -> Response[bytes]:
    """The photo that proves a step, as it was cleaned."""
    proof = parts.proofs.of(_visible(request, parts, name).id).get(step)
    if proof is None:
        raise NotFoundError(Text("此步骤没有照片。", "This step has no photo."), step=step)
    with parts.proofs.photo(proof) as file:
        return Response(file.read(), media_type="image/jpeg", headers={"Cache-Control": "no-store"})


@post("/cases/{name:str}/notes", opt=asks("case.note"), sync_to_thread=True)
def note_case(request: Call, parts: Parts, name: FromPath[str], data: JSONBody[Noting]) -> Response[CaseSheet]:
    """Add words to a case without moving it."""
    found = _visible(request, parts, name)
    _require(request, parts, "case.note", found)
    parts.cases.note(found.id, request.user, data.words)
    return _sheet(request, parts, found)


def _require(request: Call, parts: ApiParts, action: str, found: Case) -> None:
    facts: dict[str, Json] = {"unit": found.unit}
    parts.guard.require(Ask(request.user, action, found.id, purpose(request), facts))


def _visible(request: Call, parts: ApiParts, name: str) -> Case:
    """The case, if policy lets this caller see its row; raises NotFoundError all the same where it does not."""
    by_id = _ID.fullmatch(name) is not None
    one(parts, request, "case", name, "id" if by_id else "number")
    return parts.cases.case(name) if by_id else parts.cases.by_number(name)


def _sheet(request: Call, parts: ApiParts, found: Case) -> Response[CaseSheet]:
    history = Query("step", Compare("case", "eq", found.id), Order("no"), limit=1000)
    sheet = CaseSheet(
        one(parts, request, "case", found.id, "id"),
        page(parts, request, parts.catalogue.describe("step"), history),
        tuple(_proven(found, step, proof) for step, proof in parts.proofs.of(found.id).items()),
        parts.cases.moves_for(found, request.user),
        tuple(mapping(each) for each in changed.of_cause(parts, request, found.cause)),
    )
    return Response(sheet, headers={"ETag": f'"{found.version}"'})


def _proven(found: Case, step: str, proof: Proof) -> Proven:
    taken = None if proof.taken is None else rfc3339(proof.taken)
    return Proven(step, f"/api/v1/act/cases/{found.id}/steps/{step}/photo", taken, proof.metres)


def _area(parts: ApiParts, named: str | None, place: Place | None) -> str | None:
    """The area that was named, or the one that holds the place; raises BadInputError for what is no area code."""
    if named is not None:
        level_of(named)
        return named
    if place is None:
        return None
    found = parts.areas.area_of(place)
    if found is None:
        what = Text(
            "该位置不在本区范围内。请检查经纬度的次序。", "The place is not in the district. Check the order of lon and lat."
        )
        raise BadInputError(what, field="place")
    return found


HANDLERS = (cases, case, file_case, move_case, note_case, step_photo)
PHOTOS = (prove_case,)
