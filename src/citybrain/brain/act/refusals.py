"""What act refuses and in which words: a move that is not the caller's, a unit that is none, a version that has passed."""

from sqlalchemy import Connection, select

from citybrain.brain.act import flow as flows_of
from citybrain.brain.act.store import UNIT
from citybrain.kernel.access import Caller
from citybrain.kernel.cases import Case, Move
from citybrain.kernel.errors import BadInputError, ForbiddenError, StaleError
from citybrain.kernel.text import Text


def require(move: Move, case: Case, caller: Caller) -> None:
    """Raise ForbiddenError unless the caller may take the move on this case."""
    if flows_of.may_take(move, case, caller):
        return
    what = Text(
        f"您不能对案件 {case.number} 办理“{move.title.zh}”：须由 {'、'.join(move.by)} 办理，处置人员限本单位案件。",
        f"You may not take '{move.title.en}' on {case.number}: it is for {', '.join(move.by)}; handlers act for their own unit.",
    )
    raise ForbiddenError(what, move=move.name, case=case.id, by=list(move.by), unit=case.unit)


def unit_for(connection: Connection, move: Move, case: Case, wanted: str | None) -> str:
    """The unit that answers after a move; raises BadInputError where it must be named and is not, or is none."""
    if not move.needs_unit:
        return case.unit
    if wanted is None:
        what = Text(f"“{move.title.zh}”需要选择承办单位。", f"'{move.title.en}' needs a unit. Choose who should answer.")
        raise BadInputError(what, field="to_unit")
    if connection.execute(select(UNIT.c.id).where(UNIT.c.id == wanted)).first() is None:
        what = Text(f"没有单位“{wanted}”。", f"There is no unit '{wanted}'. Choose one of the list.")
        raise BadInputError(what, field="to_unit", unit=wanted)
    return wanted


def stale(case: Case, seen: int) -> StaleError:
    """The error of a change to a version that has passed."""
    what = Text(
        f"案件 {case.number} 已被他人更新（现为第 {case.version} 版，您看到的是第 {seen} 版）。请刷新后再办理。",
        f"{case.number} was changed by somebody else (now version {case.version}, you saw {seen}). Reload and try again.",
    )
    return StaleError(what, case=case.id, version=case.version, seen=seen)
