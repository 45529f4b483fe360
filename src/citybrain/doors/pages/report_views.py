"""The views of reports: the form with its places, the second step with classes and likes, and what became of a report."""

from collections.abc import Sequence
from typing import Final

import msgspec

from citybrain.brain.act import INSTRUCTED_STEPS, Alike, Progress
from citybrain.doors.pages import boards, rows
from citybrain.doors.pages.parts import Call, PageParts
from citybrain.kernel.calendar import Allowance
from citybrain.kernel.cases import Case
from citybrain.kernel.errors import NotFoundError
from citybrain.kernel.ids import new_id
from citybrain.kernel.places import Area
from citybrain.kernel.reports import RATINGS, ReportClass, ReportForm
from citybrain.kernel.text import Text, same
from citybrain.web.desk_views import FormError, Option, StepLine
from citybrain.web.map_views import Map, Shape
from citybrain.web.report_views import ClassChoice, LikeLine, PlaceGroup, RatingLine, ReportPage, ReportStand
from citybrain.web.views import CaseItem, Link

_LANDMARKS: Final = Text("地标和设施", "Landmarks")
_WHOLE: Final = Text("（不确定社区）", " (community not known)")
_CLICK: Final = Text("在图上点选位置", "Click on the map")
_NO_FORMS: Final = Text("本区尚未开通上报。请拨打 12345。", "This district takes no reports here yet. Call 12345.")
_COUNTED: Final[dict[str, Text]] = {
    "hours": Text("{amount} 小时内（昼夜计时）", "within {amount} hours, day and night"),
    "working_hours": Text("{amount} 个工作时内", "within {amount} working hours"),
    "working_days": Text("{amount} 个工作日内", "within {amount} working days"),
}
_UNTOLD: Final = frozenset({"note", "join", *INSTRUCTED_STEPS})
"""Steps that stay inside the house."""


def page(parts: PageParts, request: Call, form: ReportForm | None, key: str = "") -> ReportPage:
    """The empty form; a page that says why where there is none."""
    if form is None:
        return ReportPage(Text("上报", "Report"), _NO_FORMS, empty=_NO_FORMS)
    others = tuple(Link(one.title, f"/report?form={one.name}") for one in parts.reports.forms if one.name != form.name)
    return ReportPage(
        title=form.title,
        about=form.about,
        form=form.name,
        key=key or new_id(),
        forms=others,
        groups=groups(parts),
        map=_map(parts, request),
        photo=form.photo,
        keep_days=form.keep_days,
    )


def groups(parts: PageParts) -> tuple[PlaceGroup, ...]:
    """Every place that can be chosen by name: landmarks that are open to all, then communities by subdistrict."""
    found = [_landmarks(parts)]
    inside: dict[str | None, list[Area]] = {}
    for area in parts.areas.all():
        inside.setdefault(area.parent, []).append(area)
    for street in parts.areas.subdistricts():
        inner = inside.get(street.code, [])
        whole = Option(f"area:{street.code}", Text(street.name.zh + _WHOLE.zh, street.name.en + _WHOLE.en))
        found.append(PlaceGroup(street.name, (*(Option(f"area:{area.code}", area.name) for area in inner), whole)))
    return tuple(group for group in found if group.options)


def choices(parts: PageParts, form: ReportForm, classes: Sequence[ReportClass], area: str | None) -> tuple[ClassChoice, ...]:
    """Classes to choose, each with who would answer for it there and by when."""
    return tuple(
        ClassChoice(one.code, one.title, one.major, _unit(parts, form, one, area), promise(one.allowance)) for one in classes
    )


def promise(allowance: Allowance) -> Text:
    """A promised time in words."""
    words = _COUNTED[allowance.counting]
    return Text(words.zh.format(amount=allowance.amount), words.en.format(amount=allowance.amount))


