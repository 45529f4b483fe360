"""The studio: the rules of every pack, and for each rule its limits, what another limit would have changed, publishing, rolling back."""

from collections.abc import Mapping
from typing import Final

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, URLEncodedBody
from litestar.response import Redirect

from citybrain.brain.detect import MONTH, Limit
from citybrain.doors.pages import frame, rules, typed
from citybrain.doors.pages.parts import Call, PageParts, Parts
from citybrain.doors.pages.tried import tried
from citybrain.kernel.access import Ask, Caller
from citybrain.kernel.errors import BadInputError, BusyError, CityError, NotFoundError, StaleError
from citybrain.kernel.pack import Pack, Rule
from citybrain.kernel.text import Json, Text
from citybrain.web.desk_views import FormError
from citybrain.web.studio_views import PackRules, RulePage, Studio, Tried

_LOOKS_ONLY: Final = Text(
    "您的角色可以查看限值；试算由派遣员和数据专员进行，发布由数据专员进行。",
    "Your role may look at limits; dispatchers and data officers try them, data officers publish them.",
)


class Publishing(msgspec.Struct, frozen=True):
    """The form of publishing as sent."""

    limit: str = ""
    value: str = ""
    unit: str = ""
    version: int = 0
    why: str = ""
    note: str = ""
    csrf: str = ""


class RollingBack(msgspec.Struct, frozen=True):
    """The form of rolling back as sent; ``back`` is limit, version to go back to, and version that was seen."""

    back: str = ""
    why: str = ""
    csrf: str = ""


@get("/studio", opt=frame.opens("page.studio"), sync_to_thread=True)
def studio(request: Call, parts: Parts) -> Response[str]:
    """The rules of every pack."""
    packs = tuple(
        PackRules(pack.name, pack.title, pack.about, tuple(rules.item(parts, pack, rule) for rule in parts.limits.watching(pack)))
        for pack in parts.packs
        if parts.limits.watching(pack)
    )
    return frame.shown(parts, request, Studio(packs))


@get("/studio/{pack:str}/{rule:str}", opt=frame.opens("page.studio"), sync_to_thread=True)
def rule_page(request: Call, parts: Parts, pack: FromPath[str], rule: FromPath[str]) -> Response[str]:
    """A rule with its limits, and the result of a trial where the address asks for one."""
    return _shown(parts, request, _found(parts, pack, rule), request.query_params)


@post("/studio/{pack:str}/{rule:str}/publish", opt=frame.opens("rule.publish"), sync_to_thread=True)
def publish(
    request: Call, parts: Parts, pack: FromPath[str], rule: FromPath[str], data: URLEncodedBody[Publishing]
) -> Response[str] | Redirect:
    """Publish a limit; a refusal shows the trial again with what was typed and what is wrong."""
    frame.own_form(request, data.csrf)
    found = _found(parts, pack, rule)
    limit = parts.limits.limit(data.limit)
    facts: dict[str, Json] = {"before": limit.value, "value": data.value, "version": data.version, "why": data.why}
    _require(parts, request.user, "rule.publish", limit, facts)
    try:
        parts.limits.publish(
            limit.key, typed.number(data.value, "value"), data.unit, data.version, request.user.account, data.why, data.note
        )
    except (BadInputError, StaleError) as error:
        asked = {"limit": data.limit, "value": data.value, "unit": data.unit}
        return _shown(parts, request, found, asked, (error, {"why": data.why, "note": data.note}, str(error.fields.get("field"))))
    return Redirect(f"/studio/{pack}/{rule}?done=published#history", status_code=303)


@post("/studio/{pack:str}/{rule:str}/rollback", opt=frame.opens("rule.publish"), sync_to_thread=True)
def roll_back(
    request: Call, parts: Parts, pack: FromPath[str], rule: FromPath[str], data: URLEncodedBody[RollingBack]
) -> Response[str] | Redirect:
    """Go back to an earlier version in one act."""
    frame.own_form(request, data.csrf)
    found = _found(parts, pack, rule)
    key, to, seen = _back(data.back)
    limit = parts.limits.limit(key)
    _require(parts, request.user, "rule.publish", limit, {"before": limit.value, "back_to": to, "version": seen, "why": data.why})
    try:
        parts.limits.roll_back(key, to, seen, request.user.account, data.why)
    except (BadInputError, StaleError) as error:
        return _shown(parts, request, found, {}, (error, {"back-why": data.why}, "back-why"))
    return Redirect(f"/studio/{pack}/{rule}?done=rolled_back#history", status_code=303)


