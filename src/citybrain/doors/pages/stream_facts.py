"""A stream in words: what it is now, what it promises and what is missing, what a proposal rests on, and the form of agreeing."""

from collections.abc import Mapping
from typing import Final

from citybrain.brain.observe import Gap, Learned, Promise
from citybrain.doors.pages import rows, spoken, typed
from citybrain.doors.pages.parts import PageParts
from citybrain.doors.pages.rows import Row
from citybrain.kernel.access import Caller
from citybrain.kernel.errors import ForbiddenError
from citybrain.kernel.instant import DAY, MINUTE, Instant
from citybrain.kernel.text import Text, same
from citybrain.kernel.things import LIFE_WORDS, Contract, Life, Stream
from citybrain.web import formats
from citybrain.web.stream_views import PromiseField, PromiseLine
from citybrain.web.views import Cell, Column, Fact, Table

_SPANS: Final = (
    ("every", Text("上报间隔（分钟）", "Interval (minutes)")),
    ("silent_after", Text("多久没有读数算中断（分钟）", "Late after (minutes)")),
    ("stuck_after", Text("数值多久不变算异常（分钟）", "Stuck after (minutes)")),
)
_LIMITS: Final = (("low", Text("量程下限", "Lowest")), ("high", Text("量程上限", "Highest")))
_HOURS: Final = (("opens", Text("每日开始上报", "Reports from")), ("closes", Text("每日停止上报", "Reports until")))
_WEEK: Final = 7 * DAY
_SHOWN: Final = 20
_COMPLETE: Final = Text("近 7 日没有缺口。", "No gaps in 7 days.")
_NOTHING_DUE: Final = Text("没有约定上报间隔，无从判断缺了什么。", "No interval is promised, so nothing can be said to be missing.")
_NEVER: Final = Text(
    "登记以来没有收到过读数：缺口从第一个读数之后算起。",
    "No reading has come since it was registered: gaps are counted after the first.",
)
_NONE_SINCE: Final = Text("至今没有", "none since")
_NO_GROUND: Final = Text("没有依据", "no ground for one")
_WAYS: Final = {"line": Text("两端连线", "straight line"), "day": Text("前后各日同时刻", "same times of the days around")}
_GAP_COLUMNS: Final = (
    Column("since", Text("最后一次读数", "Last reading")),
    Column("until", Text("下一次读数", "Next reading")),
    Column("missing", Text("缺少读数", "Missing"), numeric=True),
    Column("estimated", Text("估计（不计入任何指标）", "Estimate (counted nowhere)")),
)
NOTHING: Final = (
    Fact(
        Text("约定", "Contract"),
        Text("没有约定：无法判定是否中断或不变。", "None: whether it is late or stuck cannot be told."),
    ),
)
"""What is said of a stream of which nobody promised anything."""


def now(parts: PageParts, row: Row) -> tuple[Fact, ...]:
    """A stream as it is now: its life and why, its latest reading, where it is."""
    life, said = Life(str(row["life"])), spoken.reading(row)
    facts = [Fact(Text("状态", "Life"), LIFE_WORDS[life], rows.moment(row["since"]))]
    if life is not Life.LIVE:
        facts.append(Fact(Text("原因", "Why"), rows.words(row["why"])))
    if said is not None:
        facts.append(Fact(Text("最新读数", "Latest reading"), said, rows.moment(row["time"])))
    return (*facts, Fact(Text("标识", "Id"), same(str(row["id"]))), Fact(Text("区域", "Area"), rows.area(parts, row["area"])))


def contract(promised: Contract, unit: Text) -> tuple[Fact, ...]:
    """What a contract promises, a line each; none for one that promises nothing."""
    facts = [Fact(title, same(f"{span / MINUTE:g}")) for name, title in _SPANS if (span := getattr(promised, name)) is not None]
    if promised.low is not None or promised.high is not None:
        low, high = ("…" if each is None else formats.reading(each) for each in (promised.low, promised.high))
        facts.append(
            Fact(Text("量程", "Range"), Text(f"{low} 至 {high} {unit.zh}".rstrip(), f"{low} to {high} {unit.en}".rstrip()))
        )
    if promised.opens is not None and promised.closes is not None:
        facts.append(Fact(Text("上报时段", "Reports"), same(f"{typed.clock(promised.opens)}-{typed.clock(promised.closes)}")))
    return tuple(facts)