def likes(parts: PageParts, found: Sequence[Alike]) -> tuple[LikeLine, ...]:
    """Open cases that may be the same matter."""
    return tuple(
        LikeLine(
            number=one.case.number,
            title=one.case.title,
            area=rows.area(parts, one.case.area),
            state=parts.cases.state_title(one.case.flow, one.case.state),
            opened=one.case.opened,
            metres=None if one.metres is None else round(one.metres),
        )
        for one in found
    )


def stand(parts: PageParts, seen: Progress, key: str, errors: tuple[FormError, ...] = ()) -> ReportStand:
    """What became of a report; officials' notes are told where they are the answer, and no official is named."""
    case, report = seen.case, seen.report
    told, titles = parts.cases.answers(case.flow), parts.cases.move_titles(case.flow)
    units = {unit.id: unit.name for unit in parts.units.all()}
    steps = [step for step in parts.cases.steps(case.id) if step.move not in _UNTOLD]
    form = next((one for one in parts.reports.forms if one.name == report.form), None)
    return ReportStand(
        case=_item(parts, case),
        key="-".join(key[at : at + 4] for at in range(0, len(key), 4)) if "-" not in key else key,
        words=report.words,
        spot=report.spot,
        photo=f"/report/{case.number}/photo" if report.photo else "",
        steps=tuple(
            StepLine(
                step.at,
                titles.get(step.move, same(step.move)),
                "",
                units.get(step.unit, same("")),
                step.note if step.move in told else "",
            )
            for step in steps
        ),
        answers=tuple(step.note for step in steps if step.move in told and step.note),
        ratings=tuple(RatingLine(one.at, dict(RATINGS)[one.grade], one.solved, one.words) for one in seen.ratings),
        grades=tuple(Option(str(grade), title) for grade, title in RATINGS) if seen.may_rate else (),
        may_reopen=seen.may_reopen,
        action=f"/report/{case.number}/rating",
        keep_days=0 if form is None else form.keep_days,
        errors=errors,
    )


def refused(view: ReportPage, typed: dict[str, str], held: str, error: FormError) -> ReportPage:
    """The form again with what was typed and what is wrong with it."""
    return msgspec.structs.replace(view, typed=typed, held=held, errors=(error,))


def subdistrict_map(parts: PageParts, name: str, title: Text) -> Map:
    """The subdistricts as shapes, without anything on them."""
    shapes = tuple(_shape(area) for area in parts.areas.subdistricts() if area.wkb)
    return Map(name, title, shapes=shapes, approval=parts.map_approval)


def _landmarks(parts: PageParts) -> PlaceGroup:
    kinds = [kind.name for pack in parts.packs for kind in pack.kinds if kind.place == "point" and kind.access == "unconditional"]
    things = [thing for kind in kinds for thing in parts.registry.entities(kind) if thing.place is not None]
    return PlaceGroup(_LANDMARKS, tuple(Option(f"thing:{thing.id}", thing.title) for thing in things[:500]))


def _map(parts: PageParts, request: Call) -> Map | None:
    """A plan where coordinates may be shown (审图号, or somebody signed in), else the schematic of equal tiles."""
    made = subdistrict_map(parts, "pick", _CLICK)
    if not made.shapes:
        return None
    return msgspec.structs.replace(made, tiles=not (parts.map_approval or request.user.known))


def _shape(area: Area) -> Shape:
    return Shape(area.code, area.name, boards.rings(area))


def _unit(parts: PageParts, form: ReportForm, kind: ReportClass, area: str | None) -> Text | None:
    try:
        return parts.units.unit(parts.reports.unit_for(form, kind, area)[1]).name
    except NotFoundError:
        return None


def _item(parts: PageParts, case: Case) -> CaseItem:
    return CaseItem(
        number=case.number,
        href="",
        title=case.title,
        state=parts.cases.state_title(case.flow, case.state),
        group=rows.group(case.state),
        unit=parts.units.unit(case.unit).name,
        area=rows.area(parts, case.area),
        opened=case.opened,
        due=case.due,
        closed=case.closed,
        grade=case.grade,
        demo=case.origin != "real",
    )
