"""Which open cases a new report may repeat: near in place, near in time, of the same class, in like words. Pure."""

from collections.abc import Sequence

import msgspec

from citybrain.brain.act.alike import likeness, metres
from citybrain.brain.act.report_rows import Report
from citybrain.kernel.cases import Case
from citybrain.kernel.instant import Instant
from citybrain.kernel.reports import ReportForm, Said

_SAME_CLASS, _SAME_MAJOR, _WORDS, _FRESH = 0.45, 0.2, 0.35, 0.2
_ENOUGH = 0.5
_COMMUNITY = 12
"""Digits of a community's code: without points, two reports of one community are near."""


class Alike(msgspec.Struct, frozen=True):
    """An open case that may be the same matter, how like it is (0 to 1) and how far away where both have a point."""

    case: Case
    score: float
    metres: float | None
    reports: int


def alike(
    form: ReportForm, said: Said, area: str | None, now: Instant, recent: Sequence[tuple[Report, Case]], limit: int = 3
) -> tuple[Alike, ...]:
    """The cases of recent reports that a new one may repeat, likest first."""
    best: dict[str, Alike] = {}
    for report, case in recent:
        gap = None if said.place is None or report.place is None else metres(said.place, report.place)
        near = _same_community(area, report.area) if gap is None else gap <= form.alike_metres
        score = _score(form, said, report, now) if near else 0.0
        if score < _ENOUGH:
            continue
        known = best.get(case.id)
        count = 1 if known is None else known.reports + 1
        if known is None or score > known.score:
            best[case.id] = Alike(case, score, gap, count)
        else:
            best[case.id] = msgspec.structs.replace(known, reports=count)
    return tuple(sorted(best.values(), key=lambda one: -one.score)[:limit])


def _score(form: ReportForm, said: Said, report: Report, now: Instant) -> float:
    same = _SAME_CLASS if said.code == report.code else _SAME_MAJOR if said.code[:2] == report.code[:2] else 0.0
    fresh = max(0.0, 1 - (now - report.filed) / form.alike_within)
    return same + _WORDS * likeness(said.words, report.words) + _FRESH * fresh


def _same_community(one: str | None, other: str | None) -> bool:
    return bool(one and other) and str(one)[:_COMMUNITY] == str(other)[:_COMMUNITY]
