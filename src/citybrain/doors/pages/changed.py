"""What has become since of readings that something was concluded from, in words."""

from collections.abc import Mapping
from typing import Final

from citybrain.brain.observe import Altered, readable, written
from citybrain.doors.pages import rows
from citybrain.doors.pages.parts import PageParts
from citybrain.kernel.access import Caller
from citybrain.kernel.instant import parse
from citybrain.kernel.text import Json, Text
from citybrain.web import formats
from citybrain.web.views import Fact

_STRUCK: Final = Text("作废", "struck out")
_HOW: Final = {
    "corrected": Text("其后由人员更正", "Set by a person since"),
    "struck": Text("其后作废", "Struck out since"),
    "restored": Text("更正已撤回", "Correction taken back since"),
    "computed": Text("其后重新计算", "Computed anew since"),
    "resent": Text("其后收到新值", "Another value came in since"),
}


def of_alert(parts: PageParts, caller: Caller, row: rows.Row) -> tuple[Fact, ...]:
    """The readings that an alert rests on, as its row shows it, that are not what it saw. Blocks."""
    if row.get("evidence") is None:
        return ()
    seen = readable(parts.policy, parts.registry, caller, parts.alerts.alert(str(row["id"])).evidence)
    return tuple(_line(parts, one) for one in parts.corrections.altered(seen))


def behind(parts: PageParts, caller: Caller, causes: Mapping[str, str]) -> frozenset[str]:
    """Of rows (id → the id of the alert they are, or were opened for) those that rest on what was corrected since. Blocks."""
    seen = parts.alerts.evidence(tuple(set(causes.values())))
    touched = parts.corrections.behind({name: readable(parts.policy, parts.registry, caller, each) for name, each in seen.items()})
    return frozenset(key for key, name in causes.items() if name in touched)


def fact(one: Mapping[str, Json]) -> Fact:
    """What has become of one reading of a chain, as it is said there."""
    unit, now, number = str(one["unit"]), one["now"], one["correction"]
    title = _HOW[str(one["how"])]
    if isinstance(number, int):
        title = Text(f"{title.zh}（第 {number} 号）", f"{title.en} (no. {number})")
    return Fact(title, _became(one["was"], now, unit), parse(str(one["at"])))


def _line(parts: PageParts, one: Altered) -> Fact:
    stream = parts.registry.stream(one.stream)
    field, how = parts.registry.kind(stream.kind).field(stream.field).title, _HOW[one.how]
    return Fact(Text(f"{field.zh}：{how.zh}", f"{field.en}: {how.en}"), _became(one.was, one.now, one.unit), one.at)


def _became(was: Json, now: Json, unit: str) -> Text:
    sign = rows.sign(unit)
    before, after = _said(was), _STRUCK if now is None else _said(now)
    return Text(f"{before.zh} → {after.zh} {sign.zh}".rstrip(), f"{before.en} → {after.en} {sign.en}".rstrip())


def _said(result: Json) -> Text:
    if isinstance(result, float):
        shown = formats.reading(result)
        return Text(shown, shown)
    return written(result)
