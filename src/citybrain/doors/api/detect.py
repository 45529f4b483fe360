"""What detect offers over HTTP: alerts, the rules behind them, forecasts and the algorithms that make them."""

import msgspec
from litestar import get
from litestar.params import FromPath

from citybrain.doors.api import changed
from citybrain.doors.api.caller import asks, purpose
from citybrain.doors.api.parts import Call, Parts
from citybrain.doors.api.plain import mapping, plain
from citybrain.doors.api.rows import Row, Rows, listed, marked, one
from citybrain.kernel.access import Ask
from citybrain.kernel.alerts import GRADE_WORDS, Grade
from citybrain.kernel.errors import NotFoundError
from citybrain.kernel.pack import Opens
from citybrain.kernel.text import Json, Text


class RuleSheet(msgspec.Struct, frozen=True):
    """A rule as its pack declares it: condition, words, basis, grade, and the case that it opens."""

    pack: str
    name: str
    on: str
    when: str
    lasting: str | None
    clears: str | None
    because: Text
    basis: Text
    grade: Grade
    grade_words: Text
    opens: Opens | None


@get("/alerts", opt=asks("alert.read", of="alert", columns=True), sync_to_thread=True)
def alerts(request: Call, parts: Parts) -> Rows:
    """Alerts by any of their columns, newest first."""
    return listed(parts, request, "alert")


@get("/alerts/{name:str}", opt=asks("alert.read", of="alert"), sync_to_thread=True)
def alert(request: Call, parts: Parts, name: FromPath[str]) -> Row:
    """One alert with the readings it rests on; ``changed`` are those that are not what they were then, with what each was and is."""
    found = one(parts, request, "alert", name)
    return {**found, "changed": [mapping(each) for each in changed.of_alert(parts, request, name)]}


@get("/rules", opt=asks("rule.read"), sync_to_thread=False)
def rules(parts: Parts) -> list[RuleSheet]:
    """Every rule that watches, as declared."""
    return [
        RuleSheet(
            pack.name,
            rule.name,
            rule.on,
            rule.when,
            rule.lasting,
            rule.clears,
            rule.because,
            rule.basis,
            rule.grade,
            GRADE_WORDS[rule.grade],
            rule.opens,
        )
        for pack in parts.packs
        for rule in pack.rules
    ]


@get("/forecasts/{stream:str}", opt=asks("forecast.read"), sync_to_thread=True)
def forecast(request: Call, parts: Parts, stream: FromPath[str]) -> dict[str, object]:
    """The newest forecast of a stream: points with their band, and the errors of model and baseline on unseen time."""
    known = parts.registry.stream(stream)
    issue = parts.forecasts.latest(known.id)
    facts: dict[str, Json] = {"access": parts.catalogue.describe(known.kind).access}
    if issue is not None:
        facts["time"] = issue.issued
    parts.guard.require(Ask(request.user, "forecast.read", known.kind, purpose(request), facts))
    if issue is None:
        what = Text(f"数据流“{stream}”暂无预报。", f"There is no forecast of '{stream}' yet.")
        raise NotFoundError(what, stream=stream)
    return {**marked(mapping(issue), issue.origin)}


@get("/algorithms", opt=asks("forecast.read"), sync_to_thread=True)
def algorithms(parts: Parts) -> list[object]:
    """The registered forecasting algorithms, with their measured errors where they have been fitted."""
    return [plain(algorithm) for algorithm in parts.forecasts.algorithms()]


HANDLERS = (alerts, alert, rules, forecast, algorithms)
