"""One Observation that is sent: by whom, whereto, and how it is stored as the readings that it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from citybrain.brain.observe import Registry, Rows, permitted, read_rows
from citybrain.brain.observe import whole as together
from citybrain.brain.protect import Accounts
from citybrain.doors.sensorthings import multi, saying
from citybrain.doors.sensorthings.bodies import Whole, reference
from citybrain.doors.sensorthings.composing import Composer, names_one, readings
from citybrain.doors.sensorthings.paths import Segment
from citybrain.doors.sensorthings.refusals import not_held, wrong
from citybrain.doors.sensorthings.writing import DOOR, FEATURE, Takes, Writer, observed
from citybrain.kernel.access import Caller
from citybrain.kernel.instant import parse
from citybrain.kernel.text import Json

_READINGS: Final = "Observations"
_ADDRESSED: Final = {("Datastreams", _READINGS): False, (multi.MULTI, _READINGS): True}
"""Whether what is sent to an address is of a MultiDatastream."""
_BESIDE: Final = (FEATURE, *saying.MEMBERS)


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends, for what purpose, when (of the city; None where each observation must say its time), and by which door."""

    caller: Caller
    purpose: str
    now: str | None
    door: str = DOOR


@dataclass(frozen=True, slots=True)
class Target:
    """What an Observation is of: a MultiDatastream (``joint``) or a Datastream, and its id where the address names it."""

    joint: bool
    key: str | None

    def named(self, body: Json) -> str:
        """Its id, as the address or the body names it; empty where neither does."""
        link = "MultiDatastream" if self.joint else "Datastream"
        return self.key or (reference(body.get(link)) if isinstance(body, dict) else None) or ""


def target(where: tuple[Segment, ...], body: Json) -> tuple[Target, Json]:
    """Whereto an Observation is sent, and the Observation, which says what it is about where the address says so.

    Raises NotHeldError for an address that takes none, BadInputError where address and body name two features.
    """
    names = tuple(segment.name for segment in where)
    if names == (_READINGS,):
        return Target(names_one(body), None), body
    if names in _ADDRESSED:
        return Target(_ADDRESSED[names], where[0].key), body
    if names == ("FeaturesOfInterest", _READINGS) and where[0].key is not None:
        return Target(names_one(body), None), _about(body, where[0].key)
    raise not_held(
        "观测值只能发送到 Observations，或 Datastream、MultiDatastream、FeatureOfInterest 的 Observations。",
        "Observations go to Observations, or to those of a Datastream, MultiDatastream or FeatureOfInterest.",
    )


@dataclass(frozen=True, slots=True)
class Described:
    """A Datastream or MultiDatastream that is described within an Observation: the set it is sent to, and it with that Observation."""

    path: tuple[Segment, ...]
    body: Mapping[str, Json]
    time: Json
    """That of the Observation."""

    def observation(self, registry: Registry, key: str) -> str:
        """The id of the Observation, once that of which it is was made."""
        at = parse(str(saying.begin(self.time)))
        return multi.named(key, at) if self.path[0].name == multi.MULTI else f"{registry.stream_numbers()[key]}.{at}"


def described(body: Json, to: Target, now: str) -> Described | None:
    """What an Observation describes that it is of; None where it names it, as almost all do. Raises BadInputError for no list."""
    if to.key is not None or not isinstance(body, dict):
        return None
    link = "MultiDatastream" if to.joint else "Datastream"
    found = body.get(link)
    if not isinstance(found, dict) or all(name.startswith("@iot.") for name in found):
        return None
    time = body.get("phenomenonTime") or body.get("resultTime") or now
    rest = {name: one for name, one in body.items() if name != link} | {"phenomenonTime": time}
    whole = {**found, _READINGS: [*Whole(link, found).list(_READINGS), rest]}
    return Described((Segment(f"{link}s"),), whole, time)


def observes(body: Json) -> bool:
    """Whether an Observation says what it is about."""
    return isinstance(body, dict) and body.get(FEATURE) not in saying.EMPTY


def apart(body: Json) -> tuple[Json, Sequence[Json]]:
    """An Observation without the Observations that come with the feature that it describes, and those; raises BadInputError for no list."""
    found = body.get(FEATURE) if isinstance(body, dict) else None
    if not isinstance(body, dict) or not isinstance(found, dict) or _READINGS not in found:
        return body, ()
    more = Whole(FEATURE, found).list(_READINGS)
    return {**body, FEATURE: {name: one for name, one in found.items() if name != _READINGS}}, more


def says(body: Json) -> bool:
    """Whether an Observation speaks of more than its time and its result."""
    if not isinstance(body, dict):
        return False
    return observes(body) or saying.spans(body.get(saying.PHENOMENON)) or any(name in body for name in saying.MEMBERS)


def bare(body: Json) -> Json:
    """An Observation without what is kept beside it: its stream, the instant it is of, and its result."""
    if not isinstance(body, dict):
        return body
    rest = {name: one for name, one in body.items() if name not in _BESIDE}
    time = body.get(saying.PHENOMENON) or body.get(saying.RESULT)
    return rest if time is None else {**rest, saying.PHENOMENON: saying.begin(time)}


def thing(registry: Registry, body: Json, to: Target) -> tuple[str, tuple[int, ...]]:
    """The Thing whose readings an Observation is, and the numbers of its streams; nothing for what is not there."""
    if to.joint:
        joint = multi.joint(registry, to.named(body))
        return ("", ()) if joint is None else (joint.thing, tuple(stream.no for stream in joint.streams))
    number = registry.stream_numbers().get(to.named(body))
    return ("", ()) if number is None else (registry.streams()[number - 1].entity, (number,))


def rows(registry: Registry, accounts: Accounts, sender: Sender, body: Json, to: Target) -> Rows:
    """The rows that an Observation is, all of them or none; raises what is wrong with it."""
    listed = readings(registry, body, to.key, sender.now)[1] if to.joint else [observed(body, to.key, sender.now)]
    return together(permitted(read_rows(msgspec.json.encode(listed)), accounts.barred(sender.caller)), [0] * len(listed))


async def stored(
    takes: Takes, accounts: Accounts, registry: Registry, sender: Sender, body: Json, to: Target, key: str | None
) -> str:
    """Store a bare Observation; its id. Raises as Writer.one and Composer.one do."""
    if to.joint:
        return await Composer(takes, accounts, sender.caller, registry, sender.now).one(body, to.key, key)
    return await Writer(takes, accounts, sender.caller, registry.stream_numbers(), sender.now).one(body, to.key, key)


def _about(body: Json, feature: str) -> Json:
    if not isinstance(body, dict):
        return body
    said: Mapping[str, Json] = body
    if observes(body) and reference(said.get(FEATURE)) != feature:
        raise wrong("FeatureOfInterest 与地址不符。", "The FeatureOfInterest is not that of the address.", FEATURE)
    return {**said, FEATURE: {"@iot.id": feature}}
