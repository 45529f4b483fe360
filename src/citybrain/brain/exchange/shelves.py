"""What exchange puts into the catalogue: the catalogue itself and its lineage, with the sources that serve their rows."""

import base64
from collections.abc import Mapping, Sequence

import msgspec

from citybrain.brain.exchange.catalogue import CatalogueBook
from citybrain.kernel.access import Order, Page, Query
from citybrain.kernel.datasets import Column, Dataset, Edge
from citybrain.kernel.errors import BadInputError, UnsupportedError
from citybrain.kernel.pack import Pack
from citybrain.kernel.ports import Source
from citybrain.kernel.predicate import fields, holds
from citybrain.kernel.text import Json, Text

_OWNER = "data"
_HERE = Text("本系统数据目录", "CityBrain, the catalogue")
_DATASET = (
    Column("name", Text("数据集", "Dataset"), "text"),
    Column("title", Text("名称", "Title"), "json"),
    Column("about", Text("说明", "About"), "json"),
    Column("owner", Text("责任职能", "Owner"), "text"),
    Column("faculty", Text("提供方", "Served by"), "text"),
    Column("columns", Text("字段", "Columns"), "json"),
    Column("access", Text("共享属性", "Access"), "text"),
    Column("origin", Text("数据性质", "Origin"), "text"),
    Column("source", Text("来源", "Source"), "json"),
    Column("key", Text("主键", "Key"), "text"),
    Column("pack", Text("应用包", "Pack"), "text"),
)
_EDGE = (
    Column("id", Text("标识", "Id"), "text"),
    Column("source", Text("来自", "From"), "text"),
    Column("target", Text("形成", "To"), "text"),
    Column("job", Text("加工", "Job"), "text"),
)
_MOST = 1000


def datasets(packs: Sequence[Pack]) -> tuple[Dataset, ...]:
    """The catalogue entries of exchange; what is said of the catalogue names the packs."""
    zh, en = "、".join(pack.title.zh for pack in packs), ", ".join(pack.title.en for pack in packs)
    about = Text(f"全部数据集及其字段、共享属性和来源。应用包：{zh or '无'}。", f"All datasets. Packs: {en or 'none'}.")
    edges = Text("数据的加工关系：由什么形成什么。", "Lineage: what is made from what.")
    return (
        Dataset(
            "dataset", Text("数据目录", "Catalogue"), about, _OWNER, "exchange", _DATASET, "unconditional", "real", _HERE, "name"
        ),
        Dataset("edge", Text("数据血缘", "Lineage"), edges, _OWNER, "exchange", _EDGE, "conditional", "real", _HERE),
    )


def sources(catalogue: CatalogueBook) -> Mapping[str, Source]:
    """The rows of exchange's datasets, before policy; both are small and read whole."""
    shown = {entry.name: tuple(column.name for column in entry.columns) for entry in datasets(())}
    return {
        "dataset": lambda query: _page([_dataset_row(one) for one in catalogue.all()], "name", shown["dataset"], query),
        "edge": lambda query: _page([_edge_row(one) for one in catalogue.edges()], "id", shown["edge"], query),
    }


def _page(rows: Sequence[dict[str, Json]], key: str, known: Sequence[str], query: Query) -> Page:
    order = query.order or Order(key)
    unknown = sorted((fields(query.where) | {order.field}) - set(known))
    if unknown:
        listed = ", ".join(known)
        what = Text(f"没有字段“{unknown[0]}”。可用：{listed}。", f"There is no field '{unknown[0]}'. There are: {listed}.")
        raise UnsupportedError(what, field=unknown[0])

    def place(row: Mapping[str, Json]) -> list[str]:
        return [str(row[order.field]), str(row[key])]

    kept = sorted((row for row in rows if holds(query.where, row)), key=place, reverse=order.descending)
    if query.cursor is not None:
        mark = _decoded(query.cursor)
        left = [row for row in kept if (place(row) < mark if order.descending else place(row) > mark)]
    else:
        left = kept
    limit = max(1, min(query.limit, _MOST))
    after = _encoded(place(left[limit - 1])) if len(left) > limit else None
    return Page(tuple(left[:limit]), after, len(kept) if query.count else None)


def _dataset_row(dataset: Dataset) -> dict[str, Json]:
    row: dict[str, Json] = msgspec.to_builtins(dataset)
    return row


def _edge_row(edge: Edge) -> dict[str, Json]:
    return {"id": f"{edge.source} → {edge.target} ({edge.job})", "source": edge.source, "target": edge.target, "job": edge.job}


def _encoded(mark: list[str]) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(mark)).decode()


def _decoded(cursor: str) -> list[str]:
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(cursor), type=list[str])
    except (ValueError, msgspec.MsgspecError) as error:
        what = Text("游标无法识别，请从第一页开始。", "The cursor cannot be read. Start from the first page.")
        raise BadInputError(what, cursor=cursor) from error
