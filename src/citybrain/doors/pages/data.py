"""The catalogue (数据目录), made by itself: every noun and stream set, with fields, quality, lineage, a look and downloads."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from litestar import Response, get
from litestar.params import FromPath

from citybrain.brain.act import duty_words
from citybrain.brain.exchange import COORDINATES, marked, placed
from citybrain.brain.observe import written
from citybrain.doors.pages import data_shown, frame, rows
from citybrain.doors.pages.parts import Call, PageParts, Parts
from citybrain.kernel.access import ROLES, Guarded, Query
from citybrain.kernel.datasets import Column, Dataset
from citybrain.kernel.errors import UnsupportedError
from citybrain.kernel.instant import parse
from citybrain.kernel.parties import Unit
from citybrain.kernel.text import Json, Text, same
from citybrain.kernel.things import By
from citybrain.web import plausible, views
from citybrain.web.data_views import Catalogue, DatasetItem, DatasetPage, Download, FieldItem, Lineage, QualityCheck
from citybrain.web.views import Cell, Fact, Link, Table

_PREVIEW: Final = 10
_SAMPLE: Final = 500
"""Rows looked at for quality: the newest."""
SHARE: Final = {
    "unconditional": Text("无条件共享", "Unconditional"),
    "conditional": Text("有条件共享", "Conditional"),
    "closed": Text("不予共享", "Not shared"),
}
_ORIGIN: Final = {
    "real": Text("真实数据", "real"),
    "demo": Text("演示数据", "demonstration"),
    "generated": Text("生成数据", "generated"),
}
_TYPES: Final = {
    "text": Text("文本", "text"),
    "number": Text("数值", "number"),
    "integer": Text("整数", "integer"),
    "boolean": Text("是否", "yes or no"),
    "instant": Text("时间", "time"),
    "json": Text("结构", "structure"),
}
_BY: Final = {
    By.SENSOR: Text("传感器", "sensor"),
    By.DERIVED: Text("派生计算", "derived"),
    By.FEED: Text("数据接入", "feed"),
    By.FORM: Text("表单", "form"),
}
_SYSTEM: Final = Text("系统", "the program")
_FORMATS: Final = (
    ("CSV", "csv", Text("带 BOM，可直接用表格软件打开", "with BOM, for spreadsheets")),
    ("JSON", "json", None),
    ("Parquet", "parquet", None),
)
_BY_STREAM: Final = Text("在各监测项的页面，按监测项导出", "stream by stream, on the page of each")
_NO_NUMBER: Final = Text("不是数值", "no number")
_UNAPPROVED: Final = Cell(reason=Text("登记地图审图号后公开", "public once a map is approved"))
_PLACES: Final = ("GeoJSON", "geojson", Text("用于地图软件，WGS 84", "for maps, WGS 84"))


@get("/data", opt=frame.opens("catalogue.read"), sync_to_thread=True)
def catalogue(request: Call, parts: Parts) -> Response[str]:
    """Every dataset that this caller may know of."""
    search = request.query_params.get("q", "").strip()[:100]
    found = [one for one in _allowed(parts, request) if _fits(one, search)]
    units = parts.units.all()
    return frame.shown(parts, request, Catalogue(tuple(_item(one, units) for one in found), search, total=len(found)))


@get("/data/{name:str}", opt=frame.opens("catalogue.read"), sync_to_thread=True)
def dataset_page(request: Call, parts: Parts, name: FromPath[str]) -> Response[str]:
    """One dataset."""
    dataset = parts.catalogue.describe(name)
    preview, why = _newest(parts, request, name)
    units = parts.units.all()
    view = DatasetPage(
        dataset=_item(dataset, units),
        facts=(
            Fact(Text("来源", "Source"), dataset.source),
            Fact(Text("数据性质", "Origin"), _ORIGIN[dataset.origin]),
            Fact(Text("负责单位", "Owner"), _owner(dataset, units)),
            Fact(Text("共享类型", "Sharing"), SHARE[dataset.access]),
            *((Fact(Text("导出", "Export"), _BY_STREAM),) if marked(dataset) else ()),
        ),
        fields=tuple(
            _field(column, _filled(parts, dataset, column), masked=column.name in preview.masked) for column in dataset.columns
        ),
        checks=_checks(parts, dataset, preview.rows),
        lineage=_lineage(parts, dataset),
        preview=_preview(dataset, preview.rows[:_PREVIEW], why, hidden=not (parts.map_approval or request.user.known)),
        downloads=tuple(
            Download(title, f"/api/v1/exchange/datasets/{name}/export.{form}", note)
            for title, form, note in _formats(dataset, places=bool(parts.map_approval) or request.user.known)
        ),
        map=data_shown.on_map(parts, request.user, dataset, preview.rows),
        chart=data_shown.trend(parts, dataset),
    )
    return frame.shown(parts, request, view)


def _formats(dataset: Dataset, *, places: bool) -> tuple[tuple[str, str, Text | None], ...]:
    """The files of a whole dataset; readings are carried away stream by stream."""
    if marked(dataset):
        return ()
    return (*_FORMATS, _PLACES) if places and placed(dataset) else _FORMATS


def _newest(parts: PageParts, request: Call, name: str) -> tuple[Guarded, Text]:
    """The newest rows for this caller, and why there are none; a dataset that must be asked by stream has no newest rows."""
    try:
        return parts.guard.reader(request.user, "").read(Query(name, limit=_SAMPLE)), Text("还没有记录。", "There are no rows yet.")
    except UnsupportedError as error:
        return Guarded((), None, None, (), ()), error.what


def _owner(dataset: Dataset, units: Sequence[Unit]) -> Text:
    """The unit that answers for a dataset's duty in the whole district; the duty in words where none does yet."""
    found = [unit.name for unit in units if dataset.owner in unit.duties]
    return found[0] if found else duty_words(dataset.owner)


