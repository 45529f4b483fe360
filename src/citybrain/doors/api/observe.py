"""What observe offers over HTTP: observations, things, streams with the life of their values, and the doors' ledger."""

from typing import Final, Literal

import msgspec
from litestar import MediaType, Response, get
from litestar.openapi import ResponseSpec
from litestar.params import FromPath, FromQuery

from citybrain.brain import observe
from citybrain.doors.api import asking
from citybrain.doors.api.caller import asks, purpose, words
from citybrain.doors.api.parts import ApiParts, Call, Parts
from citybrain.doors.api.rows import Row, Rows, listed, one, page
from citybrain.kernel.access import Ask, Query
from citybrain.kernel.errors import BadInputError
from citybrain.kernel.instant import DAY, Duration, Instant, duration, rfc3339
from citybrain.kernel.predicate import And, Compare, Op
from citybrain.kernel.text import Json, Text
from citybrain.kernel.things import Origin, Stream

_LONGEST: Final = 366 * DAY
_LATEST: Final = frozenset(
    {"id", "entity", "kind", "field", "unit", "area", "time", "value", "word", "received", "door", "life", "origin", "demo"}
)
_BEGIN, _END = Instant(0), Instant(2**62)
_FROM: Final[Op] = "ge"
_UNTIL: Final[Op] = "lt"


