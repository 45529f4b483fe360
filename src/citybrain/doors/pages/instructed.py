"""Instructions as pages show them: on their case with what may be done of them, and those that are late."""

from typing import Final

from citybrain.brain.act import FOLLOWING, STANDINGS, TERMS, Following, Instruction
from citybrain.doors.pages import rows
from citybrain.doors.pages.parts import PageParts
from citybrain.kernel.access import Caller, Order, Query
from citybrain.kernel.cases import Case
from citybrain.kernel.predicate import And, Compare
from citybrain.kernel.text import Text
from citybrain.web.desk_views import FollowForm, InstructForm, InstructionLine, Option
from citybrain.web.views import CaseItem

_MOST: Final = 8


def lines(parts: PageParts, caller: Caller, case: Case) -> tuple[InstructionLine, ...]:
    """The instructions on a case, those still open first."""
    found = sorted(parts.instructions.of(case.id), key=lambda one: one.state == "done")
    return tuple(_line(parts, caller, case, one) for one in found)


def form(caller: Caller, case: Case) -> InstructForm | None:
    """What a leader may instruct; None for everybody else."""
    if "leader" not in caller.roles:
        return None
    terms = tuple(Option(name, title) for name, (title, _) in TERMS.items())
    return InstructForm(f"/desk/{case.number}/instructions", terms)


def overdue(parts: PageParts, caller: Caller) -> tuple[CaseItem, ...]:
    """Instructions past their time, the longest first, as lines that open their case."""
    late = And((Compare("state", "in", ("open", "answered")), Compare("overdue", "eq", value=True)))
    found = rows.read(parts, caller, Query("instruction", late, Order("due"), _MOST))
    return tuple(
        CaseItem(
            number=str(row["number"]),
            href=f"/desk/{row['number']}",
            title=_followed(rows.words(row["title"])),
            state=STANDINGS["answered" if row["state"] == "answered" else "open"],
            group="checking" if row["state"] == "answered" else "working",
            unit=rows.words(row["unit_name"]),
            area=rows.area(parts, row["area"]),
            opened=rows.needed(row["given"]),
            due=rows.needed(row["due"]),
            instructed=True,
            demo=row["origin"] != "real",
        )
        for row in found.rows
    )


def _followed(title: Text) -> Text:
    return Text(f"督办：{title.zh}", f"Instruction: {title.en}")


def _line(parts: PageParts, caller: Caller, case: Case, one: Instruction) -> InstructionLine:
    may = parts.instructions.open_to(one, case, caller)
    return InstructionLine(
        id=one.id,
        words=one.words,
        by=parts.accounts.name_of(one.by),
        given=one.given,
        due=one.due,
        closed=one.closed,
        state=STANDINGS[one.state],
        answer=one.answer,
        answered=one.answered,
        forms=tuple(_form(case, one, following) for following in may),
        demo=one.origin != "real",
    )


def _form(case: Case, one: Instruction, following: Following) -> FollowForm:
    action = f"/desk/{case.number}/instructions/{one.id}"
    return FollowForm(f"{following}-{one.id}", following, FOLLOWING[following], action, following != "close")
