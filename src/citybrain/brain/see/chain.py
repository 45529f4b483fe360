"""Where a figure comes from: figure → cases, bookings → alert → rule and evidence → reading (time, value, door) → what it was derived from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import msgspec

from citybrain.kernel.alerts import GRADE_WORDS, Alert, Evidence
from citybrain.kernel.cases import Case
from citybrain.kernel.datasets import Figure
from citybrain.kernel.errors import NotFoundError
from citybrain.kernel.instant import Instant, parse, rfc3339
from citybrain.kernel.pack import Indicator, Rule
from citybrain.kernel.text import Json, Text, same
from citybrain.kernel.things import Origin

Link: TypeAlias = Literal["figure", "case", "alert", "rule", "reading", "stream", "booking", "offer", "missing"]
_PLAIN: tuple[Link, ...] = ("booking", "offer")
"""Rows that end the chain, by the column that names them in order: a booking names its offer too."""
_DEEPEST = 4
"""Derived fields made of derived fields, at most; a pack that circles is cut off here."""


class Trace(msgspec.Struct, frozen=True):
    """One link of the chain, with what it rests on; ``key`` is its id, number or stream id, ``said`` its plain fields."""

    link: Link
    key: str
    title: Text
    said: dict[str, Json]
    origin: Origin
    parts: "tuple[Trace, ...]" = ()


class Arrival(msgspec.Struct, frozen=True):
    """How a reading came in: its value, the door, and when it was received."""

    value: float
    door: str
    received: Instant
    origin: Origin


def _unchanged(_: Sequence[Evidence]) -> Mapping[Evidence, Mapping[str, Json]]:
    """Everything is as it was."""
    return {}


@dataclass(frozen=True, slots=True)
class Lookups:
    """What a trace asks of other faculties, each bound by app to its caller; an id that is not there raises NotFoundError."""

    case: Callable[[str], Case]
    alert: Callable[[str], Alert]
    rule: Callable[[str], Rule]
    arrival: Callable[[Evidence], Arrival | None]
    """The observation that stands where a reading was; None for whom may not read it, too."""
    inputs: Callable[[Evidence], Sequence[Evidence]]
    """The readings that a derived stream's value is computed from, as they are now, that may be read; empty for a measured one."""
    visible: Callable[[str, str], None]
    """Nothing where a row of a dataset is there for the caller, by dataset and id."""
    changed: Callable[[Sequence[Evidence]], Mapping[Evidence, Mapping[str, Json]]] = _unchanged
    """Of the readings that an alert rests on those that are not what they were then: what each was and is, and how that came."""


def of_figure(figure: Figure, indicator: Indicator, rows: Sequence[Mapping[str, Json]], lookups: Lookups) -> Trace:
    """The tree under a figure; rows are those behind it (Indicators.rows)."""
    said: dict[str, Json] = {
        "value": figure.value,
        "unknown": figure.unknown,
        "unit": indicator.unit,
        "version": figure.version,
        "definition": {"zh": indicator.definition.zh, "en": indicator.definition.en},
        "reason": None if figure.reason is None else {"zh": figure.reason.zh, "en": figure.reason.en},
        "inputs": list(indicator.inputs),
        "as_of": rfc3339(figure.as_of),
        "computed": rfc3339(figure.computed),
        "area": figure.area,
    }
    parts = tuple(_row(row, lookups) for row in rows)
    return Trace("figure", figure.indicator, indicator.title, said, figure.origin, parts)


def of_case(case_id: str, lookups: Lookups) -> Trace:
    """The tree under a case, by id; raises NotFoundError."""
    case = lookups.case(case_id)
    said: dict[str, Json] = {
        "id": case.id,
        "state": case.state,
        "unit": case.unit,
        "matter": case.matter,
        "opened": rfc3339(case.opened),
        "due": rfc3339(case.due),
        "closed": None if case.closed is None else rfc3339(case.closed),
        "cause": case.cause,
    }
    kind, _, cause = case.cause.partition(":")
    parts = (_found(lambda: of_alert(cause, lookups), cause),) if kind == "alert" else ()
    return Trace("case", case.number, case.title, said, case.origin, parts)


