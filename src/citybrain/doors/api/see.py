"""What see offers over HTTP: figures with their history and rows, where they come from, map layers, and the live stream."""

from collections.abc import Sequence
from typing import Annotated, Final, TypeAlias

import msgspec
from litestar import get
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException
from litestar.params import FromPath, FromQuery, HeaderParameter, SkipValidation
from litestar.response import ServerSentEvent

from citybrain.brain.observe import CORRECTION
from citybrain.brain.see import layers, trace
from citybrain.doors.api import asking, changed
from citybrain.doors.api.caller import asks, purpose
from citybrain.doors.api.live import Client, Seats
from citybrain.doors.api.parts import ApiParts, Call, Parts
from citybrain.doors.api.plain import mapping
from citybrain.doors.api.rows import Row, marked, page
from citybrain.kernel.access import Ask, Query
from citybrain.kernel.datasets import Figure
from citybrain.kernel.errors import ForbiddenError, NotFoundError, UnauthenticatedError
from citybrain.kernel.instant import DAY, Instant
from citybrain.kernel.pack import Indicator
from citybrain.kernel.predicate import Compare
from citybrain.kernel.text import Json, Text

Live: TypeAlias = NamedDependency[SkipValidation[Seats]]
_BEHIND: Final = {"alert": "alert", "case": "case", "stream": "stream", "booking": "booking", "offer": "offer"}
"""Column that names what a row behind a figure is → the dataset that says who may see it; an alert names its case too."""


class FigureSheet(msgspec.Struct, frozen=True):
    """An indicator with its definition, and its figures (the district's first, then by area).

    Asked for one indicator, its figures of streams say how many of the readings they were made of a person had set by then
    (``corrected``), and how many were corrected, struck out or put back since (``changed``).
    """

    indicator: str
    title: Text
    unit: str
    version: int
    definition: Text
    inputs: tuple[str, ...]
    decimals: int
    better: str
    figures: tuple[Row, ...]


class Behind(msgspec.Struct, frozen=True, omit_defaults=True):
    """The rows behind a figure that this caller may see; ``hidden`` counts those that they may not.

    ``corrected`` of them are readings that a person set; ``changed`` are alerts, or cases of alerts, that rest on a reading which was
    corrected since, and say so themselves.
    """

    items: tuple[Row, ...]
    hidden: int
    corrected: int = 0
    changed: int = 0


@get("/figures", opt=asks("figure.read", of="figure"), sync_to_thread=True)
def figures(request: Call, parts: Parts) -> list[FigureSheet]:
    """The newest figures of every indicator that this caller may see."""
    sheets = [_sheet(one_, _open(request, parts, parts.indicators.of(one_.name))) for one_ in parts.indicators.all()]
    return [sheet for sheet in sheets if sheet.figures]


@get("/figures/{indicator:str}", opt=asks("figure.read", of="figure"), sync_to_thread=True)
def figure(request: Call, parts: Parts, indicator: FromPath[str]) -> FigureSheet:
    """The newest figures of one indicator, with what became of the readings they were made of."""
    return _rested(parts, parts.indicators.indicator(indicator), _open(request, parts, parts.indicators.of(indicator)))


@get("/figures/{indicator:str}/history", opt=asks("figure.read", "since", "until", "area", of="figure"), sync_to_thread=True)
def history(
    request: Call,
    parts: Parts,
    indicator: FromPath[str],
    since: FromQuery[str | None] = None,
    until: FromQuery[str | None] = None,
    area: FromQuery[str | None] = None,
) -> FigureSheet:
    """The figures shown in [since, until), by default of the last 30 days, oldest first; each stands until the next.

    Each says what has become since of the readings it was made of.
    """
    start = Instant(parts.clock.city() - 30 * DAY) if since is None else asking.instant(since, "since")
    end = None if until is None else asking.instant(until, "until")
    shown = parts.indicators.history(indicator, start, end, area)
    return _rested(parts, parts.indicators.indicator(indicator), _open(request, parts, shown))


@get("/figures/{indicator:str}/rows", opt=asks("lineage.read", "area"), sync_to_thread=True)
def rows(request: Call, parts: Parts, indicator: FromPath[str], area: FromQuery[str | None] = None) -> Behind:
    """At most 1,000 of the cases, alerts, streams, bookings or offers that a figure counts now."""
    found = parts.indicators.rows(indicator, area, asking.MOST)
    seen = _seen(request, parts, found)
    corrected = sum(row.get("door") == CORRECTION for row in seen)
    touched = changed.behind(parts, request, seen)
    items = tuple(
        marked({**row, "changed": True} if {row.get("alert"), row.get("case")} & touched else row, "real") for row in seen
    )
    return Behind(items, len(found) - len(seen), corrected, sum("changed" in row for row in items))


