"""What Observations are about (OGC 18-088 clauses 8.2.8 and 10.2.1), and what else they say; kept together or not at all.

body → bare → the feature, found or made where the sender may → readings checked, held with it → entered (together.py)
"""

import numpy as np
from anyio import to_thread

from citybrain.brain.observe import AS_BEFORE, EndedError, MovedError, Registry, Rows, Verdict
from citybrain.doors.sensorthings import drafts, sampled, saying, sending, unobserving
from citybrain.doors.sensorthings.bodies import reference
from citybrain.doors.sensorthings.keeping import Keeping, about
from citybrain.doors.sensorthings.parts import SensorThingsParts
from citybrain.doors.sensorthings.paths import Segment
from citybrain.doors.sensorthings.refusals import wrong
from citybrain.doors.sensorthings.sending import Sender, Target
from citybrain.doors.sensorthings.together import Group, entered
from citybrain.doors.sensorthings.writing import FEATURE
from citybrain.kernel.access import Ask
from citybrain.kernel.errors import BusyError, CityError, ConflictError, ForbiddenError
from citybrain.kernel.text import Json, Text


def plainly(parts: SensorThingsParts, body: Json, to: Target) -> bool:
    """Whether nothing of an Observation is kept beside it, and of no reading of its streams there is anything that it takes back.

    Raises BadInputError for what it says wrongly.
    """
    said = said_of(body)
    own, numbers = sending.thing(parts.registry, body, to)
    plain = not sending.observes(body) or (_said(body) == own and parts.featured.streams().isdisjoint(numbers))
    return plain and (said == AS_BEFORE or (said is None and parts.featured.saying().isdisjoint(numbers)))


def said_of(body: Json) -> str | None:
    """What else an Observation says, as ``saying.said`` has it."""
    return saying.said(body) if isinstance(body, dict) else AS_BEFORE


async def observed(parts: SensorThingsParts, within: Group | None, sender: Sender, body: Json, to: Target, key: str | None) -> str:
    """The id of an Observation that says more than a time and a result, when all of it is durable, or waits with a group.

    Raises BadInputError, NotHeldError or ForbiddenError for what it says, and what Writer.one and Composer.one raise.
    """
    words, rest = said_of(body), sending.bare(body)
    said = body.get(FEATURE) if isinstance(body, dict) and sending.observes(body) else None
    if said is None and within is None:
        takes = Keeping(parts, lambda _: (AS_BEFORE, words))
        return await sending.stored(takes, parts.accounts, parts.registry, sender, rest, to, key)

    async def work(group: Group) -> str:
        """Hold it with a group, and what it is about."""
        own, _ = sending.thing(group.gathering, rest, to)
        # Where there is nothing of which it could be, that is what is said below.
        feature = await to_thread.run_sync(settled, group, sender, said, own) if own and said is not None else AS_BEFORE
        before = len(group.held)
        name = await sending.stored(group, parts.accounts, group.gathering, sender, rest, to, key)
        for rows in group.held[before:]:
            group.about += about(group.gathering, rows, lambda _: (feature, words))
        return name

    if within is not None:
        return await work(within)
    await _known(parts, rest, to)
    if _said(body) is not None or await to_thread.run_sync(_there, parts, said):
        return await entered(parts, work, sender.door)
    async with parts.featuring:
        return await entered(parts, work, sender.door)


async def published(parts: SensorThingsParts, sender: Sender, body: Json, to: Target) -> Verdict:
    """The verdict on a message whose Observation says more than that, when all is durable; a row that is refused stands in the account.

    Raises as ``observed`` does, and BusyError where it is worth sending again.
    """
    parts.guard.require(Ask(sender.caller, "observation.write", "observation", sender.purpose))
    await _known(parts, sending.bare(body), to)
    rows = sending.rows(parts.registry, parts.accounts, sender, sending.bare(body), to)
    refused = parts.intake.refused(rows, parts.registry)
    if refused:
        none = np.zeros(0, np.int64)
        return await parts.intake.take(Rows([], none, np.zeros(0), None, none, refused), sender.door, None)
    if await to_thread.run_sync(plainly, parts, body, to):
        return await parts.intake.take(rows, sender.door, None)
    if not sending.observes(body):
        said = said_of(body)
        return await Keeping(parts, lambda _: (AS_BEFORE, said)).take(rows, sender.door, None)
    try:
        await observed(parts, None, sender, body, to, None)
    except (MovedError, EndedError) as error:
        raise BusyError(error.what, retry_after=1) from error
    return Verdict(len(rows.time), 0, ())


