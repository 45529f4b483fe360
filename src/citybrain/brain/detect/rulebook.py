"""The rules of all packs, compiled once by kind; a wrong rule stops the program at start, by name."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

import numpy as np

from citybrain.brain.detect.expressions import Condition, Values, by_cel, compiled
from citybrain.brain.detect.syntax import Node, Sort, SyntaxFault, condition, names_in
from citybrain.brain.detect.versions import LimitVersion
from citybrain.brain.detect.words import names_of
from citybrain.kernel.clock import Clock
from citybrain.kernel.errors import DeclarationError
from citybrain.kernel.instant import duration, local_date, midnight
from citybrain.kernel.pack import Example, Pack, Rule
from citybrain.kernel.parameters import in_force
from citybrain.kernel.text import Text
from citybrain.kernel.things import Field, Kind

Published: TypeAlias = Callable[[], tuple[LimitVersion, ...]]
"""The limits that were published, in order; the same tuple until there is another one."""
FEED_LOST = "feed_lost"
"""The house's own rule for silent and stuck feeds; a pack's rule of this name on a kind says grade, basis and case for it."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A rule ready to run; ``clears`` is None where it is the opposite of ``when``; ``lasting`` in µs.

    ``uses`` are the fields and ``parameters`` the pack's parameters that its conditions speak of.
    """

    rule: Rule
    pack: str
    version: str
    when: Condition
    clears: Condition | None
    lasting: int
    uses: tuple[str, ...]
    parameters: tuple[str, ...]
    node: Node
    clears_node: Node | None

    @property
    def key(self) -> str:
        """The rule's name in full, ``pack.rule``."""
        return f"{self.pack}.{self.rule.name}"


@dataclass(frozen=True, slots=True)
class KindRules:
    """The rules of a kind with the fields they use, split by who fills them, and the pack's parameters."""

    kind: Kind
    rules: tuple[Compiled, ...]
    measured: tuple[Field, ...]
    stated: tuple[Field, ...]


class Rulebook:
    """Compiled rules by kind; parameters are those in force on the district's date, published ones before declared ones."""

    def __init__(self, packs: Sequence[Pack], clock: Clock, published: Published = tuple) -> None:
        self._packs = {pack.name: pack for pack in packs}
        self._clock = clock
        self._source = published
        self._published = published()
        self._kinds = {kind.name: kind for pack in packs for kind in pack.kinds}
        self._rules: dict[str, list[Compiled]] = {}
        self._feed: dict[str, Rule] = {}
        self._day: tuple[str, dict[str, Values]] = ("", {})
        for pack in packs:
            for rule in pack.rules:
                self._enter(pack, rule)
        self.by_kind: Mapping[str, KindRules] = {
            name: _of_kind(self._kinds[name], tuple(rules)) for name, rules in self._rules.items()
        }

    def parameters(self, pack: str) -> Values:
        """The parameters of a pack in force today."""
        day = local_date(self._clock.city()).isoformat()
        if self._day[0] != day:
            self._day = (day, {name: self._in_force(each, day) for name, each in self._packs.items()})
        return self._day[1][pack]

    def renew(self) -> int:
        """Take what has been published since; until then all that is judged rests on the same limits. Returns the newest number."""
        published = self._source()
        if published is not self._published:
            self._published, self._day = published, ("", {})
        return published[-1].no if published else 0

    def version(self, rule: Compiled) -> str:
        """The version of a rule's text, with the number of changes to its limits where there are any."""
        changes = sum(each.pack == rule.pack and each.name in rule.parameters for each in self._published)
        return f"{rule.version}.{changes}" if changes else rule.version

    def rules(self) -> tuple[Compiled, ...]:
        """All rules, by kind."""
        return tuple(rule for rules in self._rules.values() for rule in rules)

    def kind(self, name: str) -> Kind | None:
        """A declared kind."""
        return self._kinds.get(name)

    def feed_rule(self, kind: str) -> Rule | None:
        """What a kind's pack says about lost feeds, if it does."""
        return self._feed.get(kind)

    def check(self) -> tuple[Text, ...]:
        """The examples of rules that do not do what they should, by numpy and by the cel library; empty when all is well."""
        return tuple(fault for rule in self.rules() for fault in (*self.contradictions(rule), *_lacking(rule)))

    def contradictions(self, rule: Compiled) -> tuple[Text, ...]:
        """The examples of a rule that do not do what they should under the limits in force."""
        faults = []
        for wanted, examples in ((True, rule.rule.fires), (False, rule.rule.silent)):
            for example in examples:
                ours, theirs = self._told(rule, example), by_cel(rule.node, self._values(rule, example)) is True
                if ours != wanted or theirs != wanted:
                    should = ("应触发", "should fire") if wanted else ("应静默", "should stay silent")
                    faults.append(
                        Text(f"规则 {rule.key} 的示例 {dict(example)} {should[0]}", f"Rule {rule.key}: {dict(example)} {should[1]}")
                    )
        return tuple(faults)

    def _in_force(self, pack: Pack, day: str) -> Values:
        """Declared values, and in their place what was published since they hold."""
        values = in_force(pack.parameters, day)
        held = {each.name: each.since for each in sorted(pack.parameters, key=lambda each: each.since) if each.since <= day}
        for each in self._published:
            since = held.get(each.name)
            if each.pack == pack.name and since is not None and each.since >= midnight(date.fromisoformat(since)):
                values[each.name] = each.value
        return values

    def _told(self, rule: Compiled, example: Example) -> bool:
        kind = self._kinds[rule.rule.on]
        values = self._values(rule, example)
        sorts = _sorts(kind, self._packs[rule.pack])
        frame = {
            name: np.array([values.get(name, np.nan)], np.float64) if sort == "number" else np.array([values.get(name)], object)
            for name, sort in sorts.items()
        }
        return bool(rule.when.true(frame)[0])

    def _values(self, rule: Compiled, example: Example) -> dict[str, float | str]:
        given = {name: value if isinstance(value, str) else float(value) for name, value in example.items()}
        return {**self.parameters(rule.pack), **given}

    def _enter(self, pack: Pack, rule: Rule) -> None:
        if rule.name == FEED_LOST:
            self._feed[rule.on] = rule
            return
        try:
            self._rules.setdefault(rule.on, []).append(_compile(pack, rule, self._kinds[rule.on]))
        except (SyntaxFault, ValueError) as error:
            raise _wrong(pack, rule, str(error)) from error
        except KeyError as error:
            raise _wrong(pack, rule, f"no kind or field named {error}") from error


