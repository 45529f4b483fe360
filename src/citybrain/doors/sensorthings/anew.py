"""What a person says anew of an Observation, held with a group: words, what it is about, and the time to which it is moved."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from citybrain.brain.observe import About, Anew, read_rows
from citybrain.doors.sensorthings import featuring, restating, saying
from citybrain.doors.sensorthings.parts import SensorThingsParts
from citybrain.doors.sensorthings.restating import Whole
from citybrain.doors.sensorthings.sending import Sender
from citybrain.doors.sensorthings.shape import Item
from citybrain.doors.sensorthings.together import Group
from citybrain.doors.sensorthings.writing import FEATURE
from citybrain.kernel.errors import BadInputError, ConflictError
from citybrain.kernel.instant import Instant, rfc3339
from citybrain.kernel.observations import SeriesQuery
from citybrain.kernel.text import Json, Text
from citybrain.kernel.things import Stream

_OWN: Final[tuple[str | None, str | None]] = (None, None)


@dataclass(frozen=True, slots=True)
class Observed:
    """An Observation that is there, the streams of whose readings it is in the order of its result, and its time."""

    item: Item
    streams: tuple[Stream, ...]
    time: Instant

    def having(self) -> tuple[Stream, ...]:
        """Those of the streams that have a reading at its time."""
        result = self.item.body["result"]
        stood = result if isinstance(result, list) and len(self.streams) > 1 else [result]
        return tuple(stream for stream, value in zip(self.streams, stood, strict=True) if value is not None)


def words_of(said: str | None) -> dict[str, Json]:
    """What else is said, by the names of properties."""
    found: dict[str, Json] = msgspec.json.decode(said) if said else {}
    return found


def words(parts: SensorThingsParts, seen: Observed) -> Mapping[str, Json]:
    """What was said of an Observation so far; of several streams the first that says anything, as it is read."""
    return next((one.words() for one in known(parts, seen).values() if one.said), {})


def known(parts: SensorThingsParts, seen: Observed) -> dict[str, About]:
    """What is beside the readings of an Observation, by stream."""
    found = parts.featured.at([(stream.no, seen.time) for stream in seen.having()])
    own = {stream.id: found.get(f"{stream.no}.{seen.time}") for stream in seen.having()}
    return {stream.id: own[stream.id] or About(stream.no, seen.time, *_OWN) for stream in seen.having()}


def held(group: Group, sender: Sender, seen: Observed, whole: Whole, why: str) -> None:
    """Have a group hold what an Observation is to be, but for its result where it stays at its time; blocks.

    Raises ConflictError where it would be moved to a time at which there is a reading, BadInputError where none may be, and what
    ``featuring.settled`` raises.
    """
    moves, thing = whole.time != seen.time, seen.streams[0].entity
    feature = featuring.settled(group, sender, whole.feature, thing) if whole.feature is not None else None
    names = [*(_of_move(seen, whole) if moves else []), *restating.names(words(group.parts, seen), words_of(whole.words))]
    told: list[Anew] = []
    for was in known(group.parts, seen).values():
        about = feature if whole.feature is not None else was.feature
        mine = [*names, *([FEATURE] if about != was.feature else [])]
        mark = ",".join(dict.fromkeys([*(was.restated.split(",") if was.restated else []), *mine]))
        told += [Anew(was, About(was.stream, whole.time, about, whole.words, mark))] if mine else []
    if moves:
        _moved(group, seen, whole)
    group.restate(told, why, sender.caller.account)


def _of_move(seen: Observed, whole: Whole) -> list[str]:
    """What a move itself says anew: what stands at the new time is no correction, so the mark names a result that nobody measured."""
    other = whole.result != seen.item.body["result"] or restating.corrected(seen.item)
    return [saying.PHENOMENON, *(["result"] if other else [])]


def _moved(group: Group, seen: Observed, whole: Whole) -> None:
    """Have a group hold the readings of an Observation at its new time."""
    at = rfc3339(whole.time)
    stood = group.parts.series.scan(
        SeriesQuery(tuple(stream.no for stream in seen.streams), whole.time, Instant(whole.time + 1), marks=True)
    )
    if stood.num_rows:
        what = Text(
            f"{at} 已有读数（或作废的读数），观测值不能移到那里；请先更正或撤回那一条。",
            f"There is a reading at {at}, or one that was struck out, so no Observation is moved there. Correct that one instead.",
        )
        raise ConflictError(what, time=at)
    result = whole.result if isinstance(whole.result, list) and len(seen.streams) > 1 else [whole.result]
    pairs = [(stream, value) for stream, value in zip(seen.streams, result, strict=True) if value is not None]
    rows = read_rows(msgspec.json.encode([{"stream": stream.id, "time": at, "value": value} for stream, value in pairs]))
    refused = group.parts.intake.refused(rows, group.gathering)
    if refused:
        code, why = refused[0].code, refused[0].why
        what = Text(f"观测值不能移到 {at}（{code}）：{why.zh}", f"The Observation cannot be moved to {at} ({code}): {why.en}")
        raise BadInputError(what, reason=code)
    group.held.append(rows)
