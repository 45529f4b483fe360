"""What Cedar leaves of a policy when the row is unknown, turned into a predicate over rows; anything unforeseen is refused.

A comparison with a field that is missing is false here and an error (the policy is skipped) in Cedar, so both hide the row.
For that to stay true, ``has`` counts only beside a comparison of the same field, and ``!`` only on one comparison.
"""

from collections.abc import Mapping

import msgspec

from citybrain.kernel.errors import UnsupportedError
from citybrain.kernel.predicate import EVERYTHING, NOTHING, And, Compare, Not, Op, Or, Predicate, Scalar
from citybrain.kernel.text import Text


class _Condition(msgspec.Struct, frozen=True):
    kind: str
    body: dict[str, object]


class Residual(msgspec.Struct, frozen=True):
    """A policy as Cedar's JSON format has it, after partial evaluation."""

    effect: str
    principal: dict[str, object]
    action: dict[str, object]
    resource: dict[str, object]
    conditions: tuple[_Condition, ...]
    annotations: dict[str, str] = {}

    @property
    def name(self) -> str:
        """The policy's ``@id``."""
        return self.annotations.get("id", "")


_FLIPPED: dict[Op, Op] = {"eq": "eq", "ne": "ne", "lt": "gt", "le": "ge", "gt": "lt", "ge": "le"}
_OPPOSITE: dict[Op, Op] = {"eq": "ne", "ne": "eq", "lt": "ge", "le": "gt", "gt": "le", "ge": "lt"}
_OPS: dict[str, Op] = {"==": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}
_ALL: dict[str, object] = {"op": "All"}


def rows_of(residuals: Mapping[str, Residual]) -> tuple[Predicate, tuple[str, ...]]:
    """The rows that are left visible, and the names of the policies that say so; raises UnsupportedError, never guesses."""
    permits: list[Predicate] = []
    forbids: list[Predicate] = []
    reasons: list[str] = []
    for residual in residuals.values():
        rows = _rows(residual)
        if rows == NOTHING:
            continue
        reasons.append(residual.name)
        (permits if residual.effect == "permit" else forbids).append(rows)
    if not permits or EVERYTHING in forbids:
        return NOTHING, tuple(sorted(reasons))
    allowed = EVERYTHING if EVERYTHING in permits else _any(permits)
    if not forbids:
        return allowed, tuple(sorted(reasons))
    refused = Not(_any(forbids))
    return refused if allowed == EVERYTHING else And((allowed, refused)), tuple(sorted(reasons))


def _any(parts: list[Predicate]) -> Predicate:
    return parts[0] if len(parts) == 1 else Or(tuple(parts))


def _rows(residual: Residual) -> Predicate:
    if residual.effect not in ("permit", "forbid") or not (residual.principal == residual.action == residual.resource == _ALL):
        raise _unforeseen(residual.name)
    parts: list[Predicate] = []
    for condition in residual.conditions:
        if condition.kind != "when":
            raise _unforeseen(residual.name)
        parts.append(_expression(condition.body))
    return _all(parts)


def _all(parts: list[Predicate]) -> Predicate:
    if NOTHING in parts:
        return NOTHING
    left = tuple(part for part in parts if part != EVERYTHING)
    return left[0] if len(left) == 1 else And(left)


def _expression(node: object) -> Predicate:
    name, body = _only(node)
    if name == "Value":
        if body is True or body is False:
            return EVERYTHING if body else NOTHING
        raise _unforeseen(name)
    if name == "&&":
        return _conjunction(node)
    if name == "||":
        left, right = _sides(body)
        parts = [_expression(left), _expression(right)]
        return EVERYTHING if EVERYTHING in parts else _any([part for part in parts if part != NOTHING] or [NOTHING])
    if name == "!":
        return _negation(body)
    if name == "contains":
        return _contains(body)
    return _comparison(name, body)


def _conjunction(node: object) -> Predicate:
    conjuncts, present, parts = [node], set[str](), list[Predicate]()
    while conjuncts:
        name, body = _only(conjuncts.pop())
        if name == "&&":
            conjuncts.extend(reversed(_sides(body)))
        elif name == "has":
            present.add(_present(body))
        else:
            parts.append(_expression({name: body}))
    compared = {part.field for part in parts if isinstance(part, Compare)}
    if NOTHING not in parts and not present <= compared:
        raise _unforeseen("has")
    return _all(parts)


def _negation(body: object) -> Predicate:
    inner = _expression(body.get("arg")) if isinstance(body, dict) else None
    if inner in (EVERYTHING, NOTHING):
        return NOTHING if inner == EVERYTHING else EVERYTHING
    if isinstance(inner, Compare) and inner.op in _OPPOSITE:
        return Compare(inner.field, _OPPOSITE[inner.op], inner.value)
    raise _unforeseen("!")


def _comparison(name: str, body: object) -> Predicate:
    if name not in _OPS:
        raise _unforeseen(name)
    left, right = _sides(body)
    if (field := _field(left)) is not None:
        return Compare(field, _OPS[name], _scalar(right))
    if (field := _field(right)) is not None:
        return Compare(field, _FLIPPED[_OPS[name]], _scalar(left))
    raise _unforeseen(name)


def _contains(body: object) -> Predicate:
    left, right = _sides(body)
    name, items = _only(left)
    field = _field(right)
    if field is None or name not in ("Value", "Set") or not isinstance(items, list):
        raise _unforeseen("contains")
    return Compare(field, "in", tuple(sorted((_scalar(item if name == "Set" else {"Value": item}) for item in items), key=str)))


def _field(node: object) -> str | None:
    name, body = _only(node)
    if name != "." or not isinstance(body, dict) or body.get("left") != {"unknown": [{"Value": "context"}]}:
        return None
    field = body.get("attr")
    return field if isinstance(field, str) else None


def _present(body: object) -> str:
    field = _field({".": body})
    if field is None:
        raise _unforeseen("has")
    return field


def _scalar(node: object) -> Scalar:
    name, value = _only(node)
    if name == "Value" and isinstance(value, str | int | bool):
        return value
    raise _unforeseen(name)


def _only(node: object) -> tuple[str, object]:
    if isinstance(node, dict) and len(node) == 1:
        return next(iter(node.items()))
    raise _unforeseen("?")


def _sides(body: object) -> tuple[object, object]:
    if isinstance(body, dict) and body.keys() == {"left", "right"}:
        return body["left"], body["right"]
    raise _unforeseen("?")


def _unforeseen(what: str) -> UnsupportedError:
    words = Text(
        f"权限策略的剩余条件无法换算为筛选条件（{what}），已按拒绝处理。请改写该策略。",
        f"What is left of a policy cannot be turned into a filter ({what}), so it is refused. Rewrite the policy.",
    )
    return UnsupportedError(words, part=what)
