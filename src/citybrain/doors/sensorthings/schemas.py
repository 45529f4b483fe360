"""JSON Schemas of what the door gives and takes, made of the data model (model.py), for its OpenAPI document. Pure.

Of each set three: an entity as it is read, as it is made (``New…``), and what is said of it to change it (``Changed…``). Nothing is required of
what is read, for ``$select`` leaves out whatever it likes.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from citybrain.doors.sensorthings.drafts import GEOJSON
from citybrain.doors.sensorthings.model import SETS, EntitySet, Nav
from citybrain.doors.sensorthings.placing import FORMS, SEVERAL
from citybrain.kernel.text import Json

Schema = dict[str, Json]


def ref(name: str) -> Schema:
    """A reference to a schema of the document."""
    return {"$ref": f"#/components/schemas/{name}"}


_PATCHES: Final = ("add", "remove", "replace", "move", "copy", "test")
_TEXT: Final[Schema] = {"type": "string"}
_NULLABLE: Final[Schema] = {"type": ["string", "null"]}
_TIME: Final[Schema] = {"type": ["string", "null"], "description": "RFC 3339, or an interval of two with a '/' between."}
_OBJECT: Final[Schema] = {"type": "object"}
_GEOJSON: Final[Schema] = {"type": "object", "description": "GeoJSON in WGS 84 degrees, longitude first."}
_UNIT: Final[Schema] = {
    "type": "object",
    "properties": {"name": _NULLABLE, "symbol": _NULLABLE, "definition": _NULLABLE},
    "additionalProperties": False,
}
_PROPERTIES: Final[Mapping[str, Schema]] = {
    **dict.fromkeys(("name", "description", "definition", "encodingType", "observationType"), _TEXT),
    **dict.fromkeys(("phenomenonTime", "resultTime", "validTime"), _TIME),
    **dict.fromkeys(("properties", "parameters"), _OBJECT),
    **dict.fromkeys(("location", "feature"), _GEOJSON),
    "time": {"type": "string", "format": "date-time"},
    "unitOfMeasurement": _UNIT,
    "unitOfMeasurements": {"type": "array", "items": _UNIT},
    "multiObservationDataTypes": {"type": "array", "items": _TEXT},
    "observedArea": {"type": ["object", "null"]},
    "metadata": {"description": "Whatever describes the sensor."},
    "result": {
        "description": "Of the kind that the observationType of the Datastream says; of a MultiDatastream an array, in its order."
    },
    "resultQuality": {"description": "DQ_Element (ISO 19157); a list where there are several."},
}
"""Of every property of the model what it may be."""
_SENT: Final[Mapping[str, Mapping[str, Schema]]] = {
    "Locations": {"encodingType": {"enum": [*sorted(GEOJSON)]}, "location": ref("Geometry")},
    "FeaturesOfInterest": {"encodingType": {"enum": [*sorted(GEOJSON)]}, "feature": ref("Geometry")},
}
"""Of some properties what is taken, where it is less than what may be read."""
_NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "Things": ("name", "description"),
    "Locations": ("name", "description", "encodingType", "location"),
    "HistoricalLocations": ("time", "Locations"),
    "Datastreams": ("name", "description"),
    "MultiDatastreams": ("name", "description", "multiObservationDataTypes", "unitOfMeasurements", "ObservedProperties"),
    "Sensors": ("name", "description", "encodingType", "metadata"),
    "ObservedProperties": ("name", "definition", "description"),
    "Observations": ("result",),
    "FeaturesOfInterest": ("name", "description", "encodingType", "feature"),
}
"""What an entity cannot be made without; links that the address may name instead are not among them."""
_COMPUTED: Final = frozenset({"observedArea", "phenomenonTime", "resultTime"})
"""What the door itself says of a Datastream or MultiDatastream."""
_ID: Final[Schema] = {"type": "string", "description": "Stands in addresses between single quotes, a quote in it doubled."}


def singular(name: str) -> str:
    """One of a set, as links to one are called."""
    known = {nav.to: link for each in SETS.values() for link, nav in each.navs.items() if not nav.many}
    return known.get(name, name.removesuffix("s"))


def listed(items: Schema) -> Schema:
    """A list."""
    return {"type": "array", "items": items}


def schemas() -> dict[str, Json]:
    """All schemas of the document by name."""
    found: dict[str, Json] = {**_PLAIN, "Geometry": _geometry()}
    for each in SETS.values():
        one = singular(each.name)
        found[one] = _read(each)
        found[f"{one}Page"] = _page(each)
        found[f"New{one}"] = _written(each, _NEEDED[each.name])
        found[f"Changed{one}"] = _written(each, ())
    return found


def _read(of: EntitySet) -> Schema:
    own: dict[str, Json] = {"@iot.id": _ID, "@iot.selfLink": {"type": "string"}}
    own |= {name: _PROPERTIES[name] for name in of.properties}
    for link, nav in of.navs.items():
        beyond = ref(singular(nav.to))
        own[f"{link}@iot.navigationLink"] = {"type": "string"}
        own[link] = listed(beyond) if nav.many else {"anyOf": [beyond, {"type": "null"}]}
        if nav.many:
            own |= {f"{link}@iot.count": _count(), f"{link}@iot.nextLink": {"type": "string"}}
    return {"type": "object", "properties": own}


def _page(of: EntitySet) -> Schema:
    items: Json = ref(singular(of.name))
    if of.name == "Observations":
        items = {"anyOf": [items, ref("DataArray")]}
    return _value(items)


def _geometry() -> Schema:
    """GeoJSON as it is taken, perhaps in a Feature."""
    kinds: list[Json] = [
        {
            "type": "object",
            "required": ["type", "coordinates"],
            "properties": {"type": {"const": kind}, "coordinates": msgspec.json.schema(form)},
        }
        for kind, form in FORMS.items()
    ]
    parts: Schema = {"type": {"const": SEVERAL}, "geometries": {"type": "array", "minItems": 1, "items": _OBJECT}}
    kinds.append({"type": "object", "required": ["type", "geometries"], "properties": parts})
    feature: Schema = {"type": {"const": "Feature"}, "geometry": {"anyOf": kinds}}
    return {"anyOf": [*kinds, {"type": "object", "required": ["type", "geometry"], "properties": feature}]}


def _value(items: Json) -> Schema:
    return {
        "type": "object",
        "required": ["value"],
        "properties": {"@iot.count": _count(), "@iot.nextLink": {"type": "string"}, "value": {"type": "array", "items": items}},
        "additionalProperties": False,
    }


def _count() -> Schema:
    return {"type": "integer", "minimum": 0}


def _written(of: EntitySet, needed: Iterable[str]) -> Schema:
    computed = _COMPUTED if "observedArea" in of.properties else frozenset()
    own: dict[str, Json] = {"@iot.id": _ID}
    taken = {**_PROPERTIES, **_SENT.get(of.name, {})}
    own |= {name: taken[name] for name in of.properties if name not in computed}
    own |= {link: _brought(nav) for link, nav in of.navs.items()}
    return {"type": "object", "required": [*needed], "properties": own, "additionalProperties": False}


def _brought(nav: Nav) -> Schema:
    """What stands at a link of what is sent: one that is there, by its id, or one that comes along."""
    one: Schema = {"anyOf": [ref("Reference"), ref(f"New{singular(nav.to)}")]}
    return listed(one) if nav.many else one


_SAID: Final[Schema] = {
    "type": "object",
    "required": ["components", "dataArray"],
    "properties": {
        "Datastream": ref("Reference"),
        "MultiDatastream": ref("Reference"),
        "components": {"type": "array", "items": _TEXT, "minItems": 1},
        "dataArray@iot.count": _count(),
        "dataArray": {"type": "array", "items": {"type": "array"}},
    },
    "additionalProperties": False,
}
_PLAIN: Final[Mapping[str, Json]] = {
    "Reference": {"type": "object", "required": ["@iot.id"], "properties": {"@iot.id": _ID}, "additionalProperties": False},
    "Refs": _value({"type": "object", "required": ["@iot.selfLink"], "properties": {"@iot.selfLink": {"type": "string"}}}),
    "Ref": {"type": "object", "required": ["@iot.selfLink"], "properties": {"@iot.selfLink": {"type": "string"}}},
    "Property": {"type": "object", "minProperties": 1, "maxProperties": 1, "description": "The property by its own name."},
    "DataArray": {
        "type": "object",
        "required": ["components", "dataArray"],
        "properties": {
            "Datastream@iot.navigationLink": {"type": "string"},
            "MultiDatastream@iot.navigationLink": {"type": "string"},
            "Datastream": ref("Datastream"),
            "MultiDatastream": ref("MultiDatastream"),
            "components": {"type": "array", "items": _TEXT},
            "dataArray@iot.count": _count(),
            "dataArray": {"type": "array", "items": {"type": "array"}},
        },
    },
    "NewDataArray": _SAID,
    "Verdicts": {
        "type": "array",
        "items": _TEXT,
        "description": "Of each row its address, or 'error <code>: <why>', in their order.",
    },
    "JsonPatch": {
        "type": "array",
        "maxItems": 100,
        "items": {
            "type": "object",
            "required": ["op", "path"],
            "properties": {"op": {"enum": [*_PATCHES]}, "path": _TEXT, "from": _TEXT, "value": {}},
        },
    },
    "Batch": {
        "type": "object",
        "required": ["requests"],
        "properties": {
            "requests": {
                "type": "array",
                "maxItems": 500,
                "items": {
                    "type": "object",
                    "required": ["id", "method", "url"],
                    "properties": {
                        "id": {"type": "string", "minLength": 1, "maxLength": 200},
                        "method": {"enum": ["get", "post", "patch", "put", "delete"]},
                        "url": {"type": "string", "minLength": 1, "maxLength": 4000, "description": "Below the root, or whole."},
                        "body": {},
                        "headers": {"type": "object", "additionalProperties": _TEXT},
                        "atomicityGroup": {"type": "string", "minLength": 1, "maxLength": 200},
                        "dependsOn": {"type": "array", "items": _TEXT},
                    },
                },
            }
        },
    },
    "BatchAnswers": {
        "type": "object",
        "required": ["responses"],
        "properties": {
            "responses": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["id", "status"],
                    "properties": {
                        "id": _TEXT,
                        "status": {"type": "integer"},
                        "headers": {"type": "object"},
                        "body": {},
                        "atomicityGroup": _TEXT,
                    },
                },
            }
        },
    },
    "Landing": {
        "type": "object",
        "required": ["value", "serverSettings"],
        "properties": {
            "value": {
                "type": "array",
                "items": {"type": "object", "required": ["name", "url"], "properties": {"name": _TEXT, "url": _TEXT}},
            },
            "serverSettings": {
                "type": "object",
                "required": ["conformance"],
                "properties": {"conformance": {"type": "array", "items": _TEXT}},
            },
        },
    },
    "Problem": {
        "type": "object",
        "required": ["type", "title", "status", "detail", "code", "message", "reason"],
        "properties": {
            "type": {"type": "string", "description": "/docs/errors#reason"},
            "title": {"type": "string", "minLength": 1},
            "status": {"type": "integer"},
            "detail": {"type": "string", "minLength": 1, "description": "What, why, and what to do."},
            "code": {"type": "integer", "description": "The status, as SensorThings servers have it."},
            "message": {"type": "string", "description": "The detail, as SensorThings servers have it."},
            "reason": {"type": "string", "description": "Stable, for programs."},
        },
    },
}
