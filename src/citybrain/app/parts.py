"""What each door is handed of a city, and nothing more."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias
from urllib.parse import urlsplit

from citybrain.app import problems
from citybrain.app.advice import ADVICE, plain
from citybrain.app.city import City
from citybrain.app.tracing import lookups
from citybrain.brain import observe, see
from citybrain.doors import api as api_door
from citybrain.doors import mqtt as mqtt_door
from citybrain.doors import pages as page_door
from citybrain.doors import sensorthings as sensorthings_door
from citybrain.kernel.access import Ask, Caller
from citybrain.kernel.errors import CityError, NotFoundError
from citybrain.kernel.instant import Instant
from citybrain.kernel.text import Json, Text, same
from citybrain.web import frame_views, views

Connected: TypeAlias = Callable[[], bool]
"""Whether a connection stands now."""


@dataclass(frozen=True, slots=True)
class DemoNotes:
    """What a demonstration says of itself: where its data come from, and who may sign in."""

    origin: Text
    accounts: tuple[frame_views.Account, ...]


def api(city: City) -> api_door.ApiParts:
    """The parts of the API."""
    transactions = city.stores.transactions
    return api_door.ApiParts(
        guard=city.guard,
        policy=city.policy,
        accounts=city.accounts,
        audit=city.audit,
        registry=city.registry,
        promises=city.promises,
        corrections=city.corrections,
        intake=city.intake,
        latest=city.latest,
        nearest=city.nearest,
        alerts=city.alerts,
        limits=city.limits,
        studio=city.studio,
        forecasts=city.forecasts,
        questions=city.questions,
        cases=city.cases,
        offers=city.offers,
        bookings=city.bookings,
        reports=city.reports,
        proofs=city.proofs,
        instructions=city.instructions,
        catalogue=city.catalogue,
        indicators=city.indicators,
        series=city.stores.series,
        areas=city.areas,
        units=city.units,
        packs=city.packs,
        bus=city.bus,
        clock=city.clock,
        events_after=transactions.events_after,
        last_event=transactions.last_position,
        lookups=partial(lookups, city),
        layers=_layers(city),
        ready=_ready(city),
        gauges={
            "citybrain_rules_lag_rows": (
                "Observations that the rules have not judged yet.",
                lambda: float(city.behind()),
            ),
        },
        body_limit=city.settings.body_limit,
        bulk_limit=city.settings.bulk_limit,
        origin=city.origin,
        secure_cookies=city.settings.secure_cookies,
        map_approved=bool(city.settings.map.approval_number),
    )


def pages(city: City, demo: DemoNotes | None, outside: Connected | None = None) -> page_door.PageParts:
    """The parts of the pages; ``outside`` tells whether the broker that is read from is there."""
    stands = _stands(city)
    return page_door.PageParts(
        guard=city.guard,
        policy=city.policy,
        accounts=city.accounts,
        registry=city.registry,
        promises=city.promises,
        corrections=city.corrections,
        latest=city.latest,
        nearest=city.nearest,
        census=city.census,
        areas=city.areas,
        alerts=city.alerts,
        limits=city.limits,
        studio=city.studio,
        forecasts=city.forecasts,
        questions=city.questions,
        cases=city.cases,
        offers=city.offers,
        bookings=city.bookings,
        reports=city.reports,
        proofs=city.proofs,
        instructions=city.instructions,
        units=city.units,
        catalogue=city.catalogue,
        indicators=city.indicators,
        packs=city.packs,
        clock=city.clock,
        history=partial(_history, city, observe.Recent(city.stores.series, city.registry, city.latest)),
        missing=partial(_missing, city),
        night=partial(_night, city, see.Nights(city.stores.facts)),
        trace=partial(_trace, city),
        doors=city.intake.accounts,
        silent=city.intake.silent,
        judged=lambda: city.doubts.judged,
        health=partial(_health, city, outside),
        errors=tuple(
            frame_views.ErrorEntry(code, status, title, *map(plain, ADVICE[code])) for code, status, title in problems.codes()
        ),
        cockpits=page_door.Moments(city.clock, stands),
        portals=page_door.Moments(city.clock, stands),
        district=city.settings.district_name,
        demo=None if demo is None else demo.origin,
        demo_accounts=() if demo is None else demo.accounts,
        footer=views.Footer(
            city.settings.footer.host,
            city.settings.footer.site_code,
            city.settings.footer.icp,
            city.settings.footer.police,
            city.settings.footer.report_errors,
        ),
        map_approval=city.settings.map.approval_number,
        frame_ancestors=city.settings.frame_ancestors,
        secure_cookies=city.settings.secure_cookies,
    )


def sensorthings(city: City, admitting: api_door.ApiParts) -> sensorthings_door.SensorThingsParts:
    """The parts of the SensorThings door; callers are known and admitted as the API does it."""
    return sensorthings_door.SensorThingsParts(
        guard=city.guard,
        accounts=city.accounts,
        registry=city.registry,
        making=city.making,
        intake=city.intake,
        featured=city.featured,
        featuring=city.featuring,
        corrections=city.corrections,
        series=city.stores.series,
        clock=city.clock,
        admit=api_door.gate(admitting),
        purpose=api_door.purpose,
        body_limit=city.settings.bulk_limit,
        mqtt_port=city.settings.mqtt_port,
    )


def mqtt(city: City) -> mqtt_door.MqttDoor:
    """The MQTT door."""
    read = sensorthings_door.Messages(sensorthings(city, api(city)))
    topics: tuple[mqtt_door.Reads, ...] = (*mqtt_door.mapped(city.settings.mqtt_topics), read)
    return mqtt_door.MqttDoor(city.guard, city.accounts, city.intake, city.clock, topics=topics)


def feeds(city: City, door: mqtt_door.MqttDoor) -> sensorthings_door.Feeds:
    """What those who subscribe at the broker of this door are sent."""
    settings = city.settings
    address = settings.address.rstrip("/") or f"http://{settings.hosts[0]}:{settings.port}"
    return sensorthings_door.Feeds(sensorthings(city, api(city)), door.stays, address)


def _layers(city: City) -> Mapping[str, Callable[[], Mapping[str, Json]]]:
    def things(kind: str) -> Mapping[str, Json]:
        return see.layers.things(city.registry.entities(kind), city.stream_rows())

    def areas() -> Mapping[str, Json]:
        return see.layers.areas(city.areas.subdistricts())

    kinds = [kind.name for pack in city.packs for kind in pack.kinds if kind.place != "none"]
    return {"areas": areas, **{kind: partial(things, kind) for kind in kinds}}


def _ready(city: City) -> dict[str, Callable[[], Text | None]]:
    def said(work: Callable[[], object]) -> Callable[[], Text | None]:
        def check() -> Text | None:
            try:
                work()
            except CityError as error:
                return error.what
            return None

        return check

    return {
        "transactions": said(lambda: city.stores.transactions.cursor("ready")),
        "series": said(city.stores.series.last_seq),
        "space": said(city.stores.space.check),
    }


def _health(city: City, outside: Connected | None) -> tuple[frame_views.Health, ...]:
    names = {
        "transactions": Text("业务库", "Transactions"),
        "series": Text("时序库", "Series"),
        "space": Text("磁盘空间", "Disk space"),
    }
    found = []
    for name, check in _ready(city).items():
        wrong = check()
        fine = Text("正常", "in order")
        tone: views.Tone = "good" if wrong is None else "bad"
        found.append(frame_views.Health(names[name], tone, fine if wrong is None else Text("异常", "out of order"), wrong or fine))
    behind = city.behind()
    words = Text(f"规则尚有 {behind} 条读数待判定", f"the rules have {behind} readings still to judge")
    found.append(
        frame_views.Health(Text("预警规则", "Rules"), "good" if behind < 100_000 else "warn", Text("运行中", "running"), words)
    )
    if outside is not None:
        tone, said = (
            ("good", Text("已连接", "connected")) if outside() else ("bad", Text("未连接，重连中", "not connected, being tried"))
        )
        host = same(urlsplit(city.settings.mqtt_broker).hostname or "")
        found.append(frame_views.Health(Text("外部 MQTT 服务器", "Outside MQTT broker"), tone, said, host))
    return tuple(found)


def _stands(city: City) -> Callable[[], tuple[int, int, int]]:
    """What changes whenever events are committed, readings written, or figures made."""
    commits = 0

    def told() -> None:
        nonlocal commits
        commits += 1

    city.stores.transactions.on_commit(told)
    return lambda: (commits, city.latest.written(), city.indicators.made)


def _night(city: City, nights: see.Nights) -> see.Night:
    return nights.at(city.clock.city())


def _history(
    city: City, recent: observe.Recent, caller: Caller, stream: str, since: Instant, until: Instant
) -> tuple[tuple[Instant, float], ...]:
    """Readings of a stream."""
    _require_readings(city, caller, stream)
    return recent.readings(stream, since, until)


def _missing(city: City, caller: Caller, stream: str, since: Instant, until: Instant) -> tuple[observe.Gap, ...]:
    """Gaps of a stream."""
    _require_readings(city, caller, stream)
    return observe.missing(city.stores.series, city.registry, stream, since, until, city.clock.city())


def _require_readings(city: City, caller: Caller, stream: str) -> None:
    """Policy is asked with the access that the stream's kind declares; raises ForbiddenError."""
    known = city.registry.stream(stream)
    access = city.registry.kind(known.kind).access
    city.guard.require(Ask(caller, "observation.read", known.kind, facts={"access": access}))


def _trace(city: City, caller: Caller, kind: str, name: str) -> see.Trace:
    """The chain below a figure, a case (by number) or an alert, read as the caller."""
    found = lookups(city, caller)
    if kind == "figure":
        whole = [figure for figure in city.indicators.of(name) if figure.area is None]
        if whole:
            return see.trace.of_figure(whole[0], city.indicators.indicator(name), city.indicators.rows(name, limit=20), found)
    if kind == "case":
        return see.trace.of_case(city.cases.by_number(name).id, found)
    if kind == "alert":
        return see.trace.of_alert(name, found)
    raise NotFoundError(Text(f"没有“{kind}/{name}”的追溯。", f"There is no trace of '{kind}/{name}'."), kind=kind, name=name)
