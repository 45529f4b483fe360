"""Where detect keeps what it knows: alerts, the state of each rule and entity between batches, and issued forecasts."""

from collections.abc import Sequence
from typing import TypeAlias

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Float,
    Index,
    Integer,
    MetaData,
    Row,
    String,
    Table,
    Text,
    UniqueConstraint,
    select,
)

from citybrain.kernel import text
from citybrain.kernel.alerts import Alert, Evidence
from citybrain.kernel.datasets import ForecastIssue
from citybrain.kernel.places import Place
from citybrain.kernel.things import Entity

Cells: TypeAlias = dict[str, str | int | float | None]

METADATA = MetaData()
ALERT = Table(
    "alert",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("rule", String(200), nullable=False),
    Column("rule_version", String(50), nullable=False),
    Column("entity", String(200), nullable=False),
    Column("kind", String(100), nullable=False),
    Column("title", Text, nullable=False),
    Column("area", String(15)),
    Column("lon", Float(53)),
    Column("lat", Float(53)),
    Column("grade", Integer, nullable=False),
    Column("state", String(20), nullable=False),
    Column("began", BigInteger, nullable=False),
    Column("told", BigInteger, nullable=False),
    Column("cleared", BigInteger),
    Column("because", Text, nullable=False),
    Column("basis", Text, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("case_id", String(36)),
    Column("wants_case", Integer, nullable=False),
    Column("origin", String(20), nullable=False),
    Index("alert_state", "state", "told", "id"),
    Index("alert_told", "told", "id"),
    Index("alert_wants_case", "wants_case"),
    Index("alert_entity", "entity"),
)
RULE_STATE = Table(
    "rule_state",
    METADATA,
    Column("rule", String(200), primary_key=True),
    Column("entity", String(200), primary_key=True),
    Column("since", BigInteger, nullable=False),
    Column("alert", String(36)),
)
FORECAST = Table(
    "forecast",
    METADATA,
    Column("stream", String(300), primary_key=True),
    Column("issued", BigInteger, primary_key=True),
    Column("model", String(200), nullable=False),
    Column("points", Text, nullable=False),
    Column("skill", Text, nullable=False),
    Column("reliability", Text, nullable=False, server_default="[]"),
    Column("note", Text, nullable=False),
    Column("origin", String(20), nullable=False),
    Index("forecast_issued", "issued", "stream"),
)
LIMIT_VERSION = Table(
    "limit_version",
    METADATA,
    Column("no", Integer, primary_key=True, autoincrement=False),
    Column("pack", String(100), nullable=False),
    Column("name", String(100), nullable=False),
    Column("version", Integer, nullable=False),
    Column("value", Float(53), nullable=False),
    Column("before", Float(53), nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("wall", BigInteger, nullable=False),
    Column("by", String(200), nullable=False),
    Column("why", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("back_to", Integer),
    UniqueConstraint("pack", "name", "version"),
)


def create(connection: Connection) -> None:
    """Make the tables where they are missing; app migrates with alembic instead."""
    METADATA.create_all(connection)


def alert_row(alert: Alert, entity: Entity, *, wants_case: bool) -> Cells:
    """The columns of an alert, with place and title of its entity."""
    place: Place | None = entity.place
    return {
        "id": alert.id,
        "rule": alert.rule,
        "rule_version": alert.rule_version,
        "entity": alert.entity,
        "kind": entity.kind,
        "title": _json(entity.title),
        "area": alert.area,
        "lon": None if place is None else place.lon,
        "lat": None if place is None else place.lat,
        "grade": int(alert.grade),
        "state": alert.state,
        "began": alert.began,
        "told": alert.told,
        "cleared": alert.cleared,
        "because": _json(alert.because),
        "basis": _json(alert.basis),
        "evidence": _json(alert.evidence),
        "case_id": alert.case,
        "wants_case": int(wants_case),
        "origin": alert.origin,
    }


def alert_of(row: Row[tuple[object, ...]]) -> Alert:
    """The alert of a row."""
    plain = {
        name: getattr(row, name)
        for name in ("id", "rule", "rule_version", "entity", "area", "grade", "state", "began", "told", "cleared", "origin")
    }
    texts = {name: msgspec.json.decode(getattr(row, name), type=text.Text) for name in ("because", "basis")}
    evidence = msgspec.json.decode(row.evidence, type=tuple[Evidence, ...])
    return msgspec.convert(plain | texts | {"evidence": evidence, "case": row.case_id}, Alert)


def alerts_where(connection: Connection, *conditions: ColumnElement[bool]) -> Sequence[Alert]:
    """Alerts that meet all conditions, newest first."""
    wanted = select(ALERT).order_by(ALERT.c.told.desc(), ALERT.c.id.desc())
    for condition in conditions:
        wanted = wanted.where(condition)
    return [alert_of(row) for row in connection.execute(wanted)]


def issue_row(issue: ForecastIssue) -> Cells:
    """The columns of a forecast."""
    return {
        "stream": issue.stream,
        "issued": issue.issued,
        "model": issue.model,
        "points": _json(issue.points),
        "skill": _json(issue.skill),
        "reliability": _json(issue.reliability),
        "note": _json(issue.note),
        "origin": issue.origin,
    }


def issue_of(row: Row[tuple[object, ...]]) -> ForecastIssue:
    """The forecast of a row."""
    plain = {"stream": row.stream, "issued": row.issued, "model": row.model, "origin": row.origin}
    parts = {name: msgspec.json.decode(getattr(row, name)) for name in ("points", "skill", "note", "reliability")}
    return msgspec.convert(plain | parts, ForecastIssue)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
