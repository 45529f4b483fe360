"""Flows as graphs: which move may follow which, and whether a declared flow hangs together. Pure."""

from collections.abc import Iterable
from typing import get_args

from citybrain.kernel.access import ROLES, Caller
from citybrain.kernel.cases import Case, Flow, Move, Party
from citybrain.kernel.errors import DeclarationError, RefusedMoveError
from citybrain.kernel.text import Text

_PARTIES = frozenset(ROLES) | frozenset(get_args(Party))
_OWN_UNIT_ONLY = frozenset({"handler"})
"""Roles that act for one unit: they move the cases of their own unit and no others."""


def check_flow(flow: Flow) -> None:
    """Raise DeclarationError unless all names are known, every state is reachable, and every state leads to an end."""
    names = [state.name for state in flow.states]
    _refuse_doubles(flow, names)
    _refuse_doubles(flow, [move.name for move in flow.moves])
    unknown = {name for move in flow.moves for name in (*move.sources, move.target)} | {flow.first}
    unknown |= {name for pair in flow.reopens for name in pair}
    if wrong := unknown - set(names):
        raise _bad(flow, "提到了未声明的状态", "speaks of states that it does not declare", wrong)
    if wrong := {role for move in flow.moves for role in move.by} - _PARTIES:
        raise _bad(flow, "提到了未知的角色", "speaks of unknown roles", wrong)
    if wrong := {move.name for move in flow.moves if not move.by or not move.sources}:
        raise _bad(flow, "有步骤无人可办或无从开始", "has moves that nobody may take or that start nowhere", wrong)
    ends = {state.name for state in flow.states if state.end}
    if not ends:
        raise _bad(flow, "没有办结状态", "has no state that ends it", names)
    if wrong := {move.name for move in flow.moves if ends & set(move.sources)}:
        raise _bad(flow, "办结后仍有步骤", "has moves that leave an end", wrong)
    if wrong := set(names) - reachable(flow, flow.first):
        raise _bad(flow, "有无法到达的状态", "has states that nothing reaches", wrong)
    if wrong := {name for name in names if not ends & reachable(flow, name)}:
        raise _bad(flow, "有无法办结的状态", "has states from which no end can be reached", wrong)


def reachable(flow: Flow, start: str) -> frozenset[str]:
    """The states that can be reached from one, itself included."""
    seen, edge = {start}, [start]
    while edge:
        here = edge.pop()
        fresh = {move.target for move in flow.moves_from(here)} - seen
        seen |= fresh
        edge.extend(fresh)
    return frozenset(seen)


def start_of(flow: Flow, cause: str) -> str:
    """Where a case begins: what an alert opens goes straight to the responsible unit, where the flow has an ``assign``."""
    if cause.startswith("alert:"):
        return next((move.target for move in flow.moves if move.name == "assign"), flow.first)
    return flow.first


def move_named(flow: Flow, case: Case, name: str) -> Move:
    """The move of a name that leaves the case's state; raises RefusedMoveError with the moves that do."""
    for move in flow.moves_from(case.state):
        if move.name == name:
            return move
    here = flow.state(case.state).title
    allowed = flow.moves_from(case.state)
    known = next((move.title for move in flow.moves if move.name == name), Text(name, name))
    zh, en = (", ".join(move.title.get(lang) for move in allowed) for lang in ("zh", "en"))
    what = Text(
        f"案件处于“{here.zh}”，不能“{known.zh}”。可以办理：{zh or '无'}。",
        f"A case at '{here.en}' cannot take '{known.en}'. Possible: {en or 'nothing'}.",
    )
    raise RefusedMoveError(what, move=name, state=case.state, allowed=[move.name for move in allowed])


def may_take(move: Move, case: Case, caller: Caller) -> bool:
    """Whether a caller's roles allow a move; handlers act on the cases of their own unit alone."""
    roles = caller.roles & set(move.by)
    return bool(roles - _OWN_UNIT_ONLY) or bool(roles and caller.unit is not None and caller.unit == case.unit)


def _refuse_doubles(flow: Flow, names: list[str]) -> None:
    doubles = {name for name in names if names.count(name) > 1}
    if doubles:
        raise _bad(flow, "有重名", "declares a name twice", doubles)


def _bad(flow: Flow, zh: str, en: str, names: Iterable[str]) -> DeclarationError:
    listed = ", ".join(sorted(names))
    return DeclarationError(Text(f"流程“{flow.name}”{zh}：{listed}。", f"The flow '{flow.name}' {en}: {listed}."), flow=flow.name)
