"""The one place that says who may: Cedar policies, decided for one row or narrowed to the rows that remain."""

from functools import lru_cache
from importlib.resources import files

import cedarpy
import msgspec

from citybrain.brain.protect import residual
from citybrain.brain.protect.actions import ACTIONS, schema
from citybrain.kernel.access import Ask, Narrowing, Verdict
from citybrain.kernel.clock import Clock
from citybrain.kernel.errors import DeclarationError, UnsupportedError
from citybrain.kernel.instant import local_date, midnight
from citybrain.kernel.predicate import NOTHING, Predicate
from citybrain.kernel.text import Json, Text

_ROW_FACTS: dict[str, type[str] | type[int]] = {"unit": str, "account": str, "recipient": str, "time": int, "as_of": int}
_KEPT = 8192
_DENIED = ("default-deny",)


class _Question(msgspec.Struct, frozen=True):
    """All that a policy can see of an ask; two asks alike in this have one answer."""

    account: str
    roles: frozenset[str]
    unit: str | None
    purpose: bool
    today: int
    action: str
    access: str
    portal: bool
    row: tuple[tuple[str, str | int], ...] = ()


class CedarPolicy:
    """Implements Policy. ``portal`` names the datasets whose values of today stand on the public portal.

    Of an ask's facts policies see ``access`` (of the dataset; ``conditional`` when not said), ``unit``, ``account``,
    ``recipient``, ``time`` and ``as_of`` (µs) of the row. ``personal`` lists the columns to mask in ``narrow``.
    """

    def __init__(self, clock: Clock, portal: frozenset[str] = frozenset()) -> None:
        self._clock = clock
        self._portal = portal
        self._policies, self._schema = _sound(policies(), schema())
        self._decide = lru_cache(maxsize=_KEPT)(self._decided)
        self._narrow = lru_cache(maxsize=_KEPT)(self._narrowed)

    def decide(self, ask: Ask) -> Verdict:
        """Yes or no, with the policies that said so; raises UnsupportedError for an action that does not exist."""
        row = [(name, ask.facts[name]) for name in _ROW_FACTS if name in ask.facts]
        known = tuple((name, value) for name, value in row if isinstance(value, str | int) and isinstance(value, _ROW_FACTS[name]))
        return self._decide(self._question(ask, ask.action, known))

    def narrow(self, ask: Ask) -> Narrowing:
        """The rows and columns that remain: ``NOTHING`` where no policy allows; raises UnsupportedError rather than guess."""
        where, reasons = self._narrow(self._question(ask, ask.action, ()))
        named = ask.facts.get("personal")
        personal = frozenset(str(name) for name in named) if isinstance(named, list) else frozenset[str]()
        shown = self._decide(self._question(ask, "personal.read", ())).allowed
        return Narrowing(where, frozenset() if shown else personal, reasons or _DENIED)

    def _question(self, ask: Ask, action: str, row: tuple[tuple[str, str | int], ...]) -> _Question:
        if action not in ACTIONS:
            raise UnsupportedError(Text(f"没有“{action}”这一操作。", f"There is no action '{action}'."), action=action)
        today = midnight(local_date(self._clock.city()))
        access, caller = str(ask.facts.get("access", "conditional")), ask.caller
        portal = ask.resource in self._portal
        roles = frozenset[str](caller.roles)
        return _Question(caller.account, roles, caller.unit, bool(ask.purpose.strip()), today, action, access, portal, row)

    def _decided(self, question: _Question) -> Verdict:
        context: dict[str, str | int] = dict(question.row)
        request = {**_request(question), "context": context}
        answer = cedarpy.is_authorized(request, self._policies, _entities(question), self._schema)
        if answer.diagnostics.errors:
            raise _unclear(question.action, str(answer.diagnostics.errors))
        names = answer.diagnostics.id_annotations_by_reason.values()
        return Verdict(answer.allowed, tuple(sorted(str(name) for name in names)) or _DENIED)

    def _narrowed(self, question: _Question) -> tuple[Predicate, tuple[str, ...]]:
        request = {**_request(question), "context": None}
        answer = cedarpy.is_authorized_partial(request, self._policies, _entities(question), self._schema)
        if answer.diagnostics.errors:
            raise _unclear(question.action, str(answer.diagnostics.errors))
        if not answer.residuals:
            return NOTHING, ()
        try:
            left = msgspec.convert(answer.residuals, dict[str, residual.Residual])
        except msgspec.ValidationError as error:
            raise _unclear(question.action, str(error)) from error
        return residual.rows_of(left)


def policies() -> str:
    """The text of the policies, as the auditor may read it."""
    return (files(__package__) / "policies.cedar").read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def _sound(words: str, types: str) -> tuple[cedarpy.PolicySet, cedarpy.Schema]:
    """The policies as Cedar keeps them, held against the actions once in a process; raises DeclarationError."""
    checked = cedarpy.validate_policies(words, types)
    if not checked.validation_passed:
        faults = "; ".join(str(error) for error in checked.errors)
        raise DeclarationError(Text(f"权限策略有误：{faults}", f"The policies are wrong: {faults}"))
    return cedarpy.PolicySet.from_str(words), cedarpy.Schema.from_str(types)


def _request(question: _Question) -> dict[str, Json]:
    return {
        "principal": f"Account::{msgspec.json.encode(question.account).decode()}",
        "action": f'Action::"{question.action}"',
        "resource": 'Thing::"it"',
    }


def _entities(question: _Question) -> list[dict[str, Json]]:
    roles = sorted(question.roles)
    attributes: dict[str, Json] = {
        "account": question.account,
        "inbox": [f"account:{question.account}", *(f"role:{role}" for role in roles)],
        "purpose": question.purpose,
        "today": question.today,
    }
    if question.unit is not None:
        attributes |= {"unit": question.unit, "inbox": [*_texts(attributes["inbox"]), f"unit:{question.unit}"]}
    parents: list[Json] = [{"type": "Role", "id": role} for role in roles]
    return [
        {"uid": {"type": "Account", "id": question.account}, "attrs": attributes, "parents": parents},
        {"uid": {"type": "Thing", "id": "it"}, "attrs": {"access": question.access, "portal": question.portal}, "parents": []},
    ]


def _texts(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _unclear(action: str, why: str) -> UnsupportedError:
    what = Text(f"权限策略无法判定“{action}”，已按拒绝处理：{why}", f"Policy cannot decide '{action}', so it is refused: {why}")
    return UnsupportedError(what, action=action)
