"""Observations over MQTT (OGC 18-088 clause 14.3), each for a topic that ends in ``Observations``.

``v1.1/Observations`` with the Datastream or MultiDatastream named inside, ``v1.1/Datastreams('a.b')/Observations``,
``v1.1/MultiDatastreams('a')/Observations``, whose array is stored whole or not at all, and ``v1.1/FeaturesOfInterest('a')/Observations``.
A Datastream or MultiDatastream may stand below its Thing: ``v1.1/Things('a')/Datastreams('a.b')/Observations``. One that is described
within its Observation is made with it, under the id that it asks for; where that is there already it is meant, for a message may come twice.
So is it where Observations come with the feature that another describes.
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final, TypeAlias

import msgspec
from anyio import to_thread

from citybrain.brain.observe import EndedError, MovedError, Verdict
from citybrain.doors.sensorthings import featuring, hanging, leading, sending
from citybrain.doors.sensorthings.composing import names_one, readings
from citybrain.doors.sensorthings.creating import created
from citybrain.doors.sensorthings.multi import MULTI
from citybrain.doors.sensorthings.parts import SensorThingsParts
from citybrain.doors.sensorthings.paths import ROOT, segments
from citybrain.doors.sensorthings.refusals import missing, wrong
from citybrain.doors.sensorthings.sending import Described, Sender, Target
from citybrain.doors.sensorthings.together import Group, entered
from citybrain.doors.sensorthings.writing import FEATURE, decoded, observed
from citybrain.kernel.access import Ask, Caller
from citybrain.kernel.errors import BusyError, ConflictError
from citybrain.kernel.text import Json

VERSION: Final = "v1.1/"
_FEATURES: Final = "FeaturesOfInterest"
_ABLE: Final = (("Observations",), ("Datastreams", "Observations"), (MULTI, "Observations"), (_FEATURES, "Observations"))
Alone: TypeAlias = Callable[[Caller, str], Awaitable[Verdict]]
"""Stores a message by itself, as this caller's, for the account of this door."""


class Messages:
    """Reads the messages of such topics as rows of the intake."""

    def __init__(self, parts: SensorThingsParts) -> None:
        self._parts = parts

    def rows(self, topic: str, payload: bytes, now: str) -> Sequence[Sequence[bytes]] | Alone | None:
        """The API's rows for a message, as JSON, in one piece that is stored whole; what stores it where it says what it is about.

        None for a topic of another kind. Raises NotFoundError for a topic of this kind that takes no observation, and what is wrong
        with the observation.
        """
        if not topic.startswith(VERSION):
            return None
        path = leading.owned(self._parts.registry, segments(f"{ROOT}/{topic.removeprefix(VERSION)}"))
        names = tuple(segment.name for segment in path)
        if names not in _ABLE or path[-1].key is not None:
            raise missing(topic)
        body, key = decoded(payload), path[0].key if len(path) == 2 else None
        if key is None or names[0] == _FEATURES:
            to, about = sending.target(path, body)
            new = sending.described(about, to, now)
            if new is not None:
                body = _named(new, about, to)
                if not sending.thing(self._parts.registry, body, to)[0]:
                    return partial(self._described, new, body, to, now)
        if sending.says(body) or names[0] == _FEATURES:
            to, about = sending.target(path, body)
            if not self._plain(about, to):
                return partial(self._alone, about, to, now)
            body = sending.bare(body)
        if names[0] == MULTI or (key is None and names_one(body)):
            _, rows, _ = readings(self._parts.registry, body, key, now)
        else:
            rows = [observed(body, key, now)]
        return ([msgspec.json.encode(row) for row in rows],)

    def _plain(self, body: Json, to: Target) -> bool:
        """Whether an Observation says nothing after all that is kept, as far as is known without asking the store."""
        if sending.observes(body) or featuring.said_of(body) is not None:
            return False
        return self._parts.featured.recalled.isdisjoint(sending.thing(self._parts.registry, body, to)[1])

    async def _described(self, new: Described, named: Json, to: Target, now: str, caller: Caller, door: str) -> Verdict:
        """Make what an Observation describes that it is of, and store it with that; as one that names it where it is there after all."""
        sender = Sender(caller, "", now, door)
        self._parts.guard.require(Ask(caller, "observation.write", "observation"))
        await to_thread.run_sync(self._parts.registry.renew)
        if not sending.thing(self._parts.registry, named, to)[0]:
            try:
                made = await created(self._parts, sender, new.path, dict(new.body))
            except (MovedError, EndedError) as error:
                raise BusyError(error.what, retry_after=1) from error
            except ConflictError:
                # The same may have been sent twice, and the other be first.
                if not sending.thing(self._parts.registry, named, to)[0]:
                    raise
            else:
                return Verdict(made.readings, 0, ())
        return await self._alone(named, to, now, caller, door)

    async def _alone(self, body: Json, to: Target, now: str, caller: Caller, door: str) -> Verdict:
        sender = Sender(caller, "", now, door)
        return await (self._nested if sending.apart(body)[1] else self._published)(body, to, sender)

    async def _published(self, body: Json, to: Target, sender: Sender) -> Verdict:
        return await featuring.published(self._parts, sender, body, to)

    async def _nested(self, body: Json, to: Target, sender: Sender) -> Verdict:
        """Store an Observation and those that come with the feature that it describes, all of them or none."""
        self._parts.guard.require(Ask(sender.caller, "observation.write", "observation"))
        await to_thread.run_sync(self._parts.registry.renew)
        meant = self._meant(body, sender.now or "")

        async def work(group: Group) -> int:
            """Hold them with a group; how many readings they are."""
            await hanging.observed(group, sender, meant, to)
            return sum(len(rows.time) for rows in group.held)

        try:
            async with self._parts.featuring:
                return Verdict(await entered(self._parts, work, sender.door), 0, ())
        except (MovedError, EndedError) as error:
            raise BusyError(error.what, retry_after=1) from error

    def _meant(self, body: Json, now: str) -> Json:
        """An Observation in which those that come with its feature name what they describe and what is there: a message may come twice."""
        bare, more = sending.apart(body)
        if not more or not isinstance(bare, dict):
            return body
        known: list[Json] = []
        for one in more:
            to = Target(names_one(one), None)
            new = sending.described(one, to, now)
            named = one if new is None else _named(new, one, to)
            there = new is None or bool(sending.thing(self._parts.registry, named, to)[0])
            known.append(self._meant(named if there else one, now))
        feature = bare[FEATURE]
        return {**bare, FEATURE: {**(feature if isinstance(feature, dict) else {}), "Observations": known}}


def _named(new: Described, body: Json, to: Target) -> Json:
    """An Observation that names what it describes; raises BadInputError where that asks for no id."""
    link, asked = "MultiDatastream" if to.joint else "Datastream", new.body.get("@iot.id")
    if not isinstance(asked, str) or not isinstance(body, dict):
        raise wrong(
            f"经 MQTT 附带的 {link} 须以 @iot.id 指定标识：同一消息可能送达两次。",
            f"A {link} that is described over MQTT asks for its @iot.id, for a message may come twice.",
            link,
        )
    return {**body, link: {"@iot.id": asked}}
