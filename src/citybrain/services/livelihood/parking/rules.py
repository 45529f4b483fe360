"""Overflow: a lot that is nearly full is told; one that stays full opens a case for the traffic office."""

from pathlib import Path

from citybrain.sdk import Allowance, Grade, Opens, Parameter, Rule, Text, read_parameters
from citybrain.services.livelihood.parking.lots import LOT

PARAMETERS: tuple[Parameter, ...] = read_parameters(Path(__file__).with_name("parameters.toml"))
_BASIS = Text("本区停车管理要求（示例，见参数）", "The district's own requirement for parking (sample, see the parameters)")


def _newest(name: str) -> float:
    """The newest number of a parameter; raises IndexError where there is none."""
    return float([parameter.value for parameter in PARAMETERS if parameter.name == name][-1])


FULL_ABOVE = _newest("lot_full_above")
"""% of berths taken above which a lot counts as full: a driver is not sent there."""
SAMPLE_PRICE = _newest("sample_price")
"""分 an hour, invented (示意), that the demo's lots charge: the replayed counts came without prices."""

RULES: tuple[Rule, ...] = (
    Rule(
        name="lot_tight",
        on=LOT,
        when="occupancy > lot_tight_above && occupancy <= lot_full_above",
        clears="occupancy < lot_tight_above - 5.0 || occupancy > lot_full_above",
        because=Text(
            "{title}占用率 {occupancy:.0f}%，仅余 {free:.0f} 个泊位", "{title} is {occupancy:.0f} % taken, {free:.0f} berths free"
        ),
        basis=_BASIS,
        grade=Grade.BLUE,
        fires=({"occupancy": 85.0}, {"occupancy": 95.0}),
        silent=({"occupancy": 80.0}, {"occupancy": 96.0}, {}),
    ),
    Rule(
        name="lot_overflow",
        on=LOT,
        when="occupancy > lot_full_above",
        lasting="PT1H",
        clears="occupancy < lot_full_above - 5.0",
        because=Text(
            "{title}占用率 {occupancy:.0f}%，已满一小时", "{title} is {occupancy:.0f} % taken and has been full for an hour"
        ),
        basis=_BASIS,
        grade=Grade.YELLOW,
        fires=({"occupancy": 96.0}, {"occupancy": 100.0}),
        silent=({"occupancy": 95.0}, {}),
        opens=Opens(
            matter="lot_overflow",
            title=Text("停车场持续满位疏导", "Lead traffic past a full car park"),
            flow="standard",
            duty="traffic",
            allowance=Allowance(round(_newest("lot_look_hours")), "hours"),
        ),
    ),
)
