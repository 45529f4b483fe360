"""The page of roles: policy is asked for every action and every role, and the answers stand in a table."""

from citybrain.brain.protect import ACTIONS, CedarPolicy
from citybrain.kernel.access import ANYONE, ROLES, Ask, Caller, Role
from citybrain.kernel.clock import FixedClock
from citybrain.kernel.instant import parse
from citybrain.kernel.text import Json, Text
from docs.sheets.markdown import both, code, sheet, table

_NOW = parse("2026-11-22T07:00:00Z")
_UNIT = "unit"
_PORTAL = "on-portal"
_YES, _OWN, _OPEN, _TODAY = "✓", "own", "open", "today"
_CASES: tuple[tuple[str, str, dict[str, Json]], ...] = (
    (_YES, "thing", {}),
    (_OWN, "thing", {"unit": _UNIT, "account": "me", "recipient": "account:me"}),
    (_OPEN, "thing", {"access": "unconditional"}),
    (_TODAY, _PORTAL, {"time": _NOW, "as_of": _NOW}),
)
"""From the widest right to the narrowest: what is asked of, and what policy may know of the row."""


def page() -> str:
    """The page."""
    about = Text(
        "由策略逐一判定。✓ 可以；own 仅限本单位、本人的行；open 仅限无条件共享的数据；today 仅限门户上当天的值；空白为不可以。"
        "没有写进 [policies.cedar](../../src/citybrain/brain/protect/policies.cedar) 的，一律不可以。",
        "Decided by policy itself, one by one. ✓ yes; own: rows of the own unit or account; open: data shared without conditions; "
        "today: today's values on the portal; blank: no. What no policy allows, nobody may. Personal columns are masked unless "
        "`personal.read` is allowed and a purpose is stated.",
    )
    policy = CedarPolicy(FixedClock(_NOW), frozenset({_PORTAL}))
    callers = (ANYONE, *(_caller(role) for role in ROLES))
    names = ("未登录 · anyone", *(both(words) for words in ROLES.values()))
    rows = (
        (code(action), both(words), *(_right(policy, caller, action) for caller in callers)) for action, words in ACTIONS.items()
    )
    return sheet(Text("角色与权限", "Roles and what they may do"), about, table(("操作 · action", "", *names), rows))


def _caller(role: Role) -> Caller:
    return Caller("me", "", frozenset({role}), _UNIT)


def _right(policy: CedarPolicy, caller: Caller, action: str) -> str:
    purpose = "a stated purpose" if action == "personal.read" else ""
    for word, resource, facts in _CASES:
        if policy.decide(Ask(caller, action, resource, purpose, facts)).allowed:
            return word
    return ""
