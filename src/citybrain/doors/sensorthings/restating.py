"""What is said of an Observation that is there: another result, time or feature, and other words about it. Pure.

A client sends back whole what it has read; what the door itself had said of it (``parameters``, ``resultQuality``) is passed over.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from citybrain.brain.observe import CORRECTION, Change, set_result, strike
from citybrain.doors.sensorthings import saying
from citybrain.doors.sensorthings.altering import Body
from citybrain.doors.sensorthings.altering import Change as Said
from citybrain.doors.sensorthings.bodies import reference
from citybrain.doors.sensorthings.refusals import not_held, wrong
from citybrain.doors.sensorthings.results import unfit, unlike
from citybrain.doors.sensorthings.saying import EMPTY, interval
from citybrain.doors.sensorthings.shape import RESTATED, Item, quality
from citybrain.doors.sensorthings.writing import FEATURE
from citybrain.kernel.errors import ConflictError
from citybrain.kernel.instant import Instant, parse
from citybrain.kernel.predicate import Compare
from citybrain.kernel.text import Json, Text
from citybrain.kernel.things import Stream

_TIMES: Final = ("phenomenonTime", "resultTime")
_STREAMS: Final = ("Datastream", "MultiDatastream")
_KNOWN: Final = frozenset({"id", "result", saying.PHENOMENON, *saying.MEMBERS, *_STREAMS, FEATURE})


@dataclass(frozen=True, slots=True)
class Whole:
    """An Observation as it is to be: of which instant, with which result, and what else it says, as ``saying.said`` has it.

    ``feature`` is what it is to be about, as it was said; None where nothing else than before.
    """

    time: Instant
    result: Json
    words: str | None
    feature: Json


def whole(item: Item, said: Said, streams: Sequence[Stream], words: Mapping[str, Json]) -> Whole:
    """An Observation as it is to be; its result is one of its stream, or a list of those of its streams and nulls.

    ``words`` are what was said of it so far. Raises BadInputError for what cannot be said, ConflictError where it would be of another
    Datastream, and NotHeldError for what would not be kept.
    """
    links: Body = {name: {"@iot.id": str(link.value)} for name, link in item.links.items() if isinstance(link, Compare)}
    before: Body = {**item.body, **links}
    after = said.of(before)
    lost = next((name for name, value in after.items() if name not in _KNOWN and value not in EMPTY), None)
    if lost is not None:
        raise not_held(f"不保存观测值的 {lost}，请去掉。", f"An Observation's {lost} would not be kept. Leave it out.")
    for name in _STREAMS:
        if after.get(name) not in EMPTY:
            _stays(name, after[name], before.get(name))
    feature = after.get(FEATURE)
    stays = feature in EMPTY or reference(feature) == reference(before[FEATURE])
    time = _begin(after.get(saying.PHENOMENON), item)
    result = _result(after.get("result"), streams)
    return Whole(time, result, _words(item, said, after, words), None if stays else feature)


def corrected(item: Item) -> bool:
    """Whether people corrected a reading of an Observation."""
    marks = _listed(quality(CORRECTION)["resultQuality"])
    return any(_unmarked(one) in marks for one in _listed(item.body.get("resultQuality")))


def names(before: Mapping[str, Json], after: Mapping[str, Json]) -> list[str]:
    """The properties of which something else is said than before, in their order."""
    return [name for name in (saying.PHENOMENON, *saying.MEMBERS) if before.get(name) != after.get(name)]


def changes(time: Instant, readings: Iterable[tuple[Stream, Json, Json]]) -> Mapping[str, Change]:
    """The changes by stream of readings at a time: what stood, and what is to stand, as results; null where there is none.

    Raises NotHeldError for a reading where none stands, and where some are set and some struck out: that is no one act.
    """
    found: dict[str, Change] = {}
    for stream, before, after in readings:
        if after is None and before is not None:
            found[stream.id] = strike(time)
        elif after is not None and before is None:
            raise not_held(
                f"“{stream.id}”在这一时刻没有读数，修改不能添加读数；请以 POST 发送观测值。",
                f"'{stream.id}' has no reading at this time, and a change adds none. Send it as an Observation (POST).",
            )
        elif after is not None:
            was, now = (set_result(stream, time, one) for one in (before, after))
            if was not in (now, msgspec.structs.replace(now, offset=_rounded(now.offset))):
                found[stream.id] = now
    if len({change.strikes for change in found.values()}) > 1:
        raise not_held(
            "一次修改中不能既改数值又以 null 作废：请先改数值，再作废。",
            "One change does not both set results and strike some out by null. Set them first, then strike out.",
        )
    return found


def _words(item: Item, said: Said, after: Body, before: Mapping[str, Json]) -> str | None:
    """What it is to say; a ``resultTime`` that nobody said follows from its time."""
    fields: Body = {name: after.get(name) for name in saying.MEMBERS}
    fields[saying.PHENOMENON] = after.get(saying.PHENOMENON) or item.body[saying.PHENOMENON]
    as_read = _same(fields["resultTime"], item.body["resultTime"])
    moves = not _same(fields[saying.PHENOMENON], item.body[saying.PHENOMENON])
    if as_read and saying.RESULT not in before and not (moves and saying.RESULT in said.names):
        fields[saying.RESULT] = None
    theirs = _measured(fields["resultQuality"])
    known = before.get("resultQuality")
    plain = theirs[0] if len(theirs) == 1 and not isinstance(fields["resultQuality"], list) else [*theirs]
    fields["resultQuality"] = known if theirs and theirs == _listed(known) else plain
    return saying.said(fields)


def _begin(time: Json, item: Item) -> Instant:
    at = saying.begin(item.body[saying.PHENOMENON] if time in EMPTY else time)
    try:
        return saying.moment(str(at))
    except ValueError as error:
        raise wrong(
            "phenomenonTime 须为带时区的 RFC 3339 时刻或时间段。",
            "phenomenonTime is an RFC 3339 instant, or an interval of two, with offsets.",
            saying.PHENOMENON,
        ) from error


def _stays(name: str, value: Json, before: Json) -> None:
    """Raise where an Observation would be of another Datastream or MultiDatastream."""
    named = reference(value)
    if named is None:
        raise wrong(
            f"观测值的 {name} 不随观测值一起修改：请去掉，或只写原有的 @iot.id。",
            f"The {name} of an Observation is not changed along with it. Leave it out, or say the @iot.id that stands and nothing else.",
            name,
        )
    if before is None or named != reference(before):
        what = Text(
            f"观测值的 {name} 不能更改：标识、单位和有权更正的人都随数据流。请删除这条，再向另一数据流发送。",
            f"The {name} of an Observation is not changed: its id, its unit and who may correct it are those of its stream. Delete the "
            "Observation and send it to the other one.",
        )
        raise ConflictError(what, id=named)


def _result(after: Json, streams: Sequence[Stream]) -> Json:
    plain = all(stream.sort == "number" for stream in streams)
    if len(streams) > 1:
        bad = unlike(after, streams)
        if not isinstance(after, list) or len(after) != len(streams) or bad:
            zh, en = ("各项为数或 null", "numbers or null") if plain else ("各项为该流的值或 null", "values of its streams or null")
            raise wrong(
                f"result 须为 {len(streams)} 项的数组，{zh}；要删除整条请用 DELETE。{bad.zh if bad else ''}",
                f"The result is an array of {len(streams)}, {en}. To delete the Observation, use DELETE. {bad.en if bad else ''}".rstrip(),
                "result",
            )
        return after
    why = unfit(streams[0], after)
    if why:
        zh, en = ("有限的数", "a finite number") if plain else ("该数据流类型的值", "a value of the type of its Datastream")
        raise wrong(
            f"result 须为{zh}；要删除这条观测值请用 DELETE。{why.zh}",
            f"The result is {en}. To delete the Observation, use DELETE. {why.en}",
            "result",
        )
    return after


def _rounded(value: float) -> float:
    """As corrections are, to 15 digits."""
    return float(f"{value:.15g}")


def _measured(said: Json) -> list[Json]:
    """A ``resultQuality`` without the marks of what people changed."""
    marks = [*_listed(quality(CORRECTION)["resultQuality"]), RESTATED]
    return [one for one in _listed(said) if _unmarked(one) not in marks]


def _listed(said: Json) -> list[Json]:
    return list(said) if isinstance(said, list) else [] if said in EMPTY else [said]


def _unmarked(said: Json) -> Json:
    """A part of it without the fields that a mark names."""
    return {key: one for key, one in said.items() if key != "fields"} if isinstance(said, dict) else said


def _same(one: Json, two: Json) -> bool:
    try:
        return parse(str(one)) == parse(str(two))
    except ValueError:
        span = interval(one)
        return span is not None and span == interval(two)
