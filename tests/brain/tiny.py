"""A tiny invented pack: pumps with a level and a flow, a capacity from a form, and a load derived from both."""

from collections.abc import Mapping

import numpy as np

from citybrain.kernel.calendar import Allowance
from citybrain.sdk import By, Derived, Field, Grade, Kind, Opens, Pack, Parameter, Place, Planted, Rule, Text, same

PUMP = Kind(
    "pump",
    Text("泵站", "Pumping station"),
    owner="water",
    place="point",
    fields=(
        Field("name", Text("名称", "Name"), By.FORM),
        Field("capacity", Text("设计流量", "Capacity"), By.FORM, unit="m3/h"),
        Field(
            "level",
            Text("水位", "Level"),
            By.SENSOR,
            unit="m",
            every="PT1M",
            silent_after="PT10M",
            stuck_after="PT1H",
            range=(0.0, 10.0),
        ),
        Field("flow", Text("流量", "Flow"), By.SENSOR, unit="m3/h", every="PT1M", silent_after="PT10M"),
        Field("load", Text("平均水位", "Mean level"), By.DERIVED, unit="m", silent_after="PT10M"),
    ),
)


def rolling(times: np.ndarray, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
    """The mean level of the last five minutes."""
    level = inputs["level"]
    begin = np.searchsorted(times, times - 5 * 60_000_000, side="right")
    return np.array([np.nanmean(level[start : end + 1]) for end, start in enumerate(begin)])


LOAD = Derived("pump", "load", ("level", "flow"), rolling, lookback="PT5M")
OPENS = Opens("pump_high", Text("泵站水位过高", "Pump level too high"), "standard", "water", Allowance(2, "hours"))
HIGH = Rule(
    "high",
    on="pump",
    when="level > limit",
    because=Text("{title}水位 {level} 米，超过 {limit} 米", "{title}: level {level} m, over {limit} m"),
    basis=Text("测试标准第 1 条", "Test standard, clause 1"),
    grade=Grade.ORANGE,
    fires=({"level": 6.0},),
    silent=({"level": 5.0}, {"flow": 9.0}),
    opens=OPENS,
)
LONG = Rule(
    "long",
    on="pump",
    when="flow > capacity * 0.9",
    lasting="PT5M",
    clears="flow < capacity * 0.5",
    because=Text("{title}流量 {flow}，接近设计流量 {capacity}", "{title}: flow {flow}, near its capacity {capacity}"),
    basis=Text("测试标准第 2 条", "Test standard, clause 2"),
    grade=Grade.YELLOW,
    fires=({"flow": 95.0, "capacity": 100.0},),
    silent=({"flow": 80.0, "capacity": 100.0}, {"flow": 95.0}),
)
PACK = Pack(
    "pumps",
    Text("泵站", "Pumps"),
    "四-1",
    Text("测试用。", "For tests."),
    kinds=(PUMP,),
    derived=(LOAD,),
    rules=(HIGH, LONG),
    parameters=(
        Parameter("limit", 5.0, "2020-01-01", "test", "local", Text("水位限值", "Level limit"), "m", (1.0, 9.0)),
        Parameter("limit", 8.0, "2027-01-01", "test", "local", Text("水位限值", "Level limit"), "m", (1.0, 9.0)),
    ),
)


def pumps(count: int) -> tuple[Planted, ...]:
    """Pumps p1, p2 … with a capacity of 100 m³/h."""
    return tuple(
        Planted(f"p{number}", "pump", same(f"泵站{number}"), Place(117.15, 39.1 + number / 1000), "", {"capacity": 100.0})
        for number in range(1, count + 1)
    )
