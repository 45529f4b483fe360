"""The routes of the door: one for all that is read, one for observations, and one each for what is made, changed and ended."""

from functools import partial
from typing import Annotated, Final
from urllib.parse import parse_qsl

import msgspec
from anyio import to_thread
from litestar import Response, delete, get, post, route
from litestar.exceptions import HTTPException
from litestar.params import FromPath, HeaderParameter

from citybrain.doors.sensorthings import (
    answers,
    batch,
    changing,
    correcting,
    featuring,
    hanging,
    leading,
    links,
    multipart,
    openapi,
    sending,
    tabled,
    unobserving,
)
from citybrain.doors.sensorthings.altering import PATCH, Change
from citybrain.doors.sensorthings.bound import bound
from citybrain.doors.sensorthings.changing import Changer
from citybrain.doors.sensorthings.composing import Composer, names_arrays
from citybrain.doors.sensorthings.correcting import Corrector
from citybrain.doors.sensorthings.creating import changer, created
from citybrain.doors.sensorthings.parts import Call, Parts, SensorThingsParts
from citybrain.doors.sensorthings.paths import Segment, segments
from citybrain.doors.sensorthings.reading import Raw, Reading
from citybrain.doors.sensorthings.refusals import missing
from citybrain.doors.sensorthings.restating import STREAMS
from citybrain.doors.sensorthings.sending import Sender
from citybrain.doors.sensorthings.together import Group, entered, group_of, keyless
from citybrain.doors.sensorthings.writing import Takes, Writer, addressed, decoded, tells
from citybrain.kernel.instant import rfc3339
from citybrain.kernel.text import Json, Lang

_UTF8: Final = frozenset({"", "utf-8", "utf8"})
_READINGS: Final = "Observations"
"""What is sent to a path that ends so are readings of devices."""
_ARRAYS: Final = "CreateObservations"
_BELOW: Final = "/{path:path}"
_LINKS: Final = tuple(f"/{_READINGS}(*)/{link}/$ref" for link in ("FeatureOfInterest", *STREAMS))
_OF_LINK: Final = 3
"""Segments of the path of a link: an entity, the link, and ``$ref``."""
_ONE_READING: Final = {"endings": dict.fromkeys((f"/{_READINGS}(*)", *_LINKS), "observation.correct")}
IdempotencyKey = Annotated[str | None, HeaderParameter(name="Idempotency-Key", min_length=1, max_length=200, pattern="^[!-~]+$")]


def _asks(action: str, of: str = "") -> dict[str, object]:
    """The ``opt`` that the gate reads: the action in policy and the dataset; query options are read by the door itself."""
    return {"action": action, "of": of, "words": (), "columns": True}


@get("/", opt=_asks("catalogue.read"), sync_to_thread=False)
def root(request: Call, parts: Parts) -> Response[bytes]:
    """Entity sets and conformance classes."""
    return answers.said(answers.landing(_host(request), parts.mqtt_port))


@get(openapi.AT, opt=_asks("catalogue.read"), sync_to_thread=False)
def described() -> Response[bytes]:
    """The OpenAPI 3.1 document of the door."""
    return Response(openapi.encoded(), media_type=openapi.MEDIA_TYPE)


@get(_BELOW, opt=_asks("entity.read", "entity"), sync_to_thread=True)
def read(request: Call, parts: Parts, path: FromPath[str]) -> Response[bytes]:
    """A set, an entity, a property, links; what the caller may see of them."""
    found = _reading(parts, request).answer(_path(request, path), _pairs(request))
    if not isinstance(found, Raw):
        return answers.said(found)
    if found.value is None:
        return Response(b"", status_code=204)
    text = found.value if isinstance(found.value, str) else msgspec.json.encode(found.value).decode()
    return Response(text.encode(), media_type="text/plain")


