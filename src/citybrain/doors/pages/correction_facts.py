"""Corrections in words: the forms of correcting, what one would do, and what was corrected by whom and why."""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

import msgspec

from citybrain.brain.observe import (
    NOTHING,
    UNMEASURED,
    UNSAID,
    Change,
    Changed,
    Correction,
    Preview,
    new_word,
    set_result,
    written,
)
from citybrain.doors.pages import results, rows, typed
from citybrain.doors.pages.parts import PageParts
from citybrain.kernel.access import Ask, Caller
from citybrain.kernel.errors import BadInputError
from citybrain.kernel.instant import SECOND, Instant
from citybrain.kernel.text import Json, Text, same
from citybrain.kernel.things import Stream
from citybrain.web import formats
from citybrain.web.desk_views import FormError
from citybrain.web.stream_views import CorrectionBlock, CorrectionField, CorrectionLine, Looked
from citybrain.web.views import Fact

_SPAN: Final = (
    CorrectionField("since", Text("起（含）", "From (included)"), "", "moment"),
    CorrectionField("until", Text("止（不含）", "Until (not included)"), "", "moment"),
    CorrectionField("factor", Text("乘以", "Times"), "1"),
    CorrectionField("offset", Text("再加上", "Then plus"), "0"),
)
_AT: Final = CorrectionField("at", Text("读数的时间", "Time of the reading"), "", "moment")
_VALUE: Final = CorrectionField("value", Text("应为", "Should be"), "")
_STRIKE: Final = (
    CorrectionField("strike_since", Text("起（含）", "From (included)"), "", "moment"),
    CorrectionField("strike_until", Text("止（不含）", "Until (not included)"), "", "moment"),
)
FIELDS: Final = tuple(field.name for field in (*_SPAN, _AT, _VALUE, *_STRIKE))
_AS_ONE: Final = {"since": "at", "until": "at", "factor": "value", "offset": "value"}
_AS_STRIKE: Final = {"since": "strike_since", "until": "strike_until"}
_STRUCK: Final = Text("作废", "struck out")
_NONE: Final = Text("没有读数", "no reading")
"""In the place of what stood where a person set a reading and none was."""
_GONE: Final = Text("（已到期删除）", "(kept long enough, deleted)")
"""In the place of a word that is in no reading any more."""
_STATES: Final = {
    "pending": Text("正在写入", "On its way"),
    "standing": Text("有效", "Stands"),
    "ending": Text("正在撤回", "Being taken back"),
    "ended": Text("已撤回", "Taken back"),
}
_SHOWN: Final = 20
_Say: TypeAlias = Callable[..., Text]
"""What one reading says, or several one after another."""


def given(words: Mapping[str, str]) -> dict[str, str]:
    """What was typed into the forms of correcting, of all that an address says."""
    return {name: words[name] for name in FIELDS if words.get(name, "").strip()}


def ask(parts: PageParts, caller: Caller, stream: Stream, facts: dict[str, Json]) -> Ask:
    """The question whether a caller may correct a stream."""
    access = parts.registry.kind(stream.kind).access
    return Ask(caller, "observation.correct", f"stream:{stream.id}", "", {"access": access, **facts})


def block(
    parts: PageParts, caller: Caller, stream: Stream, said: Mapping[str, str]
) -> tuple[CorrectionBlock, tuple[FormError, ...]]:
    """What was corrected and the forms, with the preview of what was typed and what is wrong with it."""
    access = parts.registry.kind(stream.kind).access
    if not parts.policy.decide(Ask(caller, "observation.read", stream.kind, "", {"access": access})).allowed:
        return CorrectionBlock((), (), ()), ()
    may = parts.policy.decide(ask(parts, caller, stream, {})).allowed
    say = _saying(parts, stream)
    lines = tuple(_line(parts, one, say, may=may) for one in parts.corrections.of(stream)[:_SHOWN])
    if not may or stream.ended is not None:
        return CorrectionBlock(lines, (), ()), ()
    # What is no quantity is set to another result of its type: nothing is reckoned with it.
    forms = (() if stream.sort in UNMEASURED else _SPAN, (_AT, results.field(parts, caller, stream, _VALUE)), _STRIKE)
    span, one, strike = (
        tuple(msgspec.structs.replace(field, value=said.get(field.name, field.value)) for field in fields) for fields in forms
    )
    block = CorrectionBlock(lines, span, one, strike)
    try:
        return msgspec.structs.replace(block, looked=_looked(parts, caller, stream, said)), ()
    except BadInputError as error:
        return block, (FormError(field(error, said), error.what),)


def field(error: BadInputError, said: Mapping[str, str]) -> str:
    """Which field of which form an error is about."""
    name = str(error.fields.get("field", "why"))
    if _AS_STRIKE.values() & said.keys():
        return _AS_STRIKE.get(name, name)
    return _AS_ONE.get(name, name) if "at" in said else name


def change(parts: PageParts, caller: Caller, stream: Stream, said: Mapping[str, str]) -> Change:
    """The change that was typed. Raises BadInputError with the field, ForbiddenError for whom may not see readings."""
    if _AS_STRIKE.values() & said.keys():
        since, until = (typed.moment(said.get(name, ""), name) for name in _AS_STRIKE.values())
        return Change(since, until, strikes=True)
    if "at" not in said:
        since, until = (typed.moment(said.get(name, ""), name) for name in ("since", "until"))
        factor, offset = (typed.number(said.get(name, usual), name) for name, usual in (("factor", "1"), ("offset", "0")))
        return Change(since, until, factor, offset)
    at, value = typed.moment(said["at"], "at"), results.typed_as(stream, said.get("value", ""))
    found = parts.history(caller, stream.id, at, Instant(at + SECOND))
    if len(found) != 1:
        what = Text(
            f"这一秒有 {len(found)} 个读数，须恰为一个；读数的时间见上方数据表。",
            f"There are {len(found)} readings in this second, there must be one. The table above says when readings were.",
        )
        raise BadInputError(what, field="at")
    return set_result(stream, found[0][0], value)