def _lacking(rule: Compiled) -> tuple[Text, ...]:
    if rule.rule.fires and rule.rule.silent:
        return ()
    return (Text(f"规则 {rule.key} 缺少触发或静默示例", f"Rule {rule.key} lacks an example that fires or one that is silent"),)


def _compile(pack: Pack, rule: Rule, kind: Kind) -> Compiled:
    sorts = _sorts(kind, pack)
    node = condition(rule.when, sorts)
    clears = None if rule.clears is None else condition(rule.clears, sorts)
    used = names_in(node) | (frozenset() if clears is None else names_in(clears))
    wrong = names_of(rule.because) - set(sorts) - {"title"}
    if wrong:
        raise SyntaxFault(f"'because' names what is not known: {', '.join(sorted(wrong))}")
    lasting = 0 if rule.lasting is None else int(duration(rule.lasting))
    uses = tuple(field.name for field in kind.fields if field.name in used)
    # A version that changes with the rule's text, so that an alert says which wording it rests on.
    version = f"{_digest(rule.when, rule.clears or '', rule.lasting or '')}"
    parameters = tuple(sorted({each.name for each in pack.parameters if each.name in used and not kind.has(each.name)}))
    when, clear = compiled(node), None if clears is None else compiled(clears)
    return Compiled(rule, pack.name, version, when, clear, lasting, uses, parameters, node, clears)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def _sorts(kind: Kind, pack: Pack) -> dict[str, Sort]:
    """Fields of a kind and parameters of a pack with their sorts; a field shadows a parameter of its name."""
    sorts: dict[str, Sort] = {each.name: "text" if isinstance(each.value, str) else "number" for each in pack.parameters}
    return sorts | {field.name: _sort(field) for field in kind.fields}


def _sort(field: Field) -> Sort:
    return "number" if field.measured or field.unit is not None or field.range != (None, None) else "text"


def is_number(field: Field) -> bool:
    """Whether a field holds numbers: it is measured, or has a unit or a range."""
    return _sort(field) == "number"


def _of_kind(kind: Kind, rules: tuple[Compiled, ...]) -> KindRules:
    spoken = {name for rule in rules for name in (*rule.uses, *names_of(rule.rule.because))}
    used = tuple(field for field in kind.fields if field.name in spoken)
    return KindRules(kind, rules, tuple(each for each in used if each.measured), tuple(each for each in used if not each.measured))


def _wrong(pack: Pack, rule: Rule, why: str) -> DeclarationError:
    what = Text(f"应用包 {pack.name} 的规则 {rule.name} 有误：{why}。", f"Rule {rule.name} of pack {pack.name} is wrong: {why}.")
    return DeclarationError(what, pack=pack.name, rule=rule.name)
