"""Warnings by level of the hourly index, and the case that lasting pollution opens.

Grades are the district's own scale for single stations; the city's heavy pollution warning (重污染天气预警) goes by forecast days.
"""

from pathlib import Path

from citybrain.sdk import Allowance, Grade, Opens, Rule, Text, read_parameters
from citybrain.services.livelihood.air.practice import number

STATION = "air_station"
THRESHOLDS = read_parameters(Path(__file__).with_name("rules.toml"))
_BASIS = Text(
    "HJ 633《环境空气质量指数（AQI）技术规定》附录A的级别；预警颜色为本区设定（示例）",
    "Levels of HJ 633, annex A; the colours are the district's own setting (sample)",
)
_PLAN = Text(
    "HJ 633 附录A（四级及以上）；现场核查时限为本区设定（示例），见参数 air_check_hours",
    "HJ 633, annex A (level 4 and above); the time for a look on site is the district's own setting (sample): air_check_hours",
)
_CHECK = Opens(
    matter="air_exceedance",
    title=Text("空气质量持续超标核查", "Look into lasting air pollution"),
    flow="standard",
    duty="environment",
    allowance=Allowance(round(number(THRESHOLDS, "air_check_hours")), "hours"),
)


def _band(name: str, level: Text, grade: Grade, above: str, upto: str, inside: float, outside: tuple[float, float]) -> Rule:
    return Rule(
        name=name,
        on=STATION,
        when=f"aqi > {above} && aqi <= {upto}",
        because=Text(f"{{title}} AQI 为 {{aqi}}，{level.zh}", f"AQI at {{title}} is {{aqi}}: {level.en}"),
        basis=_BASIS,
        grade=grade,
        fires=({"aqi": inside},),
        silent=({"aqi": outside[0]}, {"aqi": outside[1]}, {}),
    )


_LIGHT = Text("轻度污染", "lightly polluted")
_MODERATE = Text("中度污染", "moderately polluted")
_HEAVY = Text("重度污染", "heavily polluted")
RULES: tuple[Rule, ...] = (
    _band("aqi_light", _LIGHT, Grade.BLUE, "aqi_light_above", "aqi_moderate_above", 101.0, (100.0, 151.0)),
    _band("aqi_moderate", _MODERATE, Grade.YELLOW, "aqi_moderate_above", "aqi_heavy_above", 200.0, (150.0, 201.0)),
    _band("aqi_heavy", _HEAVY, Grade.ORANGE, "aqi_heavy_above", "aqi_severe_above", 201.0, (200.0, 301.0)),
    Rule(
        name="aqi_severe",
        on=STATION,
        when="aqi > aqi_severe_above",
        because=Text("{title} AQI 为 {aqi}，严重污染", "AQI at {title} is {aqi}: severely polluted"),
        basis=_BASIS,
        grade=Grade.RED,
        fires=({"aqi": 301.0}, {"aqi": 500.0}),
        silent=({"aqi": 300.0}, {}),
    ),
    Rule(
        name="aqi_lasting",
        on=STATION,
        when="aqi > aqi_moderate_above",
        lasting="PT1H",
        because=Text(
            "{title} AQI 为 {aqi}，中度及以上污染已持续1小时",
            "AQI at {title} is {aqi}: at least moderately polluted for an hour",
        ),
        basis=_PLAN,
        grade=Grade.YELLOW,
        fires=({"aqi": 151.0}, {"aqi": 420.0}),
        silent=({"aqi": 150.0}, {}),
        opens=_CHECK,
    ),
)
