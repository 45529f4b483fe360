"""Links to entities that are there, as they stand in the body of a change (OGC 18-088 clause 10.3): ``{"Things": [{"@iot.id": "a"}]}``. Pure."""

from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

from citybrain.brain.observe import MADE, Links
from citybrain.doors.sensorthings.altering import Body
from citybrain.doors.sensorthings.bodies import reference
from citybrain.doors.sensorthings.multi import MULTI
from citybrain.doors.sensorthings.refusals import wrong
from citybrain.kernel.errors import BadInputError

TO: Final[Mapping[str, str]] = {"Thing": "thing", "Sensor": "sensor", "ObservedProperty": "watched"}
"""Links of a Datastream or MultiDatastream, and what the register calls them."""
FROM: Final[Mapping[tuple[str, str], str]] = {
    ("Things", "Datastreams"): "thing",
    ("Things", MULTI): "thing",
    ("Sensors", "Datastreams"): "sensor",
    ("Sensors", MULTI): "sensor",
    ("ObservedProperties", "Datastreams"): "watched",
}
"""The same links from their other end."""
PAST: Final = frozenset(
    {
        ("HistoricalLocations", "Thing"),
        ("HistoricalLocations", "Locations"),
        ("Things", "HistoricalLocations"),
        ("Locations", "HistoricalLocations"),
    }
)
"""Those of HistoricalLocations, from both their ends."""
BOUND: Final = frozenset(
    {*FROM, *PAST, ("Locations", "Things")} - {("HistoricalLocations", "Thing"), ("HistoricalLocations", "Locations")}
)
"""Links to many that whoever changes an entity adds to, by its set and their name."""
ADDED: Final = BOUND | {("Things", "Locations"), ("HistoricalLocations", "Locations")}
"""Links to many that ``POST …/$ref`` adds to."""
SET: Final = frozenset(
    {("HistoricalLocations", "Thing"), (MULTI, "Thing"), (MULTI, "Sensor"), *(("Datastreams", link) for link in TO)}
)
"""Links to one that ``PUT …/$ref`` sets."""
Bound: TypeAlias = Sequence[tuple[str, str]]
"""Links, each with the id of what it leads to."""


def apart(name: str, body: Body) -> tuple[Body, Bound]:
    """A body of an entity of a set without the links to many that it adds to, and these.

    Raises BadInputError for one that is described: who changes an entity makes no others along with it (clause 10.3).
    """
    found: list[tuple[str, str]] = []
    for link in [link for of, link in sorted(BOUND) if of == name and body.get(link) is not None]:
        given = body[link]
        for one in given if isinstance(given, list) else [given]:
            key = reference(one)
            if key is None:
                raise inline(link)
            found.append((link, key))
    return {key: one for key, one in body.items() if (name, key) not in BOUND}, found


def links_of(body: Body) -> Links:
    """What a changed Datastream or MultiDatastream names as its Thing, Sensor and ObservedProperty; raises as ``apart`` does."""
    if body.get("Observations"):
        raise inline("Observations")
    found: dict[str, str] = {}
    for link, side in TO.items():
        if body.get(link) is not None:
            key = reference(body[link])
            if key is None:
                raise inline(link)
            found[side] = inside(key) if side == "watched" else key
    return Links(**found)


def inline(link: str) -> BadInputError:
    """The refusal of what is described in a change."""
    return wrong(
        f"修改时不能附带新的 {link}：以 @iot.id 指明已有的，或另行新建。",
        f"Who changes an entity makes no {link} along with it: what is there is named by its @iot.id, anything else is made by itself.",
        link,
    )


def outside(field: str) -> str:
    """The id of an ObservedProperty: its kind and its field."""
    return f"{MADE}.{field}"


def inside(key: str) -> str:
    """The field that an ObservedProperty of made things is, by its id."""
    return key.removeprefix(f"{MADE}.")
