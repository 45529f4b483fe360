"""Why a stream is not live, in words for people, with the moment since when: from its contract, its latest value, or a doubt. Pure."""

import math
from typing import Final

import msgspec

from citybrain.kernel.instant import DAY, HOUR, MINUTE, Duration, Instant, local_date, midnight
from citybrain.kernel.text import Json, Text, same
from citybrain.kernel.things import Agrees, Contract, Life
from citybrain.kernel.units import UNITS

_THOUSAND = math.log(1000)
_SHOWN: Final = 200
"""Characters of a word that are shown among others."""
_NEAR = math.log(1.6)
"""How near a factor must be to a thousand (or its like) to look like a unit mistaken for another."""


def departure(life: Life, agrees: Agrees, away: float, unit: str) -> Text:
    """How a stream departs from its neighbours, in words; ``away`` as in ``peers.Found``."""
    if agrees == "difference":
        sign = UNITS[unit].sign if unit in UNITS else unit
        size = f"{abs(away):.3g} {sign}".rstrip()
        way = Text("升高", "risen") if away > 0 else Text("降低", "fallen")
        told = Text(f"与周边同类测点相比，较以往{way.zh} {size}", f"against its neighbours it has {way.en} by {size}")
    else:
        factor = f"{math.exp(away):.3g}"
        told = Text(f"与周边同类测点之比变为以往的 {factor} 倍", f"its ratio to its neighbours is {factor} times what it was")
    if life is Life.DRIFTING:
        return Text(f"{told.zh}，三周内逐日偏离", f"{told.en}, day by day over three weeks")
    powers = round(away / _THOUSAND)
    if agrees == "ratio" and powers and abs(away - powers * _THOUSAND) < _NEAR:
        return Text(f"{told.zh}，疑似单位错误（相差约 {powers_word(powers)}）", f"{told.en}: probably in a wrong unit")
    return told


def powers_word(powers: int) -> str:
    """1000 times, or a thousandth, as digits."""
    return f"{1000 ** abs(powers)} 倍" if powers > 0 else f"1/{1000 ** abs(powers)}"


def plain(
    life: Life, contract: Contract, time: Instant | None, value: float | None, changed: Instant, now: Instant, said: Json = None
) -> tuple[Instant | None, Text]:
    """Since when a value is late, stuck, out of range, closed or never there, and why; None for a moment that nobody knows.

    ``said`` is what the value says where it is no number.
    """
    if life is Life.NEVER or time is None or value is None:
        return None, Text("登记以来没有收到过读数", "no reading has come since it was registered")
    if life is Life.LATE:
        span = spoken(contract.silent_after or Duration(0))
        return Instant(time + (contract.silent_after or 0)), Text(
            f"约定 {span.zh}内应有新读数，至今没有", f"a new reading was due within {span.en} and has not come"
        )
    if life is Life.STUCK:
        span = spoken(contract.stuck_after or Duration(0))
        here = written(value if said is None else said)
        return Instant(changed + (contract.stuck_after or 0)), Text(
            f"读数 {here.zh} 保持不变，已超过约定的 {span.zh}", f"has stood at {here.en} for longer than {span.en}"
        )
    if life is Life.OUT_OF_RANGE:
        low, high = (("…" if each is None else f"{each:g}") for each in (contract.low, contract.high))
        return time, Text(f"读数 {value:g} 不在量程 {low} 至 {high} 之内", f"{value:g} is outside its range of {low} to {high}")
    if life is Life.CLOSED:
        return _closed_since(contract, now), Text("不在约定的上报时段内", "outside the hours in which it reports")
    return None, same("")


def written(result: Json) -> Text:
    """A result as people read it: a number with all of its digits, true and false as words, a text as it is, other JSON as it is written."""
    match result:
        case bool():
            return Text("是（true）", "true") if result else Text("否（false）", "false")
        case int() | float():
            return same(f"{result:.15g}")
    said = result if isinstance(result, str) else msgspec.json.encode(result).decode()
    return same(said if len(said) <= _SHOWN else f"{said[:_SHOWN]}…")


def _closed_since(contract: Contract, now: Instant) -> Instant | None:
    """The last closing time before an instant."""
    if contract.closes is None:
        return None
    today = Instant(midnight(local_date(now)) + contract.closes * MINUTE)
    return today if today <= now else Instant(today - DAY)


def spoken(span: Duration) -> Text:
    """A duration in its greatest whole unit."""
    for size, zh, en in ((DAY, "天", "day"), (HOUR, "小时", "hour"), (MINUTE, "分钟", "minute")):
        if span >= size and span % size == 0:
            count = span // size
            return Text(f"{count} {zh}", f"{count} {en}{'' if count == 1 else 's'}")
    seconds = span / 1_000_000
    return Text(f"{seconds:g} 秒", f"{seconds:g} seconds")
