"""Observations about a feature of their own (OGC 18-088 clause 8.2.8): stored together with what they are about, or not at all.

body → without its feature, which is one that was made here → checked, held with it → entered together (together.py)
"""

from dataclasses import dataclass

from citybrain.brain.observe import FEATURE, About
from citybrain.doors.sensorthings import spans
from citybrain.doors.sensorthings.bodies import reference
from citybrain.doors.sensorthings.parts import SensorThingsParts
from citybrain.doors.sensorthings.paths import Segment
from citybrain.doors.sensorthings.refusals import not_held, wrong
from citybrain.doors.sensorthings.together import Group, entered
from citybrain.doors.sensorthings.writing import Writer
from citybrain.kernel.access import Caller
from citybrain.kernel.errors import ConflictError, NotFoundError
from citybrain.kernel.instant import rfc3339
from citybrain.kernel.text import Json, Text


@dataclass(frozen=True, slots=True)
class Aside:
    """An Observation without its feature, and the feature; None for that of its own Thing."""

    body: Json
    feature: str | None


def apart(parts: SensorThingsParts, body: Json, stream: str | None) -> Aside | None:
    """Take the feature out of an Observation that is sent to the Datastream ``stream``, or names its own.

    None where it names no feature, or its Thing's and never had another, or describes one anew: nothing is to be kept beside it.
    """
    named = reference(body.get("FeatureOfInterest")) if isinstance(body, dict) else None
    if named is None or not isinstance(body, dict):
        return None
    series = stream or reference(body.get("Datastream")) or ""
    own = named == series.rpartition(".")[0]
    if own and parts.registry.stream_numbers().get(series, 0) not in parts.featured.streams():
        return None
    return Aside({name: one for name, one in body.items() if name != "FeatureOfInterest"}, None if own else named)


async def observed(
    parts: SensorThingsParts, within: Group | None, caller: Caller, said: Aside, stream: str | None, key: str | None
) -> str:
    """The id of the Observation, when it is durable with what it is about, or waits with a group.

    Raises BadInputError for a feature that was not made here, 501 for the place of another Thing, and as Writer.one does.
    """

    async def work(group: Group) -> str:
        """Hold it with a group, and what it is about."""
        _made(group, said.feature)
        now = rfc3339(parts.clock.city())
        writer = Writer(group, parts.accounts, caller, group.gathering.stream_numbers(), now)
        name = await writer.one(said.body, stream, key)
        place = spans.place(name)
        if place is not None:
            group.about.append(About(*place, said.feature))
        return name

    return await (entered(parts, work) if within is None else work(within))


def unobserved(parts: SensorThingsParts, path: tuple[Segment, ...]) -> None:
    """Raise ConflictError for a FeatureOfInterest that is to be ended and that observations are about."""
    match path:
        case (Segment("FeaturesOfInterest", str(key)),) if parts.featured.listed(key, None, 1, descending=True):
            what = Text(
                f"有观测值以“{key}”为观测对象，读数须留存，因此不能删除它。",
                f"Observations are about '{key}', and what was observed is kept: the feature is not deleted.",
            )
            raise ConflictError(what, id=key)


def _made(group: Group, feature: str | None) -> None:
    if feature is None:
        return
    try:
        found = group.gathering.entity(feature)
    except NotFoundError:
        found = None
    if found is not None and found.kind != FEATURE:
        raise not_held(
            f"观测对象“{feature}”是另一个 Thing 的位置；观测对象可为数据流所属的 Thing，或以 POST FeaturesOfInterest 新建的。",
            f"The FeatureOfInterest '{feature}' is where another Thing stands. It is the Datastream's own Thing, or one made by POST "
            "FeaturesOfInterest.",
        )
    if found is None or found.valid_to is not None:
        raise wrong(
            f"没有新建过的观测对象“{feature}”；观测对象可为数据流所属的 Thing，或以 POST FeaturesOfInterest 新建的。",
            f"No FeatureOfInterest '{feature}' was made here. It is the Datastream's own Thing, or one made by POST FeaturesOfInterest.",
            "FeatureOfInterest",
        )
