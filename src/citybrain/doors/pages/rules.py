"""Rules and their limits turned into what the studio's views show."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from citybrain.brain.detect import MONTH, Limit, LimitVersion
from citybrain.doors.pages.parts import PageParts
from citybrain.doors.pages.rows import sign
from citybrain.kernel.instant import duration
from citybrain.kernel.pack import Pack, Rule
from citybrain.kernel.text import Lang, Text, same
from citybrain.web import formats
from citybrain.web.studio_views import Back, LimitForm, LimitStep, RuleItem
from citybrain.web.views import Fact

_PLACE: Final = re.compile(r"\{(\w+)[^}]*\}")
_MARKS: Final = {
    "confirmed": Text("已核原文", "checked in the original"),
    "secondary": Text("转引", "second hand"),
    "memory": Text("凭记忆，待核", "from memory, to be checked"),
    "local": Text("本区设定", "the district's own"),
}


def item(parts: PageParts, pack: Pack, rule: Rule) -> RuleItem:
    """A rule as a line."""
    mine = [limit for limit in parts.limits.all() if limit.pack == pack.name and rule.name in limit.rules]
    return RuleItem(
        name=rule.name,
        href=f"/studio/{pack.name}/{rule.name}",
        says=says(parts, pack, rule),
        on=parts.registry.kind(rule.on).title,
        condition=rule.when,
        basis=rule.basis,
        grade=int(rule.grade),
        version=parts.limits.version(f"{pack.name}.{rule.name}"),
        limits=tuple(_stands(limit) for limit in mine),
    )


def says(parts: PageParts, pack: Pack, rule: Rule) -> Text:
    """What a rule tells, with the names of what is filled in instead of values."""
    kind = parts.registry.kind(rule.on)
    titles = {each.name: each.title or same(each.name) for each in pack.parameters}
    titles |= {field.name: field.title for field in kind.fields} | {"title": kind.title}

    def spoken(words: str, lang: Lang) -> str:
        left, right = ("〔", "〕") if lang == "zh" else ("[", "]")
        return _PLACE.sub(lambda found: f"{left}{titles.get(found[1], same(found[1])).get(lang)}{right}", words)

    return Text(spoken(rule.because.zh, "zh"), spoken(rule.because.en, "en"))


def facts(parts: PageParts, pack: Pack, rule: Rule) -> Iterator[Fact]:
    """A rule's declaration in a few lines."""
    yield Fact(Text("适用对象", "Applies to"), parts.registry.kind(rule.on).title)
    if rule.lasting is not None:
        seconds = duration(rule.lasting) // 1_000_000
        yield Fact(Text("须持续", "Must last"), Text(formats.span(seconds, "zh"), formats.span(seconds, "en")))
    if rule.clears is not None:
        yield Fact(Text("解除条件", "Clears when"), same(rule.clears))
    yield Fact(Text("依据", "Basis"), rule.basis)
    if rule.opens is not None:
        yield Fact(Text("触发案件", "Opens a case"), rule.opens.title)
    yield Fact(Text("规则版本", "Rule version"), same(parts.limits.version(f"{pack.name}.{rule.name}")))


def form(parts: PageParts, limit: Limit, asked: Mapping[str, str]) -> LimitForm:
    """A limit with its form, filled with what the address asks for."""
    mine, days = asked.get("limit") == limit.key, asked.get("days", "")
    title = next(pack.title for pack in parts.packs if pack.name == limit.pack)
    return LimitForm(
        key=limit.key,
        title=limit.title,
        value=limit.value,
        unit=limit.unit,
        sign=sign(limit.unit),
        low=limit.low,
        high=limit.high,
        version=limit.version,
        facts=(
            Fact(
                Text("声明值", "Declared"),
                Text(f"{limit.declared:g}（自 {limit.since}）", f"{limit.declared:g} (since {limit.since})"),
            ),
            Fact(Text("来源可信", "How sure"), _MARKS[limit.mark]),
            Fact(Text("影响规则", "Rules it is in"), Text(f"{title.zh}：{len(limit.rules)} 条", f"{title.en}: {len(limit.rules)}")),
        ),
        source=limit.source,
        typed=asked.get("value", f"{limit.value:g}") if mine else f"{limit.value:g}",
        days=int(days) if mine and days.isdecimal() and len(days) < 4 else MONTH,
    )


def step(parts: PageParts, limit: Limit, made: LimitVersion) -> LimitStep:
    """A published version as a line of the history."""
    return LimitStep(
        version=made.version,
        limit=limit.title,
        value=made.value,
        before=made.before,
        sign=sign(limit.unit),
        since=made.since,
        by=parts.accounts.name_of(made.by),
        why=made.why,
        note=made.note,
        back_to=made.back_to,
    )


def backs(parts: PageParts, limit: Limit) -> Iterator[Back]:
    """The versions that a limit may go back to, the newest first."""
    if not limit.version:
        return
    earlier = [(each.version, each.value) for each in parts.limits.history(limit.key)[1:]]
    for to, value in (*earlier, (0, limit.declared)):
        yield Back(limit.key, limit.title, to, value, sign(limit.unit), limit.version)


def _stands(limit: Limit) -> Text:
    shown = sign(limit.unit)
    return Text(f"{limit.title.zh}：{limit.value:g}{shown.zh}", f"{limit.title.en}: {limit.value:g} {shown.en}".rstrip())
