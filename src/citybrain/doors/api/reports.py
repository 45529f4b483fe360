"""Reports over HTTP, for whoever has no account: classes, likes, filing once, photos, progress by number and key, ratings."""

from io import BytesIO
from typing import Annotated, Final

import msgspec
from anyio import to_thread
from litestar import Response, get, post
from litestar.params import FromPath, HeaderParameter, JSONBody

from citybrain.brain.act import LARGEST_PHOTO, Progress
from citybrain.brain.protect import network
from citybrain.doors.api.act import Spot
from citybrain.doors.api.caller import asks, purpose
from citybrain.doors.api.parts import ApiParts, Call, Parts
from citybrain.doors.api.rows import Rows, listed
from citybrain.kernel.access import Ask
from citybrain.kernel.errors import BadInputError, NotFoundError
from citybrain.kernel.instant import rfc3339
from citybrain.kernel.places import Place
from citybrain.kernel.reports import ReportClass, Said
from citybrain.kernel.text import Text

LARGEST: Final = LARGEST_PHOTO
Key = Annotated[str, HeaderParameter(name="Idempotency-Key", min_length=16, max_length=200)]
Secret = Annotated[str, HeaderParameter(name="X-Report-Key", min_length=1, max_length=100)]


class Saying(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A report as sent: ``code`` of a class, a point or the code of an area, and ``photo`` as ``POST /reports/photos`` named it."""

    form: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    words: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
    code: Annotated[str, msgspec.Meta(min_length=1, max_length=20)]
    place: Spot | None = None
    area: Annotated[str, msgspec.Meta(max_length=20)] | None = None
    spot: Annotated[str, msgspec.Meta(max_length=200)] = ""
    contact: Annotated[str, msgspec.Meta(max_length=100)] = ""
    photo: Annotated[str, msgspec.Meta(max_length=1000)] | None = None
    joins: Annotated[str, msgspec.Meta(max_length=40)] | None = None
    """The number of an open case that is the same matter."""


class Judging(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rating: 5 (非常满意) to 1 (非常不满意), and whether the matter is solved."""

    grade: Annotated[int, msgspec.Meta(ge=1, le=5)]
    solved: bool
    words: Annotated[str, msgspec.Meta(max_length=2000)] = ""


class FormItem(msgspec.Struct, frozen=True):
    """A form that somebody may fill in, with the catalogue its classes are of."""

    name: str
    title: Text
    about: Text
    edition: Text
    since: str
    mark: str
    photo: bool


class LikeItem(msgspec.Struct, frozen=True):
    """An open case that may be the same matter; nothing of what others said of it."""

    number: str
    title: Text
    area: str | None
    opened: str
    likeness: float
    metres: float | None


class Photo(msgspec.Struct, frozen=True):
    """The word that names a cleaned photo in the report of the same Idempotency-Key."""

    photo: str


class Filed(msgspec.Struct, frozen=True):
    """The number to quote and the key that opens the progress; the key is told to nobody else."""

    number: str
    key: str
    unit: Text
    due: str


class Stand(msgspec.Struct, frozen=True):
    """What a report has come to, for whoever holds its key."""

    number: str
    title: Text
    state: Text
    unit: Text
    opened: str
    due: str
    closed: str | None
    words: str
    photo: bool
    answers: tuple[str, ...]
    ratings: tuple[tuple[int, bool], ...]
    may_rate: bool
    may_reopen: bool


@get("/reports", opt=asks("report.read", of="report", columns=True), sync_to_thread=True)
def reports(request: Call, parts: Parts) -> Rows:
    """Reports by any of their columns; what is personal is masked for those without a purpose."""
    return listed(parts, request, "report")


@get("/reports/forms", opt=asks("report.open"), sync_to_thread=False)
def forms(parts: Parts) -> tuple[FormItem, ...]:
    """The forms by which people report here."""
    return tuple(
        FormItem(one.name, one.title, one.about, one.edition, one.since, one.mark, one.photo) for one in parts.reports.forms
    )


@get("/reports/classes", opt=asks("report.open", "form", "words"), sync_to_thread=True)
def classes(request: Call, parts: Parts) -> tuple[ReportClass, ...]:
    """Classes of a form by everyday words, best first; the common ones where no words are given."""
    named = request.query_params.get("form", "")
    return parts.reports.search(named, request.query_params.get("words", ""))


@post("/reports/alike", opt=asks("report.open"), sync_to_thread=True, status_code=200)
def alike(parts: Parts, data: JSONBody[Saying]) -> tuple[LikeItem, ...]:
    """Open cases that may be the same matter, likest first; nothing is filed."""
    found = parts.reports.alike(_said(parts, data, "0" * 16))
    return tuple(
        LikeItem(one.case.number, one.case.title, one.case.area, rfc3339(one.case.opened), round(one.score, 2), one.metres)
        for one in found
    )


@post("/reports", opt=asks("report.open"), sync_to_thread=True)
def file_report(request: Call, parts: Parts, data: JSONBody[Saying], key: Key) -> Response[Filed]:
    """File a report; the same Idempotency-Key with the same content gives the same number and key."""
    said = _said(parts, data, key)
    parts.guard.require(Ask(request.user, "report.open", data.form, purpose(request)))
    receipt = parts.reports.file(said, request.user, address(request), data.joins)
    case = parts.cases.by_number(receipt.number)
    filed = Filed(receipt.number, receipt.secret, parts.units.unit(case.unit).name, rfc3339(case.due))
    return Response(filed, headers={"Location": f"/api/v1/act/reports/{receipt.number}/progress"})


@get("/reports/{number:str}/progress", opt=asks("report.follow"), sync_to_thread=True)
def progress(request: Call, parts: Parts, number: FromPath[str], secret: Secret) -> Stand:
    """What a report has come to; its key goes in X-Report-Key."""
    return _stand(parts, parts.reports.follow(number, secret, address(request)))


@get("/reports/{number:str}/photo", opt=asks("report.follow"), sync_to_thread=True)
def own_photo(request: Call, parts: Parts, number: FromPath[str], secret: Secret) -> Response[bytes]:
    """The reporter's own photo, as it was cleaned."""
    reference = parts.reports.follow(number, secret, address(request)).report.photo
    if reference is None:
        raise NotFoundError(Text("此上报没有照片。", "This report has no photo."), number=number)
    with parts.reports.photo(reference) as file:
        return Response(
            file.read(), media_type="image/jpeg", headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
        )


@post("/reports/{number:str}/ratings", opt=asks("report.rate"), sync_to_thread=True)
def rate(request: Call, parts: Parts, number: FromPath[str], secret: Secret, data: JSONBody[Judging]) -> Stand:
    """Rate a closing; what is not solved goes back to its unit."""
    seen = parts.reports.follow(number, secret, address(request))
    parts.guard.require(
        Ask(request.user, "report.rate", seen.case.number, purpose(request), {"grade": data.grade, "solved": data.solved})
    )
    return _stand(parts, parts.reports.rate(number, secret, address(request), data.grade, data.words, solved=data.solved))


@post("/reports/photos", opt=asks("report.open"))
async def put_photo(request: Call, parts: Parts, key: Key) -> Photo:
    """Clean and keep a photo (JPEG, PNG or WebP as the body) for the report of the same Idempotency-Key; refused early when too large."""
    given = await request.body()

    def kept() -> str:
        """Off the loop: decoding takes a while."""
        return parts.reports.hold(parts.reports.keep_photo(BytesIO(given), address(request)), key)

    return Photo(await to_thread.run_sync(kept))


def address(request: Call) -> str:
    """The network from which somebody without an account comes, as tries are counted by it."""
    return network(request.client.host) if request.client else ""


def _said(parts: ApiParts, data: Saying, key: str) -> Said:
    photo = None if data.photo is None else parts.reports.held(data.photo, key)
    if photo is not None and not parts.reports.form(data.form).photo:
        raise BadInputError(Text("此表单不收照片。", "This form takes no photo."), field="photo")
    place = None if data.place is None else Place(data.place.lon, data.place.lat)
    return Said(data.form, key, data.words, data.code, place, data.area, data.spot, data.contact, photo)


def _stand(parts: ApiParts, seen: Progress) -> Stand:
    case = seen.case
    told = parts.cases.answers(case.flow)
    answers = tuple(step.note for step in parts.cases.steps(case.id) if step.move in told and step.note)
    return Stand(
        number=case.number,
        title=case.title,
        state=parts.cases.state_title(case.flow, case.state),
        unit=parts.units.unit(case.unit).name,
        opened=rfc3339(case.opened),
        due=rfc3339(case.due),
        closed=None if case.closed is None else rfc3339(case.closed),
        words=seen.report.words,
        photo=seen.report.photo is not None,
        answers=answers,
        ratings=tuple((one.grade, one.solved) for one in seen.ratings),
        may_rate=seen.may_rate,
        may_reopen=seen.may_reopen,
    )


HANDLERS = (reports, forms, classes, alike, file_report, progress, own_photo, rate)
PHOTOS = (put_photo,)
