"""Units of the district, and who of them answers for a duty in an area."""

import msgspec
from sqlalchemy import Connection, delete, insert, select

from citybrain.brain.act.store import UNIT
from citybrain.kernel.errors import NotFoundError
from citybrain.kernel.parties import Unit
from citybrain.kernel.places import level_of, parent_of
from citybrain.kernel.ports import Transactions
from citybrain.kernel.text import Text, same

_DUTIES: dict[str, Text] = {
    "operations": Text("城市运行", "City operations"),
    "command": Text("指挥处置", "Command"),
    "security": Text("安全保护", "Security"),
    "data": Text("数据管理", "Data"),
    "informatics": Text("信息化", "Informatics"),
    "environment": Text("生态环境", "Environment"),
    "city_management": Text("城市管理", "City management"),
    "traffic": Text("交通", "Traffic"),
    "water": Text("水务", "Water"),
    "emergency": Text("应急管理", "Emergencies"),
    "health": Text("卫生健康", "Health"),
    "education": Text("教育", "Education"),
    "culture_tourism": Text("文化和旅游", "Culture and tourism"),
    "commerce": Text("商务", "Commerce"),
    "housing": Text("住房和建设", "Housing"),
    "market": Text("市场监管", "Market supervision"),
    "civil_affairs": Text("民政", "Civil affairs"),
    "subdistrict": Text("街道综合管理", "Subdistrict affairs"),
}


def duty_words(duty: str) -> Text:
    """A duty in words; its own name where a district or a pack has one that is not known here."""
    return _DUTIES.get(duty, same(duty))


class Units:
    """The offices of the district; implements the port Duty."""

    def __init__(self, transactions: Transactions[Connection]) -> None:
        self._transactions = transactions

    def put(self, unit: Unit) -> None:
        """Enter a unit, or replace the one of the same id; raises BadInputError for an area that is no code."""
        if unit.area is not None:
            level_of(unit.area)
        row = {**msgspec.structs.asdict(unit), "name": _json(unit.name), "duties": _json(unit.duties)}
        with self._transactions.begin() as tx:
            tx.connection.execute(delete(UNIT).where(UNIT.c.id == unit.id))
            tx.connection.execute(insert(UNIT).values(row))

    def all(self) -> tuple[Unit, ...]:
        """Every unit, by id."""
        with self._transactions.read() as connection:
            rows = connection.execute(select(UNIT).order_by(UNIT.c.id)).mappings().all()
        return tuple(
            Unit(
                id=row["id"],
                name=msgspec.json.decode(row["name"], type=Text),
                duties=msgspec.json.decode(row["duties"], type=tuple[str, ...]),
                area=row["area"],
                parent=row["parent"],
            )
            for row in rows
        )

    def unit(self, unit_id: str) -> Unit:
        """A unit by id; raises NotFoundError."""
        for unit in self.all():
            if unit.id == unit_id:
                return unit
        raise NotFoundError(Text(f"没有单位“{unit_id}”。", f"There is no unit '{unit_id}'."), unit=unit_id)

    def responsible(self, duty: str, area: str | None) -> str:
        """The unit that answers: the one of the nearest area upward, then the one without an area; raises NotFoundError."""
        return nearest(self.all(), duty, area)


def nearest(units: tuple[Unit, ...], duty: str, area: str | None) -> str:
    """The id of the unit with the duty whose area is nearest upward; of two alike the first by id; raises NotFoundError."""
    able = sorted((unit for unit in units if duty in unit.duties), key=lambda unit: unit.id)
    for here in _upward(area):
        for unit in able:
            if unit.area == here:
                return unit.id
    # A matter without an area is the district's: the unit of the six-digit code answers for it too.
    if area is None and (district := [unit for unit in able if unit.area is not None and len(unit.area) == 6]):
        return district[0].id
    what = Text(
        f"没有单位负责“{duty}”（区域 {area or '全区'}）。请在“单位”中指定。",
        f"No unit answers for '{duty}' in {area or 'the district'}. Name one under Units.",
    )
    raise NotFoundError(what, duty=duty, area=area)


def _upward(area: str | None) -> tuple[str | None, ...]:
    found: list[str | None] = []
    here = area
    while here is not None:
        found.append(here)
        here = parent_of(here)
    return (*found, None)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
