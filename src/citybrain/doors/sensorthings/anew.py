"""What a person says anew of an Observation, held with a group: words, what it is about, and the time and Datastream to which it is moved."""

from collections.abc import Mapping, Sequence
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


def added(parts: SensorThingsParts, seen: Observed, whole: Whole) -> dict[str, About]:
    """What is beside readings that the result of an Observation is to have and has none of, by the stream in which it was null."""
    having = seen.having()
    places = {
        stream.id: to.no
        for stream, (to, value) in zip(seen.streams, whole.results(), strict=True)
        if value is not None and stream not in having
    }
    found = parts.featured.at([(no, whole.time) for no in places.values()])
    return {stream: found.get(f"{no}.{whole.time}") or About(no, whole.time, *_OWN) for stream, no in places.items()}


def carries(parts: SensorThingsParts, seen: Observed, whole: Whole) -> bool:
    """Whether an Observation of which something is said is to have a reading more, of which that is then said too."""
    return bool(added(parts, seen, whole)) and any(one.feature or one.said for one in known(parts, seen).values())


def moves(seen: Observed, whole: Whole) -> bool:
    """Whether an Observation is to be of another time or of other streams."""
    return whole.time != seen.time or whole.streams != seen.streams


def held(group: Group, sender: Sender, seen: Observed, whole: Whole, why: str) -> None:
    """Have a group hold what an Observation is to be, but for its readings; blocks. Raises what ``featuring.settled`` raises."""
    own, before = whole.streams[0].entity, seen.streams[0].entity
    asked = featuring.settled(group, sender, whole.feature, own) if whole.feature is not None else None
    names = restating.names(words(group.parts, seen), words_of(whole.words))
    stand = {stream.id: to.no for stream, (to, value) in zip(seen.streams, whole.results(), strict=True) if value is not None}
    beside = known(group.parts, seen)
    told: list[Anew] = []
    for stream, was in beside.items():
        if stream not in stand:
            # It is struck out, and what is beside it with it.
            continue
        about = asked if whole.feature is not None else None if was.feature == own else was.feature
        said_anew = [*_of_move(seen, whole, was), *names, *([FEATURE] if (about or own) != (was.feature or before) else [])]
        told += _told(was, About(stand[stream], whole.time, about, whole.words), said_anew)
    first = next((one.feature for one in beside.values() if one.feature), None)
    about = asked if whole.feature is not None else None if first == own else first
    for was in added(group.parts, seen, whole).values():
        said_anew = [*restating.names(was.words(), words_of(whole.words)), *([FEATURE] if about != was.feature else [])]
        told += _told(was, About(*was[:2], about, whole.words), said_anew)
    group.restate(told, why, sender.caller.account)


def _told(was: About, about: About, names: Sequence[str]) -> list[Anew]:
    """What is said anew of a reading, with the names of all that ever was; nothing where no more is said now."""
    mark = ",".join(dict.fromkeys([*(was.restated.split(",") if was.restated else []), *names]))
    return [Anew(was, about._replace(restated=mark))] if names else []


def moved(group: Group, whole: Whole) -> list[Wanted]:
    """The readings of an Observation at the place to which it is moved, set by the person who moves it; blocks.

    Raises BadInputError where none is taken in of that time, ConflictError where there is one, also of a stream of which it has none, or
    for a stream that takes none.
    """
    at = rfc3339(whole.time)
    pairs = [(stream, value) for stream, value in whole.results() if value is not None]
    empty = tuple(stream.no for stream, value in whole.results() if value is None)
    if empty and group.parts.series.scan(SeriesQuery(empty, whole.time, Instant(whole.time + 1))).num_rows:
        raise _taken(at)
    rows = read_rows(msgspec.json.encode([{"stream": stream.id, "time": at, "value": value} for stream, value in pairs]))
    refused = group.parts.intake.refused(rows, group.gathering)
    if refused:
        code, why = refused[0].code, refused[0].why
        what = Text(f"观测值不能移到 {at}（{code}）：{why.zh}", f"The Observation cannot be moved to {at} ({code}): {why.en}")
        raise BadInputError(what, reason=code)
    return [group.parts.corrections.addition(stream, set_result(stream, whole.time, value)) for stream, value in pairs]


def _taken(at: str) -> ConflictError:
    what = Text(
        f"{at} 已有同一 MultiDatastream 的读数，观测值不能移到那里，否则二者会混为一条；请先将那一条删除。",
        f"There is a reading of that MultiDatastream at {at}, so no Observation is moved there: the two would become one. Delete that one first.",
    )
    return ConflictError(what, time=at)


def _of_move(seen: Observed, whole: Whole, was: About) -> list[str]:
    """What a move itself says anew; where nobody measured the result, that too, for what is moved bears the mark of corrections anyway."""
    if not moves(seen, whole):
        return []
    link = STREAMS[len(seen.streams) > 1]
    names = [saying.PHENOMENON] * (whole.time != seen.time) + [link] * (whole.streams != seen.streams)
    moved_before = bool({saying.PHENOMENON, link}.intersection((was.restated or "").split(",")))
    other = whole.result != seen.item.body["result"] or (restating.corrected(seen.item) and not moved_before)
    return [*names, *(["result"] if other else [])]
