"""What a trace looks up, each bound to the caller who asks."""

from collections.abc import Mapping, Sequence

from citybrain.app.city import City
from citybrain.brain import observe
from citybrain.brain.detect import feeds
from citybrain.brain.see import Arrival, Lookups
from citybrain.doors.api.plain import mapping
from citybrain.kernel.access import Caller, Query
from citybrain.kernel.alerts import Alert, Evidence, Grade
from citybrain.kernel.cases import Case
from citybrain.kernel.errors import ForbiddenError, NotFoundError
from citybrain.kernel.instant import Instant
from citybrain.kernel.observations import SeriesQuery
from citybrain.kernel.pack import Rule
from citybrain.kernel.predicate import Compare
from citybrain.kernel.text import Json, Text

_FEED_LOST = Rule(
    name=feeds.RULE,
    on="",
    when="now - time > silent_after || now - last_within > silent_after || time - changed >= stuck_after",
    because=Text("{title}数据异常", "{title}, feed lost"),
    basis=feeds.BASIS,
    grade=Grade.BLUE,
    fires=(),
    silent=(),
)
"""The house's watch over feeds, told as a rule."""


def lookups(city: City, caller: Caller) -> Lookups:
    """The lookups of a caller: a case or an alert that the caller may not see is not found."""
    return Lookups(
        case=lambda key: _case(city, caller, key),
        alert=lambda key: _alert(city, caller, key),
        rule=lambda key: _rule(city, key),
        arrival=lambda seen: _arrival(city, seen) if _readable(city, caller, (seen,)) else None,
        inputs=lambda seen: _readable(city, caller, _inputs(city, seen)),
        visible=lambda dataset, key: _visible(city, caller, dataset, key),
        changed=lambda seen: _changed(city, caller, seen),
    )


def _case(city: City, caller: Caller, key: str) -> Case:
    _visible(city, caller, "case", key)
    return city.cases.case(key)


def _alert(city: City, caller: Caller, key: str) -> Alert:
    _visible(city, caller, "alert", key)
    return city.alerts.alert(key)


def _visible(city: City, caller: Caller, dataset: str, key: str) -> None:
    try:
        seen = bool(city.guard.reader(caller).read(Query(dataset, Compare("id", "eq", key), limit=1)).rows)
    except ForbiddenError:
        seen = False
    if not seen:
        raise NotFoundError(Text(f"没有找到“{key}”，或您无权查看。", f"'{key}' does not exist, or not for you."), id=key)


def _rule(city: City, key: str) -> Rule:
    """A rule by the key that alerts carry: its pack and name, or the house's own watch over feeds."""
    if key == feeds.RULE:
        return _FEED_LOST
    for pack in city.packs:
        for rule in pack.rules:
            if f"{pack.name}.{rule.name}" == key:
                return rule
    raise NotFoundError(Text(f"没有规则“{key}”。", f"There is no rule '{key}'."), rule=key)


def _arrival(city: City, seen: Evidence) -> Arrival | None:
    known = city.registry.stream(seen.stream)
    rows = city.stores.series.scan(SeriesQuery((known.no,), seen.time, Instant(seen.time + 1))).to_pylist()
    if not rows:
        return None
    return Arrival(float(rows[0]["value"]), str(rows[0]["door"]), Instant(int(rows[0]["received"])), known.origin)


def _changed(city: City, caller: Caller, seen: Sequence[Evidence]) -> Mapping[Evidence, Mapping[str, Json]]:
    """What has become of readings of kinds that the caller may read."""
    readable = _readable(city, caller, seen)
    found = {(one.stream, one.time): one for one in city.corrections.altered(readable)}
    return {one: mapping(told) for one in readable if (told := found.get((one.stream, one.time))) is not None}


def _readable(city: City, caller: Caller, seen: Sequence[Evidence]) -> list[Evidence]:
    return observe.readable(city.policy, city.registry, caller, seen)


def _inputs(city: City, seen: Evidence) -> Sequence[Evidence]:
    known, time = city.registry.stream(seen.stream), seen.time
    names = next(
        (made.inputs for pack in city.packs for made in pack.derived if (made.kind, made.field) == (known.kind, known.field)), ()
    )
    found = []
    for name in names:
        source = city.registry.stream(f"{known.entity}.{name}")
        rows = city.stores.series.scan(SeriesQuery((source.no,), time, Instant(time + 1))).to_pylist()
        found += [Evidence(source.id, time, float(row["value"]), source.unit) for row in rows]
    return found