def _looked(parts: PageParts, caller: Caller, stream: Stream, said: Mapping[str, str]) -> Looked | None:
    if not {"at", "since", "until", *_AS_STRIKE.values()} & said.keys():
        return None
    shown = parts.corrections.preview(stream, change(parts, caller, stream, said))
    fields = tuple((name, said[name]) for name in FIELDS if name in said)
    return Looked(
        _would(shown, _saying(parts, stream, new_word(shown.change)), measured=stream.sort not in UNMEASURED), fields, shown.seen
    )


def _saying(parts: PageParts, stream: Stream, new: Json = None) -> _Say:
    """What readings of a stream say, one after another: numbers with their unit, or words, also a ``new`` one."""
    unit = rows.sign(stream.unit)

    def numbers(*values: float) -> Text:
        said = " → ".join(map(formats.reading, values))
        return Text(f"{said} {unit.zh}".rstrip(), f"{said} {unit.en}".rstrip())

    def words(*values: float) -> Text:
        known = parts.registry.worded.results([(stream, value) for value in values])
        found = [new if value == UNSAID and word is None else word for value, word in zip(values, known, strict=True)]
        said = [_GONE if word is None else written(word) for word in found]
        return Text(" → ".join(one.zh for one in said), " → ".join(one.en for one in said))

    return words if stream.sort in UNMEASURED else numbers


def _would(shown: Preview, say: _Say, *, measured: bool) -> tuple[Fact, ...]:
    facts = [
        Fact(Text("更正", "Correction"), _sum(shown.change, say)),
        Fact(Text("更正的读数", "Readings changed"), same(f"{shown.rows}")),
    ]
    if shown.unchanged:
        facts.append(Fact(Text("不变的读数", "Readings left as they are"), same(f"{shown.unchanged}")))
    facts += [_example(Text("第一个", "The first"), shown.first, say)]
    if shown.rows > 1:
        facts.append(_example(Text("最后一个", "The last"), shown.last, say))
    if shown.rows > 1 and measured:
        before, after = (f"{formats.reading(low)} – {formats.reading(high)}" for low, high in (shown.before, shown.after))
        span = same(before if shown.change.strikes else f"{before} → {after}")
        facts.append(Fact(Text("范围", "Range"), span))
    if shown.corrected:
        facts.append(Fact(Text("其中已更正过的", "Of them corrected before"), same(f"{shown.corrected}")))
    if shown.outside:
        facts.append(Fact(Text("其中更正后超出量程的", "Of them out of range afterwards"), same(f"{shown.outside}")))
    return tuple(facts)


def _example(title: Text, one: Changed, say: _Say) -> Fact:
    return Fact(title, _becomes(one.before, one.after, say), one.time)


def _becomes(before: float, after: float, say: _Say) -> Text:
    if NOTHING not in (before, after):
        return say(before, after)
    was, now = _NONE if before == NOTHING else say(before), _STRUCK if after == NOTHING else say(after)
    return Text(f"{was.zh} → {now.zh}", f"{was.en} → {now.en}")


def _sum(change: Change, say: _Say) -> Text:
    """What is done to each reading, in words."""
    if change.strikes:
        return _STRUCK
    if change.sets:
        said = say(change.offset)
        return Text(f"设为 {said.zh}", f"set to {said.en}")
    times = f"× {change.factor:g}" if change.factor != 1 else ""
    plus = f"{'+' if change.offset > 0 else '−'} {abs(change.offset):g}" if change.offset else ""
    return same(f"{times} {plus}".strip())


def _line(parts: PageParts, one: Correction, say: _Say, *, may: bool) -> CorrectionLine:
    facts = [Fact(Text("读数", "Readings"), same(f"{one.rows}"))]
    first = parts.corrections.kept(one.no, 1)
    if first:
        title = (
            Text("测得 → 更正", "Measured → corrected")
            if one.rows == 1
            else Text("第一个：测得 → 更正", "The first: measured → corrected")
        )
        facts.append(Fact(title, _becomes(first[0].measured, first[0].after, say), first[0].time))
    if one.change.until - one.change.since > 1:
        facts += [Fact(Text("起", "From"), same(""), one.change.since), Fact(Text("止", "Until"), same(""), one.change.until)]
    facts.append(Fact(Text("状态", "State"), _STATES[one.state]))
    said = _sum(one.change, say)
    back = () if one.ended is None else _back(parts, one)
    title = Text(f"第 {one.no} 号：{said.zh}", f"No. {one.no}: {said.en}")
    may_end = may and one.state == "standing"
    return CorrectionLine(one.no, title, tuple(facts), parts.accounts.name_of(one.by), one.why, one.wall, back, may_end)


def _back(parts: PageParts, one: Correction) -> tuple[Fact, ...]:
    ended = one.ended
    if ended is None:
        return ()
    return (
        Fact(Text("撤回", "Taken back by"), same(parts.accounts.name_of(ended.by)), ended.wall),
        Fact(Text("撤回理由", "Why"), same(ended.why)),
        Fact(Text("恢复的读数", "Readings that stand again"), same(f"{ended.restored}")),
    )
