"""Streams by life: how many are in each, since when one is not live and why, a page at a time."""

from typing import Final
from urllib.parse import quote, urlencode

from litestar import Response, get

from citybrain.brain.observe import KNOWN_HOURS
from citybrain.doors.pages import frame, rows, spoken
from citybrain.doors.pages.parts import Call, PageParts, Parts
from citybrain.kernel.access import Caller, Order, Query
from citybrain.kernel.errors import BadInputError, NotFoundError
from citybrain.kernel.predicate import EVERYTHING, Compare, Predicate
from citybrain.kernel.text import Text, same
from citybrain.kernel.things import LIFE_WORDS, Life
from citybrain.web.desk_views import Tab
from citybrain.web.stream_views import StreamsPage
from citybrain.web.views import Cell, Column, Fact, Table, Tone

PATH: Final = "/admin/streams"
_SHOWN: Final = 50
_FINE: Final = (Life.LIVE, Life.CLOSED)
_AILING: Final = tuple(life.value for life in Life if life not in _FINE)
_ALL: Final = "all"
_NONE: Final = "none"
"""Streams of which nobody promised anything, so that nothing can be said of them."""
_NOTHING: Final = same("—")
_ORDER: Final = (
    Life.LATE, Life.STUCK, Life.OUT_OF_RANGE, Life.CONTRADICTED, Life.DRIFTING, Life.NEVER, Life.CLOSED, Life.LIVE,
)  # fmt: skip
_UNPROMISED: Final = Compare("contract", "eq", "none")
_NO_PROMISE: Final = Text("没有约定", "No contract")
_TITLES: Final = {
    "": Text("需要关注的监测项", "Streams to look after"),
    _ALL: Text("全部监测项", "All streams"),
    _NONE: _NO_PROMISE,
    **{life.value: LIFE_WORDS[life] for life in Life},
}
_EMPTY: Final = {
    "": Text("所有监测项都正常，或在停用时段。", "Every stream is live, or closed at this hour."),
    _ALL: Text("尚无监测项。", "There is no stream yet."),
    _NONE: Text("每个监测项都有约定。", "Every stream has a contract."),
}
_COLUMNS: Final = (
    Column("stream", Text("监测项", "Stream")),
    Column("life", Text("状态", "Life")),
    Column("since", Text("自何时起", "Since"), named=True),
    Column("why", Text("原因", "Why")),
    Column("value", Text("最新读数", "Latest reading"), named=True),
    Column("time", Text("观测时间", "Observed"), named=True),
)


@get(PATH, opt=frame.opens("page.streams"), sync_to_thread=True)
def streams(request: Call, parts: Parts) -> Response[str]:
    """The streams of one life; by default those to be looked after."""
    asked = request.query_params.get("life", "")
    chosen = asked if asked in _TITLES else ""
    cursor = request.query_params.get("cursor", "")
    return frame.shown(
        parts, request, StreamsPage(_tabs(parts, request.user, chosen), _table(parts, request.user, chosen, cursor), _judged(parts))
    )


def _tabs(parts: PageParts, caller: Caller, chosen: str) -> tuple[Tab, ...]:
    counts = parts.census.counts()
    ailing = sum(count for life, count in counts.items() if life not in _FINE)
    unpromised = rows.read(parts, caller, Query("stream", _UNPROMISED, limit=0, count=True)).total or 0
    tabs = [
        Tab(Text("需要关注", "To look after"), PATH, ailing, not chosen, "warn" if ailing else "plain"),
        Tab(_NO_PROMISE, f"{PATH}?{urlencode({'life': _NONE})}", unpromised, chosen == _NONE, "warn" if unpromised else "plain"),
    ]
    for life in _ORDER:
        address = f"{PATH}?{urlencode({'life': life.value})}"
        tabs.append(Tab(LIFE_WORDS[life], address, counts.get(life, 0), chosen == life.value))
    every = Text("全部", "All")
    return (*tabs, Tab(every, f"{PATH}?{urlencode({'life': _ALL})}", sum(counts.values()), chosen == _ALL))


def _table(parts: PageParts, caller: Caller, chosen: str, cursor: str) -> Table:
    found = rows.read(parts, caller, Query("stream", _where(chosen), Order("id"), _SHOWN, cursor or None, count=True))
    return Table(
        "streams",
        _TITLES[chosen],
        _COLUMNS,
        tuple(_line(parts, row) for row in found.rows),
        _EMPTY.get(chosen, Text("没有处于这一状态的监测项。", "No stream is in this state.")),
        next=found.next or "",
        first=not cursor,
        total=found.total,
        demo=parts.demo is not None,
    )


def _where(chosen: str) -> Predicate:
    if chosen == _NONE:
        return _UNPROMISED
    return EVERYTHING if chosen == _ALL else Compare("life", "eq", chosen) if chosen else Compare("life", "in", _AILING)


def _line(parts: PageParts, row: rows.Row) -> tuple[Cell, ...]:
    life = Life(str(row["life"]))
    tone: Tone = "plain" if life in _FINE else "warn"
    never, since = LIFE_WORDS[Life.NEVER], rows.moment(row["since"])
    return (
        Cell(text=named(parts, row), href=f"{PATH}/{quote(str(row['id']))}"),
        Cell(text=LIFE_WORDS[life], tone=tone),
        Cell(text=_NOTHING) if since is None else Cell(at=since),
        Cell(text=_NOTHING if life is Life.LIVE else rows.words(row["why"])),
        Cell(text=spoken.reading(row), reason=never),
        Cell(at=rows.moment(row["time"]), reason=never),
    )


def named(parts: PageParts, row: rows.Row) -> Text:
    """The thing's name and the field's, as people say them."""
    kind, field = str(row["kind"]), str(row["field"])
    try:
        title, own = parts.registry.entity(str(row["entity"])).title, parts.registry.kind(kind).field(field).title
    except (NotFoundError, BadInputError, KeyError):
        return same(str(row["id"]))
    return Text(f"{title.zh} · {own.zh}", f"{title.en} · {own.en}")


def _judged(parts: PageParts) -> tuple[Fact, ...]:
    said = parts.judged()
    lines = (
        (Text("已与周边同类比对", "Held against their neighbours"), said.judged),
        (Text("未约定与周边一致，不比对", "Not promised to agree, not compared"), said.no_promise),
        (Text("周边同类测点不足 4 个，无法比对", "Fewer than 4 neighbours, cannot be compared"), said.few_neighbours),
        (
            Text(f"历史不足 {KNOWN_HOURS} 小时，暂不比对", f"Less than {KNOWN_HOURS} hours of history, not compared yet"),
            said.little_history,
        ),
    )
    return tuple(Fact(title, Text(f"{count} 项", f"{count}")) for title, count in lines)


HANDLERS = (streams,)
