"""The page of datasets: what stands in the catalogue by itself, with owner, sharing and columns."""

from citybrain.app.city import datasets
from citybrain.app.packs import installed
from citybrain.brain.exchange.catalogue import ACCESS_WORDS
from citybrain.kernel.datasets import Column, Dataset
from citybrain.kernel.text import Text
from docs.sheets.markdown import both, code, sheet, table


def page() -> str:
    """The page."""
    listed = datasets(installed(), "real")
    about = Text(
        f"目录自动形成：{len(listed)} 个数据集。行经 `/api/v1/exchange/datasets/<名称>/rows` 读取，每次读取都先问策略。",
        f"The catalogue makes itself: {len(listed)} datasets. Rows are read at `/api/v1/exchange/datasets/<name>/rows`, under policy.",
    )
    return sheet(Text("数据集", "Datasets"), about, *(_dataset(one) for one in listed))


def _dataset(one: Dataset) -> str:
    said = (
        f"{both(one.about)}",
        f"- 共享 · sharing: {both(ACCESS_WORDS[one.access])}；职能 · owner: `{one.owner}`；由 · served by: `{one.faculty}`"
        + ("" if one.pack is None else f"；应用包 · pack: `{one.pack}`"),
        f"- 来源 · source: {both(one.source)}；主键 · key: `{one.key}`",
    )
    columns = table(
        ("列 · column", "名称 · title", "类型 · type", "单位 · unit", "个人信息 · personal"),
        (_column(column) for column in one.columns),
    )
    return "\n\n".join((f"## {one.name}（{both(one.title)}）", said[0], "\n".join(said[1:]), columns))


def _column(one: Column) -> tuple[str, str, str, str, str]:
    return (code(one.name), both(one.title), one.type, code(one.unit), "是 · yes" if one.personal else "")
