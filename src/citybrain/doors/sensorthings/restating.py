"""What is said of an Observation that is there: another result, and of everything else what stands already. Pure.

A client sends back whole what it has read; what the door itself had said of it (``parameters``, ``resultQuality``) is passed over.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from citybrain.brain.observe import CORRECTION, Change, setting, strike
from citybrain.doors.sensorthings.altering import Body
from citybrain.doors.sensorthings.altering import Change as Said
from citybrain.doors.sensorthings.bodies import reference
from citybrain.doors.sensorthings.refusals import not_held, wrong
from citybrain.doors.sensorthings.results import unfit, unlike
from citybrain.doors.sensorthings.saying import EMPTY, MEMBERS, OURS, interval
from citybrain.doors.sensorthings.shape import Item, quality
from citybrain.kernel.errors import CityError
from citybrain.kernel.instant import Instant, parse
from citybrain.kernel.predicate import Compare
from citybrain.kernel.text import Json
from citybrain.kernel.things import Stream

_TIMES: Final = ("phenomenonTime", "resultTime")
_LINKS: Final = ("Datastream", "MultiDatastream", "FeatureOfInterest")


def result(item: Item, said: Said, streams: Sequence[Stream]) -> Json:
    """The result that an Observation is to have, of the shape that it has: one of its stream, or a list of those of its streams and nulls.

    Raises BadInputError for any other, and where a time or a link would be another; NotHeldError for what would not be kept.
    """
    links: Body = {name: {"@iot.id": str(link.value)} for name, link in item.links.items() if isinstance(link, Compare)}
    before: Body = {**item.body, **links}
    after = said.of(before)
    for name, value in after.items():
        if name not in ("result", "id") and value not in EMPTY and not _stands(name, value, before.get(name)):
            raise _differs(name)
    return _result(after.get("result"), streams)


def changes(time: Instant, readings: Iterable[tuple[str, Json, Json]]) -> Mapping[str, Change]:
    """The changes by stream of readings at a time: what stood, and what is to stand, as numbers of the store; null where there is none.

    Raises NotHeldError for a reading where none stands, and where some are set and some struck out: that is no one act.
    """
    found: dict[str, Change] = {}
    for stream, before, after in readings:
        if after is None and before is not None:
            found[stream] = strike(time)
        elif after is not None and before is None:
            raise not_held(
                f"“{stream}”在这一时刻没有读数，修改不能添加读数；请以 POST 发送观测值。",
                f"'{stream}' has no reading at this time, and a change adds none. Send it as an Observation (POST).",
            )
        elif isinstance(after, int | float) and after != before and _rounded(after) != before:
            found[stream] = setting(time, float(after))
    if len({change.strikes for change in found.values()}) > 1:
        raise not_held(
            "一次修改中不能既改数值又以 null 作废：请先改数值，再作废。",
            "One change does not both set results and strike some out by null. Set them first, then strike out.",
        )
    return found


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


def _stands(name: str, value: Json, before: Json) -> bool:
    """Whether what is said is what stands, or what the door itself had said of it."""
    if name in _TIMES:
        return _same(value, before)
    if name in _LINKS:
        return before is not None and reference(value) == reference(before)
    if name == "parameters":
        return isinstance(value, dict) and _theirs(value) in ({}, _theirs(before))
    if name == "resultQuality":
        return _measured(value) in ([], _measured(before))
    return value == before


def _theirs(parameters: Json) -> Body:
    """The ``parameters`` that the sender said."""
    return {name: one for name, one in parameters.items() if name not in OURS} if isinstance(parameters, dict) else {}


def _measured(said: Json) -> list[Json]:
    """A ``resultQuality`` without the mark of a correction."""
    ours = quality(CORRECTION)["resultQuality"]
    marks = ours if isinstance(ours, list) else []
    listed = said if isinstance(said, list) else [] if said is None else [said]
    return [one for one in listed if _unmarked(one) not in marks]


def _unmarked(said: Json) -> Json:
    """A part of it without the fields that a correction names."""
    return {key: one for key, one in said.items() if key != "fields"} if isinstance(said, dict) else said


def _same(one: Json, two: Json) -> bool:
    try:
        return parse(str(one)) == parse(str(two))
    except ValueError:
        span = interval(one)
        return span is not None and span == interval(two)


def _differs(name: str) -> CityError:
    if name in _TIMES:
        return wrong(
            f"观测值的 {name} 不能更改；时间有误请删除这条，再以正确的时间发送。",
            f"The {name} of an Observation is not changed. If it is wrong, delete the Observation and send another.",
            name,
        )
    if name in _LINKS:
        return wrong(
            f"观测值的 {name} 不能更改，也不随观测值一起修改：请去掉，或只写原有的 @iot.id；有误请删除这条，再另行发送。",
            f"The {name} of an Observation is not changed, nor along with it. Leave it out, or say the @iot.id that stands and nothing "
            "else. If it is wrong, delete the Observation and send another.",
            name,
        )
    if name in MEMBERS:
        return not_held(
            f"不能以此更改观测值的 {name}：请去掉，或以同一 phenomenonTime 再次发送观测值。",
            f"The {name} of an Observation is not changed so. Leave it out, or send the Observation again with the same phenomenonTime.",
        )
    return not_held(f"不保存观测值的 {name}，请去掉。", f"An Observation's {name} would not be kept. Leave it out.")
