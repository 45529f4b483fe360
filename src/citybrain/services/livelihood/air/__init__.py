"""Air environment (大气环境): stations, hourly index, warnings, figures and a day's forecast."""

from citybrain.sdk import Board, Forecast, Level, Pack, Text
from citybrain.services.livelihood.air import forecast
from citybrain.services.livelihood.air.figures import INDICATORS
from citybrain.services.livelihood.air.levels import LEVELS
from citybrain.services.livelihood.air.limits import limits_on
from citybrain.services.livelihood.air.practice import PARAMETERS
from citybrain.services.livelihood.air.replay import ORIGIN, REPLAY
from citybrain.services.livelihood.air.rules import RULES, STATION, THRESHOLDS
from citybrain.services.livelihood.air.scale import NEW_EDITION_FROM, Pollutant
from citybrain.services.livelihood.air.station import INDEX, KIND, primary
from citybrain.services.livelihood.air.stations import WEATHER

_LIMIT = limits_on(NEW_EDITION_FROM).day[Pollutant.PM25]
_LOWS = (0, *(level.upto + 1 for level in LEVELS[:-1]))
_SCALE = tuple(
    Level(level.number, level.name, level.hex, low, level.upto, level.advice) for low, level in zip(_LOWS, LEVELS, strict=True)
)
_AHEAD = Forecast(
    name="pm25_24h",
    title=Text("PM2.5 未来24小时预报", "PM2.5, the next 24 hours"),
    kind=STATION,
    field="pm25",
    inputs=("pm25", *WEATHER),
    fit=forecast.fit,
    method=Text(
        "岭回归，逐时效直接预报；输入为本站过去数值、他站均值和发布时的气象；在未用于拟合的时段上不优于持续性预报的时效，改用持续性预报。",
        "Ridge regression, direct for each hour ahead, from the station's own past, the others' mean and the weather at issue; where "
        "it does not beat persistence on unseen time, persistence serves.",
    ),
)
_BOARD = Board(
    kind=STATION,
    title=Text("空气质量", "Air quality"),
    field="aqi",
    levels=_SCALE,
    basis=Text(
        "HJ 633-2026《环境空气质量指数（AQI）技术规定》", "HJ 633-2026, technical regulation on the ambient air quality index"
    ),
    source=ORIGIN,
    on=("portal", "cockpit"),
    indicator="air_aqi_mean",
    forecast="pm25",
    limit=(
        _LIMIT,
        Text("日均二级限值", "24 h limit, class 2"),
    ),
    detail=primary,
    hint=Text("健康提示", "Health advice"),
)
PACK = Pack(
    name="air",
    title=Text("大气环境", "Air environment"),
    plan="四-3-2",
    about=Text(
        "空气质量监测站的逐时数据、空气质量指数、分级预警、持续超标核查和24小时预报。",
        "Hourly readings of air quality stations, the index, graded warnings, cases for lasting pollution and a forecast for 24 hours.",
    ),
    kinds=(KIND,),
    derived=(INDEX,),
    rules=RULES,
    indicators=INDICATORS,
    forecasts=(_AHEAD,),
    parameters=(*PARAMETERS, *THRESHOLDS),
    replay=REPLAY,
    boards=(_BOARD,),
)
