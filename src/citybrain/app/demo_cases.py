"""Invented handling of a demonstration's cases (模拟生成): its accounts take, finish and check what alerts opened, most of it in time.

Only cases of the standard flow: what a flow of a pack's own asks of people, its author shows.
"""

import zlib
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from citybrain.app.city import City
from citybrain.app.demo_reports import MARK, somebody
from citybrain.brain import act
from citybrain.kernel.access import Order, Query, Role
from citybrain.kernel.cases import Case
from citybrain.kernel.instant import DAY, Instant
from citybrain.kernel.predicate import And, Compare
from citybrain.kernel.text import Text

ORIGIN: Final = Text("预警案件的办理为模拟生成", "the handling of alerts' cases is generated")
_IN_TIME, _LATE = 80, 90
"""Of a hundred cases so many are done within their time, and the others up to the second mark after it; the rest are left."""


class _Step(NamedTuple):
    at: Instant
    move: str
    role: Role
    note: str


class _Part(NamedTuple):
    """A move from a state, and at what part of the time that a case takes it comes."""

    source: str
    move: str
    role: Role
    note: str
    part: float


_PLAN: Final = (
    _Part("assigned", "take", "handler", "", 0.3),
    _Part("handling", "finish", "handler", f"已到现场核实处置{MARK}", 0.9),
    _Part("finished", "approve", "dispatcher", "", 1.0),
)


_OPEN: Final = Compare("state", "in", ("assigned", "handling", "finished"))
_TOLD: Final = (
    (2 * DAY, "逾期未办结，请说明原因并明确完成时间", "4h", ""),
    (DAY, "请核实现场情况，当日反馈", "1d", "已到现场核实，正在处置"),
)
"""How long ago, what, until when, and what was answered."""


def work(city: City, hold: Callable[[Instant], None], until: Instant) -> None:
    """Take every step of open cases that has come up by an instant, in the order of cases, with the city's clock held at each."""
    for case in _open(city):
        for done, step in enumerate(_steps(case, until)):
            hold(step.at)
            city.cases.move(case.id, step.move, somebody(city, step.role, case.unit), step.note, case.version + done)


def instruct(city: City, hold: Callable[[Instant], None], now: Instant) -> None:
    """What a leader wrote in the last days: of the open cases, on that late longest and on the next; the second was answered."""
    late = And((_OPEN, Compare("overdue", "eq", value=True)))
    found = city.sources["case"](Query("case", late, Order("due"), len(_TOLD))).rows
    leader = somebody(city, "leader", "")
    for (before, words, term, answer), row in zip(_TOLD, found, strict=False):
        hold(Instant(now - before))
        case = city.cases.by_number(str(row["number"]))
        made = city.instructions.give(case.id, leader, f"{words}{MARK}", term)
        if answer:
            hold(Instant(now - before // 2))
            city.instructions.follow(made.id, "answer", somebody(city, "handler", case.unit), f"{answer}{MARK}")


def _open(city: City) -> Iterator[Case]:
    states = ("assigned", "handling", "finished")
    for state in states:
        rows = city.sources["case"](Query("case", Compare("state", "eq", state), limit=1000)).rows
        for number in sorted(str(row["number"]) for row in rows):
            case = city.cases.by_number(number)
            if case.cause.startswith("alert:") and case.flow == act.STANDARD_FLOW.name:
                yield case


def _steps(case: Case, until: Instant) -> list[_Step]:
    """What is to be done of a case by an instant: by its number some are quick, some late, some left lying."""
    lot = zlib.crc32(case.number.encode()) % 100
    if lot >= _LATE:
        return []
    share = 0.3 + 0.6 * lot / _IN_TIME if lot < _IN_TIME else 1.3
    steps: list[_Step] = []
    for one in _PLAN:
        at = Instant(case.opened + round(one.part * share * (case.due - case.opened)))
        if at > until:
            break
        if steps or case.state == one.source:
            steps.append(_Step(at, one.move, one.role, one.note))
    return steps
