"""What is done of instructions on a case's page: given, answered, closed, sent back; a refusal gives back what was typed."""

from typing import Final

import msgspec
from litestar import Response, post
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect

from citybrain.brain.act import FOLLOWING, Following
from citybrain.doors.pages import desk, frame
from citybrain.doors.pages.parts import Call, PageParts, Parts
from citybrain.kernel.access import Ask
from citybrain.kernel.cases import Case
from citybrain.kernel.errors import BadInputError, CityError, ConflictError, ForbiddenError
from citybrain.kernel.text import Json, Text
from citybrain.web.desk_views import FormError

_GIVE: Final = "instruct"


class Given(msgspec.Struct, frozen=True):
    """The form of an instruction, or of what follows it."""

    csrf: str = ""
    words: str = ""
    term: str = ""
    following: str = ""


@post("/desk/{number:str}/instructions", opt=frame.opens("page.desk"), sync_to_thread=True)
def instruct(request: Call, parts: Parts, number: FromPath[str], data: URLEncodedBody[Given]) -> Response[str] | Redirect:
    """Give an instruction on a case; a refusal shows the page again with what was typed."""
    frame.own_form(request, data.csrf)
    case = desk.visible(parts, request, number)
    try:
        _require(parts, request, "instruction.create", case.id, case)
        parts.instructions.give(case.id, request.user, data.words.replace("\x00", ""), data.term)
    except (BadInputError, ConflictError, ForbiddenError) as error:
        return _refused(parts, request, case, _GIVE, data, error)
    return Redirect(f"/desk/{number}?done=moved", status_code=303)


@post("/desk/{number:str}/instructions/{name:str}", opt=frame.opens("page.desk"), sync_to_thread=True)
def follow(
    request: Call, parts: Parts, number: FromPath[str], name: FromPath[str], data: URLEncodedBody[Given]
) -> Response[str] | Redirect:
    """Answer, close or send back an instruction."""
    frame.own_form(request, data.csrf)
    case = desk.visible(parts, request, number)
    try:
        following = _asked(parts, case, name, data.following)
        _require(parts, request, "instruction.move", name, case)
        parts.instructions.follow(name, following, request.user, data.words.replace("\x00", ""))
    except (BadInputError, ConflictError, ForbiddenError) as error:
        return _refused(parts, request, case, f"{data.following}-{name}", data, error)
    return Redirect(f"/desk/{number}?done=moved", status_code=303)


def _asked(parts: PageParts, case: Case, name: str, following: str) -> Following:
    """The step that a form asks for; raises BadInputError for one that there is not, or an instruction on another case."""
    found = next((one for one in FOLLOWING if one == following), None)
    if found is None or parts.instructions.instruction(name).case != case.id:
        raise BadInputError(Text("没有这个步骤。", "There is no such step."), field="following")
    return found


def _require(parts: PageParts, request: Call, action: str, resource: str, case: Case) -> None:
    facts: dict[str, Json] = {"unit": case.unit}
    parts.guard.require(Ask(request.user, action, resource, "", facts))


def _refused(parts: PageParts, request: Call, case: Case, name: str, data: Given, error: CityError) -> Response[str]:
    view = desk.view(parts, request, case)
    typed = {f"{name}-words": data.words, f"{name}-term": data.term}
    shown = msgspec.structs.replace(view, errors=(FormError(f"{name}-words", error.what),), typed=typed)
    return frame.shown(parts, request, shown, status=error.status)


HANDLERS = (instruct, follow)
