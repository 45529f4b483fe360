"""Price advice: by lot and class of hours, one step towards the occupancy that is aimed at, where it is robust. Tables in, advice out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from citybrain.sdk import DAY, Advice, Instant, Question, Sheet, Text, in_force, local, local_date, same
from citybrain.services.livelihood.parking.lots import LOT
from citybrain.services.livelihood.parking.pricing import Aim, Verdict, answered, judge
from citybrain.services.livelihood.parking.rules import PARAMETERS

_WEEK: Final = 7 * DAY
_FEWEST: Final = 8
"""Hours of a class that a week must hold: fewer are no week to judge by."""
_CLASSES: Final = (Text("工作日高峰", "Working days, peak"), Text("其余时段", "All other hours"))
_PARAMETERS: Final = (
    "price_band_low",
    "price_band_high",
    "price_steps",
    "price_least",
    "price_elasticity_low",
    "price_elasticity",
    "price_elasticity_high",
    "price_peak_from",
    "price_peak_until",
)
_ASSUMED: Final = (
    Text(
        "只是建议：价格由有定价权的单位依法确定并公示，本系统不改价。",
        "Advice only: prices are set and made public by whoever may by law; the program changes none.",
    ),
    Text(
        "价格弹性是假设，未在本区测定；只有在低、中、高三种弹性和两周数据下方向都一致时才建议调整。",
        "The elasticity is assumed and was not measured here; a step is advised only where low, middle and high elasticity and both weeks agree on its sign.",
    ),
    Text(
        "下周的占用按最近两周同类时段计；不计车辆转到相邻停车场，也不计收入。",
        "Next week is taken to be as the last two; cars that move to lots nearby are not counted, nor is revenue.",
    ),
)
_SAMPLE: Final = Text(
    "现价为示意值，不是事实（演示数据没有价格）。", "Prices now are invented, no facts: the demo's data have none."
)


@dataclass(frozen=True, slots=True)
class Priced:
    """A lot and class of hours: the price now (分 an hour), berths, the verdict, and the cost at the price now and a step towards the band."""

    title: Text
    hours: Text
    sample: bool
    now: float
    capacity: float
    weeks: tuple[float, float]
    verdict: Verdict


def aim_on(day: str) -> tuple[Aim, tuple[float, float]]:
    """What is aimed at on a local date, and between which hours of a working day it is peak."""
    known = in_force(PARAMETERS, day)
    low, middle, high = (float(known[name]) for name in ("price_elasticity_low", "price_elasticity", "price_elasticity_high"))
    steps = tuple(float(step) for step in str(known["price_steps"]).split())
    aim = Aim(
        float(known["price_band_low"]), float(known["price_band_high"]), steps, float(known["price_least"]), (low, middle, high)
    )
    return aim, (float(known["price_peak_from"]), float(known["price_peak_until"]))


def answer(tables: Mapping[str, pa.Table], now: Instant) -> Advice:
    """The advice for the week to come."""
    aim, peak = aim_on(local_date(now).isoformat())
    rows = [row for row in tables[f"entity:{LOT}"].to_pylist() if (row["price"] or 0) > 0]
    if not rows:
        what = Text("没有登记任何停车场的现行价格，无从建议。", "No advice: no lot has a price on record.")
        return Advice("unknown", what, assumed=_ASSUMED)
    counted = {row["entity"]: row["value"] for row in tables[f"stream:{LOT}.capacity"].to_pylist() if (row["value"] or 0) > 0}
    means = _means(tables[f"hourly:{LOT}.occupancy"], now, peak)
    priced = [
        Priced(
            Text(row["title_zh"], row["title_en"]),
            hours,
            row["origin"] != "real",
            float(row["price"]),
            float(counted[row["id"]]),
            weeks,
            judge(weeks, float(row["price"]), aim),
        )
        for row in rows
        for number, hours in enumerate(_CLASSES)
        if row["id"] in counted and (weeks := means.get((row["id"], number))) is not None
    ]
    if not priced:
        what = Text("最近两周的占用数据不足，无从建议。", "No advice: there is too little history of the last two weeks.")
        return Advice("unknown", what, assumed=_ASSUMED)
    return _advice(priced, aim)


def _means(hourly: pa.Table, now: Instant, peak: tuple[float, float]) -> dict[tuple[str, int], tuple[float, float]]:
    """Mean occupancy (%) of the last week and the one before, by lot and class; those without enough hours in both are left out."""
    found: dict[tuple[str, int], tuple[list[float], list[float]]] = {}
    for row in hourly.to_pylist():
        at = local(Instant(row["time"]))
        number = 0 if at.isoweekday() <= 5 and peak[0] <= at.hour < peak[1] else 1
        back = (now - 1 - row["time"]) // _WEEK
        if back in (0, 1):
            found.setdefault((row["entity"], number), ([], []))[back].append(row["value"])
    return {
        key: (float(np.mean(last)), float(np.mean(before)))
        for key, (last, before) in found.items()
        if min(len(last), len(before)) >= _FEWEST
    }


def _outside(each: Priced, step: float, aim: Aim) -> float:
    """Berths outside the band on average, at a step and the middle elasticity."""
    reached = answered(float(np.mean(each.weeks)), each.now, each.now + step, aim.elasticities[1])
    return max(aim.low - reached, reached - aim.high, 0.0) * each.capacity / 100


def _simple(each: Priced, aim: Aim) -> float:
    """The step of the simple rule: the smallest up above the band, the smallest down below it."""
    level = float(np.mean(each.weeks))
    way = 1 if level > aim.high else -1 if level < aim.low else 0
    fitting = [step for step in aim.steps if step * way > 0 and each.now + step >= aim.least]
    return min(fitting, key=abs, default=0.0)


def _advice(priced: Sequence[Priced], aim: Aim) -> Advice:
    changed = [each for each in priced if each.verdict.step]
    shaky = sum(each.verdict.step is None for each in priced)
    what = Text(
        f"{len(priced)} 个停车场时段中：建议调价 {len(changed)} 个，维持 {len(priced) - len(changed) - shaky} 个，"
        f"不稳健、不作建议 {shaky} 个（目标占用率 {aim.low:.0f}–{aim.high:.0f}%）。",
        f"Of {len(priced)} lots and classes of hours: a step for {len(changed)}, none for {len(priced) - len(changed) - shaky}, "
        f"not robust and so no advice for {shaky} (aimed at {aim.low:.0f} to {aim.high:.0f} % taken).",
    )
    return Advice(
        "advised" if changed else "nothing",
        what,
        round(sum(_outside(each, each.verdict.step or 0.0, aim) for each in priced), 1),
        round(sum(_outside(each, 0.0, aim) for each in priced), 1),
        round(sum(_outside(each, _simple(each, aim), aim) for each in priced), 1),
        (_sheet(priced, aim),),
        tuple(_bound(aim, changed)),
        (_SAMPLE, *_ASSUMED) if any(each.sample for each in priced) else _ASSUMED,
    )


def _bound(aim: Aim, changed: Sequence[Priced]) -> list[Text]:
    furthest = {step for step in aim.steps if abs(step) == max(map(abs, aim.steps))}
    stuck = sum(each.verdict.step in furthest and _outside(each, each.verdict.step or 0.0, aim) > 0 for each in changed)
    words = Text(
        f"{stuck} 个时段已用到最大幅度，仍在目标之外：一次调价不足以达到。",
        f"{stuck} have the largest step there is and stay outside the band: one step is not enough.",
    )
    return [words] if stuck else []


def _sheet(priced: Sequence[Priced], aim: Aim) -> Sheet:
    sample = any(each.sample for each in priced)
    named = Text("（示意）", " (invented)") if sample else Text("", "")
    rows: tuple[tuple[Text | float, ...], ...] = tuple(
        (
            each.title,
            each.hours,
            each.now / 100,
            round(float(np.mean(each.weeks)), 1),
            _said(each.verdict),
            same(" / ".join(f"{level:.1f}" for level in _levels(each, aim))),
        )
        for each in sorted(priced, key=lambda each: _order(each.verdict))
    )
    return Sheet(
        Text("下周价格建议", "Prices for next week"),
        (
            Text("停车场", "Lot"),
            Text("时段", "Hours"),
            Text(f"现价{named.zh}（元/小时）", f"Price now{named.en} (yuan an hour)"),
            Text("近两周占用率（%）", "Taken, last two weeks (%)"),
            Text("建议（元/小时）", "Advice (yuan an hour)"),
            Text("届时占用率，低/中/高弹性（%）", "Taken then, at low / middle / high elasticity (%)"),
        ),
        rows,
    )


def _levels(each: Priced, aim: Aim) -> list[float]:
    """The occupancy in % that the step brings, under each elasticity."""
    price = each.now + (each.verdict.step or 0.0)
    return [answered(float(np.mean(each.weeks)), each.now, price, one) for one in aim.elasticities]


def _order(verdict: Verdict) -> float:
    """Steps before what is not robust before what stays, the larger first."""
    return 0.5 if verdict.step is None else 1.0 if verdict.step == 0 else -abs(verdict.step)


def _said(verdict: Verdict) -> Text:
    if verdict.step is None:
        return Text("不稳健，不作建议", "not robust: none")
    if verdict.step == 0:
        return Text("维持", "keep")
    return same(f"{verdict.step / 100:+.2f}")


TARIFF = Question(
    name="parking_price",
    title=Text("停车价格建议", "Prices of parking"),
    about=Text(
        "按最近两周的占用，下周各停车场各类时段的价格宜上调、下调还是维持，使占用率落在目标区间。",
        "By how full the lots were in the last two weeks: should next week's price of each lot and class of hours go up, down or stay, so that occupancy comes into "
        "the band that is aimed at.",
    ),
    goal=Text("目标占用率区间之外的泊位数（平均）；越少越好", "berths outside the band of occupancy, on average; fewer is better"),
    simple=Text(
        "简单规则：高于区间上调一小步，低于区间下调一小步", "The simple rule: the smallest step up above the band, down below it"
    ),
    inputs=(f"entity:{LOT}", f"stream:{LOT}.capacity", f"hourly:{LOT}.occupancy"),
    parameters=_PARAMETERS,
    answer=answer,
    every="P1D",
)
