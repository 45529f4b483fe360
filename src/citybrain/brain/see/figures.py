"""Figures as rows: kept when they change and once a city hour, read as the newest, as of an instant, or as a history."""

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import Connection, delete, func, insert, select

from citybrain.brain.see.store import FIGURE
from citybrain.kernel.datasets import Figure
from citybrain.kernel.ids import new_id
from citybrain.kernel.instant import HOUR, Instant
from citybrain.kernel.text import Text


def keep(connection: Connection, figures: Sequence[Figure]) -> int:
    """Store the figures that say something new, or are the first of their city hour; returns how many were stored."""
    known = {(figure.indicator, figure.area): figure for name in {f.indicator for f in figures} for figure in of(connection, name)}
    fresh = [figure for figure in figures if _fresh(figure, known.get((figure.indicator, figure.area)))]
    for figure in fresh:
        same = (FIGURE.c.indicator == figure.indicator) & (FIGURE.c.area == (figure.area or ""))
        connection.execute(delete(FIGURE).where(same, FIGURE.c.computed == figure.computed))
        connection.execute(insert(FIGURE).values(_values(figure)))
    return len(fresh)


def of(connection: Connection, indicator: str, at: Instant | None = None) -> tuple[Figure, ...]:
    """The newest figures of an indicator, district first; with ``at``, those that stood then."""
    last = select(FIGURE.c.area, func.max(FIGURE.c.computed).label("computed")).where(FIGURE.c.indicator == indicator)
    if at is not None:
        last = last.where(FIGURE.c.computed <= at)
    newest = last.group_by(FIGURE.c.area).subquery()
    joined = FIGURE.join(newest, (FIGURE.c.area == newest.c.area) & (FIGURE.c.computed == newest.c.computed))
    found = select(FIGURE).select_from(joined).where(FIGURE.c.indicator == indicator).order_by(FIGURE.c.area)
    return tuple(_figure(dict(row)) for row in connection.execute(found).mappings())


def between(connection: Connection, indicator: str, area: str | None, since: Instant, until: Instant) -> tuple[Figure, ...]:
    """The figures computed in [since, until), oldest first."""
    found = (
        select(FIGURE)
        .where(FIGURE.c.indicator == indicator, FIGURE.c.area == (area or ""))
        .where(FIGURE.c.computed >= since, FIGURE.c.computed < until)
        .order_by(FIGURE.c.computed)
    )
    return tuple(_figure(dict(row)) for row in connection.execute(found).mappings())


def _fresh(figure: Figure, known: Figure | None) -> bool:
    if known is None or figure.computed // HOUR != known.computed // HOUR:
        return True
    return _said(figure) != _said(known)


def _said(figure: Figure) -> tuple[object, ...]:
    return (figure.version, figure.value, figure.unknown, figure.reason, figure.origin)


def _values(figure: Figure) -> dict[str, object]:
    reason = None if figure.reason is None else msgspec.json.encode(figure.reason).decode()
    return msgspec.structs.asdict(figure) | {"id": new_id(), "area": figure.area or "", "reason": reason}


def _figure(row: Mapping[str, object]) -> Figure:
    reason = row["reason"]
    said = None if reason is None else msgspec.json.decode(str(reason), type=Text)
    fields = {name: row[name] for name in Figure.__struct_fields__}
    return msgspec.convert(fields | {"area": row["area"] or None, "reason": said}, Figure)