@get("/trace/figures/{indicator:str}", opt=asks("lineage.read", "area"), sync_to_thread=True)
def trace_figure(request: Call, parts: Parts, indicator: FromPath[str], area: FromQuery[str | None] = None) -> dict[str, object]:
    """From a figure down to the readings: cases, alerts, rules, evidence, doors."""
    shown = [each for each in _open(request, parts, parts.indicators.of(indicator)) if each.area == area]
    if not shown:
        what = Text(f"指标“{indicator}”在该区域暂无数值。", f"The indicator '{indicator}' has no figure there yet.")
        raise NotFoundError(what, indicator=indicator)
    behind = _seen(request, parts, parts.indicators.rows(indicator, area, 100))
    return dict(mapping(trace.of_figure(shown[0], parts.indicators.indicator(indicator), behind, parts.lookups(request.user))))


@get("/trace/cases/{name:str}", opt=asks("lineage.read"), sync_to_thread=True)
def trace_case(request: Call, parts: Parts, name: FromPath[str]) -> dict[str, object]:
    """From a case down to the readings that caused it."""
    return dict(mapping(trace.of_case(name, parts.lookups(request.user))))


@get("/trace/alerts/{name:str}", opt=asks("lineage.read"), sync_to_thread=True)
def trace_alert(request: Call, parts: Parts, name: FromPath[str]) -> dict[str, object]:
    """From an alert down to the readings it rests on."""
    return dict(mapping(trace.of_alert(name, parts.lookups(request.user))))


@get("/layers", opt=asks("catalogue.read"), sync_to_thread=False)
def layer_names(parts: Parts) -> list[str]:
    """The names of the map layers."""
    return sorted(parts.layers)


@get("/layers/{file:str}", opt=asks("area.read"), sync_to_thread=True, media_type="application/geo+json")
def layer(request: Call, parts: Parts, file: FromPath[str]) -> dict[str, object]:
    """A map layer ``<name>.geojson`` (RFC 7946); without a map approval number (审图号) the public gets no positions."""
    name = file.removesuffix(".geojson")
    made = parts.layers.get(name)
    if made is None or name == file:
        what = Text(f"没有图层“{file}”。图层见 /api/v1/see/layers。", f"There is no layer '{file}'. See /api/v1/see/layers.")
        raise NotFoundError(what, layer=file)
    noun = "area" if name == "areas" else "entity"
    facts: dict[str, Json] = {"access": parts.catalogue.describe("area" if name == "areas" else name).access}
    parts.guard.require(Ask(request.user, f"{noun}.read", name, purpose(request), facts))
    shown = dict(made())
    return dict(shown if request.user.known or parts.map_approved else layers.public(shown, ""))


@get("/live", opt=asks("alert.read", "last_event_id", of="alert"))
async def live(
    request: Call,
    parts: Parts,
    seats: Live,
    header: Annotated[str | None, HeaderParameter(name="Last-Event-ID")] = None,
    last_event_id: FromQuery[str | None] = None,
) -> ServerSentEvent:
    """Server-sent events ``alert``, ``case``, ``figure``, ``fragment``; Last-Event-ID (or the word) reads on from there."""
    since = header or last_event_id
    if since is not None and not (since.isascii() and since.isdigit() and len(since) < 19):
        raise HTTPException(status_code=400, detail="Last-Event-ID is the id of an event of this stream.")
    seats.look()
    client = Client(parts, request, None if since is None else int(since), parts.heartbeat)
    return ServerSentEvent(client.messages(seats), headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})


def _sheet(one_: Indicator, shown: Sequence[Figure]) -> FigureSheet:
    listed = tuple(marked(mapping(each), each.origin) for each in shown)
    return FigureSheet(
        one_.name, one_.title, one_.unit, one_.version, one_.definition, one_.inputs, one_.decimals, one_.better, listed
    )


def _rested(parts: ApiParts, one_: Indicator, shown: Sequence[Figure]) -> FigureSheet:
    """The sheet, whose figures of streams say what they were made of."""
    sheet, found = _sheet(one_, shown), parts.indicators.rested(one_.name, shown, parts.corrections.rested)
    if not found:
        return sheet
    told = tuple({**row, **mapping(each)} for row, each in zip(sheet.figures, found, strict=True))
    return msgspec.structs.replace(sheet, figures=told)


def _open(request: Call, parts: ApiParts, shown: Sequence[Figure]) -> list[Figure]:
    """The figures that policy opens to the caller, each asked for with its own time."""
    access = parts.catalogue.describe("figure").access

    def may(each: Figure) -> bool:
        facts: dict[str, Json] = {"access": access, "as_of": each.as_of}
        return parts.policy.decide(Ask(request.user, "figure.read", "figure", purpose(request), facts)).allowed

    return [each for each in shown if may(each)]


def _seen(request: Call, parts: ApiParts, found: Sequence[dict[str, Json]]) -> list[dict[str, Json]]:
    """The rows whose own dataset shows them to the caller."""
    name = next((column for column in _BEHIND if found and column in found[0]), None)
    if name is None:
        return list(found)
    dataset = parts.catalogue.describe(_BEHIND[name])
    keys = tuple({str(row[name]) for row in found})
    try:
        shown = page(parts, request, dataset, Query(dataset.name, Compare("id", "in", keys), limit=asking.MOST))
    except (ForbiddenError, UnauthenticatedError):
        return []
    visible = {row["id"] for row in shown.items}
    return [row for row in found if row[name] in visible]


HANDLERS = (figures, figure, history, rows, trace_figure, trace_case, trace_alert, layer_names, layer, live)
