"""The limits of rules over HTTP: what may be changed, what a change would do to the alerts of the last month, publishing and rolling back."""

from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, JSONBody

from citybrain.brain.detect import Limit, LimitVersion
from citybrain.doors.api.caller import asks, purpose
from citybrain.doors.api.parts import ApiParts, Call, Parts
from citybrain.doors.api.plain import mapping
from citybrain.doors.api.versions import Tag, seen, tagged
from citybrain.kernel.access import Ask
from citybrain.kernel.text import Json

Words = Annotated[str, msgspec.Meta(max_length=2000)]


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
    version_seen = seen(version, found.version, found.title)
    facts: dict[str, Json] = {"before": found.value, "value": data.value, "version": version_seen, "why": data.why}
    _require(request, parts, "rule.publish", found, facts)
    parts.limits.publish(name, data.value, data.unit, version_seen, request.user.account, data.why, data.note)
    return _sheet(parts, name)


@post("/limits/{name:str}/rollback", opt=asks("rule.publish"), sync_to_thread=True)
def roll_back_limit(
    request: Call, parts: Parts, name: FromPath[str], data: JSONBody[RollingBack], version: Tag = None
) -> Response[dict[str, object]]:
    """Take the value of an earlier version again, as a new version; If-Match names the version that was seen."""
    found = parts.limits.limit(name)
    version_seen = seen(version, found.version, found.title)
    _require(
        request, parts, "rule.publish", found, {"before": found.value, "back_to": data.to, "version": version_seen, "why": data.why}
    )
    parts.limits.roll_back(name, data.to, version_seen, request.user.account, data.why)
    return _sheet(parts, name)


def _sheet(parts: ApiParts, name: str) -> Response[dict[str, object]]:
    found = parts.limits.limit(name)
    sheet: dict[str, object] = {**mapping(LimitSheet(found, parts.limits.history(name)))}
    return Response(sheet, headers=tagged(found.version))


def _require(request: Call, parts: ApiParts, action: str, found: Limit, facts: dict[str, Json]) -> None:
    for kind in parts.limits.kinds(found):
        access = parts.registry.kind(kind).access
        parts.guard.require(Ask(request.user, action, f"limit:{found.key}", purpose(request), {"access": access, **facts}))


HANDLERS = (limits, limit, try_limit, publish_limit, roll_back_limit)
