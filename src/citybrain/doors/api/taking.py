"""Observations in over HTTP, in any of their forms: stored when it is answered, and what is refused named row by row."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated, Final

import msgspec
from anyio import to_thread
from litestar import post
from litestar.params import HeaderParameter

from citybrain.brain.observe import FORMS, Rows, permitted
from citybrain.doors.api import asking, body
from citybrain.doors.api.caller import asks
from citybrain.doors.api.parts import ApiParts, Call, Parts
from citybrain.doors.api.speaking import language
from citybrain.kernel.access import Caller
from citybrain.kernel.errors import RefusedRowsError
from citybrain.kernel.observations import Refusal
from citybrain.kernel.text import Text

DOOR: Final = "api"
_LARGE: Final = 524_288
"""Bytes above which reading leaves the event loop."""


class RefusedRow(msgspec.Struct, frozen=True):
    """A row that was not taken: its place in the sending from 0, the code of the reason, which stays, and its words for the caller."""

    row: int
    code: str
    why: str


class Taken(msgspec.Struct, frozen=True):
    """What became of a sending: rows stored, known already, and refused one by one; ``why`` is in the language of the caller."""

    stored: int
    duplicate: int
    refused: tuple[RefusedRow, ...]


@post("/observations", opt=asks("observation.write"), status_code=200)
async def take(
    request: Call,
    parts: Parts,
    key: Annotated[str | None, HeaderParameter(name="Idempotency-Key", min_length=1, max_length=200, pattern="^[!-~]+$")] = None,
) -> Taken:
    """Store observations; answers when they are durable. Bad rows are refused one by one, 422 only when all are.

    The body is ``{"observations": [{"stream", "time", "value", "unit"?}, …]}`` or the bare list, as JSON in UTF-8; or the same
    columns as NDJSON (``application/x-ndjson``), CSV (``text/csv``) or an Arrow stream (``application/vnd.apache.arrow.stream``).
    The same Idempotency-Key of the same caller stores nothing twice; with other rows it is refused (409).
    """
    body.json_only(request, *FORMS)
    raw = await request.body()
    read = partial(_own, parts, request.user, FORMS[request.content_type[0]], raw)
    own = await to_thread.run_sync(read) if len(raw) > _LARGE else read()
    verdict = await parts.intake.take(own, DOOR, None if key is None else f"{request.user.account}:{key}")
    refused = _refused(request, verdict.refused) if verdict.refused else ()
    if refused and not verdict.stored and not verdict.duplicate:
        count = len(refused)
        what = Text(f"{count} 行全部被拒绝，原因见 refused。", f"All {count} rows were refused; refused says why.")
        raise RefusedRowsError(what, stored=0, duplicate=0, refused=msgspec.to_builtins(refused[: asking.MOST]))
    return Taken(verdict.stored, verdict.duplicate, refused)


def _refused(request: Call, refused: Sequence[Refusal]) -> tuple[RefusedRow, ...]:
    lang = language(request)
    return tuple(RefusedRow(each.row, each.code, each.why.get(lang)) for each in refused)


def _own(parts: ApiParts, caller: Caller, read: Callable[[bytes], Rows], raw: bytes) -> Rows:
    return permitted(read(raw), parts.accounts.barred(caller))


BULK = (take,)
"""Handlers whose bodies may be large."""
