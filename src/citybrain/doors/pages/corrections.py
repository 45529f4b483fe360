"""Correcting readings on the page of a stream, and taking a correction back; what it would do is shown by the page itself."""

import msgspec
from anyio import to_thread
from litestar import Response, post
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect

from citybrain.doors.pages import correction_facts, frame, promises, streams
from citybrain.doors.pages.parts import Call, PageParts, Parts
from citybrain.kernel.errors import BadInputError, CityError, ConflictError
from citybrain.kernel.text import Json
from citybrain.web.desk_views import FormError


class Correcting(msgspec.Struct, frozen=True):
    """The form of correcting as sent: times as the district's clocks show them, numbers in the stream's unit."""

    since: str = ""
    until: str = ""
    factor: str = ""
    offset: str = ""
    at: str = ""
    value: str = ""
    strike_since: str = ""
    strike_until: str = ""
    why: str = ""
    seen: str = ""
    csrf: str = ""


class TakingBack(msgspec.Struct, frozen=True):
    """The form of taking back as sent."""

    why: str = ""
    csrf: str = ""


@post(f"{streams.PATH}/{{name:str}}/corrections", opt=frame.opens("observation.correct"))
async def correct(request: Call, parts: Parts, name: FromPath[str], data: URLEncodedBody[Correcting]) -> Response[str] | Redirect:
    """Correct what was looked at; a refusal shows the page again with what was typed and how it stands now."""
    frame.own_form(request, data.csrf)
    stream = parts.registry.stream(name)
    given = correction_facts.given(msgspec.structs.asdict(data))
    try:
        change = await to_thread.run_sync(correction_facts.change, parts, request.user, stream, given)
        facts: dict[str, Json] = {"change": msgspec.to_builtins(change), "seen": data.seen, "why": data.why}
        await to_thread.run_sync(parts.guard.require, correction_facts.ask(parts, request.user, stream, facts))
        await parts.corrections.correct(stream, change, data.seen, request.user.account, data.why)
    except BadInputError as error:
        field = correction_facts.field(error, given)
        wrong = FormError("fix-why" if field == "why" else field, error.what)
        return await to_thread.run_sync(_refused, parts, request, name, {**given, "fix-why": data.why}, wrong, error)
    except ConflictError as error:
        wrong = FormError("fix-why", error.what)
        return await to_thread.run_sync(_refused, parts, request, name, {**given, "fix-why": data.why}, wrong, error)
    return Redirect(f"{streams.PATH}/{name}?done=corrected#corrections", status_code=303)


@post(f"{streams.PATH}/{{name:str}}/corrections/{{no:int}}/end", opt=frame.opens("observation.correct"))
async def end_correction(
    request: Call, parts: Parts, name: FromPath[str], no: FromPath[int], data: URLEncodedBody[TakingBack]
) -> Response[str] | Redirect:
    """Take a correction back."""
    frame.own_form(request, data.csrf)
    stream = parts.registry.stream(name)
    facts: dict[str, Json] = {"end": no, "why": data.why}
    await to_thread.run_sync(parts.guard.require, correction_facts.ask(parts, request.user, stream, facts))
    try:
        await parts.corrections.end(stream, no, request.user.account, data.why)
    except (BadInputError, ConflictError) as error:
        wrong = FormError(f"end-{no}", error.what)
        return await to_thread.run_sync(_refused, parts, request, name, {f"end-{no}": data.why}, wrong, error)
    return Redirect(f"{streams.PATH}/{name}?done=restored#corrections", status_code=303)


def _refused(
    parts: PageParts, request: Call, name: str, given: dict[str, str], wrong: FormError, error: CityError
) -> Response[str]:
    page = promises.view(parts, request.user, name, given)
    # What was typed may be wrong in the same way when it is looked at again: it is said once.
    return frame.shown(parts, request, msgspec.structs.replace(page, errors=(wrong,)), status=error.status)


HANDLERS = (correct, end_correction)
