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
_EMPTY: Final = Text("此栏目下没有案件。", "There are no cases here.")


class Asked(msgspec.Struct, frozen=True):
    """What the list is asked for."""

    tab: tuple[str, Text, Predicate, Tone]
    search: str
    cursor: str


def asked(request: Call) -> Asked:
    """What an address asks for; the first tab for one that there is not."""
    said = request.query_params
    tab = next((tab for tab in TABS if tab[0] == said.get("tab")), TABS[0])
    return Asked(tab, said.get("q", "").strip()[:100], said.get("cursor", ""))


def address(wanted: Asked) -> str:
    """Where a list stands."""
    said = {"tab": wanted.tab[0], "q": wanted.search, "cursor": wanted.cursor}
    return f"/desk?{urlencode({name: value for name, value in said.items() if value})}"


def listed(parts: PageParts, caller: Caller, wanted: Asked) -> tuple[CaseList, str]:
    """The cases of a list, and the cursor of what follows."""
    name, title, where, _ = wanted.tab
    if wanted.search:
        found = tuple(Compare(field, "contains", wanted.search) for field in ("number", "words", "title"))
        where = And((where, Or(found)))
    order = Order("opened", descending=True) if name == "closed" else Order("due")
    page = rows.read(parts, caller, Query("case", where, order, 50, wanted.cursor or None))
    return CaseList("cases", title, tuple(rows.case_item(parts, row) for row in page.rows), _EMPTY), page.next or ""


def mark(cases: CaseList) -> str:
    """A few letters that change when a case comes, goes or moves."""
    said = [(case.number, case.state, case.unit, case.handler) for case in cases.items]
    return hashlib.blake2b(msgspec.json.encode(said), digest_size=8).hexdigest()
