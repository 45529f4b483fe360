"""The limits of rules: what is declared, what was published here and by whom, and the one place where a new version is published."""

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import Connection, func, insert, select
from sqlalchemy.exc import IntegrityError

from citybrain.brain.detect.rulebook import Compiled, Rulebook
from citybrain.brain.detect.store import LIMIT_VERSION
from citybrain.brain.detect.versions import LimitVersion
from citybrain.kernel.clock import Clock
from citybrain.kernel.errors import BadInputError, NotFoundError, StaleError
from citybrain.kernel.instant import local_date
from citybrain.kernel.pack import Pack, Parameter, Rule
from citybrain.kernel.ports import Transactions
from citybrain.kernel.text import Text, same

_SHORTEST = 4
"""Characters of a reason that can be one."""


class Limit(msgspec.Struct, frozen=True):
    """A limit as it stands: its value and version now (0: as declared), its sane range, its source, and the rules that speak of it."""

    pack: str
    name: str
    title: Text
    unit: str
    low: float
    high: float
    value: float
    version: int
    declared: float
    since: str
    source: str
    mark: str
    rules: tuple[str, ...]

    @property
    def key(self) -> str:
        """The limit's name in full, ``pack.name``."""
        return f"{self.pack}.{self.name}"


class Limits:
    """Limits that may be changed: numbers with a declared range that a rule's condition speaks of."""

    def __init__(self, packs: Sequence[Pack], transactions: Transactions[Connection], clock: Clock) -> None:
        self._packs = packs
        self._transactions = transactions
        self._clock = clock
        self._published = self._read()
        self._rulebook = Rulebook(packs, clock, self.published)

    def published(self) -> tuple[LimitVersion, ...]:
        """Every version that was published, in order; the same tuple until there is another one."""
        return self._published

    def renew(self) -> None:
        """Read anew what another process has published meanwhile."""
        found = self._read()
        if found != self._published:
            self._published = found

    def all(self) -> tuple[Limit, ...]:
        """Every limit that may be changed, by pack in the order of declaration."""
        self._rulebook.renew()
        newest = {each.key: each.version for each in self._published}
        speaking: dict[str, list[str]] = {}
        for rule in self._rulebook.rules():
            for name in rule.parameters:
                speaking.setdefault(f"{rule.pack}.{name}", []).append(rule.rule.name)
        return tuple(
            self._limit(pack, parameter, tuple(speaking[key]), newest.get(key, 0))
            for pack in self._packs
            for parameter in _in_force(pack, local_date(self._clock.city()).isoformat())
            if (key := f"{pack.name}.{parameter.name}") in speaking and parameter.range is not None
        )

    def limit(self, key: str) -> Limit:
        """A limit by its full name; raises NotFoundError."""
        for each in self.all():
            if each.key == key:
                return each
        what = Text(
            f"没有可调整的限值“{key}”。可调整的是规则条件用到、并声明了合理范围的参数。",
            f"There is no limit '{key}' to change: only parameters that a rule speaks of and that declare a sane range are.",
        )
        raise NotFoundError(what, limit=key)

    def history(self, key: str) -> tuple[LimitVersion, ...]:
        """What was published of a limit, newest first."""
        return tuple(each for each in reversed(self._published) if each.key == key)

    def version(self, rule: str) -> str:
        """The version with which a rule (by full name) raises alerts now; raises NotFoundError."""
        self._rulebook.renew()
        return self._rulebook.version(self.rule(rule))

    def rule(self, key: str) -> Compiled:
        """A rule by its full name, as it is compiled; raises NotFoundError."""
        for rule in self._rulebook.rules():
            if rule.key == key:
                return rule
        raise NotFoundError(Text(f"没有规则“{key}”。", f"There is no rule '{key}'."), rule=key)

    def watching(self, pack: Pack) -> tuple[Rule, ...]:
        """The rules of a pack that watch readings and forms, as declared."""
        known = {rule.key for rule in self._rulebook.rules()}
        return tuple(rule for rule in pack.rules if f"{pack.name}.{rule.name}" in known)

    def kinds(self, limit: Limit) -> tuple[str, ...]:
        """The kinds of things that a limit is about; who tries or publishes it must be let by policy for each."""
        return tuple(dict.fromkeys(self.rule(f"{limit.pack}.{rule}").rule.on for rule in limit.rules))

    def checked(self, key: str, value: float, unit: str) -> Limit:
        """The limit, if it could take this value; raises BadInputError for one that is outside its range or in another unit."""
        limit = self.limit(key)
        if unit != limit.unit:
            what = Text(
                f"单位不符：“{key}”以 {limit.unit} 计，收到“{unit}”。请换算后再填。",
                f"Wrong unit: '{key}' is in {limit.unit}, not '{unit}'. Convert it first.",
            )
            raise BadInputError(what, field="unit", unit=limit.unit)
        if not limit.low <= value <= limit.high:
            what = Text(
                f"{value:g} 超出合理范围：“{limit.title.zh}”须在 {limit.low:g} 至 {limit.high:g} 之间。",
                f"{value:g} is outside the sane range: '{limit.title.en}' is between {limit.low:g} and {limit.high:g}.",
            )
            raise BadInputError(what, field="value", low=limit.low, high=limit.high)
        return limit

    def contradictions(self, limit: Limit, value: float) -> tuple[Text, ...]:
        """The examples of rules that would no longer do what they should if the limit had this value."""
        book = Rulebook(self._packs, self._clock, lambda: (*self._published, self.supposed(limit, value)))
        return tuple(
            fault
            for rule in book.rules()
            if rule.pack == limit.pack and limit.name in rule.parameters
            for fault in book.contradictions(rule)
        )

    def supposed(self, limit: Limit, value: float) -> LimitVersion:
        """A version as it would be if it were published now."""
        last = self._published[-1].no if self._published else 0
        now, wall = self._clock.city(), self._clock.wall()
        return LimitVersion(last + 1, limit.pack, limit.name, limit.version + 1, value, limit.value, now, wall, "", "")

    def publish(self, key: str, value: float, unit: str, seen: int, by: str, why: str, note: str = "") -> LimitVersion:
        """Publish a value from now on, over the version that was seen; durable when it returns.

        Raises BadInputError for a value, unit or reason that cannot be taken, or for a contradicted example without a note;
        StaleError when somebody else was faster.
        """
        limit = self.checked(key, value, unit)
        if value == limit.value:
            what = Text(f"限值已经是 {value:g}，没有改动。", f"The limit is {value:g} already; nothing would change.")
            raise BadInputError(what, field="value")
        _reasoned(why)
        wrong = self.contradictions(limit, value)
        if wrong and len(note.strip()) < _SHORTEST:
            said = "；".join(each.zh for each in wrong), "; ".join(each.en for each in wrong)
            what = Text(
                f"新限值与规则示例矛盾，请写明为何仍然发布：{said[0]}。",
                f"The new limit contradicts the rule's examples. Say in a note why it is published all the same: {said[1]}.",
            )
            raise BadInputError(what, field="note")
        return self._append(limit, seen, _filled(self.supposed(limit, value), by, why, note, None))

    def roll_back(self, key: str, to: int, seen: int, by: str, why: str) -> LimitVersion:
        """Take the value of an earlier version again (0: the declared one), as a new version; raises as ``publish`` does."""
        limit = self.limit(key)
        values: Mapping[int, float] = {0: limit.declared} | {each.version: each.value for each in self.history(key)}
        if to not in values or to >= limit.version:
            what = Text(
                f"“{key}”没有可以退回的第 {to} 版，现为第 {limit.version} 版。",
                f"'{key}' has no version {to} to go back to; it is at version {limit.version}.",
            )
            raise BadInputError(what, field="to", version=limit.version)
        _reasoned(why)
        note = "；".join(each.zh for each in self.contradictions(limit, values[to]))
        return self._append(limit, seen, _filled(self.supposed(limit, values[to]), by, why, note, to))

    def _append(self, limit: Limit, seen: int, given: LimitVersion) -> LimitVersion:
        same_limit = (LIMIT_VERSION.c.pack == limit.pack, LIMIT_VERSION.c.name == limit.name)
        try:
            with self._transactions.begin() as tx:
                last = tx.connection.execute(select(func.coalesce(func.max(LIMIT_VERSION.c.no), 0))).scalar_one()
                newest = select(func.coalesce(func.max(LIMIT_VERSION.c.version), 0)).where(*same_limit)
                have = tx.connection.execute(newest).scalar_one()
                if have != seen:
                    raise _stale(limit, have)
                made = msgspec.structs.replace(given, no=last + 1, version=have + 1)
                tx.connection.execute(insert(LIMIT_VERSION).values(**msgspec.structs.asdict(made)))
        except IntegrityError as error:
            raise _stale(limit, limit.version + 1) from error
        self._published = self._read()
        return made

    def _read(self) -> tuple[LimitVersion, ...]:
        with self._transactions.read() as connection:
            rows = connection.execute(select(LIMIT_VERSION).order_by(LIMIT_VERSION.c.no)).mappings().all()
        return tuple(LimitVersion(**{name: row[name] for name in LimitVersion.__struct_fields__}) for row in rows)

    def _limit(self, pack: Pack, parameter: Parameter, rules: tuple[str, ...], version: int) -> Limit:
        low, high = parameter.range or (0.0, 0.0)
        value, declared = self._rulebook.parameters(pack.name)[parameter.name], parameter.value
        if isinstance(value, str) or isinstance(declared, str):
            what = Text(f"参数“{parameter.name}”不是数。", f"Parameter '{parameter.name}' is no number.")
            raise BadInputError(what, parameter=parameter.name)
        return Limit(
            pack.name,
            parameter.name,
            parameter.title or same(parameter.name),
            parameter.unit,
            low,
            high,
            value,
            version,
            declared,
            parameter.since,
            parameter.source,
            parameter.mark,
            rules,
        )


def _in_force(pack: Pack, day: str) -> tuple[Parameter, ...]:
    """The newest declaration of each number that holds on a date."""
    dated = sorted((each for each in pack.parameters if each.since <= day), key=lambda each: each.since)
    newest = {each.name: each for each in dated}
    return tuple(newest[name] for name in dict.fromkeys(each.name for each in pack.parameters) if name in newest)


def _filled(version: LimitVersion, by: str, why: str, note: str, back_to: int | None) -> LimitVersion:
    return msgspec.structs.replace(version, by=by, why=why.strip(), note=note.strip(), back_to=back_to)


def _reasoned(why: str) -> None:
    if len(why.strip()) < _SHORTEST:
        what = Text(
            f"请写明原因（至少 {_SHORTEST} 个字），它会留在历史和审计里。",
            f"Say why in at least {_SHORTEST} characters: it stays in the history and the audit trail.",
        )
        raise BadInputError(what, field="why")


def _stale(limit: Limit, have: int) -> StaleError:
    what = Text(
        f"“{limit.title.zh}”已被他人更新到第 {have} 版。请刷新后再发布。",
        f"'{limit.title.en}' is at version {have}, published by somebody else. Reload and look again.",
    )
    return StaleError(what, version=have)
