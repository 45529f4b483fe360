"""What bookings put into the catalogue: the datasets offer and booking, with the sources that serve their rows."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from citybrain.kernel.datasets import Column, Dataset
from citybrain.kernel.listing import Listing
from citybrain.kernel.pack import Pack
from citybrain.kernel.ports import Source, Transactions
from citybrain.kernel.text import Text

_OWNER = "command"
_HERE = Text("本系统共享与预订", "CityBrain, sharing and booking")
_OFFER = (
    Column("id", Text("标识", "Id"), "text"),
    Column("entity", Text("关联对象", "Entity"), "text"),
    Column("kind", Text("对象种类", "Kind"), "text"),
    Column("title", Text("名称", "Title"), "json"),
    Column("area", Text("所属区域", "Area"), "text"),
    Column("units", Text("开放数量", "Units"), "integer"),
    Column("since", Text("开放自", "Since"), "instant"),
    Column("until", Text("开放至", "Until"), "instant"),
    Column("days", Text("星期（1 为周一）", "Weekdays (1 is Monday)"), "json"),
    Column("opens", Text("每日开始", "Opens"), "integer", "min"),
    Column("closes", Text("每日结束", "Closes"), "integer", "min"),
    Column("price", Text("每个每小时价格（分）", "Price of a unit and hour, in 分"), "integer"),
    Column("words", Text("规则说明", "Rules in words"), "text"),
    Column("state", Text("状态", "State"), "text"),
    Column("version", Text("版本", "Version"), "integer"),
    Column("origin", Text("数据性质", "Origin"), "text"),
)
_BOOKING = (
    Column("id", Text("标识", "Id"), "text"),
    Column("code", Text("预订码", "Code"), "text"),
    Column("offer", Text("预订项目", "Offer"), "text"),
    Column("entity", Text("关联对象", "Entity"), "text"),
    Column("recipient", Text("业主", "Owner"), "text"),
    Column("account", Text("预订账号", "Account"), "text", personal=True),
    Column("begins", Text("开始", "Begins"), "instant"),
    Column("ends", Text("结束", "Ends"), "instant"),
    Column("units", Text("数量", "Units"), "integer"),
    Column("price", Text("价格（分）", "Price in 分"), "integer"),
    Column("state", Text("状态", "State"), "text"),
    Column("made", Text("预订时间", "Made"), "instant"),
    Column("changed", Text("变更时间", "Changed"), "instant"),
    Column("appeal", Text("申诉", "Appeal"), "text"),
    Column("version", Text("版本", "Version"), "integer"),
    Column("origin", Text("数据性质", "Origin"), "text"),
)


def datasets(packs: Sequence[Pack] = ()) -> tuple[Dataset, ...]:
    """The catalogue entries of bookings; what is said of offers names what the packs let people book."""
    zh = "、".join(one.title.zh for pack in packs for one in pack.bookables)
    en = ", ".join(one.title.en for pack in packs for one in pack.bookables)
    offers = Text(
        f"业主开放预订的项目及时段。可预订：{zh or '无'}。", f"What owners let others book, and when. Bookable: {en or 'nothing'}."
    )
    bookings = Text("预订及其状态；业主只见时段和预订码。", "Bookings and their state; owners see spans and codes alone.")
    return (
        Dataset("offer", Text("预订项目", "Offers"), offers, _OWNER, "act", _OFFER, "unconditional", "real", _HERE),
        Dataset("booking", Text("预订", "Bookings"), bookings, _OWNER, "act", _BOOKING, "closed", "real", _HERE),
    )


def sources(transactions: Transactions[Connection]) -> Mapping[str, Source]:
    """The rows of offers and bookings, before policy."""
    offer, booking = datasets()
    joined = '"booking" JOIN "offer" ON "offer"."id" = "booking"."offer"'
    return {
        "offer": Listing(transactions.ask, offer, '"offer"', _cells("offer", _OFFER), ("until", "since")),
        "booking": Listing(
            transactions.ask, booking, joined, _cells("booking", _BOOKING) | _OF_OFFER, ("begins", "made", "changed")
        ),
    }


_OF_OFFER = {"entity": '"offer"."entity"', "recipient": '"offer"."owner"'}


def _cells(table: str, columns: Sequence[Column]) -> dict[str, str]:
    return {column.name: f'"{table}"."{column.name}"' for column in columns}