def gaps(parts: PageParts, caller: Caller, stream: Stream, unit: Text) -> Table:
    """What is missing of a week, with estimates; empty, with the reason, for whom may not see readings."""
    until, never = Instant(parts.clock.city() + 1), parts.latest.of(stream.no) is None
    empty = _NOTHING_DUE if stream.contract.every is None else _NEVER if never else _COMPLETE
    try:
        found = parts.missing(caller, stream.id, Instant(until - _WEEK), until)
    except ForbiddenError as refused:
        found, empty = (), refused.what
    sign = unit.zh and Text(f" {unit.zh}", f" {unit.en}")
    return Table(
        "gaps",
        Text("近 7 日的数据缺口", "Gaps of 7 days"),
        _GAP_COLUMNS,
        tuple(_gap(one, sign or same("")) for one in reversed(found[-_SHOWN:])),
        empty,
        total=len(found),
        demo=stream.origin != "real",
    )


def _gap(gap: Gap, sign: Text) -> tuple[Cell, ...]:
    estimated, error = _NO_GROUND, None
    if gap.values:
        low, high = formats.reading(min(gap.values)), formats.reading(max(gap.values))
        span = same(low) if low == high else Text(f"{low} 至 {high}", f"{low} to {high}")
        estimated = Text(f"{span.zh}{sign.zh}", f"{span.en}{sign.en}")
        way = _WAYS[gap.way or "line"]
        error = (
            way
            if gap.error is None
            else Text(f"{way.zh}，误差约 {gap.error:.3g}{sign.zh}", f"{way.en}, off by {gap.error:.3g}{sign.en}")
        )
    struck = Text(f"作废 {gap.struck}", f"{gap.struck} struck out") if gap.struck else None
    missing = Cell(number=float(gap.missing), note=struck)
    until = Cell(reason=_NONE_SINCE) if gap.until is None else Cell(at=gap.until)
    return (Cell(at=gap.since), until, missing, Cell(text=estimated, note=error))


def evidence(learned: Learned, unit: Text, *, measured: bool) -> tuple[Fact, ...]:
    """What a proposal rests on, and how such a one was kept; no extremes of what is not ``measured``."""
    broken, lowest, highest = learned.broken, formats.reading(learned.lowest), formats.reading(learned.highest)
    usual, longest = learned.usual / MINUTE, learned.longest / MINUTE
    between = Text(
        f"{lowest} 至 {highest} {unit.zh}".rstrip(),
        f"{lowest} and {highest} {unit.en}".rstrip(),
    )
    return (
        Fact(Text("依据的读数", "Readings it rests on"), same(f"{learned.readings}")),
        Fact(Text("自", "From"), same(""), learned.since),
        Fact(Text("至", "Until"), same(""), learned.until),
        Fact(
            Text("读数间隔", "Intervals"),
            Text(f"通常 {usual:g} 分钟，最长 {longest:g} 分钟", f"usually {usual:g} min, {longest:g} at most"),
        ),
        *((Fact(Text("读数范围", "Seen between"), between),) if measured else ()),
        Fact(
            Text("检验", "Held against"),
            Text(
                f"只用前三分之二学习，在其余 {broken.readings} 个读数上会报：中断 {broken.late} 次，不变 {broken.stuck} 次，超量程 {broken.out_of_range} 次",
                f"learned from the older two thirds alone, of the other {broken.readings} readings it would have named {broken.late} late, "
                f"{broken.stuck} stuck, {broken.out_of_range} out of range",
            ),
        ),
    )


def fields(promised: Contract, given: Mapping[str, str], unit: Text, *, measured: bool) -> tuple[PromiseField, ...]:
    """The form of agreeing, filled with what was typed, or with a contract; what is not ``measured`` has no limits."""

    def value(name: str, text: str | None) -> str:
        return given.get(name, text or "")

    spans = [(name, title, getattr(promised, name)) for name, title in _SPANS]
    sign = Text(f"（{unit.zh}）" if unit.zh else "", f" ({unit.en})" if unit.en else "")
    limits = [
        (name, Text(f"{title.zh}{sign.zh}", f"{title.en}{sign.en}"), getattr(promised, name)) for name, title in _LIMITS if measured
    ]
    hours = [(name, title, getattr(promised, name)) for name, title in _HOURS]
    return (
        *(PromiseField(name, title, value(name, None if span is None else _exact(span / MINUTE))) for name, title, span in spans),
        *(PromiseField(name, title, value(name, None if limit is None else _exact(limit))) for name, title, limit in limits),
        *(PromiseField(name, title, value(name, None if at is None else typed.clock(at)), clock=True) for name, title, at in hours),
    )


def _exact(value: float) -> str:
    """A number as it is typed: what a person agrees on is what was shown, ten seconds as 0.166666666666667 minutes too."""
    return f"{value:.15g}"


def line(parts: PageParts, one: Promise, unit: Text) -> PromiseLine:
    """A version of the history."""
    facts = () if one.contract is None else contract(one.contract, unit)
    return PromiseLine(one.no, facts, parts.accounts.name_of(one.by), one.why, one.wall)
