"""What decide puts into the catalogue: the ledger of advice and decisions, with the source that serves its rows."""

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import Connection

from citybrain.kernel.datasets import Column, Dataset
from citybrain.kernel.listing import Listing
from citybrain.kernel.pack import Pack
from citybrain.kernel.ports import Source, Transactions
from citybrain.kernel.text import Text

_ADVICE = Dataset(
    "advice",
    Text("决策建议台账", "Advice and decisions"),
    Text(
        "各问题每次求解的建议、代价与对照，以及是否被采纳；只增不改，31 日内无人决定的不留。",
        "Each answer to each question, with its cost, what it is held against, and what was decided; dropped after 31 days without a decision.",
    ),
    "command",
    "decide",
    (
        Column("id", Text("标识", "Id"), "text"),
        Column("question", Text("问题", "Question"), "text"),
        Column("asked", Text("求解时间", "Asked"), "instant"),
        Column("found", Text("结论", "Found"), "text"),
        Column("said", Text("建议摘要", "In words"), "json"),
        Column("cost", Text("按建议的代价", "Cost as advised"), "number"),
        Column("idle", Text("不采取行动的代价", "Cost of doing nothing"), "number"),
        Column("simple", Text("简单规则的代价", "Cost of the simple rule"), "number"),
        Column("body", Text("建议全文", "The whole advice"), "json"),
        Column("verdict", Text("决定", "Decision"), "text"),
        Column("words", Text("决定的理由", "Reason of the decision"), "text"),
        Column("decided", Text("决定时间", "Decided"), "instant"),
        Column("origin", Text("数据性质", "Origin"), "text"),
    ),
    "conditional",
    "real",
    Text("本系统辅助决策", "CityBrain, decide"),
)


def datasets(packs: Sequence[Pack]) -> tuple[Dataset, ...]:
    """The catalogue entry of decide; what is said of it names the questions."""
    asked = [question.title for pack in packs for question in pack.questions]
    about = Text(
        _ADVICE.about.zh + (f"问题：{'、'.join(title.zh for title in asked)}。" if asked else ""),
        _ADVICE.about.en + (f" Questions: {', '.join(title.en for title in asked)}." if asked else ""),
    )
    return (msgspec.structs.replace(_ADVICE, about=about),)


def sources(transactions: Transactions[Connection]) -> Mapping[str, Source]:
    """The source of the dataset of decide."""
    ours = ("verdict", "words", "decided")
    cells = {column.name: f"{'decision' if column.name in ours else 'advice'}.{column.name}" for column in _ADVICE.columns}
    tables = "advice LEFT JOIN decision ON decision.advice = advice.id"
    return {"advice": Listing(transactions.ask, _ADVICE, tables, cells, ("asked", "id"))}
