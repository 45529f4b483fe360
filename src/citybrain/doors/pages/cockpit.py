"""The leader's cockpit (领导驾驶舱): the map, the figures, what happens, what is late, what is coming, what the night brought."""

from typing import Final

import msgspec
from litestar import Response, get

from citybrain.brain.see import last_night
from citybrain.doors.pages import boards, charts, figures, frame, instructed, maps, rows
from citybrain.doors.pages.parts import Call, PageParts, Parts
from citybrain.doors.pages.together import look
from citybrain.kernel.access import Caller, Order, Query
from citybrain.kernel.errors import BusyError
from citybrain.kernel.predicate import And, Compare
from citybrain.kernel.text import Text, same
from citybrain.web.views import AlertList, CaseList, Chart, Cockpit, Fact, Night, NightItem, Tone

_ALERTS: Final = 8
_CASES: Final = 8
_TRENDS: Final = 2
_LINES: Final = 40
"""Of a night, so many lines: the newest; its counts say how much there was in all."""
_OPEN: Final = Compare("state", "in", ("reported", "filed", "assigned", "handling", "finished"))
_NIGHT: Final[dict[str, tuple[Text, Tone]]] = {
    "told": (Text("预警", "Alert"), "warn"),
    "cleared": (Text("预警解除", "Alert cleared"), "good"),
    "opened": (Text("立案", "Case opened"), "plain"),
    "closed": (Text("结案", "Case closed"), "good"),
}


@get("/cockpit", opt=frame.opens("page.cockpit"), sync_to_thread=True)
def cockpit(request: Call, parts: Parts) -> Response[str]:
    """The whole screen; each card is patched alone afterwards."""
    live = f"/live/cockpit?lang={frame.language(request)}"
    return frame.shown(parts, request, msgspec.structs.replace(view(parts, request.user), live=live))


def view(parts: PageParts, caller: Caller) -> Cockpit:
    """What the cockpit shows to a caller now; all screens of a caller share it."""
    return parts.cockpits.of(caller, lambda: _made(parts, caller))


def _made(parts: PageParts, caller: Caller) -> Cockpit:
    return Cockpit(
        map=maps.overview(parts, caller),
        figures=figures.district_cards(parts),
        alerts=alerts(parts, caller),
        cases=cases(parts, caller),
        late=late(parts, caller),
        trends=_trends(parts, caller),
        night=night(parts),
    )


def alerts(parts: PageParts, caller: Caller) -> AlertList:
    """Open alerts, newest first."""
    found = rows.read(parts, caller, Query("alert", Compare("state", "eq", "open"), Order("began", descending=True), _ALERTS))
    nothing = Text("目前没有未解除的预警。", "No alert is open.")
    return AlertList(tuple(rows.alert_item(parts, row) for row in found.rows), nothing, "/data/alert" if found.next else "")


def cases(parts: PageParts, caller: Caller) -> CaseList:
    """Open cases, newest first."""
    found = rows.read(parts, caller, Query("case", _OPEN, Order("opened", descending=True), _CASES))
    nothing = Text("目前没有在办案件。", "No case is open.")
    items = tuple(rows.case_item(parts, row) for row in found.rows)
    return CaseList("cases", Text("在办案件", "Open cases"), items, nothing, "/desk" if found.next else "")


def late(parts: PageParts, caller: Caller) -> CaseList:
    """Overdue instructions and then overdue cases, the longest overdue first."""
    overdue = And((_OPEN, Compare("overdue", "eq", value=True)))
    found = rows.read(parts, caller, Query("case", overdue, Order("due"), _CASES))
    nothing = Text("没有超期案件。", "Nothing is overdue.")
    items = (*instructed.overdue(parts, caller), *(rows.case_item(parts, row) for row in found.rows))
    return CaseList("late", Text("超期未结", "Overdue"), items, nothing, "/desk?tab=late" if found.next else "")


def night(parts: PageParts) -> Night:
    """What happened in the last night, 20:00 to 07:55, or so far in this one: counted, and the newest of it.

    Where the facts belong to a process that is away, it says so: nothing else of the screen depends on it.
    """
    try:
        account = parts.night()
    except BusyError as error:
        return Night(*last_night(parts.clock.city()), (), error.what, parts.demo is not None)
    happened = (("told", account.told), ("cleared", account.cleared), ("opened", account.opened), ("closed", account.closed))
    items = [_happened(what, row) for what, found in happened for row in found]
    nothing = Text("夜间没有预警和案件。", "No alerts and no cases in the night.")
    ordered = tuple(sorted(items, key=lambda item: item.at))
    counts = tuple(Fact(_NIGHT[what][0], same(str(account.counts[what]))) for what, _ in happened) if items else ()
    more = max(0, sum(account.counts.values()) - _LINES)
    return Night(account.since, account.until, ordered[-_LINES:], nothing, parts.demo is not None, counts, more)


def _happened(what: str, row: rows.Row) -> NightItem:
    words, tone = _NIGHT[what]
    said = rows.words(row.get("because") or row["title"])
    name = f"/alerts/{row['alert']}" if "alert" in row else f"/desk/{row['number']}"
    return NightItem(rows.needed(row["time"]), Text(f"{words.zh}：{said.zh}", f"{words.en}: {said.en}"), tone, name)


def _trends(parts: PageParts, caller: Caller) -> tuple[Chart, ...]:
    """The outlook of the two entities that read highest on the first board that forecasts."""
    for board in parts.boards("cockpit"):
        if board.forecast is None:
            continue
        worst = boards.worst_first(look(parts, board))[:_TRENDS]
        return tuple(charts.outlook(parts, caller, board, entity) for entity in worst)
    return ()


HANDLERS = (cockpit,)
