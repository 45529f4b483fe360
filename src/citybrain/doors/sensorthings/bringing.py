"""Observations that come with a new Thing or Datastream (OGC 18-088 clause 10.2.1): taken out, and stored with what is made, or not at all.

body → without its observations, made apart → observations of the streams that it makes, checked → entered together (together.py)
"""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from anyio import to_thread

from citybrain.brain.observe import Rows, permitted, read_rows
from citybrain.doors.sensorthings.bodies import Whole
from citybrain.doors.sensorthings.changing import Changer
from citybrain.doors.sensorthings.parts import SensorThingsParts
from citybrain.doors.sensorthings.paths import Segment
from citybrain.doors.sensorthings.together import Group
from citybrain.doors.sensorthings.writing import DOOR, observed
from citybrain.kernel.access import Ask, Caller
from citybrain.kernel.errors import BadInputError, ForbiddenError
from citybrain.kernel.instant import rfc3339
from citybrain.kernel.text import Json, Text


@dataclass(frozen=True, slots=True)
class Brought:
    """A body without its observations, and those of each Datastream in turn."""

    body: Json
    observations: tuple[Sequence[Json], ...]


def apart(path: tuple[Segment, ...], body: Json) -> Brought | None:
    """Take the observations out of a body that is sent to ``path``; None where it brings none. Raises BadInputError for no list."""
    if path[-1].key is not None or not isinstance(body, dict):
        return None
    if path[-1].name == "Datastreams":
        streams: Sequence[Json] = (body,)
        bare: Json = _bare(body)
    elif path[-1].name == "Things":
        streams = Whole("Thing", body).list("Datastreams")
        bare = {**body, "Datastreams": [_bare(one) for one in streams]}
    else:
        return None
    brought = tuple(Whole("Datastream", one).list("Observations") if isinstance(one, dict) else () for one in streams)
    return Brought(bare, brought) if any(brought) else None


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


async def made(group: Group, path: tuple[Segment, ...], brought: Brought, caller: Caller) -> tuple[str, str]:
    """Make what a body describes as one of a group, and have its observations wait with it; its set and its id.

    Raises BadInputError or ForbiddenError for the first observation that the intake would refuse, and 501 for a part of one that
    is not kept.
    """
    changer = Changer(group.making, group.gathering)
    name, key = await to_thread.run_sync(changer.create, path, brought.body)
    streams = [key] if name == "Datastreams" else [stream.id for stream in group.gathering.streams_of(key)]
    now = rfc3339(group.parts.clock.city())
    # Those of MultiDatastreams come after the others, and bring nothing.
    pairs = zip(streams[: len(brought.observations)], brought.observations, strict=True)
    listed = [observed(one, stream, now) for stream, each in pairs for one in each]
    rows: Rows = permitted(read_rows(msgspec.json.encode(listed)), group.parts.accounts.barred(caller))
    verdict = await group.take(rows, DOOR, None)
    if verdict.refused:
        first = verdict.refused[0]
        what = Text(
            f"附带的第 {first.row + 1} 条观测值被拒绝（{first.code}），因此什么也没有新建。",
            f"Observation {first.row + 1} of those brought along was refused ({first.code}): {first.why} So nothing was made.",
        )
        raise ForbiddenError(what) if first.code == "forbidden_stream" else BadInputError(what, reason=first.code)
    return name, key


def _bare(stream: Json) -> Json:
    return {name: one for name, one in stream.items() if name != "Observations"} if isinstance(stream, dict) else stream