def _shown(
    parts: PageParts,
    request: Call,
    found: tuple[Pack, Rule],
    asked: Mapping[str, str],
    refused: tuple[CityError, dict[str, str], str] | None = None,
) -> Response[str]:
    view = _view(parts, request.user, *found, asked)
    status = 200
    if asked.get("limit"):
        limit = parts.limits.limit(asked["limit"])
        _require(parts, request.user, "rule.try", limit, {})
        try:
            view = msgspec.structs.replace(view, tried=_try(parts, request.user, limit, asked))
        except (BadInputError, BusyError) as error:
            wrong = FormError(f"{limit.key}-value", error.what)
            view, status = msgspec.structs.replace(view, errors=(wrong,)), error.status
    if refused is not None:
        why, typed, field = refused
        shown = field if field in ("why", "note", "back-why") else "publish" if view.tried else "limits"
        view, status = msgspec.structs.replace(view, errors=(FormError(shown, why.what),), typed=typed), why.status
    return frame.shown(parts, request, view, status=status)


def _try(parts: PageParts, caller: Caller, limit: Limit, asked: Mapping[str, str]) -> Tried:
    days = asked.get("days", str(MONTH))
    found = parts.studio.trial(
        limit.key,
        typed.number(asked.get("value", ""), "value"),
        asked.get("unit", limit.unit),
        int(days) if days.isdecimal() else 0,
    )
    says = {f"{pack.name}.{rule.name}": rules.says(parts, pack, rule) for pack in parts.packs for rule in pack.rules}
    return tried(parts, found, says, may_publish=_may(parts, caller, "rule.publish", limit))


def _view(parts: PageParts, caller: Caller, pack: Pack, rule: Rule, asked: Mapping[str, str]) -> RulePage:
    mine = tuple(limit for limit in parts.limits.all() if limit.pack == pack.name and rule.name in limit.rules)
    may_try = all(_may(parts, caller, "rule.try", limit) for limit in mine)
    may_publish = all(_may(parts, caller, "rule.publish", limit) for limit in mine)
    steps = sorted((step for limit in mine for step in parts.limits.history(limit.key)), key=lambda step: -step.no)
    by_key = {limit.key: limit for limit in mine}
    return RulePage(
        rule=rules.item(parts, pack, rule),
        path=f"/studio/{pack.name}/{rule.name}",
        facts=tuple(rules.facts(parts, pack, rule)),
        limits=tuple(rules.form(parts, limit, asked) for limit in mine),
        history=tuple(rules.step(parts, by_key[step.key], step) for step in steps),
        backs=tuple(back for limit in mine for back in rules.backs(parts, limit)) if may_publish else (),
        may_try=may_try,
        why_not=None if may_try or not mine else _LOOKS_ONLY,
    )


def _found(parts: PageParts, pack: str, rule: str) -> tuple[Pack, Rule]:
    for one in parts.packs:
        for each in parts.limits.watching(one):
            if (one.name, each.name) == (pack, rule):
                return one, each
    raise NotFoundError(Text(f"没有规则“{pack}.{rule}”。", f"There is no rule '{pack}.{rule}'."), rule=f"{pack}.{rule}")


def _may(parts: PageParts, caller: Caller, action: str, limit: Limit) -> bool:
    return all(parts.policy.decide(ask).allowed for ask in _asks(parts, caller, action, limit, {}))


def _require(parts: PageParts, caller: Caller, action: str, limit: Limit, facts: dict[str, Json]) -> None:
    for ask in _asks(parts, caller, action, limit, facts):
        parts.guard.require(ask)


def _asks(parts: PageParts, caller: Caller, action: str, limit: Limit, facts: dict[str, Json]) -> tuple[Ask, ...]:
    kinds = parts.limits.kinds(limit)
    return tuple(
        Ask(caller, action, f"limit:{limit.key}", "", {"access": parts.registry.kind(kind).access, **facts}) for kind in kinds
    )


def _back(text: str) -> tuple[str, int, int]:
    key, to, seen = [*text.split("|"), "", ""][:3]
    if not (to.isdecimal() and seen.isdecimal() and len(to) < 10 and len(seen) < 10):
        raise BadInputError(Text("请选择要退回的版本。", "Choose the version to go back to."), field="back")
    return key, int(to), int(seen)


HANDLERS = (studio, rule_page, publish, roll_back)
