"""The OpenAPI 3.1 document of the door, made of its data model (model.py): each set, entity, property and link with what it takes and gives.

model → schemas (schemas.py) → operations → document. It stands where FROST-Server has its own: ``/sta/v1.1/api``.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Final

import msgspec

from citybrain.doors.sensorthings import multipart
from citybrain.doors.sensorthings.altering import PATCH
from citybrain.doors.sensorthings.batched import BATCH
from citybrain.doors.sensorthings.bindings import ADDED, SET
from citybrain.doors.sensorthings.model import IDS, SETS, EntitySet
from citybrain.doors.sensorthings.options import MOST
from citybrain.doors.sensorthings.paths import ROOT
from citybrain.doors.sensorthings.schemas import Schema, listed, ref, schemas, singular
from citybrain.doors.sensorthings.writing import FEATURE
from citybrain.kernel.text import Json

AT: Final = "/api"
"""Where the document stands, below the root of the door."""
MEDIA_TYPE: Final = "application/vnd.oai.openapi+json"
PROBLEM: Final = "application/problem+json"
_JSON: Final = "application/json"
_LONGEST: Final = 8000
_TEXT: Final[Schema] = {"type": "string", "maxLength": _LONGEST}
_WHOLE: Final[Schema] = {"type": "integer", "minimum": 0, "maximum": 999_999_999}
_OPTIONS: Final[tuple[tuple[str, Schema, str], ...]] = (
    ("$filter", _TEXT, "A condition, such as name eq 'Bridge' (OGC 18-088 clause 9.3.3.5)."),
    ("$expand", _TEXT, "Links whose entities stand in the answer, each with options of its own in brackets."),
    ("$orderby", _TEXT, "Expressions to sort by, each with asc or desc."),
    ("$top", _WHOLE, f"Entities of a page, {MOST} at most."),
    ("$skip", _WHOLE, "Entities to pass over."),
    ("$count", {"enum": ["true", "false"]}, "Whether @iot.count says how many there are."),
    ("$skiptoken", {"type": "string", "maxLength": 500}, "Stands in @iot.nextLink."),
)
_OUTSIDE: Final[tuple[tuple[str, Schema, str], ...]] = (
    ("lang", {"enum": ["zh", "en"]}, "Language of words and errors."),
    ("purpose", {"type": "string", "maxLength": 200}, "Purpose of reading, for data that ask for one."),
)
_EXPAND: Final = "$expand"
_KEY: Final[Schema] = {
    "name": "id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "minLength": 1, "maxLength": 500},
    "description": "The @iot.id; a single quote in it is doubled.",
}
_IDEMPOTENT: Final[Schema] = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
    "description": "Of readings: what is sent again with it is stored once.",
}
_SECURITY: Final[dict[str, Json]] = {
    "session": {"type": "apiKey", "in": "cookie", "name": "session", "description": "Changes take the header X-CSRF-Token too."},
    "token": {"type": "http", "scheme": "bearer"},
    "device": {"type": "http", "scheme": "basic"},
}
_ABOUT: Final = (
    "OGC SensorThings API 1.1（18-088）。路径可继续加深：Things('a')/Datastreams('b')/Observations；此处列到一层链接。"
    "部分未支持的写法回答 501 并说明原因。OGC SensorThings API 1.1. Paths go on to any depth; here they stand up to one link. "
    "What is not held yet is answered with 501 and its reason."
)


@cache
def encoded() -> bytes:
    """The document as it is sent; it is the same for all who ask."""
    return msgspec.json.encode(document())


def document() -> dict[str, Json]:
    """The document; its server is that from which it was read."""
    paths: dict[str, Json] = {}
    for path, method, operation in _operations():
        known = paths.setdefault(path, {})
        if isinstance(known, dict):
            known[method] = operation
    ways: list[Json] = [{name: []} for name in _SECURITY]
    return {
        "openapi": "3.1.0",
        "info": {"title": "城区大脑 SensorThings · CityBrain SensorThings", "version": "1.1", "description": _ABOUT},
        "servers": [{"url": ROOT}],
        "security": [{}, *ways],
        "tags": [{"name": name} for name in SETS],
        "paths": paths,
        "components": {
            "schemas": schemas(),
            "securitySchemes": dict(_SECURITY),
            "responses": {"Problem": _answer("A problem document (RFC 9457): what, why, what to do.", ref("Problem"), PROBLEM)},
        },
    }


def _operations() -> Iterator[tuple[str, str, Schema]]:
    yield "/", "get", _operation("getLanding", "Entity sets and conformance classes", {"200": _answer("The root.", ref("Landing"))})
    yield AT, "get", _operation("getApi", "This document", {"200": _answer("OpenAPI 3.1.", {"type": "object"}, MEDIA_TYPE)})
    yield "/CreateObservations", "post", _arrays()
    yield f"/{BATCH}", "post", _batch()
    for each in SETS.values():
        yield from _set(each)
        yield from _entity(each)


def _set(of: EntitySet) -> Iterator[tuple[str, str, Schema]]:
    one = singular(of.name)
    path = f"/{of.name}"
    yield path, "get", _reading(f"list{of.name}", of, f"{one}Page", _of_set(of), ())
    yield path, "post", _making(f"create{one}", of, ())
    yield f"{path}/$ref", "get", _reading(f"list{of.name}Refs", of, "Refs", _of_refs(), ())


def _entity(of: EntitySet) -> Iterator[tuple[str, str, Schema]]:
    one, path = singular(of.name), f"/{of.name}('{{id}}')"
    yield path, "get", _reading(f"get{one}", of, one, _of_one(of), (_KEY,))
    yield path, "patch", _changing(f"update{one}", of, {_JSON: ref(f"Changed{one}"), PATCH: ref("JsonPatch")})
    yield path, "put", _changing(f"replace{one}", of, {_JSON: ref(f"New{one}")})
    yield path, "delete", _changing(f"delete{one}", of, {})
    yield f"{path}/$ref", "get", _reading(f"get{one}Ref", of, "Ref", (), (_KEY,))
    named: Schema = {"name": "property", "in": "path", "required": True, "schema": {"enum": [*sorted(IDS), *of.properties]}}
    yield f"{path}/{{property}}", "get", _reading(f"get{one}Property", of, "Property", (), (_KEY, named), empty=True)
    yield f"{path}/{{property}}/$value", "get", _bare(f"get{one}Value", of, (_KEY, named))
    for link, nav in of.navs.items():
        beyond, there = SETS[nav.to], f"{path}/{link}"
        if nav.many:
            yield there, "get", _reading(f"list{one}{link}", beyond, f"{singular(nav.to)}Page", _of_set(beyond), (_KEY,))
            yield there, "post", _making(f"create{one}{link}", beyond, (_KEY,))
            yield f"{there}/$ref", "get", _reading(f"list{one}{link}Refs", beyond, "Refs", _of_refs(), (_KEY,))
            if (of.name, link) in ADDED:
                yield (
                    f"{there}/$ref",
                    "post",
                    _making(f"link{one}{link}", beyond, (_KEY,)) | {"requestBody": _body({_JSON: ref("Reference")})},
                )
        else:
            yield there, "get", _reading(f"get{one}{link}", beyond, singular(nav.to), _of_one(beyond), (_KEY,))
            yield f"{there}/$ref", "get", _reading(f"get{one}{link}Ref", beyond, "Ref", (), (_KEY,))
            if (of.name, link) in SET:
                yield f"{there}/$ref", "put", _changing(f"link{one}{link}", beyond, {_JSON: ref("Reference")})
            if link == FEATURE:
                yield from _linking(f"{there}/$ref", one, beyond)


def _linking(path: str, one: str, beyond: EntitySet) -> Iterator[tuple[str, str, Schema]]:
    """The link from one entity to another, which may be given anew."""
    kinds: dict[str, Schema] = {_JSON: ref("Reference")}
    yield path, "put", _changing(f"link{one}{singular(beyond.name)}", beyond, kinds)
    yield path, "post", _changing(f"add{one}{singular(beyond.name)}", beyond, kinds)
    yield path, "delete", _changing(f"unlink{one}{singular(beyond.name)}", beyond, {})


def _of_set(of: EntitySet) -> tuple[Schema, ...]:
    found = (*_queries(_OPTIONS), _select(of))
    return (*found, *_queries((("$resultFormat", {"enum": ["dataArray"]}, "Tables."),))) if of.name == "Observations" else found


def _of_refs() -> tuple[Schema, ...]:
    return _queries(one for one in _OPTIONS if one[0] != _EXPAND)


def _of_one(of: EntitySet) -> tuple[Schema, ...]:
    return (*_queries(one for one in _OPTIONS if one[0] == _EXPAND), _select(of))


def _select(of: EntitySet) -> Schema:
    """``$select``: names with commas between."""
    able: list[Json] = [*sorted(IDS), *of.properties, *of.navs]
    return {"name": "$select", "in": "query", "explode": False, "schema": listed({"enum": able}) | {"minItems": 1}}


def _queries(options: Iterable[tuple[str, Schema, str]]) -> tuple[Schema, ...]:
    return tuple({"name": name, "in": "query", "schema": schema, "description": about} for name, schema, about in options)


def _answer(about: str, schema: Schema | None = None, kind: str = _JSON) -> Schema:
    return {"description": about} if schema is None else {"description": about, "content": {kind: {"schema": schema}}}


def _operation(name: str, about: str, answers: Schema, parameters: Iterable[Schema] = (), tag: str = "") -> Schema:
    problem: Schema = {"$ref": "#/components/responses/Problem"}
    tags: Schema = {"tags": [tag]} if tag else {}
    given: list[Json] = [*parameters, *_queries(_OUTSIDE)]
    return {"operationId": name, "summary": about, **tags, "parameters": given, "responses": {**answers, "default": problem}}


def _reading(
    name: str, of: EntitySet, schema: str, options: tuple[Schema, ...], keys: tuple[Schema, ...], *, empty: bool = False
) -> Schema:
    answers: Schema = {"200": _answer("What stands there.", ref(schema))}
    if empty:
        answers["204"] = _answer("There is no value.")
    return _operation(name, f"{schema} · {of.name}", answers, (*keys, *options), of.name)


def _bare(name: str, of: EntitySet, keys: tuple[Schema, ...]) -> Schema:
    answers: Schema = {"200": _answer("The bare value.", {"type": "string"}, "text/plain"), "204": _answer("There is no value.")}
    return _operation(name, f"$value · {of.name}", answers, keys, of.name)


def _making(name: str, of: EntitySet, keys: tuple[Schema, ...]) -> Schema:
    made = _answer("Durable; its address is the Location.") | {"headers": {"Location": {"schema": {"type": "string"}}}}
    own = (*keys, _IDEMPOTENT) if of.name == "Observations" else keys
    whole = _operation(name, f"New · {of.name}", {"201": made}, own, of.name)
    return whole | {"requestBody": _body({_JSON: ref(f"New{singular(of.name)}")})}


def _changing(name: str, of: EntitySet, kinds: dict[str, Schema]) -> Schema:
    whole = _operation(name, f"{name} · {of.name}", {"200": _answer("Done and durable.")}, (_KEY,), of.name)
    return whole | {"requestBody": _body(kinds)} if kinds else whole


def _body(kinds: dict[str, Schema]) -> Schema:
    return {"required": True, "content": {kind: {"schema": schema} for kind, schema in kinds.items()}}


def _arrays() -> Schema:
    told = _answer("Of each row whether it was taken, and why where it was not.", ref("Verdicts"))
    whole = _operation("createObservations", "Observations of Datastreams, many at once", {"201": told}, (_IDEMPOTENT,))
    return whole | {"requestBody": _body({_JSON: listed(ref("NewDataArray"))})}


def _batch() -> Schema:
    kinds: Schema = {_JSON: {"schema": ref("BatchAnswers")}, multipart.KIND: {"schema": {"type": "string"}}}
    answers = _answer("Each request is answered by itself, in the form of the batch.") | {"content": kinds}
    whole = _operation("batch", "Many requests in one", {"200": answers})
    return whole | {"requestBody": _body({_JSON: ref("Batch"), multipart.KIND: {"type": "string"}})}
