"""What has become since of the readings that an alert rests on: for whom may see both the alert with its evidence and the readings."""

from collections.abc import Mapping, Sequence

from citybrain.brain.observe import Altered, readable
from citybrain.doors.api.caller import purpose
from citybrain.doors.api.parts import ApiParts, Call
from citybrain.kernel.access import Query
from citybrain.kernel.alerts import Evidence
from citybrain.kernel.predicate import Compare
from citybrain.kernel.text import Json


def of_alert(parts: ApiParts, call: Call, name: str) -> tuple[Altered, ...]:
    """Those that are not what the alert saw; none where the alert is not for this caller. Blocks."""
    asked = Query("alert", Compare("id", "eq", name), limit=1)
    rows = parts.guard.reader(call.user, purpose(call)).read(asked).rows
    if not rows or rows[0].get("evidence") is None:
        return ()
    return parts.corrections.altered(_readable(parts, call, parts.alerts.alert(name).evidence))


def of_cause(parts: ApiParts, call: Call, cause: str) -> tuple[Altered, ...]:
    """The same of the alert that a case was opened for; none for another cause. Blocks."""
    kind, _, name = cause.partition(":")
    return of_alert(parts, call, name) if kind == "alert" else ()


def behind(parts: ApiParts, call: Call, rows: Sequence[Mapping[str, Json]]) -> frozenset[str]:
    """Of rows behind a figure that name an alert, or else a case, those names whose alert rests on what was corrected since. Blocks."""
    alerts = {str(row["alert"]): str(row["alert"]) for row in rows if isinstance(row.get("alert"), str)}
    if not alerts:
        cases = tuple({str(row["case"]) for row in rows if isinstance(row.get("case"), str)})
        asked = Query("case", Compare("id", "in", cases), limit=len(cases))
        found = parts.guard.reader(call.user, purpose(call)).read(asked).rows if cases else ()
        causes = {str(row["id"]): str(row.get("cause") or "").partition(":") for row in found}
        alerts = {case: name for case, (kind, _, name) in causes.items() if kind == "alert"}
    seen = parts.alerts.evidence(tuple(set(alerts.values())))
    changed = parts.corrections.behind({name: _readable(parts, call, each) for name, each in seen.items()})
    return frozenset(key for key, name in alerts.items() if name in changed)


def _readable(parts: ApiParts, call: Call, seen: Sequence[Evidence]) -> list[Evidence]:
    return readable(parts.policy, parts.registry, call.user, seen, purpose(call))
