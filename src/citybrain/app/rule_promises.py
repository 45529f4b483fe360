"""What every pack promises about its rules, derivations, forecasts and boards: known names, reasons, and examples that hold. Pure."""

import re
import string
from collections.abc import Iterator
from dataclasses import replace

from citybrain.app.faults import Faults, fault, field_names, is_duration, strangers
from citybrain.brain.detect.rulebook import FEED_LOST, Rulebook
from citybrain.kernel.clock import FixedClock
from citybrain.kernel.errors import DeclarationError
from citybrain.kernel.instant import parse
from citybrain.kernel.pack import Board, Pack, Rule
from citybrain.kernel.text import Text

_LATEST = FixedClock(parse("2999-12-31T00:00:00Z"))
"""A day on which the newest parameters are in force."""


def names_known(pack: Pack) -> Faults:
    """Rules, derivations and forecasts speak of fields and parameters that are declared."""
    found = [one for rule in pack.rules for one in _rule_faults(pack, rule)]
    for made in pack.derived:
        unknown = {made.field, *made.inputs} - field_names(pack, made.kind)
        found += strangers(pack, f"{made.kind}.{made.field}", unknown)
    for forecast in pack.forecasts:
        unknown = {forecast.field, *forecast.inputs} - field_names(pack, forecast.kind)
        found += strangers(pack, forecast.name, unknown)
    for board in pack.boards:
        found += _board_faults(pack, board)
        asked = {board.field} if board.forecast is None else {board.field, board.forecast}
        figures = {board.indicator} - {None, *(one.name for one in pack.indicators)}
        unknown = {*(asked - field_names(pack, board.kind)), *(name for name in figures if name is not None)}
        found += strangers(pack, f"boards: {board.kind}", unknown)
    return tuple(found)


def reasons(pack: Pack) -> Faults:
    """Every rule has a basis and examples of both sorts."""
    bare = [rule.name for rule in pack.rules if not (rule.basis.zh.strip() and rule.basis.en.strip())]
    lacking = [rule.name for rule in pack.rules if not (rule.fires and rule.silent)]
    return (
        *(
            fault(
                pack,
                f"的规则“{name}”没有依据。请写明 basis：文号、条款或本区规定。",
                f"gives no basis for '{name}'. Say in basis which clause it follows, or that the district decided so.",
            )
            for name in bare
        ),
        *(
            fault(
                pack,
                f"的规则“{name}”缺少示例。fires 和 silent 各写至少一例。",
                f"lacks examples that fire or stay silent for '{name}'. Write at least one of each, in fires and in silent.",
            )
            for name in lacking
        ),
    )


def examples(pack: Pack) -> Faults:
    """Every rule fires and keeps silent as its examples say, by numpy and by the CEL library, with the newest parameters."""
    sound = tuple(rule for rule in compiled(pack) if rule.fires and rule.silent)
    book = rulebook(replace(pack, rules=sound))
    return tuple(
        fault(
            pack,
            f"的示例与规则不符：{one.zh}。请改条件、参数或示例。",
            f"has examples that belie a rule. {one.en}. Correct the condition, the parameter, or the example.",
        )
        for one in book.check()
    )


def _board_faults(pack: Pack, board: Board) -> Iterator[Text]:
    """A board shows what is measured, for forms have no latest reading; the portal's is of a kind that is open to all."""
    kind = next((kind for kind in pack.kinds if kind.name == board.kind), None)
    if kind is None:
        return
    if kind.has(board.field) and not kind.field(board.field).measured:
        zh = f"的看板“{board.kind}”以表单字段“{board.field}”为主；请改用 By.SENSOR 或 By.DERIVED 的字段。"
        yield fault(
            pack, zh, f"has a board of '{board.kind}' on '{board.field}', which a form fills. Take one by sensor or derived."
        )
    if "portal" in board.on and kind.access != "unconditional":
        yield fault(
            pack,
            f'把“{board.kind}”放上门户，但它不是无条件共享。请在 Kind 中写 access="unconditional"，或从 on 去掉 "portal"。',
            f"puts '{board.kind}' on the portal, but it is not open to all. Write access=\"unconditional\" in the Kind, or take "
            '"portal" out of on.',
        )


def rulebook(pack: Pack) -> Rulebook:
    """The pack's rules as the program compiles them; raises DeclarationError for one that is wrong."""
    return Rulebook((pack,), _LATEST)


def compiled(pack: Pack) -> tuple[Rule, ...]:
    """The rules that compile, less the one that only words a lost feed; the others are told of by ``names_known``."""
    return tuple(rule for rule in pack.rules if rule.name != FEED_LOST and _wrong(pack, rule) is None)


def _rule_faults(pack: Pack, rule: Rule) -> Iterator[Text]:
    if rule.on not in {kind.name for kind in pack.kinds}:
        yield fault(
            pack,
            f"的规则“{rule.name}”针对未声明的“{rule.on}”。请把该类型列入 PACK(kinds=…)，或改正 on。",
            f"has a rule '{rule.name}' on a kind it does not declare: '{rule.on}'. Enter the kind in PACK(kinds=…), or correct 'on'.",
        )
        return
    known = field_names(pack, rule.on) | {one.name for one in pack.parameters}
    spoken = {name for words in (rule.because.zh, rule.because.en) for name in _braces(words)}
    yield from strangers(pack, rule.name, spoken - known - {"title"})
    yield from strangers(pack, rule.name, {name for example in (*rule.fires, *rule.silent) for name in example} - known)
    if rule.lasting is not None and not is_duration(rule.lasting):
        yield fault(
            pack,
            f"的规则“{rule.name}”时长有误：{rule.lasting}。请写作 PT20M。",
            f"has a duration in '{rule.name}' that is none: {rule.lasting}. Write PT20M.",
        )
    elif rule.name != FEED_LOST and (wrong := _wrong(pack, rule)) is not None:
        yield fault(pack, f"的规则“{rule.name}”无法编译：{wrong.zh}", f"has a rule '{rule.name}' that does not compile. {wrong.en}")


def _wrong(pack: Pack, rule: Rule) -> Text | None:
    try:
        rulebook(replace(pack, rules=(rule,)))
    except DeclarationError as error:
        return error.what
    return None


def _braces(words: str) -> set[str]:
    return {re.split(r"[.\[]", name)[0] for _, name, _, _ in string.Formatter().parse(words) if name is not None}
