"""What a limit would have changed, as a page shows it: counts, days, entities, rules and the alerts themselves."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Final

from citybrain.brain.detect import Difference, Retold, Shift, Tally
from citybrain.doors.pages.parts import PageParts
from citybrain.doors.pages.rows import sign
from citybrain.kernel.instant import Instant, local, local_date
from citybrain.kernel.text import Text, same
from citybrain.web.studio_views import Bar, Tried
from citybrain.web.views import Cell, Column, Table, Tone

_SHOWN: Final = 40
"""Alerts that a page lists; the API gives all."""
_BEFORE, _AFTER = Text("现行", "Now"), Text("试算", "Tried")
_CHANGES: Final[dict[str, tuple[Text, Tone]]] = {
    "appears": (Text("新增", "Appears"), "warn"),
    "vanishes": (Text("消失", "Vanishes"), "good"),
    "moves": (Text("时间变动", "Moves"), "info"),
}
_NONE: Final = Text("没有变化。", "Nothing would change.")


def tried(parts: PageParts, found: Difference, says: dict[str, Text], *, may_publish: bool) -> Tried:
    """The result of a trial; ``says`` are the rules' words by full name."""
    limit = found.limit
    return Tried(
        title=limit.title,
        old=limit.value,
        new=found.value,
        sign=sign(limit.unit),
        before=found.before,
        after=found.after,
        coverage=_coverage(found),
        days=tuple(_days(found)),
        tables=tuple(_tables(parts, found, says)),
        contradictions=found.contradictions,
        key=limit.key if may_publish and found.value != limit.value else "",
        unit=limit.unit,
        version=limit.version,
    )


def _coverage(found: Difference) -> Text:
    since, until = (f"{local(at):%Y-%m-%d %H:%M}" for at in (found.since, found.until))
    zh = f"回放 {since} 至 {until}，{found.entities} 个对象的 {found.rows:,} 条读数（含前一日预热）。"
    en = f"Replayed {since} to {until}: {found.rows:,} readings of {found.entities} things (with a day's lead)."
    if found.first is None:
        return Text("没有可回放的历史数据。", "There is no history to replay.")
    if found.cut:
        return Text(zh + "读数过多，天数已缩短。", en + " There are too many readings for one replay, so it covers fewer days.")
    if (found.until - found.since) * 1.02 < found.days * 86_400_000_000:
        return Text(
            zh + f"历史只有这些，不足所选的 {found.days} 天。",
            en + f" There is no more history than this, of {found.days} days asked for.",
        )
    return Text(zh + "对象的填报字段按现值计。", en + " Fields that forms state are taken as they stand now.")


def _days(found: Difference) -> Iterator[Bar]:
    known = {tally.key: tally for tally in found.by_day}
    day, last = local_date(found.since), local_date(found.until)
    while day <= last:
        tally = known.get(day.isoformat(), Tally(day.isoformat(), 0, 0))
        yield Bar(f"{day.month}-{day.day}", same(day.isoformat()), tally.before, tally.after)
        day = date.fromordinal((day + timedelta(days=1)).toordinal())


def _tables(parts: PageParts, found: Difference, says: dict[str, Text]) -> Iterator[Table]:
    titles = {tally.key: parts.registry.entity(tally.key).title for tally in found.by_entity}
    yield _counts("things", Text("按对象", "By thing"), found.by_entity, titles)
    yield _counts("rules", Text("按规则", "By rule"), found.rules, says)
    shown = tuple(_row(parts, shift, says) for shift in found.shifts[: -_SHOWN - 1 : -1])
    title = Text("变化的预警", "Alerts that would change")
    if len(found.shifts) > _SHOWN:
        title = Text(f"变化的预警（最近{_SHOWN}条）", f"Alerts that would change (the last {_SHOWN})")
    columns = (
        Column("change", Text("变化", "Change")),
        Column("entity", Text("对象", "Thing")),
        Column("rule", Text("规则", "Rule")),
        Column("before", Text("现行起止", "Now, from and to")),
        Column("after", Text("试算起止", "Tried, from and to")),
    )
    yield Table("shifts", title, columns, shown, _NONE, total=len(found.shifts))


def _counts(name: str, title: Text, tallies: Sequence[Tally], titles: dict[str, Text]) -> Table:
    columns = (
        Column("key", title),
        Column("before", _BEFORE, numeric=True),
        Column("after", _AFTER, numeric=True),
        Column("more", Text("差", "Difference"), numeric=True),
    )
    rows = tuple(
        (
            Cell(text=titles.get(tally.key, same(tally.key))),
            Cell(number=float(tally.before)),
            Cell(number=float(tally.after)),
            Cell(text=same(f"{tally.after - tally.before:+d}" if tally.after != tally.before else "0")),
        )
        for tally in tallies
    )
    return Table(name, title, columns, rows, Text("没有预警。", "There were no alerts."))


def _row(parts: PageParts, shift: Shift, says: dict[str, Text]) -> tuple[Cell, ...]:
    words, tone = _CHANGES[shift.change]
    one = shift.one
    return (
        Cell(text=words, tone=tone),
        Cell(text=parts.registry.entity(one.entity).title),
        Cell(text=says.get(one.rule, same(one.rule))),
        _span(shift.before),
        _span(shift.after),
    )


def _span(alert: Retold | None) -> Cell:
    if alert is None:
        return Cell(text=same("—"))
    began = _brief(alert.began)
    if alert.cleared is None:
        return Cell(text=Text(f"{began} 起，未解除", f"since {began}"))
    return Cell(text=same(f"{began} – {_brief(alert.cleared)}"))


def _brief(at: Instant) -> str:
    return f"{local(at):%m-%d %H:%M}"
