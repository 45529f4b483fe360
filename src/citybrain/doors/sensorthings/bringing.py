"""Observations that come with a new Thing, Datastream or MultiDatastream (OGC 18-088 clause 10.2.1): stored with what is made, or not at all.

body → without its observations, made apart → observations of what it makes, with their features, checked → entered together (together.py)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from anyio import to_thread

from citybrain.brain.observe import AS_BEFORE, Rows, permitted, read_rows, whole
from citybrain.doors.sensorthings import featuring, sending
from citybrain.doors.sensorthings.bodies import Whole, reference
from citybrain.doors.sensorthings.changing import Changer
from citybrain.doors.sensorthings.composing import readings
from citybrain.doors.sensorthings.keeping import Told, about
from citybrain.doors.sensorthings.multi import MULTI
from citybrain.doors.sensorthings.parts import SensorThingsParts
from citybrain.doors.sensorthings.paths import Segment
from citybrain.doors.sensorthings.sending import Sender, Target
from citybrain.doors.sensorthings.together import Group
from citybrain.doors.sensorthings.writing import DOOR, FEATURE, observed
from citybrain.kernel.access import Ask, Caller
from citybrain.kernel.errors import BadInputError, ForbiddenError
from citybrain.kernel.text import Json, Text

_STREAMS: Final = "Datastreams"
_BOTH: Final = (_STREAMS, MULTI)


@dataclass(frozen=True, slots=True)
class Brought:
    """A body without its observations, and those of each Datastream and of each MultiDatastream in turn."""

    body: Json
    streams: tuple[Sequence[Json], ...]
    groups: tuple[Sequence[Json], ...]
    new: bool
    """Whether the Thing is new too: then they are all that it has."""


@dataclass(frozen=True, slots=True)
class _One:
    """An observation that was brought: of what, and its rows."""

    body: Json
    to: Target
    rows: Sequence[Json]
    more: Sequence[Json] = ()
    """Those that come with the feature that it describes."""


def apart(path: tuple[Segment, ...], body: Json) -> Brought | None:
    """Take the observations out of a body that is sent to ``path``; None where it brings none. Raises BadInputError for no list."""
    name = path[-1].name
    if path[-1].key is not None or not isinstance(body, dict) or name not in ("Things", *_BOTH):
        return None
    if name == "Things":
        bare, found = _bare_thing(body)
        brought = Brought(bare, found[_STREAMS], found[MULTI], new=True)
    else:
        brought = _aside(name, body)
    return brought if any((*brought.streams, *brought.groups)) else None


def require(parts: SensorThingsParts, caller: Caller, purpose: str) -> None:
    """Raise ForbiddenError for a caller who may make things and may not write observations: one body needs both rights."""
    try:
        parts.guard.require(Ask(caller, "observation.write", "observation", purpose))
    except ForbiddenError as error:
        what = Text(
            "内容附带观测值，而此账号无权写入观测值，因此什么也没有新建。请去掉 Observations，之后由获准的设备发送。",
            "The body brings observations, which this account may not write, so nothing was made. "
            "Leave Observations out and have a device that is entrusted with the thing send them.",
        )
        raise ForbiddenError(what, **error.fields) from error


async def made(
    group: Group, path: tuple[Segment, ...], brought: Brought, sender: Sender
) -> tuple[str, str, Sequence[tuple[str, Json]]]:
    """Make what a body describes as one of a group, and have its observations wait with it; its set and its id.

    Besides, the observations that come with the features that those describe, each with the id of its feature: they are sent after it.

    Raises BadInputError or ForbiddenError for the first observation that the intake would refuse, 501 for a part of one that is not
    kept, and what ``featuring.settled`` raises.
    """
    changer = Changer(group.making, group.gathering)
    name, key = await to_thread.run_sync(changer.create, path, brought.body)
    listed = await to_thread.run_sync(_listed, group, brought, (name, key), sender)
    owner = [number for number, one in enumerate(listed) for _ in one.rows]
    sent = msgspec.json.encode([row for one in listed for row in one.rows])
    rows: Rows = whole(permitted(read_rows(sent), group.parts.accounts.barred(sender.caller)), owner)
    verdict = await group.take(rows, DOOR, None)
    if verdict.refused:
        first = verdict.refused[0]
        what = Text(
            f"附带的第 {owner[first.row] + 1} 条观测值被拒绝（{first.code}）：{first.why.zh}因此什么也没有新建。",
            f"Observation {owner[first.row] + 1} of those brought along was refused ({first.code}): {first.why.en} So nothing was made.",
        )
        raise ForbiddenError(what) if first.code == "forbidden_stream" else BadInputError(what, reason=first.code)
    told = await to_thread.run_sync(_told, group, listed, sender)
    # Of what is new nothing was said before that would have to be taken back.
    group.about += [one for one in about(group.gathering, rows, lambda row: told[owner[row]]) if one.feature or one.said]
    further = [(each[0], more) for each, one in zip(told, listed, strict=True) for more in one.more if each[0]]
    return name, key, [(str(feature), more) for feature, more in further]


def _listed(group: Group, brought: Brought, made_: tuple[str, str], sender: Sender) -> list[_One]:
    """The observations that were brought, each with its rows; raises what is wrong with one."""
    streams, groups = _sides(group, brought, made_)
    found = [
        _One(one, Target(joint=False, key=key), ()) for key, each in zip(streams, brought.streams, strict=True) for one in each
    ]
    found += [_One(one, Target(joint=True, key=key), ()) for key, each in zip(groups, brought.groups, strict=True) for one in each]
    return [_One(body, one.to, _rows(group, one, sender), more) for one in found for body, more in (sending.apart(one.body),)]


def _sides(group: Group, brought: Brought, made_: tuple[str, str]) -> tuple[list[str], list[str]]:
    """The ids of the Datastreams and MultiDatastreams that were made, in the order in which they were written."""
    name, key = made_
    gathering = group.gathering
    if not brought.new:
        return ([key], []) if name == _STREAMS else ([], [key])
    thing = key if name == "Things" else _thing(group, name, key)
    joint = sorted(gathering.made.groups_of(thing, gathering.streams()), key=lambda one: one.streams)
    # The streams of MultiDatastreams come after the others.
    return [stream.id for stream in gathering.streams_of(thing)][: len(brought.streams)], [one.id for one in joint]


def _thing(group: Group, name: str, key: str) -> str:
    return sending.thing(group.gathering, None, Target(name == MULTI, key))[0]


def _rows(group: Group, one: _One, sender: Sender) -> Sequence[Json]:
    bare = sending.bare(one.body)
    if one.to.joint:
        return readings(group.gathering, bare, one.to.key, sender.now)[1]
    return [observed(bare, one.to.key, sender.now)]


def _told(group: Group, listed: Sequence[_One], sender: Sender) -> list[Told]:
    """What is beside each observation."""
    return [(_feature(group, one, sender), featuring.said_of(one.body)) for one in listed]


def _feature(group: Group, one: _One, sender: Sender) -> str | None:
    if not isinstance(one.body, dict) or not sending.observes(one.body):
        return AS_BEFORE
    return featuring.settled(group, sender, one.body[FEATURE], sending.thing(group.gathering, None, one.to)[0])


def _aside(name: str, body: Mapping[str, Json]) -> Brought:
    """A Datastream or MultiDatastream by itself; one that describes its Thing is the last that this brings along."""
    thing, mine, rest = body.get("Thing"), _brought(name, body), dict(_bare(body))
    if not isinstance(thing, dict) or reference(thing) is not None:
        return Brought(rest, (mine,), (), new=False) if name == _STREAMS else Brought(rest, (), (mine,), new=False)
    rest["Thing"], found = _bare_thing(thing)
    found[name] += (mine,)
    return Brought(rest, found[_STREAMS], found[MULTI], new=True)


def _bare_thing(thing: Mapping[str, Json]) -> tuple[dict[str, Json], dict[str, tuple[Sequence[Json], ...]]]:
    """A Thing whose Datastreams and MultiDatastreams bring nothing, and what each of them brought."""
    sides = {name: Whole("Thing", thing).list(name) for name in _BOTH}
    taken: dict[str, Json] = {name: [_bare(one) if isinstance(one, dict) else one for one in each] for name, each in sides.items()}
    brought = {name: tuple(_brought(name, one) if isinstance(one, dict) else () for one in each) for name, each in sides.items()}
    return {**thing, **{name: each for name, each in taken.items() if each}}, brought


def _brought(name: str, one: Mapping[str, Json]) -> Sequence[Json]:
    return Whole(name.removesuffix("s"), one).list("Observations")


def _bare(one: Mapping[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in one.items() if name != "Observations"}
