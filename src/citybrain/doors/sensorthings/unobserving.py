"""A FeatureOfInterest deleted with the Observations about it (OGC 18-088 table 25), each of which is struck out as it would be by itself.

feature → what stands about it, in spans of readings that hold nothing else → policy, trail → struck out in one act → the feature ended

A kill in between leaves a feature about which nothing is: nobody was told that it had gone, and who deletes it again finds what is left to do.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np
from anyio import to_thread

from citybrain.brain.observe import About, Act, Change, Wanted
from citybrain.doors.sensorthings.parts import SensorThingsParts
from citybrain.doors.sensorthings.sending import Sender
from citybrain.doors.sensorthings.writing import DOOR
from citybrain.kernel.access import Ask
from citybrain.kernel.errors import BadInputError, ConflictError, ForbiddenError, StaleError
from citybrain.kernel.instant import Instant
from citybrain.kernel.observations import SeriesQuery
from citybrain.kernel.text import Json, Text
from citybrain.kernel.things import Stream

_PAGE: Final = 1000
"""Observations about a feature that are looked at together."""
MOST: Final = 10_000
"""Observations that go with a feature in one act."""
SPANS: Final = 500
"""Spans of readings that they are at most: each is a correction."""
_TRIES: Final = 3
"""How often it is begun anew where Observations come in beside it."""


@dataclass(frozen=True, slots=True)
class Span:
    """Readings of a stream from one instant to another (µs, both included) that are all about one feature, and how many."""

    stream: Stream
    first: int
    last: int
    count: int


def spans(parts: SensorThingsParts, feature: str) -> Iterator[Span]:
    """The readings that stand about a feature, by time; those of streams that have ended are no Observations any more. Blocks."""
    streams = parts.registry.streams()
    for page in _pages(parts, feature):
        times: dict[int, list[int]] = {}
        for one in page:
            if streams[one.stream - 1].ended is None:
                times.setdefault(one.stream, []).append(one.time)
        for no, mine in times.items():
            stood = parts.series.scan(SeriesQuery((no,), Instant(min(mine)), Instant(max(mine) + 1)))["time"].to_numpy()
            about = np.isin(stood, np.array(mine, np.int64))
            # A span ends where a reading follows that is about something else.
            run = np.cumsum(~about)
            for each in np.unique(run[about]).tolist():
                found = stood[about & (run == each)]
                yield Span(streams[no - 1], int(found[0]), int(found[-1]), len(found))


async def ended(parts: SensorThingsParts, sender: Sender, feature: str, end: Callable[[int], None]) -> None:
    """Strike out what is about a feature, and ``end`` it; who asked may do that.

    ``end`` is told how many observations the feature was about none of which stands, and raises ConflictError where there are others.
    Raises ForbiddenError for whoever may not correct those readings, ConflictError for more than go in one act, or where others come
    in again and again, and whatever a correction is refused for; then nothing is done, but for what was struck out meanwhile.
    """
    for left in range(_TRIES - 1, -1, -1):
        # What an observation is about is durable before it is: of one that comes after this there is that at least.
        known = await to_thread.run_sync(count, parts, feature)
        try:
            wanted, struck = await to_thread.run_sync(_wanted, parts, sender, feature)
            if wanted:
                await parts.corrections.acts((Act(wanted, _why(sender, feature), feature),), sender.caller.account)
        except (StaleError, BadInputError):
            # Somebody may have been first.
            if not left:
                raise
            continue
        with suppress(ConflictError):
            await to_thread.run_sync(end, known - struck)
            return
    what = Text(
        f"不断有新的观测值以“{feature}”为观测对象，它没有删除，请稍后再试。",
        f"New Observations about '{feature}' keep coming in, so it is not deleted. Try again later.",
    )
    raise ConflictError(what, id=feature)


def count(parts: SensorThingsParts, feature: str) -> int:
    """How many observations are known to be about a feature, whether they stand or not; blocks."""
    return sum(len(page) for page in _pages(parts, feature))


def _wanted(parts: SensorThingsParts, sender: Sender, feature: str) -> tuple[Sequence[Wanted], int]:
    """The changes that strike it out, each of which the sender may make, written into the trail, and of how many observations they are."""
    found: list[Span] = []
    struck = 0
    for one in spans(parts, feature):
        found.append(one)
        struck += one.count
        if struck > MOST or len(found) > SPANS:
            what = Text(
                f"以“{feature}”为观测对象的观测值过多，不能随它一次删除（至多 {MOST} 条、{SPANS} 段）：请先分批删除或改写它们。",
                f"Too many Observations are about '{feature}' to be deleted with it in one act ({MOST} in {SPANS} spans at most). Delete "
                "some of them first, or give them another FeatureOfInterest.",
            )
            raise ConflictError(what, id=feature)
    changes: dict[Stream, list[Change]] = {}
    for one in found:
        changes.setdefault(one.stream, []).append(Change(Instant(one.first), Instant(one.last + 1), strikes=True))
    for stream, each in changes.items():
        _require(parts, sender, stream, feature, each)
    look = parts.corrections.preview
    return [Wanted(stream, change, look(stream, change).seen) for stream, each in changes.items() for change in each], struck


def _require(parts: SensorThingsParts, sender: Sender, stream: Stream, feature: str, changes: Sequence[Change]) -> None:
    facts: dict[str, Json] = {
        "access": parts.registry.kind(stream.kind).access,
        "changes": [msgspec.to_builtins(change) for change in changes],
        "door": DOOR,
        "why": _why(sender, feature),
    }
    try:
        parts.guard.require(Ask(sender.caller, "observation.correct", f"stream:{stream.id}", sender.purpose, facts))
    except ForbiddenError as error:
        what = Text(
            f"有观测值以“{feature}”为观测对象，删除它须一并删除它们，而此账号无权更正“{stream.id}”，因此什么也没有改变。"
            "请由数据专员先删除这些观测值，或用兼有两种权限的账号。",
            f"Observations are about '{feature}' and would be deleted with it, but this account may not correct '{stream.id}', so nothing has "
            "changed. Have the data officer delete these first, or use an account that may do both.",
        )
        raise ForbiddenError(what, **error.fields) from error


def _pages(parts: SensorThingsParts, feature: str) -> Iterator[Sequence[About]]:
    after = None
    while True:
        page = parts.featured.listed(feature, after, _PAGE, descending=False)
        yield page
        if len(page) < _PAGE:
            return
        after = page[-1]


def _why(sender: Sender, feature: str) -> str:
    way = f"经 SensorThings 随观测对象“{feature}”删除 · Deleted over SensorThings with the FeatureOfInterest '{feature}'"
    return f"{sender.purpose} · {way}" if sender.purpose else way
