"""The desk's list: which cases by tab and search, in which order, and a mark by which a change is known."""

import hashlib
from typing import Final
from urllib.parse import urlencode

import msgspec

from citybrain.doors.pages import rows
from citybrain.doors.pages.parts import Call, PageParts
from citybrain.kernel.access import Caller, Order, Query
from citybrain.kernel.predicate import And, Compare, Or, Predicate
from citybrain.kernel.text import Text
from citybrain.web.views import CaseList, Tone

_OPEN: Final = Compare("state", "in", ("reported", "filed", "assigned", "handling", "finished"))
_CLOSED: Final = Compare("closed", "ge", 0)
"""Cases that have a time of closing: asked so, the newest are read by their time of opening and the rest are not sorted."""
TABS: Final[tuple[tuple[str, Text, Predicate, Tone], ...]] = (
    ("open", Text("在办", "Open"), _OPEN, "plain"),
    ("new", Text("待受理", "New"), Compare("state", "in", ("reported", "filed")), "plain"),
    ("working", Text("处置中", "Being handled"), Compare("state", "in", ("assigned", "handling")), "plain"),
    ("checking", Text("待核查", "To be checked"), Compare("state", "eq", "finished"), "plain"),
    ("late", Text("逾期", "Overdue"), And((_OPEN, Compare("overdue", "eq", value=True))), "bad"),
    ("instructed", Text("督办", "Instructed"), And((_OPEN, Compare("instructed", "eq", value=True))), "bad"),
    ("closed", Text("已结案", "Closed"), _CLOSED, "plain"),
)
_LONGEST: Final = 15
"""Digits of the code of a grid, the smallest area."""
_EMPTY: Final = Text("此栏目下没有案件。", "There are no cases here.")


class Asked(msgspec.Struct, frozen=True):
    """What the list is asked for: a tab, words, an area by its code, the page that begins at a cursor; and whether on a map."""

    tab: tuple[str, Text, Predicate, Tone]
    search: str = ""
    cursor: str = ""
    area: str = ""
    mapped: bool = False


def asked(request: Call) -> Asked:
    """What an address asks for; the first tab for one that there is not, and no area for what is no code of one."""
    said = request.query_params
    tab = next((tab for tab in TABS if tab[0] == said.get("tab")), TABS[0])
    area = said.get("area", "")
    code = area if area.isascii() and area.isdigit() and len(area) <= _LONGEST else ""
    return Asked(tab, said.get("q", "").strip()[:100], said.get("cursor", ""), code, said.get("view") == "map")


def told(wanted: Asked) -> dict[str, str]:
    """What was asked for, as the parameters of an address."""
    view = "map" if wanted.mapped else ""
    said = {"tab": wanted.tab[0], "q": wanted.search, "area": wanted.area, "view": view, "cursor": wanted.cursor}
    return {name: value for name, value in said.items() if value}


def address(wanted: Asked) -> str:
    """Where a list stands."""
    return f"/desk?{urlencode(told(wanted))}"


def sought(wanted: Asked) -> Predicate:
    """The cases of a tab that have the words and lie in the area."""
    parts = [wanted.tab[2]]
    if wanted.search:
        parts.append(Or(tuple(Compare(field, "contains", wanted.search) for field in ("number", "words", "title"))))
    if wanted.area:
        # The codes of all within an area begin with its own.
        parts += [Compare("area", "ge", wanted.area), Compare("area", "lt", f"{wanted.area}:")]
    return And(tuple(parts))


def order(wanted: Asked) -> Order:
    """What is due first; of what is closed, the newest."""
    return Order("opened", descending=True) if wanted.tab[0] == "closed" else Order("due")


def listed(parts: PageParts, caller: Caller, wanted: Asked) -> tuple[CaseList, str]:
    """The cases of a list, and the cursor of what follows."""
    page = rows.read(parts, caller, Query("case", sought(wanted), order(wanted), 50, wanted.cursor or None))
    return CaseList("cases", wanted.tab[1], tuple(rows.case_item(parts, row) for row in page.rows), _EMPTY), page.next or ""


def mark(cases: CaseList) -> str:
    """A few letters that change when a case comes, goes or moves."""
    said = [(case.number, case.state, case.unit, case.handler) for case in cases.items]
    return hashlib.blake2b(msgspec.json.encode(said), digest_size=8).hexdigest()
