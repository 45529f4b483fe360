"""What a person says anew of an Observation, held with a group: words, what it is about, and the time and Datastream to which it is moved."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from citybrain.brain.observe import About, Anew, Wanted, read_rows, set_result
from citybrain.doors.sensorthings import featuring, restating, saying
from citybrain.doors.sensorthings.parts import SensorThingsParts
from citybrain.doors.sensorthings.restating import STREAMS, Whole
from citybrain.doors.sensorthings.sending import Sender
from citybrain.doors.sensorthings.shape import Item
from citybrain.doors.sensorthings.together import Group
from citybrain.doors.sensorthings.writing import FEATURE
from citybrain.kernel.errors import BadInputError
from citybrain.kernel.instant import Instant, rfc3339
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


def moves(seen: Observed, whole: Whole) -> bool:
    """Whether an Observation is to be of another time or of other streams."""
    return whole.time != seen.time or whole.streams != seen.streams


def held(group: Group, sender: Sender, seen: Observed, whole: Whole, why: str) -> None:
    """Have a group hold what an Observation is to be, but for its readings; blocks. Raises what ``featuring.settled`` raises."""
    feature = featuring.settled(group, sender, whole.feature, whole.streams[0].entity) if whole.feature is not None else None
    names = restating.names(words(group.parts, seen), words_of(whole.words))
    stand = {stream.id: to.no for stream, (to, value) in zip(seen.streams, whole.results(), strict=True) if value is not None}
    told: list[Anew] = []
    for stream, was in known(group.parts, seen).items():
        if stream not in stand:
            # It is struck out, and what is beside it with it.
            continue
        own, before = whole.streams[0].entity, was.feature or seen.streams[0].entity
        about = feature if whole.feature is not None else None if was.feature == own else was.feature
        said_anew = [*_of_move(seen, whole, was), *names, *([FEATURE] if (about or own) != before else [])]
        mark = ",".join(dict.fromkeys([*(was.restated.split(",") if was.restated else []), *said_anew]))
        told += [Anew(was, About(stand[stream], whole.time, about, whole.words, mark))] if said_anew else []
    group.restate(told, why, sender.caller.account)


def moved(group: Group, whole: Whole) -> list[Wanted]:
    """The readings of an Observation at the place to which it is moved, set by the person who moves it; blocks.

    Raises BadInputError where none is taken in of that time, ConflictError where there is one, or for a stream that takes none.
    """
    at = rfc3339(whole.time)
    pairs = [(stream, value) for stream, value in whole.results() if value is not None]
    rows = read_rows(msgspec.json.encode([{"stream": stream.id, "time": at, "value": value} for stream, value in pairs]))
    refused = group.parts.intake.refused(rows, group.gathering)
    if refused:
        code, why = refused[0].code, refused[0].why
        what = Text(f"观测值不能移到 {at}（{code}）：{why.zh}", f"The Observation cannot be moved to {at} ({code}): {why.en}")
        raise BadInputError(what, reason=code)
    return [group.parts.corrections.addition(stream, set_result(stream, whole.time, value)) for stream, value in pairs]


def _of_move(seen: Observed, whole: Whole, was: About) -> list[str]:
    """What a move itself says anew; where nobody measured the result, that too, for what is moved bears the mark of corrections anyway."""
    if not moves(seen, whole):
        return []
    link = STREAMS[len(seen.streams) > 1]
    names = [saying.PHENOMENON] * (whole.time != seen.time) + [link] * (whole.streams != seen.streams)
    moved_before = bool({saying.PHENOMENON, link}.intersection((was.restated or "").split(",")))
    other = whole.result != seen.item.body["result"] or (restating.corrected(seen.item) and not moved_before)
    return [*names, *(["result"] if other else [])]
