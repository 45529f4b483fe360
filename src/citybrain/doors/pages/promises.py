"""One stream: its life, its contract, and where nobody promised anything the promise that its own readings suggest."""

from typing import Final

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect

from citybrain.brain.observe import UNMEASURED
from citybrain.doors.pages import (
    carrying,
    charts,
    correction_facts,
    frame,
    restated_facts,
    rows,
    spoken,
    streams,
    typed,
)
from citybrain.doors.pages import stream_facts as told
from citybrain.doors.pages.parts import Call, PageParts, Parts
from citybrain.kernel.access import Ask, Caller, Query
from citybrain.kernel.errors import BadInputError, ConflictError, StaleError
from citybrain.kernel.instant import MINUTE, Duration
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
    given = correction_facts.given(request.query_params)
    page = view(parts, request.user, name, {**given})
    return frame.shown(parts, request, page, status=400 if page.errors else 200)


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
        given = {field: str(getattr(data, field)) for field in Agreeing.__struct_fields__ if field not in ("csrf", "version")}
        return _refused(parts, request, name, given, error)
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
    parts: PageParts, request: Call, name: str, given: dict[str, str], error: BadInputError | StaleError | ConflictError
) -> Response[str]:
    field = str(error.fields.get("field", "why"))
    wrong = (FormError(f"back-{field}" if "back-why" in given else field, error.what),)
    page = msgspec.structs.replace(view(parts, request.user, name, given), errors=wrong)
    return frame.shown(parts, request, page, status=error.status)


def view(parts: PageParts, caller: Caller, name: str, given: dict[str, str]) -> StreamPage:
    """The page of a stream as a caller sees it, with what was typed; raises NotFoundError."""
    row = rows.first(rows.read(parts, caller, Query("stream", Compare("id", "eq", name), limit=1)).rows, name)
    stream = parts.registry.stream(name)
    unit = rows.sign(stream.unit)
    free, history = parts.promises.free(stream), parts.promises.history(stream)
    access = parts.registry.kind(stream.kind).access
    may = parts.policy.decide(_ask(parts, caller, stream, {})).allowed
    reads = parts.policy.decide(Ask(caller, "observation.read", stream.kind, "", {"access": access})).allowed
    learned = parts.promises.proposal(stream) if free and reads else None
    shown = stream.contract if stream.contract != Contract() or learned is None else learned.contract
    corrections, errors = correction_facts.block(parts, caller, stream, given)
    measured = stream.sort not in UNMEASURED
    return StreamPage(
        title=streams.named(parts, row),
        path=f"{streams.PATH}/{name}",
        facts=told.now(parts, row),
        contract=told.contract(stream.contract, unit) or told.NOTHING,
        gaps=told.gaps(parts, caller, stream, unit),
        chart=charts.readings(parts, caller, stream, streams.named(parts, row)) if measured else None,
        results=None if measured else spoken.results(parts, caller, stream, streams.named(parts, row)),
        learned=() if learned is None else told.evidence(learned, unit, measured=measured),
        fields=told.fields(shown, given, unit, measured=measured) if free and may else (),
        elsewhere=None if free else _ELSEWHERE,
        why_not=None if may else _LOOKS_ONLY,
        too_little=_TOO_LITTLE if free and reads and learned is None else None,
        version=history[0].no if history else 0,
        agreed=parts.registry.agreed(stream),
        history=tuple(told.line(parts, one, unit) for one in history),
        corrections=corrections,
        restated=restated_facts.block(parts, stream) if reads else None,
        carry=carrying.block(parts, caller, stream),
        typed=given,
        errors=errors,
    )


def _ask(parts: PageParts, caller: Caller, stream: Stream, facts: dict[str, Json]) -> Ask:
    access = parts.registry.kind(stream.kind).access
    return Ask(caller, "stream.promise", f"stream:{stream.id}", "", {"access": access, **facts})


def _contract(data: Agreeing) -> Contract:
    every, silent, stuck = (_span(getattr(data, name), name) for name in ("every", "silent_after", "stuck_after"))
    low, high = (_limit(getattr(data, name), name) for name in ("low", "high"))
    opens, closes = (typed.minute(said, name) if (said := getattr(data, name)).strip() else None for name in ("opens", "closes"))
    return Contract(every, silent, stuck, low, high, opens, closes)


def _span(said: str, field: str) -> Duration | None:
    minutes = _limit(said, field)
    return None if minutes is None else Duration(round(minutes * MINUTE))


def _limit(said: str, field: str) -> float | None:
    return typed.number(said, field) if said.strip() else None


HANDLERS = (stream_page, agree, take_back)
