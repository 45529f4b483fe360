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
        "create-update-delete/historical-location-auto-creation",
        "multi-datastream/properties",
        "multi-datastream/relations",
        "multi-datastream/constraints",
    )
)
"""The conformance classes that are held whole.

The names are those of the requirements of OGC 18-088, compared with a list of them in a test suite for servers, not with the
standard's own text. Met in part and so not claimed:

- create-update-delete/create-entity, link-to-existing-entities, deep-insert: all that a Thing brings along, and Datastreams; but
  FeaturesOfInterest and HistoricalLocations are not made by hand, no Location is of two Things, and Sensors
  and ObservedProperties bring no Datastreams.
- create-update-delete/update-entity, update-entity-put, update-entity-jsonpatch, delete-entity: of all but what is observed, which
  is neither changed nor deleted.
- batch-request/batch-request: in JSON; the standard's batches are multipart.
- data-array/data-array: those that come in may not say ``parameters``, ``resultQuality`` or another feature.
"""
