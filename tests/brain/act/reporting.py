"""A small report form and a district of two communities, one generated and one surveyed, for the tests of reports."""

from dataclasses import dataclass
from pathlib import Path

import shapely

from citybrain.brain.act import CaseBook, ReportBook, Units
from citybrain.brain.act.tries import Allowed
from citybrain.engines.files import FolderFiles
from citybrain.engines.keys import SoftKeys
from citybrain.engines.transactions import SqlTransactions
from citybrain.kernel.access import ANYONE
from citybrain.kernel.calendar import Allowance
from citybrain.kernel.clock import FixedClock
from citybrain.kernel.instant import HOUR, Duration
from citybrain.kernel.places import Area, Place
from citybrain.kernel.reports import Receipt, ReportClass, ReportForm, Said
from citybrain.kernel.text import Text, same
from citybrain.kernel.things import Origin

UTILITIES = Text("设施", "Utilities")
FORM = ReportForm(
    name="amiss",
    title=Text("随手报", "Report"),
    about=Text("测试", "Test"),
    flow="standard",
    duty="environment",
    edition=same("T 1"),
    since="2026-07-01",
    mark="secondary",
    classes=(
        ReportClass(
            "01037", Text("路灯异常", "Street light: fault"), UTILITIES, ("路灯不亮",), "lighting", Allowance(5, "working_days")
        ),
        ReportClass(
            "01023", Text("不明井盖异常", "Manhole cover: fault"), UTILITIES, ("井盖坏了",), "environment", Allowance(2, "hours")
        ),
        ReportClass(
            "06010", Text("暴露垃圾", "Rubbish"), Text("市容", "Looks"), ("垃圾没人收",), "waste", Allowance(1, "working_days")
        ),
    ),
    common=("01023",),
    alike_within=Duration(72 * HOUR),
    alike_metres=300.0,
    reopen_days=15,
    keep_days=365,
)
SPOT = Place(117.11, 39.11)
KEY = "0123456789abcdef"


@dataclass(frozen=True)
class Areas:
    """Areas over fixed boxes; the smallest first."""

    boxes: tuple[tuple[Area, tuple[float, float, float, float]], ...]

    def area_of(self, place: Place) -> str | None:
        """The first box that holds the point."""
        for area, (west, south, east, north) in self.boxes:
            if west <= place.lon <= east and south <= place.lat <= north:
                return area.code
        return None

    def area(self, code: str) -> Area:
        """By code."""
        return next(area for area, _ in self.boxes if area.code == code)

    def all(self) -> tuple[Area, ...]:
        """All of them."""
        return tuple(area for area, _ in self.boxes)


def district(origin: str) -> Areas:
    """A community of the street with a partition of this origin, within a surveyed district."""
    inner, outer = (117.1, 39.1, 117.2, 39.2), (117.0, 39.0, 117.3, 39.3)
    made = [
        (Area("120104001001", "community", same("社区"), "120104001", shapely.to_wkb(shapely.box(*inner)), origin), inner),
        (Area("120104001", "subdistrict", same("街道"), "120104", shapely.to_wkb(shapely.box(*inner)), origin), inner),
        (Area("120104", "district", same("区"), None, shapely.to_wkb(shapely.box(*outer)), "surveyed"), outer),
    ]
    return Areas(tuple(made))


def said(
    words: str = "小区门口路灯不亮", code: str = "01037", key: str = KEY, place: Place | None = SPOT, area: str | None = None
) -> Said:
    """What somebody says."""
    return Said("amiss", key, words, code, place, area, spot="东门外", contact="13800138000")


@dataclass(frozen=True)
class Desk:
    """A report book with what the tests look at beside it."""

    book: ReportBook
    cases: CaseBook
    transactions: SqlTransactions
    clock: FixedClock

    def file(self, what: Said | None = None, address: str = "10.0.0.1", joins: str | None = None) -> Receipt:
        """File as nobody."""
        return self.book.file(what or said(), ANYONE, address, joins)


def desk(
    transactions: SqlTransactions,
    units: Units,
    cases: CaseBook,
    clock: FixedClock,
    folder: Path,
    partition: str = "surveyed",
    origin: Origin = "real",
    allowed: Allowed | None = None,
) -> Desk:
    """Wire a report book over a temporary folder."""
    files, keys = FolderFiles(folder / "files"), SoftKeys(folder / "keys")
    book = ReportBook(transactions, {"amiss": FORM}, cases, units, district(partition), files, keys, clock, origin, allowed)
    return Desk(book, cases, transactions, clock)
