"""Reporting without an account: the form, its second step, the way back by number and key, the rating. All of it works without script."""

from typing import Final

import msgspec
from anyio import to_thread
from litestar import Response, get, post
from litestar.datastructures import Cookie, UploadFile
from litestar.exceptions import HTTPException
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect

from citybrain.brain.act import LARGEST_PHOTO
from citybrain.doors.pages import frame, report_views, rows
from citybrain.doors.pages.parts import Call, PageParts, Parts
from citybrain.kernel.access import Ask
from citybrain.kernel.errors import BadInputError, CityError, ConflictError, NotFoundError, TooLargeError
from citybrain.kernel.places import Place
from citybrain.kernel.reports import ReportForm, Said
from citybrain.kernel.text import Text
from citybrain.web.desk_views import FormError
from citybrain.web.report_views import Follow, ReportCheck

KEY: Final = "report_key"
_KEPT: Final = 90 * 86_400
LARGEST: Final = LARGEST_PHOTO + 100_000
TOO_LARGE: Final = TooLargeError(
    Text(
        f"提交的内容超过 {LARGEST_PHOTO // 1024 // 1024} MB，请换一张较小的照片。",
        f"What was sent is over {LARGEST_PHOTO // 1024 // 1024} MB. Choose a smaller photo.",
    ),
)


class Given(msgspec.Struct, frozen=True):
    """The form as sent, in either step; ``where`` is ``area:<code>`` or ``thing:<id>``, ``held`` a photo of the step before."""

    form: str = ""
    key: str = ""
    csrf: str = ""
    words: str = ""
    spot: str = ""
    contact: str = ""
    where: str = ""
    lon: str = ""
    lat: str = ""
    held: str = ""
    code: str = ""
    search: str = ""
    step: str = ""
    joins: str = ""
    shown: str = ""


class Known(msgspec.Struct, frozen=True):
    """Number and key as given."""

    number: str = ""
    key: str = ""
    csrf: str = ""


class Judged(msgspec.Struct, frozen=True):
    """The rating as given."""

    grade: str = ""
    solved: str = ""
    words: str = ""
    csrf: str = ""


@get("/report", opt=frame.opens("page.report"), sync_to_thread=True)
def report(request: Call, parts: Parts) -> Response[str]:
    """The form that was asked for, or the first."""
    named = request.query_params.get("form", "")
    forms = parts.reports.forms
    form = parts.reports.form(named) if named else forms[0] if forms else None
    return frame.shown(parts, request, report_views.page(parts, request, form))


@post("/report", opt=frame.opens("page.report"), request_max_body_size=LARGEST)
async def send(request: Call, parts: Parts) -> Response[str] | Redirect:
    """The first step leads to the second, the second to a number; what is wrong is said beside what was typed."""
    try:
        sent = await request.form()
    except HTTPException as error:
        if error.status_code != TOO_LARGE.status:
            raise
        return await to_thread.run_sync(_over, parts, request)
    words = {name: str(value).replace("\x00", "") for name, value in sent.items() if isinstance(value, str)}
    photo = next((value for value in sent.values() if isinstance(value, UploadFile) and value.filename), None)
    given = Given(**{name: words.get(name, "") for name in Given.__struct_fields__})
    return await to_thread.run_sync(_take, parts, request, given, photo)


@get("/report/follow", opt=frame.opens("page.report"), sync_to_thread=True)
def follow_page(request: Call, parts: Parts) -> Response[str]:
    """The way back to a report."""
    return frame.shown(parts, request, Follow(request.query_params.get("number", "")[:40]))


@post("/report/follow", opt=frame.opens("page.report"), sync_to_thread=True)
def follow(request: Call, parts: Parts, data: URLEncodedBody[Known]) -> Response[str] | Redirect:
    """Number and key lead to the report; the key stays in a cookie of that page and in no address."""
    frame.public_form(request, data.csrf)
    try:
        seen = parts.reports.follow(data.number, data.key, frame.address(request))
    except CityError as error:
        return frame.shown(parts, request, Follow(data.number, (FormError("number", error.what),)), status=error.status)
    return _onward(parts, seen.case.number, data.key.strip())


@get("/report/{number:str}", opt=frame.opens("page.report"), sync_to_thread=True)
def stand(request: Call, parts: Parts, number: FromPath[str]) -> Response[str]:
    """What became of a report; without its key, the form that asks for it."""
    key = request.cookies.get(KEY, "")
    if not key:
        return frame.shown(parts, request, Follow(number))
    try:
        seen = parts.reports.follow(number, key, frame.address(request))
    except CityError as error:
        return frame.shown(parts, request, Follow(number, (FormError("number", error.what),)), status=error.status)
    return frame.shown(parts, request, report_views.stand(parts, seen, key))


@post("/report/{number:str}/rating", opt=frame.opens("page.report"), sync_to_thread=True)
def rate(request: Call, parts: Parts, number: FromPath[str], data: URLEncodedBody[Judged]) -> Response[str] | Redirect:
    """Rate the end; what is not solved goes back to its unit."""
    frame.public_form(request, data.csrf)
    key, address = request.cookies.get(KEY, ""), frame.address(request)
    seen = parts.reports.follow(number, key, address)
    grade, solved = int(data.grade) if data.grade.isascii() and data.grade.isdigit() else 0, data.solved != "no"
    try:
        parts.guard.require(Ask(request.user, "report.rate", number, facts={"grade": grade, "solved": solved}))
        after = parts.reports.rate(number, key, address, grade, data.words.replace("\x00", ""), solved=solved)
    except (BadInputError, ConflictError) as error:
        wrong = (FormError(str(error.fields.get("field", "grade")), error.what),)
        return frame.shown(parts, request, report_views.stand(parts, seen, key, wrong), status=error.status)
    return Redirect(f"/report/{number}?done={'rated' if after.case.closed else 'reopened'}", status_code=303)


