"""Parking (智慧停车): lots of every type in one pool, how full they are, overflow as a case, and berths to share."""

from collections.abc import Mapping

from citybrain.sdk import Board, Bookable, Forecast, Level, Nearby, Pack, Text
from citybrain.services.livelihood.parking import forecast
from citybrain.services.livelihood.parking.figures import INDICATORS
from citybrain.services.livelihood.parking.gains import GAINS
from citybrain.services.livelihood.parking.guidance import ALLOCATION
from citybrain.services.livelihood.parking.lots import DERIVED, KIND, LOT
from citybrain.services.livelihood.parking.rules import PARAMETERS, RULES
from citybrain.services.livelihood.parking.sharing import SHARING
from citybrain.services.livelihood.parking.source import ORIGIN, REPLAY
from citybrain.services.livelihood.parking.tariff import TARIFF


def berths(latest: Mapping[str, float]) -> Text | None:
    """How many berths are free, in words; None where that is not known."""
    free = latest.get("free")
    return None if free is None else Text(f"空余 {free:.0f} 个泊位", f"{free:.0f} berths free")


_BOARD = Board(
    kind=LOT,
    title=Text("停车", "Parking"),
    field="occupancy",
    levels=(
        Level(1, Text("充足", "Plenty"), "#2e9e5b", 0, 80, Text("泊位充足。", "There are berths enough.")),
        Level(
            2, Text("紧张", "Tight"), "#e0a800", 80, 95, Text("泊位紧张，建议另选停车场。", "Berths are few: choose another lot.")
        ),
        Level(
            3,
            Text("将满", "Nearly full"),
            "#d9453d",
            95,
            100,
            Text("几乎没有空位，请另选停车场。", "Hardly any berth is free: choose another lot."),
        ),
    ),
    basis=Text(
        "占用率＝已占用泊位÷总泊位；分级为本区设定（示例）",
        "Occupancy is berths taken ÷ capacity; the levels are the district's own (sample)",
    ),
    source=ORIGIN,
    on=("portal", "cockpit"),
    indicator="parking_occupancy",
    detail=berths,
    hint=Text("出行提示", "Travel advice"),
)
_AHEAD = Forecast(
    name="occupancy_24h",
    title=Text("泊位占用率 未来24小时预测", "Occupancy, the next 24 hours"),
    kind=LOT,
    field="occupancy",
    inputs=("occupancy",),
    fit=forecast.fit,
    method=Text(
        "以上周同一时段为基准，用当日和近日与上周的差异修正（岭回归，逐时效）；在未用于拟合的各周上不优于基准的时效，直接采用基准。",
        "The same slot last week, corrected by how today and the last days differ from it (ridge regression, each hour ahead by itself); "
        "where that does not beat the same slot last week on unseen weeks, the latter serves.",
    ),
    baseline=Text("上周同一时段", "the same slot last week"),
    chance=Text("有空余泊位的概率（占用率不超过 95%）", "The chance of a free berth (at most 95 % taken)"),
)
PACK = Pack(
    name="parking",
    title=Text("智慧停车", "Parking"),
    plan="四-3-2",
    about=Text(
        "路侧、桥下、公共、立体停车场的占用情况、满位预警与疏导案件，以及错时共享泊位的预订。",
        "Occupancy of roadside, under-bridge, public and multi-storey lots, overflow told and handled, and off-peak berths to book.",
    ),
    kinds=(KIND,),
    derived=DERIVED,
    rules=RULES,
    indicators=(*INDICATORS, *GAINS),
    parameters=PARAMETERS,
    forecasts=(_AHEAD,),
    questions=(ALLOCATION, TARIFF),
    replay=REPLAY,
    boards=(_BOARD,),
    nearby=(
        Nearby(
            name="park",
            kind=LOT,
            title=Text("找车位", "Find a berth"),
            free="free",
            unit=Text("个泊位", "berths"),
            ahead="occupancy",
            full=Text("已满", "Full"),
        ),
    ),
    bookables=(
        Bookable(
            LOT,
            Text("错时共享泊位", "Off-peak berths"),
            Text("泊位", "berth"),
            "shared",
            slot="PT30M",
            longest="PT16H",
            latest="P14D",
            sample=SHARING,
        ),
    ),
)