def of_alert(alert_id: str, lookups: Lookups) -> Trace:
    """The tree under an alert, by id: its rule, and each reading of its evidence; raises NotFoundError."""
    alert = lookups.alert(alert_id)
    said: dict[str, Json] = {
        "grade": {"zh": GRADE_WORDS[alert.grade].zh, "en": GRADE_WORDS[alert.grade].en},
        "state": alert.state,
        "entity": alert.entity,
        "began": rfc3339(alert.began),
        "told": rfc3339(alert.told),
        "cleared": None if alert.cleared is None else rfc3339(alert.cleared),
        "basis": {"zh": alert.basis.zh, "en": alert.basis.en},
    }
    rule = _found(lambda: _rule(alert, lookups), alert.rule)
    changed = lookups.changed(alert.evidence)
    said["changed"] = len(changed)
    readings = (_then(one, changed.get(one), lookups, alert.origin) for one in alert.evidence)
    return Trace("alert", alert.id, alert.because, said, alert.origin, (rule, *readings))


def _row(row: Mapping[str, Json], lookups: Lookups) -> Trace:
    stream, case, alert = row.get("stream"), row.get("case"), row.get("alert")
    if isinstance(stream, str):
        return _stream(stream, row, lookups)
    if isinstance(alert, str):
        return _found(lambda: of_alert(alert, lookups), alert)
    noun = next((column for column in _PLAIN if isinstance(row.get(column), str)), None)
    if noun is not None:
        named = str(row[noun])
        return _found(lambda: _plain(noun, named, row, lookups), named)
    key = str(case)
    return _found(lambda: of_case(key, lookups), key)


def _plain(noun: Link, key: str, row: Mapping[str, Json], lookups: Lookups) -> Trace:
    """A row that rests on nothing below it, as it stands in the facts."""
    lookups.visible(noun, key)
    said: dict[str, Json] = {name: row.get(name) for name in ("entity", "begins", "ends", "units", "state", "area")}
    return Trace(noun, key, same(key), said, _origin(row.get("origin")))


def _stream(stream: str, row: Mapping[str, Json], lookups: Lookups) -> Trace:
    said: dict[str, Json] = {name: row.get(name) for name in ("entity", "field", "value", "unit", "time", "life", "area")}
    time, value, origin = row.get("time"), row.get("value"), _origin(row.get("origin"))
    if not isinstance(time, str) or not isinstance(value, int | float):
        return Trace("stream", stream, same(stream), said, origin)
    seen = Evidence(stream, parse(time), float(value), str(row.get("unit")))
    return Trace("stream", stream, same(stream), said, origin, (_reading(seen, lookups, origin, 0),))


def _rule(alert: Alert, lookups: Lookups) -> Trace:
    rule = lookups.rule(alert.rule)
    said: dict[str, Json] = {
        "when": rule.when,
        "version": alert.rule_version,
        "lasting": rule.lasting,
        "basis": {"zh": rule.basis.zh, "en": rule.basis.en},
    }
    return Trace("rule", alert.rule, same(rule.name), said, "real")


def _then(seen: Evidence, changed: Mapping[str, Json] | None, lookups: Lookups, origin: Origin) -> Trace:
    """A reading as an alert saw it, and what has become of it since."""
    found = _reading(seen, lookups, origin, 0)
    return found if changed is None else msgspec.structs.replace(found, said={**found.said, "changed": dict(changed)})


def _reading(seen: Evidence, lookups: Lookups, origin: Origin, depth: int) -> Trace:
    said: dict[str, Json] = {"time": rfc3339(seen.time), "value": seen.value, "unit": seen.unit}
    arrived = lookups.arrival(seen)
    if arrived is not None:
        said |= {"stored": arrived.value, "door": arrived.door, "received": rfc3339(arrived.received)}
        origin = arrived.origin
    inputs = lookups.inputs(seen) if depth < _DEEPEST else ()
    parts = tuple(_reading(one, lookups, origin, depth + 1) for one in inputs)
    return Trace("reading", seen.stream, same(seen.stream), said, origin, parts)


def _found(follow: Callable[[], Trace], key: str) -> Trace:
    try:
        return follow()
    except NotFoundError as error:
        return Trace("missing", key, error.what, {}, "real")


def _origin(word: Json) -> Origin:
    return "demo" if word == "demo" else "generated" if word == "generated" else "real"
