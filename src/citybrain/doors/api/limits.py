"""The limits of rules over HTTP: what may be changed, what a change would do to the alerts of the last month, publishing and rolling back."""

import re
from typing import Annotated, Final

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, HeaderParameter, JSONBody

from citybrain.brain.detect import Limit, LimitVersion
from citybrain.doors.api.caller import asks, purpose
from citybrain.doors.api.parts import ApiParts, Call, Parts
from citybrain.doors.api.plain import mapping
from citybrain.kernel.access import Ask
from citybrain.kernel.errors import NeedsVersionError, StaleError
from citybrain.kernel.text import Json, Text

_TAG: Final = re.compile(r'(?:W/)?"(\d{1,9})"')
Words = Annotated[str, msgspec.Meta(max_length=2000)]
Tag = Annotated[str | None, HeaderParameter(name="If-Match")]


class Trying(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A value to try, in the limit's own unit, on so many of the last days."""

    value: float
    unit: Annotated[str, msgspec.Meta(max_length=50)]
    days: int = 31


class Publishing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A value to publish and why; ``note`` is needed where it contradicts the examples of a rule."""

    value: float
    unit: Annotated[str, msgspec.Meta(max_length=50)]
    why: Words
    note: Words = ""


class RollingBack(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The version to go back to, 0 for the declared value, and why."""

    to: Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)]
    why: Words


class LimitSheet(msgspec.Struct, frozen=True):
    """A limit with everything that was published of it, newest first."""

    limit: Limit
    history: tuple[LimitVersion, ...]


@get("/limits", opt=asks("rule.read"), sync_to_thread=True)
def limits(parts: Parts) -> list[Limit]:
    """Every limit that may be changed, with its value, version and sane range."""
    return list(parts.limits.all())


@get("/limits/{name:str}", opt=asks("rule.read"), sync_to_thread=True)
def limit(parts: Parts, name: FromPath[str]) -> Response[dict[str, object]]:
    """One limit by its full name, ``pack.name``, with its history; the ETag is its version."""
    return _sheet(parts, name)


@post("/limits/{name:str}/trial", opt=asks("rule.try"), sync_to_thread=True, status_code=200)
def try_limit(request: Call, parts: Parts, name: FromPath[str], data: JSONBody[Trying]) -> dict[str, object]:
    """Replay the last days with another limit: which alerts would appear, vanish or move, and how much history that rests on."""
    _require(request, parts, "rule.try", parts.limits.limit(name), {})
    return {**mapping(parts.studio.trial(name, data.value, data.unit, data.days))}


@post("/limits/{name:str}/versions", opt=asks("rule.publish"), sync_to_thread=True)
def publish_limit(
    request: Call, parts: Parts, name: FromPath[str], data: JSONBody[Publishing], version: Tag = None
) -> Response[dict[str, object]]:
    """Publish a limit from now on; If-Match names the version that was seen."""
    found = parts.limits.limit(name)
    seen = _seen(version, found)
    facts: dict[str, Json] = {"before": found.value, "value": data.value, "version": seen, "why": data.why}
    _require(request, parts, "rule.publish", found, facts)
    parts.limits.publish(name, data.value, data.unit, seen, request.user.account, data.why, data.note)
    return _sheet(parts, name)


@post("/limits/{name:str}/rollback", opt=asks("rule.publish"), sync_to_thread=True)
def roll_back_limit(
    request: Call, parts: Parts, name: FromPath[str], data: JSONBody[RollingBack], version: Tag = None
) -> Response[dict[str, object]]:
    """Take the value of an earlier version again, as a new version; If-Match names the version that was seen."""
    found = parts.limits.limit(name)
    seen = _seen(version, found)
    _require(request, parts, "rule.publish", found, {"before": found.value, "back_to": data.to, "version": seen, "why": data.why})
    parts.limits.roll_back(name, data.to, seen, request.user.account, data.why)
    return _sheet(parts, name)


def _sheet(parts: ApiParts, name: str) -> Response[dict[str, object]]:
    found = parts.limits.limit(name)
    sheet: dict[str, object] = {**mapping(LimitSheet(found, parts.limits.history(name)))}
    return Response(sheet, headers={"ETag": f'"{found.version}"'})


def _require(request: Call, parts: ApiParts, action: str, found: Limit, facts: dict[str, Json]) -> None:
    for kind in parts.limits.kinds(found):
        access = parts.registry.kind(kind).access
        parts.guard.require(Ask(request.user, action, f"limit:{found.key}", purpose(request), {"access": access, **facts}))


def _seen(tag: str | None, found: Limit) -> int:
    if tag is None:
        what = Text(
            f'请以 If-Match 说明您看到的版本，例如 If-Match: "{found.version}"（见 ETag）。',
            f'Say which version you saw with If-Match, such as If-Match: "{found.version}" (see ETag).',
        )
        raise NeedsVersionError(what, version=found.version)
    read = _TAG.fullmatch(tag.strip())
    if read is None:
        what = Text(
            f"“{found.title.zh}”现为第 {found.version} 版，与 If-Match 不符。请刷新后再发布。",
            f"'{found.title.en}' is at version {found.version}, not at what If-Match names. Reload and try again.",
        )
        raise StaleError(what, version=found.version)
    return int(read[1])


HANDLERS = (limits, limit, try_limit, publish_limit, roll_back_limit)
