"""Invented reports of a demonstration (模拟生成), filed and handled by its own accounts so that forms have a past."""

from collections.abc import Callable
from typing import Final

from citybrain.app import district
from citybrain.app.city import City
from citybrain.kernel.access import ANYONE, Caller, Role
from citybrain.kernel.instant import HOUR, MINUTE, Instant
from citybrain.kernel.reports import ReportForm, Said, Sample
from citybrain.kernel.text import Text

MARK: Final = "（模拟生成）"
ORIGIN: Final = Text("上报案件为模拟生成", "reports are generated")
_PAUSE: Final = 20 * MINUTE
"""Between two steps of a case."""
_STEPS: Final[tuple[tuple[str, Role, str], ...]] = (
    ("accept", "dispatcher", ""),
    ("assign", "dispatcher", ""),
    ("take", "handler", ""),
    ("finish", "handler", f"已到现场处置完毕{MARK}"),
    ("approve", "dispatcher", ""),
)
_REACHED: Final = {"reported": 0, "assigned": 2, "handling": 3, "closed": 5}


def play(city: City, hold: Callable[[Instant], None], now: Instant) -> None:
    """File the samples of every form as they came before an instant, oldest first, and walk each as far as it says."""
    forms = [(form, number, sample) for pack in city.packs for form in pack.reports for number, sample in enumerate(form.samples)]
    for form, number, sample in sorted(forms, key=lambda one: -one[2].hours):
        _one(city, hold, form, number, sample, Instant(now - int(sample.hours * HOUR)))


def _one(city: City, hold: Callable[[Instant], None], form: ReportForm, number: int, sample: Sample, at: Instant) -> None:
    streets = district.stage(city.areas.all()).subdistricts
    _, place = streets[sample.subdistrict % len(streets)]
    hold(at)
    said = Said(form.name, f"sample-{form.name}-{number:08d}", f"{sample.words}{MARK}", sample.code, place, None)
    receipt = city.reports.file(said, ANYONE, f"sample-{number}")
    for move, role, note in _STEPS[: _REACHED[sample.reached]]:
        at = Instant(at + _PAUSE)
        hold(at)
        case = city.cases.by_number(receipt.number)
        city.cases.move(case.id, move, somebody(city, role, case.unit), note, case.version, case.unit if move == "assign" else None)
    if sample.rated is not None:
        hold(Instant(at + _PAUSE))
        city.reports.rate(receipt.number, receipt.secret, f"sample-{number}", sample.rated, "", solved=True)


def somebody(city: City, role: Role, unit: str) -> Caller:
    """An account of the role; of handlers, one of the unit."""
    for account in city.accounts.all():
        if role in account.roles and (role != "handler" or account.unit == unit):
            return Caller(account.id, account.name, frozenset({role}), account.unit)
    return Caller(role, "", frozenset({role}), unit)