def _allowed(parts: PageParts, request: Call) -> list[Dataset]:
    staff = bool(request.user.roles & (ROLES.keys() - {"citizen", "device"}))
    return [one for one in parts.catalogue.all() if staff or one.access == "unconditional"]


def _fits(dataset: Dataset, search: str) -> bool:
    words = (dataset.name, dataset.title.zh, dataset.title.en, dataset.about.zh, dataset.about.en)
    return not search or any(search.casefold() in word.casefold() for word in words)


def _item(dataset: Dataset, units: Sequence[Unit]) -> DatasetItem:
    return DatasetItem(
        name=dataset.name,
        href=f"/data/{dataset.name}",
        title=dataset.title,
        about=dataset.about,
        owner=_owner(dataset, units),
        share=SHARE[dataset.access],
        kind=_ORIGIN[dataset.origin],
        rows=None,
        updated=None,
        quality=None,
        open=dataset.access == "unconditional",
        demo=dataset.origin != "real",
    )


def _filled(parts: PageParts, dataset: Dataset, column: Column) -> Text:
    """Who fills a column: as the kind's field declares it, or the program itself."""
    kind = next((kind for pack in parts.packs for kind in pack.kinds if kind.name == dataset.name), None)
    return _BY[kind.field(column.name).by] if kind is not None and kind.has(column.name) else _SYSTEM


def _field(column: Column, filled: Text, *, masked: bool) -> FieldItem:
    note = Text("已脱敏", "masked") if masked else Text("个人信息", "personal") if column.personal else None
    return FieldItem(column.name, column.title, _TYPES[column.type], column.unit or "", filled, note)


def _checks(parts: PageParts, dataset: Dataset, found: tuple[dict[str, Json], ...]) -> tuple[QualityCheck, ...]:
    """Completeness, life and freshness of the newest rows, as the declaration asks."""
    quality = parts.catalogue.page(dataset.name, found).quality
    if quality is None or not found:
        return ()
    why = quality.reasons[0] if quality.reasons else Text("均符合", "all of them")
    shares = (
        (Text("必填项完整", "Required columns are filled"), quality.complete),
        (Text("监测项正常", "Streams are live"), quality.live),
        (Text("更新及时", "Rows are fresh"), quality.fresh),
    )
    return tuple(
        QualityCheck(title, quality.rows, round(share * quality.rows), why, parts.clock.city())
        for title, share in shares
        if share is not None
    )


def _lineage(parts: PageParts, dataset: Dataset) -> Lineage:
    edges = parts.catalogue.edges()
    known = {one.name: one.title for one in parts.catalogue.all()}
    up = dict.fromkeys(edge.source for edge in edges if edge.target == dataset.name)
    down = dict.fromkeys(edge.target for edge in edges if edge.source == dataset.name)
    made = dict.fromkeys(edge.job for edge in edges if dataset.name in (edge.target, edge.source))
    return Lineage(_links(up, known), same(", ".join(made) or dataset.faculty), _links(down, known))


def _links(names: Iterable[str], known: Mapping[str, Text]) -> tuple[Link, ...]:
    return tuple(Link(known.get(name, same(name)), f"/data/{name}" if name in known else "") for name in names)


def _preview(dataset: Dataset, found: tuple[dict[str, Json], ...], empty: Text, *, hidden: bool) -> Table:
    """The newest rows; ``hidden`` are coordinates, from the public before a map was approved."""
    columns = tuple(
        views.Column(column.name, column.title, numeric=column.type in ("number", "integer")) for column in dataset.columns
    )
    cells = tuple(
        tuple(_UNAPPROVED if hidden and one.name in COORDINATES else _cell(one, row) for one in dataset.columns) for row in found
    )
    return Table("preview", Text("最新记录", "Newest rows"), columns, cells, empty, demo=dataset.origin != "real")


def _cell(column: Column, row: Mapping[str, Json]) -> Cell:
    value, word = row.get(column.name), row.get("word")
    if column.name == "value" and word is not None:
        return Cell(reason=_NO_NUMBER)
    if column.name == "word" and word is not None:
        return Cell(text=written(word))
    if value is None:
        return Cell(reason=Text("无", "none"))
    if column.type == "instant" and isinstance(value, str):
        return Cell(at=parse(value))
    if isinstance(value, bool):
        return Cell(text=Text("是", "yes") if value else Text("否", "no"))
    if isinstance(value, int | float):
        return Cell(number=float(value), decimals=plausible.decimals([float(value)]))
    return Cell(text=rows.words(value))


HANDLERS = (catalogue, dataset_page)
