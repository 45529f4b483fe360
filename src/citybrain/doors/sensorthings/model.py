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
        "create-update-delete/link-to-existing-entities",
        "create-update-delete/deep-insert",
        "create-update-delete/deep-insert-status-code",
        "create-update-delete/update-entity",
        "create-update-delete/update-entity-put",
        "create-update-delete/update-entity-jsonpatch",
        "create-update-delete/delete-entity",
        "create-update-delete/historical-location-auto-creation",
        "create-update-delete/historical-location-manual-creation",
        "batch-request/batch-request",
        "data-array/data-array",
        "multi-datastream/properties",
        "multi-datastream/relations",
        "multi-datastream/constraints",
    )
)
"""The conformance classes that are held, of all but what packs declare.

The text of OGC 18-088 itself was not to be had when these were compared (2026-11). What was, and what it says:

- The source of version 1.0 (OGC 15-078r6 and its first edition): under ``/1.0/req/`` stand ``resource-path`` and ``request-data`` with the
  requirements named here (clause 9), ``create-update-delete`` (clause 10, of which a copy of 1.1's clauses 10.2 to 10.4 says the same),
  ``batch-request/batch-request`` (clause 11: the batch of OData 4.0 Protocol 11.7 and all of its subsections as multipart/mixed, less the
  header OData-Version), ``multi-datastream`` (clause 12).
- The list of requirements of 1.1 in the test suite of FROST-Server, and the landing pages of its servers: all that is named here under
  ``/1.1/req/``, and alone what is 1.1's own: ``datamodel/…`` in its parts, ``create-update-delete/historical-location-auto-creation``,
  ``…/historical-location-manual-creation`` (its suite makes one that is later than all others of a Thing, which then stands there, and one
  that is earlier, which moves nothing), ``…/update-entity-put``, ``…/update-entity-jsonpatch``, and the two over MQTT. What its suite does to
  change and delete is done in test_updating.py and test_deleting.py.

What packs declare is read here and written by its pack: of such an entity no property is updatable here. Clause 10 has properties that are
updatable, speaks of what a *successful* DELETE does, and asks that what is *new* can be linked to what is there; nowhere does it ask that
whoever calls may change all that there is. Who tries is refused (409, with the reason) rather than passed over, as values of single
properties are: an answer of 200 would say that it had been done. Linked to are their Locations, Sensors and features, and their Datastreams
by Observations; a field that a pack declares is an ObservedProperty of its own kind alone, and a declared Thing has the Datastreams of its
kind.

As the text has it and one might not expect: a change that describes other entities is refused (400), one that names them adds to links to
many; but the Locations that a Thing is given take the place of those that it had, as FROST-Server has it. Ids in what is sent are passed over.

Refused with 409, for something else that stands would be no longer true:

- a Datastream that has Observations, or stands side by side with others, is of no other type; one of several side by side goes to no other
  Thing alone; what a MultiDatastream watches stays (``multi-datastream/constraints``).
- a HistoricalLocation is set to no time by which another place would be the latest, which is where the Thing stands.
- the feature that is a Thing's place is what the service makes of its Location (table 24): it is changed, and goes, with that. While
  Observations of other Things are about it neither that Location nor the Thing is deleted.
- in a change set a FeatureOfInterest with Observations is not deleted; by itself it is, and they go along.
- an Observation is moved to no time at which there is one already, and not between a Datastream and a MultiDatastream. One that is moved to
  another time or Datastream has another id from then on; its old one leads to it.
"""
