"""What is said of an Observation that is there: another result, time, Datastream or feature, and other words about it. Pure.

A client sends back whole what it has read; what the door itself had said of it (``parameters``, ``resultQuality``) is passed over.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

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
STREAMS: Final = ("Datastream", "MultiDatastream")
Streams: TypeAlias = tuple[Stream, ...]
"""Those of whose readings an Observation is, in the order of its result."""
Changes: TypeAlias = Mapping[str, tuple[Change, bool]]
"""What is to become of readings, by the streams they are of, and whether one is set where none is."""
_KNOWN: Final = frozenset({"id", "result", saying.PHENOMENON, *saying.MEMBERS, *STREAMS, FEATURE})


@dataclass(frozen=True, slots=True)
class Whole:
    """An Observation as it is to be: of which streams and instant, with which result, and what else it says, as ``saying.said`` has it.

    ``feature`` is what it is to be about, as it was said; None where nothing else than before.
    """

    streams: Streams
    time: Instant
    result: Json
    words: str | None
    feature: Json

    def results(self) -> list[tuple[Stream, Json]]:
        """The result of each of the streams; null for one that has none."""
        listed = self.result if isinstance(self.result, list) and len(self.streams) > 1 else [self.result]
        return list(zip(self.streams, listed, strict=True))


def whole(item: Item, said: Said, streams: Streams, words: Mapping[str, Json], found: Callable[[str, str], Streams]) -> Whole:
    """An Observation as it is to be; its result is one of its stream, or a list of those of its streams and nulls.

    ``words`` are what was said of it so far; ``found`` gives the streams of the Datastream or MultiDatastream of an id. Raises
    BadInputError for what cannot be said, ConflictError where it does not fit the Datastream that it is to be of, and NotHeldError for
    what would not be kept.
    """
    links: Body = {name: {"@iot.id": str(link.value)} for name, link in item.links.items() if isinstance(link, Compare)}
    before: Body = {**item.body, **links}
    after = said.of(before)
    lost = next((name for name, value in after.items() if name not in _KNOWN and value not in EMPTY), None)
    if lost is not None:
        raise not_held(f"不保存观测值的 {lost}，请去掉。", f"An Observation's {lost} would not be kept. Leave it out.")
    to = streams
    for name in STREAMS:
        if after.get(name) not in EMPTY:
            to = _of(name, after[name], before.get(name), found) or to
    _fits(streams, to, told="result" in said.names)
    # Who names the feature of one that goes to another Thing does not mean the place of that one.
    stays = to[0].entity == streams[0].entity or FEATURE not in said.names
    feature = after.get(FEATURE)
    stays = feature in EMPTY or (stays and reference(feature) == reference(before[FEATURE]))
    time = _begin(after.get(saying.PHENOMENON), item)
    result = _result(after.get("result"), to)
    return Whole(to, time, result, _words(item, said, after, words), None if stays else feature)


def corrected(item: Item) -> bool:
    """Whether people corrected a reading of an Observation."""
    marks = _listed(quality(CORRECTION)["resultQuality"])
    return any(_unmarked(one) in marks for one in _listed(item.body.get("resultQuality")))


def names(before: Mapping[str, Json], after: Mapping[str, Json]) -> list[str]:
    """The properties of which something else is said than before, in their order."""
    return [name for name in (saying.PHENOMENON, *saying.MEMBERS) if before.get(name) != after.get(name)]


def changes(time: Instant, readings: Iterable[tuple[Stream, Json, Json]]) -> Changes:
    """The changes by stream of readings at a time: what stood, and what is to stand, as results; null where there is none."""
    found: dict[str, tuple[Change, bool]] = {}
    for stream, before, after in readings:
        if after is None and before is not None:
            found[stream.id] = strike(time), False
        elif after is not None:
            now = set_result(stream, time, after)
            if before is None or set_result(stream, time, before) not in (
                now,
                msgspec.structs.replace(now, offset=_rounded(now.offset)),
            ):
                found[stream.id] = now, before is None
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


def _of(name: str, value: Json, before: Json, found: Callable[[str, str], Streams]) -> Streams | None:
    """The streams of a Datastream or MultiDatastream that an Observation is to be of; None for that of which it is."""
    named = reference(value)
    if named is None:
        raise wrong(
            f"观测值的 {name} 不随观测值一起修改：请去掉，或只写 @iot.id。",
            f"The {name} of an Observation is not changed along with it. Leave it out, or say an @iot.id and nothing else.",
            name,
        )
    if before is None:
        of = next(one for one in STREAMS if one != name)
        what = Text(
            f"这条观测值属于 {of}，不能改属 {name}：结果的写法不同。请删除这条，再向那里发送。",
            f"The Observation is of a {of}, and is not moved to a {name}: results are written otherwise there. Delete it and send it there.",
        )
        raise ConflictError(what, id=named)
    return None if named == reference(before) else found(name, named)


def _fits(streams: Streams, to: Streams, *, told: bool) -> None:
    """Raise ConflictError where a result of streams is none of others: of another number of parts, or of other units and not said anew."""
    if len(to) != len(streams):
        what = Text(
            f"该 MultiDatastream 的结果有 {len(to)} 项，这条观测值有 {len(streams)} 项，不能移到那里。",
            f"A result of that MultiDatastream has {len(to)} parts, the Observation has {len(streams)}: it is not moved there.",
        )
        raise ConflictError(what, id=to[0].id)
    unlike = next(((was, now) for was, now in zip(streams, to, strict=True) if was.unit != now.unit), None)
    if unlike is not None and not told:
        was, now = (one.unit or "1" for one in unlike)
        what = Text(
            f"单位不同：这条观测值的结果以 {was} 计，“{unlike[1].id}”以 {now} 计。请一并写明以 {now} 计的 result。",
            f"The units differ: the result of the Observation is in {was}, those of '{unlike[1].id}' are in {now}. Say the result in {now} "
            "along with it.",
        )
        raise ConflictError(what, id=unlike[1].id, unit=unlike[1].unit)


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
