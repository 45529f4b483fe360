"""The data model of SensorThings 1.1 (OGC 18-088 clause 8): entity sets, their properties, and what links to what."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Nav:
    """A link of an entity: the set it leads to, and whether to many."""

    to: str
    many: bool


@dataclass(frozen=True, slots=True)
class EntitySet:
    """A set of entities: its name, the properties of its entities, and their links by name."""

    name: str
    properties: tuple[str, ...]
    navs: Mapping[str, Nav]


def _many(*names: str) -> dict[str, Nav]:
    return {name: Nav(name, many=True) for name in names}


_THING = {"Thing": Nav("Things", many=False)}
_ABOUT = ("name", "description")

SETS: Final[Mapping[str, EntitySet]] = {
    each.name: each
    for each in (
        EntitySet("Things", (*_ABOUT, "properties"), _many("Locations", "HistoricalLocations", "Datastreams", "MultiDatastreams")),
        EntitySet("Locations", (*_ABOUT, "encodingType", "location", "properties"), _many("Things", "HistoricalLocations")),
        EntitySet("HistoricalLocations", ("time",), _THING | _many("Locations")),
        EntitySet(
            "Datastreams",
            (*_ABOUT, "observationType", "unitOfMeasurement", "observedArea", "phenomenonTime", "resultTime", "properties"),
            _THING
            | {"Sensor": Nav("Sensors", many=False), "ObservedProperty": Nav("ObservedProperties", many=False)}
            | _many("Observations"),
        ),
        EntitySet(
            "MultiDatastreams",
            (
                *_ABOUT,
                "observationType",
                "multiObservationDataTypes",
                "unitOfMeasurements",
                "observedArea",
                "phenomenonTime",
                "resultTime",
                "properties",
            ),
            _THING | {"Sensor": Nav("Sensors", many=False)} | _many("ObservedProperties", "Observations"),
        ),
        EntitySet("Sensors", (*_ABOUT, "encodingType", "metadata", "properties"), _many("Datastreams", "MultiDatastreams")),
        EntitySet(
            "ObservedProperties",
            ("name", "definition", "description", "properties"),
            _many("Datastreams", "MultiDatastreams"),
        ),
        EntitySet(
            "Observations",
            ("phenomenonTime", "resultTime", "result", "resultQuality", "validTime", "parameters"),
            {
                "Datastream": Nav("Datastreams", many=False),
                "MultiDatastream": Nav("MultiDatastreams", many=False),
                "FeatureOfInterest": Nav("FeaturesOfInterest", many=False),
            },
        ),
        EntitySet("FeaturesOfInterest", (*_ABOUT, "encodingType", "feature", "properties"), _many("Observations")),
    )
}

IDS: Final = frozenset({"id", "@iot.id"})

_ROOT: Final = "http://www.opengis.net/spec/iot_sensing/1.1/req/"
OVER_MQTT: Final = (
    f"{_ROOT}create-observations-via-mqtt/observations-creation",
    f"{_ROOT}receive-updates-via-mqtt/receive-updates",
)
"""The classes that are held where the broker runs."""
CONFORMANCE: Final = tuple(
    _ROOT + held
    for held in (
        "datamodel/entity-control-information",
        "datamodel/thing",
        "datamodel/location",
        "datamodel/historical-location",
        "datamodel/datastream",
        "datamodel/sensor",
        "datamodel/observed-property",
        "datamodel/observation",
        "datamodel/feature-of-interest",
        "resource-path/resource-path-to-entities",
        "request-data/order",
        "request-data/expand",
        "request-data/select",
        "request-data/status-code",
        "request-data/query-status-code",
        "request-data/orderby",
        "request-data/top",
        "request-data/skip",
        "request-data/count",
        "request-data/filter",
        "request-data/built-in-filter-operations",
        "request-data/built-in-query-functions",
        "request-data/pagination",
        "create-update-delete/create-entity",
        "create-update-delete/deep-insert",
        "create-update-delete/historical-location-auto-creation",
        "create-update-delete/historical-location-manual-creation",
        "batch-request/batch-request",
        "data-array/data-array",
        "multi-datastream/properties",
        "multi-datastream/relations",
        "multi-datastream/constraints",
    )
)
"""The conformance classes that are held whole.

The text of OGC 18-088 itself was not to be had when these were compared (2026-11). What was, and what it says:

- The source of version 1.0 (OGC 15-078r6 and its first edition): under ``/1.0/req/`` stand ``resource-path`` and ``request-data`` with the
  requirements named here (clause 9), ``create-update-delete`` (clause 10), ``batch-request/batch-request`` (clause 11: the batch of OData 4.0
  Protocol 11.7 and all of its subsections as multipart/mixed, less the header OData-Version), ``multi-datastream`` (clause 12).
- The list of requirements of 1.1 in the test suite of FROST-Server, and the landing pages of its servers: all that is named here under
  ``/1.1/req/``, and alone what is 1.1's own: ``datamodel/…`` in its parts, ``create-update-delete/historical-location-auto-creation``,
  ``…/historical-location-manual-creation`` (its suite makes one that is later than all others of a Thing, which then stands there, and one
  that is earlier, which moves nothing), ``…/update-entity-put``, ``…/update-entity-jsonpatch``, and the two over MQTT.

Met in part and so not claimed:

- create-update-delete/link-to-existing-entities: the Location of a declared Thing is no other's, for packs move what they declare with no
  door asked (decisions/0015).
- create-update-delete/update-entity, update-entity-put, update-entity-jsonpatch: of all but what packs declare. An Observation that is
  moved to another time or Datastream has another id, to which its old one leads, and is not moved between a Datastream and a
  MultiDatastream. A change brings nothing new along, and adds to the links to many that it names.
- create-update-delete/delete-entity: of all but what packs declare, with what table 25 has go along; but a FeatureOfInterest about which
  Observations are is kept (409), one that is a Thing's place goes with it alone, and the present place of a Thing is no HistoricalLocation
  that is deleted.
"""