@get("/report/{number:str}/photo", opt=frame.opens("report.follow"), sync_to_thread=True)
def photo(request: Call, parts: Parts, number: FromPath[str]) -> Response[bytes]:
    """The reporter's own photo."""
    seen = parts.reports.follow(number, request.cookies.get(KEY, ""), frame.address(request))
    return picture(parts, seen.report.photo)


def picture(parts: PageParts, reference: str | None) -> Response[bytes]:
    """A kept photo as an answer that nobody else keeps; raises NotFoundError."""
    if not reference:
        raise NotFoundError(Text("没有照片。", "There is no photo."))
    with parts.reports.photo(reference) as file:
        said = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'"}
        return Response(file.read(), media_type="image/jpeg", headers=said)


def _over(parts: PageParts, request: Call) -> Response[str]:
    forms = parts.reports.forms
    view = report_views.page(parts, request, forms[0] if forms else None)
    wrong = FormError("photo", TOO_LARGE.what)
    return frame.shown(parts, request, report_views.refused(view, {}, "", wrong), status=TOO_LARGE.status)


def _take(parts: PageParts, request: Call, given: Given, photo: UploadFile | None) -> Response[str] | Redirect:
    frame.public_form(request, given.csrf)
    form = parts.reports.form(given.form)
    held = given.held
    try:
        if photo is not None and form.photo:
            held = parts.reports.hold(parts.reports.keep_photo(photo.file, frame.address(request)), given.key)
        said = _said(parts, given, parts.reports.held(held, given.key) if held else None)
        return _next(parts, request, form, given, said, held)
    except (BadInputError, ConflictError, NotFoundError) as error:
        field = str(error.fields.get("field", "words"))
        view = report_views.page(parts, request, form, given.key)
        wrong = FormError(
            "where" if field == "place" else field if field in ("words", "photo", "spot", "contact") else "words", error.what
        )
        return frame.shown(parts, request, report_views.refused(view, _typed(given), held, wrong), status=error.status)


def _next(parts: PageParts, request: Call, form: ReportForm, given: Given, said: Said, held: str) -> Response[str] | Redirect:
    area = parts.reports.area(said)
    found = parts.reports.search(form.name, given.search or said.words, 6) or parts.reports.search(form.name, "", 12)
    chosen = form.of(given.code)
    classes = found if chosen is None or chosen in found else (chosen, *found)
    if chosen is not None and (given.joins or parts.reports.filed(said) is not None):
        return _file(parts, request, said, given.joins or None)
    trial = msgspec.structs.replace(said, code=given.code or classes[0].code)
    likes = parts.reports.alike(trial)
    shown = set(given.shown.split(","))
    if given.step == "send" and chosen is not None and all(one.case.number in shown for one in likes):
        return _file(parts, request, said, None)
    carried = {
        **_typed(given),
        "form": form.name,
        "key": given.key,
        "held": held,
        "shown": ",".join(one.case.number for one in likes),
    }
    view = ReportCheck(
        title=form.title,
        hidden=tuple((name, value) for name, value in carried.items() if name != "search"),
        words=said.words,
        place=rows.area(parts, area),
        classes=report_views.choices(parts, form, classes, area),
        edition=form.edition,
        chosen=trial.code,
        likes=report_views.likes(parts, likes),
        search=given.search,
        photo=bool(held),
    )
    return frame.shown(parts, request, view)


def _file(parts: PageParts, request: Call, said: Said, joins: str | None) -> Redirect:
    parts.guard.require(Ask(request.user, "report.open", said.form))
    receipt = parts.reports.file(said, request.user, frame.address(request), joins)
    return _onward(parts, receipt.number, receipt.secret, "?done=filed")


def _onward(parts: PageParts, number: str, key: str, query: str = "") -> Redirect:
    cookie = Cookie(
        KEY, value=key, path=f"/report/{number}", max_age=_KEPT, httponly=True, samesite="lax", secure=parts.secure_cookies
    )
    return Redirect(f"/report/{number}{query}", status_code=303, cookies=[cookie])


def _said(parts: PageParts, given: Given, photo: str | None) -> Said:
    if not given.words.strip():
        raise BadInputError(Text("请描述问题。", "Say what is wrong."), field="words")
    kind, _, name = given.where.partition(":")
    place = _point(given.lon, given.lat)
    if place is None and kind == "thing":
        place = parts.registry.entity(name).place
    area = name if kind == "area" else None
    return Said(given.form, given.key, given.words, given.code, place, area, given.spot, given.contact, photo)


def _point(lon: str, lat: str) -> Place | None:
    if not lon or not lat:
        return None
    try:
        place = Place(float(lon), float(lat))
    except ValueError:
        place = Place(1000.0, 0.0)
    if not (-180 <= place.lon <= 180 and -90 <= place.lat <= 90):
        raise BadInputError(
            Text("位置的经纬度有误，请重新选择。", "The coordinates are wrong. Choose the place again."), field="place"
        )
    return place


def _typed(given: Given) -> dict[str, str]:
    return {name: getattr(given, name) for name in ("words", "spot", "contact", "where", "lon", "lat", "search")}


HANDLERS = (report, send, follow_page, follow, stand, rate, photo)