@post(
    _BELOW,
    opt=_asks("entity.write")
    | {
        "endings": {
            _READINGS: "observation.write",
            batch.BATCH: "catalogue.read",
            **dict.fromkeys(_LINKS, "observation.correct"),
        }
    },
    status_code=201,
)
async def write(request: Call, parts: Parts, path: FromPath[str], key: IdempotencyKey = None) -> Response[bytes]:
    """Observations, one or many, or an entity with what hangs on it; answers when they are durable."""
    where = _path(request, path)
    sent = await request.body()
    if where[0].name == batch.BATCH:
        # Whoever may call at all: each of its requests is asked for by itself.
        if request.content_type[0] != multipart.KIND:
            _plain(request)
        return await batch.answered(request, parts, sent)
    if correcting.links(where):
        await _corrector(parts, request).link(where, _decoded(request, sent))
        return Response(b"", status_code=200)
    where = await _short(parts, request, where, 2)
    if where[-1].name.endswith(_READINGS):
        return await _observed(request, parts, where, sent, key)
    name, made = await _made(request, parts, where, _decoded(request, sent))
    return Response(b"", status_code=201, headers={"Location": links.entity(_host(request), name, made)})


@route(_BELOW, http_method=["PATCH", "PUT"], opt=_asks("entity.write") | _ONE_READING, status_code=200)
async def change(request: Call, parts: Parts, path: FromPath[str]) -> Response[bytes]:
    """An entity changed (PATCH, also by a JSON Patch) or replaced (PUT); an Observation is corrected."""
    where = _path(request, path)
    patch = request.method == "PATCH" and request.content_type[0] == PATCH
    sent = decoded(await request.body()) if patch else _decoded(request, await request.body())
    if correcting.links(where):
        await _corrector(parts, request).link(where, sent)
        return Response(b"", status_code=200)
    said = Change("patch" if patch else "replace" if request.method == "PUT" else "merge", sent)
    if correcting.names(where):
        await _corrector(parts, request).change(where, said)
    else:
        where = await _short(parts, request, where, 1)
        await to_thread.run_sync(_change, request, parts, where, said)
    return Response(b"", status_code=200)


@delete(_BELOW, opt=_asks("entity.write") | _ONE_READING, status_code=200)
async def end(request: Call, parts: Parts, path: FromPath[str]) -> Response[bytes]:
    """An entity ended, and with it what hangs on it; an Observation is struck out."""
    where = _path(request, path)
    if correcting.names(where):
        await _corrector(parts, request).end(where)
    elif correcting.links(where):
        await _corrector(parts, request).unlink(where)
    else:
        await _end(request, parts, where)
    return Response(b"", status_code=200)


HANDLERS: Final = (root, described, read, write, change, end)


def _change(request: Call, parts: SensorThingsParts, where: tuple[Segment, ...], said: Change) -> None:
    group = group_of(request)
    noted = changing.noted(parts.registry if group is None else group.gathering, where, said)
    changer(parts, request.user, parts.purpose(request), where, within=group, noted=noted).change(where, said)


async def _end(request: Call, parts: SensorThingsParts, where: tuple[Segment, ...]) -> None:
    where = await _short(parts, request, where, 1)
    changer = await to_thread.run_sync(_changer, parts, request, where)
    match where:
        case (Segment("FeaturesOfInterest", str(key)),) if group_of(request) is None:
            await to_thread.run_sync(parts.making.own_feature, key)
            sender = Sender(request.user, parts.purpose(request), None)
            await unobserving.ended(parts, sender, key, partial(changer.end, where))
        case (Segment("FeaturesOfInterest", str(key)),):
            known = await to_thread.run_sync(unobserving.count, parts, key)
            await to_thread.run_sync(featuring.unobserved, parts, where)
            await to_thread.run_sync(changer.end, where, known)
        case _:
            await to_thread.run_sync(featuring.unobserved, parts, where)
            await to_thread.run_sync(changer.end, where)


