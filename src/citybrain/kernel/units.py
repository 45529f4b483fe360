"""Units of measure by UCUM code, with exact factors where one may be turned into another."""

import msgspec

from citybrain.kernel.errors import BadInputError
from citybrain.kernel.text import Text


class Unit(msgspec.Struct, frozen=True):
    """A UCUM unit: ``base = value * factor + offset``; units of one dimension convert."""

    code: str
    sign: str
    dimension: str
    factor: float = 1.0
    offset: float = 0.0


_UNITS = (
    Unit("1", "", "number"),
    Unit("%", "%", "number", 0.01),
    Unit("{index}", "", "index"),
    Unit("{space}", "个", "space"),
    Unit("{vehicle}/d", "辆次/日", "vehicles"),
    Unit("{fen}/h", "分/小时", "price"),
    Unit("{case}", "件", "case"),
    Unit("{count}", "个", "count"),
    Unit("kg/m3", "kg/m³", "concentration", 1e9),
    Unit("g/m3", "g/m³", "concentration", 1e6),
    Unit("mg/m3", "mg/m³", "concentration", 1e3),
    Unit("ug/m3", "µg/m³", "concentration"),
    Unit("K", "K", "temperature"),
    Unit("Cel", "℃", "temperature", 1.0, 273.15),
    Unit("[degF]", "℉", "temperature", 5 / 9, 459.67 * 5 / 9),
    Unit("Pa", "Pa", "pressure"),
    Unit("hPa", "hPa", "pressure", 100.0),
    Unit("kPa", "kPa", "pressure", 1000.0),
    Unit("m", "m", "length"),
    Unit("cm", "cm", "length", 0.01),
    Unit("mm", "mm", "length", 0.001),
    Unit("km", "km", "length", 1000.0),
    Unit("m/s", "m/s", "speed"),
    Unit("km/h", "km/h", "speed", 1 / 3.6),
    Unit("deg", "°", "angle"),
    Unit("h", "小时", "time", 3600.0),
    Unit("min", "分钟", "time", 60.0),
    Unit("s", "秒", "time"),
    Unit("m3", "m³", "volume"),
    Unit("L", "L", "volume", 0.001),
    Unit("m3/h", "m³/h", "flow"),
    Unit("W", "W", "power"),
    Unit("kW", "kW", "power", 1000.0),
    Unit("V", "V", "voltage"),
    Unit("dB", "dB", "level"),
)
UNITS = {unit.code: unit for unit in _UNITS}


def unit(code: str) -> Unit:
    """The unit of a UCUM code; raises BadInputError for one that is not known here."""
    try:
        return UNITS[code]
    except KeyError:
        what = Text(
            f"未知的计量单位“{code}”。请使用 UCUM 代码，如 ug/m3。", f"Unknown unit '{code}'. Use a UCUM code such as ug/m3."
        )
        raise BadInputError(what, unit=code) from None


def scale(given: str, wanted: str) -> tuple[float, float]:
    """``(a, b)`` so that ``a * value + b`` turns the given unit into the wanted one; raises BadInputError."""
    source, target = unit(given), unit(wanted)
    if source.dimension != target.dimension:
        what = Text(f"单位“{given}”不能换算为“{wanted}”。", f"Unit '{given}' cannot be turned into '{wanted}'.")
        raise BadInputError(what, given=given, wanted=wanted)
    return source.factor / target.factor, (source.offset - target.offset) / target.factor
