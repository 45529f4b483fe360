"""One stream: its life, its contract, and where nobody promised anything the promise that its own readings suggest."""

from typing import Final

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect

from citybrain.doors.pages import charts, frame, rows, streams
from citybrain.doors.pages import stream_facts as told
from citybrain.doors.pages.parts import Call, PageParts, Parts
from citybrain.kernel.access import Ask, Caller, Query
from citybrain.kernel.errors import BadInputError, ConflictError, StaleError
from citybrain.kernel.instant import MINUTE, Duration, minute_of
from citybrain.kernel.predicate import Compare
from citybrain.kernel.text import Json, Text
from citybrain.kernel.things import Contract, Stream
from citybrain.web.desk_views import FormError
from citybrain.web.stream_views import StreamPage

_TOO_LITTLE: Final = Text(
    "近 28 天的读数不足（至少 150 个、跨 2 天），暂不能提出建议；可以直接填写。",
    "Too few readings in 28 days (150 over 2 days are needed) to propose anything; you may fill it in yourself.",
)
_ELSEWHERE: Final = Text(
    "约定由应用包或接入方声明，请在声明处修改。", "The contract is declared by its pack or its maker; it is changed there."
)
_LOOKS_ONLY: Final = Text("您的角色可以查看；由数据专员确认约定。", "Your role may look; the data officer agrees on promises.")


class Agreeing(msgspec.Struct, frozen=True):
    """The form of agreeing as sent: spans in minutes, limits in the stream's unit, hours as ``08:00``; empty is not promised."""

    every: str = ""
    silent_after: str = ""
    stuck_after: str = ""
    low: str = ""
    high: str = ""
    opens: str = ""
    closes: str = ""
    why: str = ""
    version: int = 0
    csrf: str = ""


class TakingBack(msgspec.Struct, frozen=True):
    """The form of taking back as sent."""

    why: str = ""
    version: int = 0
    csrf: str = ""


@get(f"{streams.PATH}/{{name:str}}", opt=frame.opens("page.streams"), sync_to_thread=True)
def stream_page(request: Call, parts: Parts, name: FromPath[str]) -> Response[str]:
    """One stream."""
    return frame.shown(parts, request, _view(parts, request.user, name, {}))


@post(f"{streams.PATH}/{{name:str}}/promise", opt=frame.opens("stream.promise"), sync_to_thread=True)
def agree(request: Call, parts: Parts, name: FromPath[str], data: URLEncodedBody[Agreeing]) -> Response[str] | Redirect:
    """Agree on what a stream promises; a refusal shows the page again with what was typed and what is wrong."""
    frame.own_form(request, data.csrf)
    stream = parts.registry.stream(name)
    try:
        contract = _contract(data)
        parts.guard.require(_ask(parts, request.user, stream, {"promise": msgspec.to_builtins(contract), "why": data.why}))
        parts.promises.agree(stream, contract, data.version, request.user.account, data.why)
    except (BadInputError, StaleError, ConflictError) as error:
        typed = {field: str(getattr(data, field)) for field in Agreeing.__struct_fields__ if field not in ("csrf", "version")}
        return _refused(parts, request, name, typed, error)
    return Redirect(f"{streams.PATH}/{name}?done=agreed", status_code=303)


@post(f"{streams.PATH}/{{name:str}}/promise/end", opt=frame.opens("stream.promise"), sync_to_thread=True)
def take_back(request: Call, parts: Parts, name: FromPath[str], data: URLEncodedBody[TakingBack]) -> Response[str] | Redirect:
    """Take back what was agreed on."""
    frame.own_form(request, data.csrf)
    stream = parts.registry.stream(name)
    parts.guard.require(_ask(parts, request.user, stream, {"promise": None, "why": data.why}))
    try:
        parts.promises.take_back(stream, data.version, request.user.account, data.why)
    except (BadInputError, StaleError, ConflictError) as error:
        return _refused(parts, request, name, {"back-why": data.why}, error)
    return Redirect(f"{streams.PATH}/{name}?done=taken_back", status_code=303)


def _refused(
    parts: PageParts, request: Call, name: str, typed: dict[str, str], error: BadInputError | StaleError | ConflictError
) -> Response[str]:
    field = str(error.fields.get("field", "why"))
    wrong = (FormError(f"back-{field}" if "back-why" in typed else field, error.what),)
    view = msgspec.structs.replace(_view(parts, request.user, name, typed), errors=wrong)
    return frame.shown(parts, request, view, status=error.status)


def _view(parts: PageParts, caller: Caller, name: str, typed: dict[str, str]) -> StreamPage:
    row = rows.first(rows.read(parts, caller, Query("stream", Compare("id", "eq", name), limit=1)).rows, name)
    stream = parts.registry.stream(name)
    unit = rows.sign(stream.unit)
    free, history = parts.promises.free(stream), parts.promises.history(stream)
    may = parts.policy.decide(_ask(parts, caller, stream, {})).allowed
    learned = parts.promises.proposal(stream) if free else None
    shown = stream.contract if stream.contract != Contract() or learned is None else learned.contract
    return StreamPage(
        title=streams.named(parts, row),
        path=f"{streams.PATH}/{name}",
        facts=told.now(parts, row),
        contract=told.contract(stream.contract, unit) or told.NOTHING,
        gaps=told.gaps(parts, caller, stream, unit),
        chart=charts.readings(parts, caller, stream, streams.named(parts, row)),
        learned=() if learned is None else told.evidence(learned, unit),
        fields=told.fields(shown, typed, unit) if free and may else (),
        why_not=_ELSEWHERE if not free else None if may else _LOOKS_ONLY,
        too_little=_TOO_LITTLE if free and learned is None else None,
        version=history[0].no if history else 0,
        agreed=parts.registry.agreed(stream),
        history=tuple(told.line(parts, one, unit) for one in history),
        typed=typed,
    )


def _ask(parts: PageParts, caller: Caller, stream: Stream, facts: dict[str, Json]) -> Ask:
    access = parts.registry.kind(stream.kind).access
    return Ask(caller, "stream.promise", f"stream:{stream.id}", "", {"access": access, **facts})


def _contract(data: Agreeing) -> Contract:
    every, silent, stuck = (_span(data, name) for name in ("every", "silent_after", "stuck_after"))
    low, high = _number(data, "low"), _number(data, "high")
    return Contract(every, silent, stuck, low, high, _minute(data, "opens"), _minute(data, "closes"))


def _span(data: Agreeing, field: str) -> Duration | None:
    minutes = _number(data, field)
    return None if minutes is None else Duration(round(minutes * MINUTE))


def _number(data: Agreeing, field: str) -> float | None:
    text = str(getattr(data, field)).strip()
    try:
        number = float(text) if text else None
    except ValueError:
        number = float("nan")
    if number is not None and not abs(number) < 1e12:
        raise BadInputError(Text(f"“{text}”不是可用的数。", f"'{text}' is no number that can be used."), field=field)
    return number


def _minute(data: Agreeing, field: str) -> int | None:
    text = str(getattr(data, field)).strip()
    try:
        return minute_of(text) if text else None
    except ValueError:
        raise BadInputError(
            Text(f"“{text}”不是 08:00 形式的时刻。", f"'{text}' is no time of the day such as 08:00."), field=field
        ) from None


HANDLERS = (stream_page, agree, take_back)