def settled(group: Group, sender: Sender, said: Json, own: str) -> str | None:
    """The feature that is meant, made for the group where it is described and not there; None for the place of the Thing itself.

    Raises BadInputError, NotHeldError and ConflictError for what is said of it, ForbiddenError where the sender may not make it.
    """
    named = reference(said)
    if named is not None:
        why = None if named == own else unfit(group.gathering, named)
        if why is not None:
            raise why
        return None if named == own else named
    asked, spot = drafts.feature(said)
    known = group.making.described(asked, spot)
    if known is not None:
        return known
    if asked:
        _require(group.parts, sender, asked)
    made = group.making.describe(asked, spot)
    _require(group.parts, sender, made)
    return made


def unfit(registry: Registry, feature: str) -> CityError | None:
    """Why no observation can be about the feature of this id; None where one can: it was made here, or is where a Thing stands."""
    if not sampled.there(registry, feature):
        return wrong(
            f"没有观测对象“{feature}”；请写出观测对象本身，或先以 POST FeaturesOfInterest 新建。",
            f"There is no FeatureOfInterest '{feature}'. Describe it in the Observation, or make it first by POST FeaturesOfInterest.",
            FEATURE,
        )
    return None


def unobserved(parts: SensorThingsParts, path: tuple[Segment, ...]) -> None:
    """Raise ConflictError for a Thing or its place that is to be ended and that observations of others are about.

    Those count that stand: its own end with it, and nobody can say anew what was struck out. A feature of its own is ended with them
    (unobserving.py), but in a group, where nothing else is undone with it.
    """
    match path:
        case (Segment("Things" | "Locations", str(key)),) if key in parts.featured.known().hosts:
            if any(one.stream.entity != key for one in unobserving.spans(parts, key)):
                what = Text(
                    f"有其他 Thing 的观测值以“{key}”的位置为观测对象，因此不能删除；请先改写这些观测值的 FeatureOfInterest。",
                    f"Observations of other Things are about the place of '{key}', so it is not deleted. Give them another "
                    "FeatureOfInterest first.",
                )
                raise ConflictError(what, id=key)
        case (Segment("FeaturesOfInterest", str(key)),) if any(unobserving.spans(parts, key)):
            what = Text(
                f"有观测值以“{key}”为观测对象，变更集中不能删除它：请单独删除，这些观测值随之作废。",
                f"Observations are about '{key}', which is therefore not deleted in a change set: delete it by itself, and they go with it.",
            )
            raise ConflictError(what, id=key)


def _said(body: Json) -> str | None:
    """The id of the feature that an Observation names; None for one that it describes."""
    return reference(body.get(FEATURE)) if isinstance(body, dict) else None


def _there(parts: SensorThingsParts, said: Json) -> bool:
    """Whether the feature that is described is there already; raises what is wrong with it."""
    return parts.making.described(*drafts.feature(said)) is not None


async def _known(parts: SensorThingsParts, body: Json, to: Target) -> None:
    """Look whether another process has entered what an Observation is of, before it is refused as unknown."""
    if not sending.thing(parts.registry, body, to)[0]:
        await to_thread.run_sync(parts.registry.renew)


def _require(parts: SensorThingsParts, sender: Sender, feature: str) -> None:
    """Raise ForbiddenError for a sender who may not make this feature: a device makes those of its list."""
    facts: dict[str, Json] = {"access": "unconditional"}
    if parts.accounts.devices.may_make(sender.caller, feature):
        facts["account"] = sender.caller.account
    try:
        parts.guard.require(
            Ask(sender.caller, "entity.write", f"sensorthings:FeaturesOfInterest({feature})", sender.purpose, facts)
        )
    except ForbiddenError as error:
        what = Text(
            f"观测值附带的观测对象“{feature}”尚不存在，而此账号无权新建它，因此什么也没有存入。"
            "请由管理员先行新建，或在设备清单中加入“+标识”，并以 @iot.id 写明清单内的标识。",
            f"The FeatureOfInterest '{feature}' that comes with the observation is not there, and this account may not make it, so nothing "
            "was kept. Have the administrator make it, or entrust the device with it ('+' and its id in its list) and ask for that @iot.id.",
        )
        raise ForbiddenError(what, **error.fields) from error
