"""Observations in over HTTP, in any of their forms: stored when it is answered, and what is refused named row by row."""

from collections.abc import Callable
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
from citybrain.kernel.text import Lang, Text

DOOR: Final = "api"
ACTION: Final = "observation.write"
LARGE: Final = 524_288
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


@post("/observations", opt=asks(ACTION), status_code=200)
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
    reading = partial(read, parts, request.user, FORMS[request.content_type[0]], raw)
    own = await to_thread.run_sync(reading) if len(raw) > LARGE else reading()
    return await taken(parts, own, None if key is None else f"{request.user.account}:{key}", language(request))


async def taken(parts: ApiParts, rows: Rows, key: str | None, lang: Lang) -> Taken:
    """What became of rows, when those that are stored are durable; raises RefusedRowsError where all were refused."""
    verdict = await parts.intake.take(rows, DOOR, key)
    refused = tuple(RefusedRow(each.row, each.code, each.why.get(lang)) for each in verdict.refused)
    if refused and not verdict.stored and not verdict.duplicate:
        count = len(refused)
        what = Text(f"{count} 行全部被拒绝，原因见 refused。", f"All {count} rows were refused; refused says why.")
        raise RefusedRowsError(what, stored=0, duplicate=0, refused=msgspec.to_builtins(refused[: asking.MOST]))
    return Taken(verdict.stored, verdict.duplicate, refused)


def read(parts: ApiParts, caller: Caller, form: Callable[[bytes], Rows], raw: bytes) -> Rows:
    """A body as rows of which the sender may write each that is not refused; raises UnreadableError."""
    return permitted(form(raw), parts.accounts.barred(caller))


BULK = (take,)
"""Handlers whose bodies may be large."""