class Bucket(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a stream observed in [time, time + bucket): mean, least, greatest, and how many values.

    ``corrected`` of these a person set; ``struck`` others a person struck out: where nothing else was observed there are no figures.
    """

    time: str
    mean: float | None
    low: float | None
    high: float | None
    count: int
    corrected: int = 0
    struck: int = 0


class Buckets(msgspec.Struct, frozen=True, omit_defaults=True):
    """A stream's history in buckets, in its unit; ``demo`` where the stream is not real."""

    stream: str
    unit: str
    bucket: str
    items: tuple[Bucket, ...]
    origin: Origin
    demo: bool = False


class Estimate(msgspec.Struct, frozen=True):
    """A reading that was due, and what it may have been: an estimate, never a measurement."""

    time: str
    estimated: float


class Missing(msgspec.Struct, frozen=True, omit_defaults=True):
    """A stretch between two readings in which others were due; no ``until`` where none has come since.

    No ``readings`` where there is no ground for estimates.

    ``way`` and errors (in the stream's unit) as ``observe.Gap`` says; ``struck`` readings came and were struck out by a person.
    """

    since: str
    until: str | None
    missing: int
    readings: tuple[Estimate, ...]
    way: Literal["line", "day"] | None
    error: float | None
    line: float | None
    trials: int
    struck: int = 0


class Gaps(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is missing of a stream, oldest first; ``demo`` where the stream is not real."""

    stream: str
    unit: str
    items: tuple[Missing, ...]
    origin: Origin
    demo: bool = False


class DoorSheet(msgspec.Struct, frozen=True):
    """The ledger of a door: received = stored + duplicate + refused + pending; ``deleted`` of those stored were kept long enough.

    In a district of several processes ``pending`` counts what waits in JetStream too. While the process that keeps the ledger is away
    the others are what it last told; ``pending`` is null where it is not known.
    """

    door: str
    received: int
    stored: int
    duplicate: int
    refused: dict[str, int]
    last: str | None
    deleted: int
    pending: int | None


_LATEST_SHAPE = ResponseSpec(
    list[dict[str, object]], generate_examples=False, description="Every stream's newest value, with its life."
)


@get("/entities", opt=asks("entity.read", of="entity", columns=True), sync_to_thread=True)
def entities(request: Call, parts: Parts) -> Rows:
    """Things of the district by any of their columns."""
    return listed(parts, request, "entity")


@get("/entities/{name:str}", opt=asks("entity.read", of="entity"), sync_to_thread=True)
def entity(request: Call, parts: Parts, name: FromPath[str]) -> Row:
    """One thing with its place and properties."""
    return one(parts, request, "entity", name)


@get("/streams", opt=asks("stream.read", of="stream", columns=True), sync_to_thread=True)
def streams(request: Call, parts: Parts) -> Rows:
    """Streams with their contract, latest value and its life."""
    return listed(parts, request, "stream")


@get("/streams/{name:str}", opt=asks("stream.read", of="stream"), sync_to_thread=True)
def stream(request: Call, parts: Parts, name: FromPath[str]) -> Row:
    """One stream ``<entity id>.<field>`` with its contract, latest value and life."""
    return one(parts, request, "stream", name)


@get("/latest", opt=asks("stream.read", of="stream"), sync_to_thread=True, responses={200: _LATEST_SHAPE})
def latest(request: Call, parts: Parts) -> Response[bytes]:
    """The latest value of every stream with its life, all in one answer."""
    if parts.guard.whole(request.user, "stream", purpose(request)):
        return Response(observe.latest_json(parts.registry, parts.latest), media_type=MediaType.JSON)
    dataset = parts.catalogue.describe("stream")
    found: list[Row] = []
    cursor: str | None = None
    while True:
        shown = page(parts, request, dataset, Query("stream", limit=asking.MOST, cursor=cursor))
        found += [{name: value for name, value in row.items() if name in _LATEST} for row in shown.items]
        cursor = shown.next
        if cursor is None:
            return Response(msgspec.json.encode(found), media_type=MediaType.JSON)


@get("/observations", opt=asks("observation.read", of="observation", columns=True), sync_to_thread=True)
def observations(request: Call, parts: Parts) -> Rows:
    """What streams observed, newest first: ``stream=`` names one, ``stream.in=`` several, ``since`` and ``until`` a span.

    Readings that a person struck out are not among them; of one stream ``struck`` says how many there are in the span. With
    ``mark.in=measured,computed,corrected,struck,estimated`` they are, and estimates of what is missing (one stream, 31 days at most).
    """
    said = dict(words(request))
    span = [
        Compare("time", op, rfc3339(asking.instant(said[name], name)))
        for name, op in (("since", _FROM), ("until", _UNTIL))
        if name in said
    ]
    found = listed(parts, request, "observation", "since", "until", where=And(tuple(span)) if span else None)
    unlike = "stream" not in said or "cursor" in said or any(name.partition(".")[0] == "mark" for name in said)
    if unlike or not parts.guard.whole(request.user, "observation", purpose(request)):
        return found
    ends = (asking.instant(said[name], name) if name in said else end for name, end in (("since", _BEGIN), ("until", _END)))
    return msgspec.structs.replace(found, struck=observe.struck(parts.series, parts.registry, said["stream"], *ends))


@get("/streams/{name:str}/history", opt=asks("observation.read", "since", "until", "bucket"), sync_to_thread=True)
def stream_history(
    request: Call,
    parts: Parts,
    name: FromPath[str],
    since: FromQuery[str | None] = None,
    until: FromQuery[str | None] = None,
    bucket: FromQuery[str] = "PT1H",
) -> Buckets:
    """The history of a stream in buckets of an ISO 8601 duration, oldest first; by default hours of the last day."""
    whose = readable(request, parts, name)
    end = Instant(parts.clock.city() + 1) if until is None else asking.instant(until, "until")
    start = Instant(end - DAY) if since is None else asking.instant(since, "since")
    table = observe.history(parts.series, parts.registry, whose.entity, whose.field, start, end, _span(bucket))
    items = tuple(Bucket(**{**row, "time": rfc3339(Instant(row["time"]))}) for row in table.to_pylist())
    return Buckets(name, whose.unit, bucket, items, whose.origin, demo=whose.origin != "real")


@get("/streams/{name:str}/gaps", opt=asks("observation.read", "since", "until"), sync_to_thread=True)
def stream_gaps(
    request: Call, parts: Parts, name: FromPath[str], since: FromQuery[str | None] = None, until: FromQuery[str | None] = None
) -> Gaps:
    """The readings of a stream that are missing, with estimates that are marked and stored nowhere; by default of a week."""
    whose = readable(request, parts, name)
    end = Instant(parts.clock.city() + 1) if until is None else asking.instant(until, "until")
    start = Instant(end - 7 * DAY) if since is None else asking.instant(since, "since")
    found = observe.missing(parts.series, parts.registry, name, start, end, parts.clock.city())
    return Gaps(name, whose.unit, tuple(_gap(gap) for gap in found), whose.origin, demo=whose.origin != "real")


@get("/doors", opt=asks("door.read"), sync_to_thread=True)
def doors(parts: Parts) -> list[DoorSheet]:
    """The ledger of every door since the beginning."""
    return [
        DoorSheet(
            account.door,
            account.received,
            account.stored,
            account.duplicate,
            account.refused,
            None if account.last is None else rfc3339(account.last),
            account.deleted,
            account.pending,
        )
        for account in parts.intake.accounts()
    ]


def readable(request: Call, parts: ApiParts, name: str) -> Stream:
    """A stream whose readings the caller may see; raises NotFoundError or ForbiddenError."""
    one(parts, request, "stream", name)
    whose = parts.registry.stream(name)
    facts: dict[str, Json] = {"access": parts.registry.kind(whose.kind).access}
    parts.guard.require(Ask(request.user, "observation.read", whose.kind, purpose(request), facts))
    return whose


def _gap(gap: observe.Gap) -> Missing:
    rows = tuple(Estimate(rfc3339(at), value) for at, value in zip(gap.times, gap.values, strict=True))
    until = None if gap.until is None else rfc3339(gap.until)
    return Missing(rfc3339(gap.since), until, gap.missing, rows, gap.way, gap.error, gap.line, gap.trials, gap.struck)


def _span(text: str) -> Duration:
    try:
        found = duration(text)
    except (ValueError, OverflowError):
        found = Duration(0)
    if not 0 < found <= _LONGEST:
        what = Text(
            f"bucket 须为 PT1M、PT1H、P1D 这样的时长，收到“{text}”。",
            f"bucket is a duration such as PT1M, PT1H or P1D, not '{text}'.",
        )
        raise BadInputError(what, parameter="bucket")
    return found


HANDLERS = (entities, entity, streams, stream, latest, observations, stream_history, stream_gaps, doors)