async def _observed(
    request: Call, parts: SensorThingsParts, where: tuple[Segment, ...], sent: bytes, key: str | None
) -> Response[bytes]:
    _plain(request)
    host, group = _host(request), group_of(request)
    takes: Takes = parts.intake if group is None else group
    registry = parts.registry if group is None else group.gathering
    now = None if key else rfc3339(parts.clock.city())
    if len(where) == 1 and where[0].name == _ARRAYS:
        around = links.around(host, _READINGS)
        writer = Writer(takes, parts.accounts, request.user, registry.stream_numbers(), now)
        told = await writer.arrays(sent, key, around)
        if told is None:
            composer = Composer(takes, parts.accounts, request.user, registry, now)
            told = addressed(await _many(parts, group, writer, composer, _decoded(request, sent), key), around)
        # The answer says of each row whether it was taken; a group is done whole or fails.
        return answers.written(told, 201 if group is None or group.whole else 422)
    to, body = sending.target(where, _decoded(request, sent))
    new = sending.described(body, to, rfc3339(parts.clock.city()))
    if new is not None:
        keyless(key)
        _, made = await _made(request, parts, new.path, dict(new.body))
        return _created(host, new.observation(registry, made))
    sender = Sender(request.user, parts.purpose(request), now)

    async def work(group: Group) -> str:
        return await hanging.observed(group, sender, body, to)

    if sending.apart(body)[1]:
        keyless(key)
        async with parts.featuring:
            made = await (entered(parts, work) if group is None else work(group))
    elif sending.says(body) and not await to_thread.run_sync(featuring.plainly, parts, body, to):
        made = await featuring.observed(parts, group, sender, body, to, key)
    else:
        made = await sending.stored(takes, parts.accounts, registry, sender, sending.bare(body), to, key)
    return _created(host, made)


def _created(host: str, observation: str) -> Response[bytes]:
    return Response(b"", status_code=201, headers={"Location": links.entity(host, _READINGS, observation)})


async def _many(
    parts: SensorThingsParts, group: Group | None, writer: Writer, composer: Composer, body: Json, key: str | None
) -> list[str]:
    if isinstance(body, list) and tells(body):
        return await tabled.arrays(parts, group, composer, writer, body, key)
    joint = isinstance(body, list) and names_arrays(body)
    return await (composer.arrays(body, writer, key) if joint and isinstance(body, list) else writer.many(body, key))


async def _made(request: Call, parts: SensorThingsParts, where: tuple[Segment, ...], body: Json) -> tuple[str, str]:
    """The set and the id of what was made, with all that comes along."""
    sender = Sender(request.user, parts.purpose(request), rfc3339(parts.clock.city()))
    made = await created(parts, sender, where, body, group_of(request))
    return made.set, made.id


def _changer(parts: SensorThingsParts, request: Call, where: tuple[Segment, ...]) -> Changer:
    return changer(parts, request.user, parts.purpose(request), where, within=group_of(request))


def _corrector(parts: SensorThingsParts, request: Call) -> Corrector:
    return Corrector(parts, request.user, parts.purpose(request), _reading(parts, request), group_of(request))


async def _short(parts: SensorThingsParts, request: Call, where: tuple[Segment, ...], plain: int) -> tuple[Segment, ...]:
    """As ``_shortened``, in a thread where something is to be read; a link of an entity is written to where it is."""
    alone = len(where) <= plain or (len(where) == _OF_LINK and where[-1].name == "$ref")
    return where if alone else await to_thread.run_sync(_shortened, parts, request, where, plain)


def _shortened(parts: SensorThingsParts, request: Call, where: tuple[Segment, ...], plain: int) -> tuple[Segment, ...]:
    """A path as it is written to; one of ``plain`` segments or fewer needs no reading."""
    group = group_of(request)
    own = where if len(where) <= plain else leading.owned(parts.registry if group is None else group.gathering, where)
    return own if len(own) <= plain else leading.shortened(_reading(parts, request), own)


def _reading(parts: SensorThingsParts, request: Call) -> Reading:
    lang: Lang = "en" if request.query_params.get("lang") == "en" else "zh"
    return bound(parts, request.user, parts.purpose(request), lang, _host(request))


def _path(request: Call, path: str) -> tuple[Segment, ...]:
    """The path as it was sent, so that a key may hold an escaped slash; servers that do not tell give the unescaped one."""
    raw = request.scope.get("raw_path") or request.scope["path"].encode()
    found = segments(raw.decode("ascii", "replace").partition("?")[0])
    if not found:
        raise missing(path)
    return found


def _pairs(request: Call) -> list[tuple[str, str]]:
    return parse_qsl(request.scope["query_string"].decode("ascii", "replace"), keep_blank_values=True, separator="&")


def _host(request: Call) -> str:
    return str(request.base_url).rstrip("/")


def _plain(request: Call) -> None:
    """Raise HTTPException 415 for anything but JSON in UTF-8."""
    kind, charset = request.content_type
    if kind != answers.JSON or charset.get("charset", "").strip('"').lower() not in _UTF8:
        raise HTTPException(status_code=415)


def _decoded(request: Call, body: bytes) -> Json:
    _plain(request)
    return decoded(body)
