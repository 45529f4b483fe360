"""What streams promise of which nobody else promised anything: the proposal, agreeing on it, taking it back."""

from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, JSONBody

from citybrain.brain.observe import Learned, Promise
from citybrain.doors.api.caller import asks, purpose
from citybrain.doors.api.parts import ApiParts, Call, Parts
from citybrain.doors.api.plain import mapping
from citybrain.doors.api.rows import one
from citybrain.doors.api.versions import Tag, seen, tagged
from citybrain.kernel.access import Ask
from citybrain.kernel.text import Json, same
from citybrain.kernel.things import Contract, Stream

Words = Annotated[str, msgspec.Meta(max_length=2000)]


class Agreeing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A contract (durations in µs, limits in the stream's unit, hours in minutes of the local day) and why."""

    contract: Contract
    why: Words


class TakingBack(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why nothing is promised any more."""

    why: Words


class PromiseSheet(msgspec.Struct, frozen=True):
    """The contract in force, whether one may be agreed on here, what is proposed, and what was agreed on, newest first."""

    stream: str
    contract: Contract
    agreed: bool
    free: bool
    proposal: Learned | None
    history: tuple[Promise, ...]


@get("/streams/{name:str}/promise", opt=asks("stream.read", of="stream"), sync_to_thread=True)
def promise(request: Call, parts: Parts, name: FromPath[str]) -> Response[dict[str, object]]:
    """What a stream promises, and what its readings of 28 days suggest where nobody promised anything; the ETag is its version."""
    one(parts, request, "stream", name)
    return _sheet(request, parts, parts.registry.stream(name))


@post("/streams/{name:str}/promise", opt=asks("stream.promise"), sync_to_thread=True)
def agree_on_promise(
    request: Call, parts: Parts, name: FromPath[str], data: JSONBody[Agreeing], version: Tag = None
) -> Response[dict[str, object]]:
    """Agree on what a stream promises from now on; If-Match names the version that was seen (0 at first)."""
    stream = parts.registry.stream(name)
    had = seen(version, parts.promises.version(stream), same(stream.id))
    facts: dict[str, Json] = {"promise": msgspec.to_builtins(data.contract), "version": had, "why": data.why}
    _require(request, parts, stream, facts)
    parts.promises.agree(stream, data.contract, had, request.user.account, data.why)
    return _sheet(request, parts, parts.registry.stream(name))


@post("/streams/{name:str}/promise/end", opt=asks("stream.promise"), sync_to_thread=True)
def take_promise_back(
    request: Call, parts: Parts, name: FromPath[str], data: JSONBody[TakingBack], version: Tag = None
) -> Response[dict[str, object]]:
    """Have a stream promise nothing again; If-Match names the version that was seen."""
    stream = parts.registry.stream(name)
    had = seen(version, parts.promises.version(stream), same(stream.id))
    _require(request, parts, stream, {"promise": None, "version": had, "why": data.why})
    parts.promises.take_back(stream, had, request.user.account, data.why)
    return _sheet(request, parts, parts.registry.stream(name))


def _sheet(request: Call, parts: ApiParts, stream: Stream) -> Response[dict[str, object]]:
    """The sheet of a stream; what is proposed tells of its readings, so it is for those alone who may see them."""
    free, history = parts.promises.free(stream), parts.promises.history(stream)
    facts: dict[str, Json] = {"access": parts.registry.kind(stream.kind).access}
    reads = parts.policy.decide(Ask(request.user, "observation.read", stream.kind, purpose(request), facts)).allowed
    sheet = PromiseSheet(
        stream.id,
        stream.contract,
        parts.registry.agreed(stream),
        free,
        parts.promises.proposal(stream) if free and reads else None,
        history,
    )
    found: dict[str, object] = {**mapping(sheet)}
    return Response(found, headers=tagged(history[0].no if history else 0))


def _require(request: Call, parts: ApiParts, stream: Stream, facts: dict[str, Json]) -> None:
    access = parts.registry.kind(stream.kind).access
    parts.guard.require(Ask(request.user, "stream.promise", f"stream:{stream.id}", purpose(request), {"access": access, **facts}))


HANDLERS = (promise, agree_on_promise, take_promise_back)
