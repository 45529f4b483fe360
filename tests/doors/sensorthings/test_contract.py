"""The OpenAPI document of SensorThings holds: whatever a generated request says, the answer is one that stands there, and every refusal has its reason."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, reject, settings
from hypothesis import strategies as st
from schemathesis import Case, CheckContext, GenerationMode, Response
from schemathesis.core.errors import UnsupportedSchema
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance
from schemathesis.specs.openapi.definitions import OPENAPI_31

from citybrain.doors.sensorthings import openapi
from citybrain.doors.sensorthings.model import SETS
from tests.doors.conftest import PASSWORD, World, basic
from tests.doors.sensorthings.conftest import ROOT, desk, fill
from tests.doors.sensorthings.test_making import GAUGE, posted

KNOWN: Mapping[str, tuple[str, ...]] = {
    "Things": ("well-1", "river-gauge", "mast-1"),
    "Locations": ("well-1", "river-gauge"),
    "HistoricalLocations": ("well-1@1795330800000000",),
    "Datastreams": ("well-1.level", "river-gauge.water-level", "mast-1.wind"),
    "MultiDatastreams": ("mast-1",),
    "Sensors": ("test", "ultrasonic-gauge"),
    "ObservedProperties": ("well.level", "thing.water-level"),
    "Observations": ("1.1795330200000000", "1.1795330500000000", "mast-1@1795330200000000"),
    "FeaturesOfInterest": ("well-1", "river-gauge"),
}
SQUARE = {"type": "Polygon", "coordinates": [[[117, 39], [117.1, 39], [117.1, 39.1], [117, 39]]]}
FILTERS = ("id eq 'well-1'", "id ne '1' and not (length(id) gt 6)", "id in ('well-1','mast-1')", "substringof('a',id) or id gt 'm'")
ORDERS = ("id", "id desc", "length(id) desc,id")


async def test_the_document_is_read_by_whoever_reads_the_root_and_names_every_set(sta: World) -> None:
    async with desk(sta, None) as anyone:
        answer = await anyone.client.get(f"{ROOT}/api")
        root = await anyone.get("/")
    assert (answer.status_code, answer.headers["content-type"]) == (200, openapi.MEDIA_TYPE)
    assert answer.json() == openapi.document()
    (settings_,) = [one for name, one in root["serverSettings"].items() if name.endswith("OpenAPI.html")]
    assert settings_ == {"endpoints": [f"http://city{ROOT}/api"]}
    paths = answer.json()["paths"]
    for name, each in SETS.items():
        assert {"get", "post"} <= paths[f"/{name}"].keys()
        assert {"get", "patch", "put", "delete"} == paths[f"/{name}('{{id}}')"].keys()
        assert all(f"/{name}('{{id}}')/{link}" in paths for link in each.navs)
        (named,) = [
            one for one in paths[f"/{name}('{{id}}')/{{property}}/$value"]["get"]["parameters"] if one["name"] == "property"
        ]
        assert set(each.properties) < set(named["schema"]["enum"])


def test_the_document_is_openapi_and_all_that_it_speaks_of_is_in_it() -> None:
    document: dict[str, Any] = openapi.document()
    jsonschema_rs.Draft202012Validator(OPENAPI_31).validate(document)
    operations = [one for path in document["paths"].values() for one in path.values()]
    names = [one["operationId"] for one in operations]
    assert len(names) == len(set(names)) > 150
    for schema in document["components"]["schemas"].values():
        jsonschema_rs.meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})
    for where in _references(document):
        found: Any = document
        for step in where.removeprefix("#/").split("/"):
            found = found[step]
        assert found
    for path, methods in document["paths"].items():
        for operation in methods.values():
            inside = {one["name"] for one in operation["parameters"] if one["in"] == "path"}
            assert inside == {one for one in ("id", "property") if f"{{{one}}}" in path}, path


def _references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for name, one in value.items():
            if name == "$ref":
                yield one
            else:
                yield from _references(one)
    if isinstance(value, list):
        for one in value:
            yield from _references(one)


def refuses_with_reason(_: CheckContext, answer: Response, case: Case[Any]) -> None:
    """No answer is a 5xx, but 501 for what is not held; every refusal says what, why, and what to do."""
    status = answer.status_code
    assert status < 500 or status == 501, (case.method, case.formatted_path, case.query, case.body, answer.text)
    if status >= 400 and (answer.headers.get("content-type") != ["application/json"] or status != 422):
        said = answer.json()
        assert answer.headers["content-type"] == ["application/problem+json"], answer.headers
        assert said["status"] == said["code"] == status
        assert said["title"], said
        assert said["detail"], said
        assert said["reason"], said
        assert (said["reason"] == "not_held") is (status == 501)


CHECKS = [refuses_with_reason, content_type_conformance, response_schema_conformance]


def tried(world: World, fit: int, unfit: int) -> int:
    """Try every operation of the document with requests that fit it and such that do not; how many there are."""
    document, tokens = asyncio.run(_prepared(world))
    schema = schemathesis.openapi.from_dict(nearer(document))
    schema.app = world.front
    found = [one.ok() for one in schema.get_all_operations() if isinstance(one, Ok)]
    # What is deleted is not there for the others.
    for operation in sorted(found, key=lambda one: one.method.upper() == "DELETE"):
        sends = operation.method.upper() == "POST" and operation.path.endswith("Observations")
        headers = {"Authorization": tokens["device" if sends else "desk"]}
        ask(operation, GenerationMode.POSITIVE, fit, headers)
        ask(operation, GenerationMode.NEGATIVE, unfit, headers)
    return len(found)


def ask(operation: APIOperation[Any, Any, Any, Any], mode: GenerationMode, examples: int, headers: dict[str, str]) -> None:
    """Try one operation."""

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=thought_of(operation, mode))
    def answers(case: Case[Any]) -> None:
        case.call_and_validate(headers=headers, checks=CHECKS)

    answers()


@st.composite
def thought_of(draw: st.DrawFn, operation: APIOperation[Any, Any, Any, Any], mode: GenerationMode) -> Case[Any]:
    """A request that fits, or one that does not: of these Schemathesis cannot think of all, and says so as it draws."""
    try:
        return draw(operation.as_strategy(generation_mode=mode))
    except UnsupportedSchema:
        if mode is GenerationMode.POSITIVE:
            raise
        reject()


def nearer(document: dict[str, Any]) -> dict[str, Any]:
    """The document with ids that are there and conditions that can be read for what fits, or nothing would be found.

    Lists in bodies are short: great ones take long to think of, and say no more.
    """
    for path, methods in document["paths"].items():
        name = path.split("/")[1].partition("(")[0]
        for operation in methods.values():
            for parameter in operation["parameters"]:
                known = {"id": KNOWN.get(name), "$filter": FILTERS, "$orderby": ORDERS}.get(parameter["name"])
                if known:
                    parameter["schema"] = {"enum": list(known)}
    schemas = document["components"]["schemas"]
    schemas["Geometry"] = {"anyOf": [schemas["Geometry"]["anyOf"][0], {"enum": [SQUARE]}]}
    for name in (each for each in schemas if each.startswith(("New", "Changed"))):
        for one in schemas[name]["properties"].values():
            if one.get("type") == "array":
                one["maxItems"] = 1
    return document


async def _prepared(world: World) -> tuple[dict[str, Any], dict[str, str]]:
    await fill(world)
    secret = world.parts.accounts.devices.create("全部", "every", ["*"])
    world.parts.accounts.create("全部", "everything", PASSWORD, ["admin", "data_officer", "dispatcher"], None)
    async with world.client("admin") as admin:
        await posted(admin, "/Things", GAUGE)
    async with world.client() as client:
        await client.post("/api/v1/protect/session", json={"login": "everything", "password": PASSWORD})
        document = (await client.get(f"{ROOT}/api")).json()
        return document, {"desk": f"Bearer {client.cookies['session']}", "device": basic("every", secret)}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_generated_requests_are_answered_as_the_document_says(masts: World) -> None:
    assert tried(masts, 2, 1) > 150


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_many_generated_requests_are_answered_as_the_document_says(masts: World) -> None:
    assert tried(masts, 60, 60) > 150
