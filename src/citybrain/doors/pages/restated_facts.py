"""What people said anew of single Observations, in words: when, by whom, what it was and what it is."""

from collections.abc import Iterator
from typing import Final

from citybrain.brain.observe import Restated, written
from citybrain.doors.pages.parts import PageParts
from citybrain.kernel.errors import NotFoundError
from citybrain.kernel.instant import MINUTE, Instant, local, parse
from citybrain.kernel.text import Json, Text, same
from citybrain.kernel.things import Stream
from citybrain.web.stream_views import RestatedBlock, RestatedLine
from citybrain.web.views import Fact

_SHOWN: Final = 20
_DAY: Final = len("2026-11-22 ")
_TIME: Final = "phenomenonTime"
_TIMES: Final = {
    _TIME: Text("观测时间", "Observed"),
    "resultTime": Text("得出结果的时间", "Result obtained"),
    "validTime": Text("有效时段", "Valid"),
}
_QUALITY: Final = Text("质量", "Quality")
_FEATURE: Final = Text("观测对象", "Feature of interest")
_RESULT: Final = Text("结果", "Result")
_OTHER: Final = Text("不是测得的：移动时改写过，或此前更正过", "not as measured: said anew with the move, or corrected before it")
_OWN: Final = Text("本对象的位置", "the place of its own thing")
_NOTHING: Final = Text("（无）", "(nothing)")
_GONE: Final = Text("内容", "What was said")
_DELETED: Final = Text("已到期删除", "kept long enough, deleted")


def block(parts: PageParts, stream: Stream) -> RestatedBlock | None:
    """The newest records of a stream, and how many there are; None where there is none. Blocks."""
    found = parts.corrections.restated(stream)
    return RestatedBlock(tuple(_line(parts, one) for one in found[:_SHOWN]), len(found)) if found else None


def _line(parts: PageParts, one: Restated) -> RestatedLine:
    at = _moment(one.time)
    title = Text(f"第 {one.no} 号：{at} 的观测值", f"No. {one.no}: the Observation of {at}")
    # Retention empties a record; who said something when stays.
    facts = tuple(_facts(parts, one)) or (Fact(_GONE, _DELETED),)
    return RestatedLine(one.no, title, facts, parts.accounts.name_of(one.by), one.why, one.wall)


def _facts(parts: PageParts, one: Restated) -> Iterator[Fact]:
    was: dict[str, Json] = {_TIME: _moment(one.time), **_timed(one.was_said)}
    now: dict[str, Json] = {_TIME: _moment(one.moved or one.time), **_timed(one.said)}
    for name, title in _TIMES.items():
        if was.get(name) != now.get(name):
            yield Fact(title, _became(_plain(was.get(name)), _plain(_shorter(was.get(name), now.get(name)))))
    if one.moved is not None and "result" in one.names:
        yield Fact(_RESULT, _OTHER)
    if one.was_feature != one.feature:
        yield Fact(_FEATURE, _became(_named(parts, one.was_feature), _named(parts, one.feature)))
    before, after = one.was_said.get("resultQuality"), one.said.get("resultQuality")
    if before != after:
        yield Fact(_QUALITY, _became(_plain(before), _plain(after)))
    were, are = _parameters(one.was_said), _parameters(one.said)
    for name in sorted(were.keys() | are.keys()):
        if were.get(name) != are.get(name):
            yield Fact(Text(f"参数 {name}", f"Parameter {name}"), _became(_plain(were.get(name)), _plain(are.get(name))))


def _became(before: Text, after: Text) -> Text:
    return Text(f"{before.zh} → {after.zh}", f"{before.en} → {after.en}")


def _plain(said: Json) -> Text:
    return _NOTHING if said is None else written(said)


def _parameters(said: dict[str, Json]) -> dict[str, Json]:
    found = said.get("parameters")
    return found if isinstance(found, dict) else {}


def _timed(said: dict[str, Json]) -> dict[str, Json]:
    """The times that are said, as the district's clocks show them."""
    return {name: _span(str(said[name])) for name in _TIMES if name in said}


def _span(said: str) -> str:
    """An instant, or an interval, whose end says its day where that is another."""
    since, *until = (parse(part) for part in said.split("/"))
    if not until:
        return _moment(since)
    first = _moment(since)
    return f"{first} – {_shorter(first, _moment(until[0]))}"


def _shorter(before: Json, after: Json) -> Json:
    """The second of two times without its day, where that is the day of the first."""
    if isinstance(before, str) and isinstance(after, str) and before[:_DAY] == after[:_DAY]:
        return after[_DAY:]
    return after


def _moment(at: Instant) -> str:
    """To the minute; to the second, or finer, where that says more."""
    whole = f"{local(at):%Y-%m-%d %H:%M}"
    if not at % MINUTE:
        return whole
    return f"{whole}:{at % MINUTE / 1_000_000:09.6f}".rstrip("0").rstrip(".")


def _named(parts: PageParts, feature: str | None) -> Text:
    """What an Observation is about, by its name as long as it is there."""
    if feature is None:
        return _OWN
    try:
        return parts.registry.entity(feature).title
    except NotFoundError:
        return same(feature)
