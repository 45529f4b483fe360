"""Cases and steps as rows: reading, inserting, numbering, always inside a transaction that the caller holds."""

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import ColumnElement, Connection, Table, func, insert, select, text, update

from citybrain.brain.act.store import CASE, CAUSE, NOTICE, SERIAL, STEP
from citybrain.kernel.cases import Case, Step
from citybrain.kernel.errors import NotFoundError
from citybrain.kernel.places import Place
from citybrain.kernel.text import Text


def case_of(row: Mapping[str, object]) -> Case:
    """The case of a row of the case table."""
    fields = dict(row)
    lon, lat = fields.pop("lon"), fields.pop("lat")
    fields["place"] = Place(lon, lat) if isinstance(lon, float) and isinstance(lat, float) else None
    fields["title"] = msgspec.json.decode(str(fields["title"]), type=Text)
    return msgspec.convert({name: fields[name] for name in Case.__struct_fields__}, Case)


def step_of(row: Mapping[str, object]) -> Step:
    """The step of a row of the step table."""
    return msgspec.convert({name: row[name] for name in Step.__struct_fields__}, Step)


def find_case(connection: Connection, condition: ColumnElement[bool]) -> Case | None:
    """The case that a condition picks out, or None."""
    row = connection.execute(select(CASE).where(condition)).mappings().first()
    return None if row is None else case_of(dict(row))


def load_case(connection: Connection, case_id: str) -> Case:
    """A case by id; raises NotFoundError."""
    case = find_case(connection, CASE.c.id == case_id)
    if case is None:
        what = Text(f"没有编号为“{case_id}”的案件。", f"There is no case '{case_id}'.")
        raise NotFoundError(what, case=case_id)
    return case


def lock_case(connection: Connection, case_id: str) -> Case:
    """A case by id, its row held until the transaction ends; raises NotFoundError."""
    connection.execute(select(CASE.c.id).where(CASE.c.id == case_id).with_for_update())
    return load_case(connection, case_id)


def insert_case(connection: Connection, case: Case, key: str) -> None:
    """Write a new open case; raises sqlalchemy's IntegrityError where an open case has the key already."""
    values = {name: getattr(case, name) for name in Case.__struct_fields__ if name not in ("place", "title")}
    place = case.place
    values |= {
        "title": _json(case.title),
        "lon": None if place is None else place.lon,
        "lat": None if place is None else place.lat,
        "key": key,
        "open_key": key if case.closed is None else None,
    }
    connection.execute(insert(CASE).values(values))
    connection.execute(insert(CAUSE).values(case=case.id, cause=case.cause))


def replace_case(connection: Connection, case: Case, seen: int) -> bool:
    """Write a moved case if the stored version is still the one that was seen; says whether it was."""
    values: dict[str, object] = {
        "state": case.state,
        "unit": case.unit,
        "handler": case.handler,
        "closed": case.closed,
        "version": case.version,
    }
    if case.closed is not None:
        values["open_key"] = None
    done = connection.execute(update(CASE).where(CASE.c.id == case.id, CASE.c.version == seen).values(values))
    return done.rowcount == 1


def reopen_case(connection: Connection, case: Case) -> None:
    """Write a case that was closed and is open again; the row must be held."""
    values = {"state": case.state, "handler": None, "closed": None, "version": case.version, "open_key": CASE.c.key}
    connection.execute(update(CASE).where(CASE.c.id == case.id).values(values))


def add_cause(connection: Connection, case_id: str, cause: str) -> bool:
    """Remember one more cause of a case; says whether it was new."""
    known = connection.execute(select(CAUSE.c.cause).where(CAUSE.c.case == case_id, CAUSE.c.cause == cause)).first()
    if known is None:
        connection.execute(insert(CAUSE).values(case=case_id, cause=cause))
    return known is None


def add_step(connection: Connection, step: Step) -> None:
    """Append a step as the next of its case; the case's row must be new or held."""
    last = connection.execute(select(func.max(STEP.c.no)).where(STEP.c.case == step.case)).scalar_one_or_none()
    connection.execute(insert(STEP).values(**msgspec.structs.asdict(step), no=(last or 0) + 1))


def next_serial(connection: Connection, day: str) -> int:
    """The next number of a local day ``YYYYMMDD``, from 1; a rolled-back transaction leaves no gap."""
    bump = update(SERIAL).where(SERIAL.c.day == day).values(last=SERIAL.c.last + 1)
    if connection.execute(bump).rowcount == 0:
        _add(connection, SERIAL, [{"day": day, "last": 0}])
        connection.execute(bump)
    return int(connection.execute(select(SERIAL.c.last).where(SERIAL.c.day == day)).scalar_one())


def leave_notices(connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
    """Write rows of the notice table; a recipient who had the notice of that key already is not told again."""
    if rows:
        _add(connection, NOTICE, rows)


def _add(connection: Connection, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
    """Insert the rows that are not there yet, also where somebody else writes them in this moment (SQL of SQLite and PostgreSQL)."""
    names = table.columns.keys()
    columns, values = ", ".join(f'"{name}"' for name in names), ", ".join(f":{name}" for name in names)
    connection.execute(text(f'INSERT INTO "{table.name}" ({columns}) VALUES ({values}) ON CONFLICT DO NOTHING'), rows)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
