"""Allocation advice: which lots boards should lead to and which owners to ask, hour by hour of the forecast. Tables in, advice out.

lots, capacities, forecast and offers → hours → the plan of least cost beside doing nothing and the simple rule → sheets.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from citybrain.sdk import HOUR, Advice, Instant, Question, Sheet, Text, in_force, local, local_date, same
from citybrain.services.livelihood.parking import allocation
from citybrain.services.livelihood.parking.allocation import Floats, Hour, Plan, Terms
from citybrain.services.livelihood.parking.lots import LOT
from citybrain.services.livelihood.parking.rules import PARAMETERS
from citybrain.services.livelihood.parking.transport import Whole

_TERMS = {
    "full": "lot_full_above",
    "walk": "guide_walk_limit",
    "overflow": "guide_overflow_metres",
    "opening": "guide_opening_metres",
    "detour": "guide_detour",
    "need": "guide_need_share",
    "room": "guide_room_share",
}
_OWN = Text("本场的共享泊位", "its own shared berths")
_ASSUMED = (
    Text("只是建议：诱导屏和共享泊位不会因此自动改变。", "Advice only: neither boards nor offers change by themselves."),
    Text(
        "诱导屏按就近规则随实况引导：在未用于拟合的各周上，它比只按预测安排去处更好，所以由它承担；预测用来提前请业主开放泊位。",
        "Boards lead by the simple rule as readings come: on unseen weeks it did better than places planned from the forecast alone, so it serves; "
        "the forecast is for asking owners in time.",
    ),
    Text(
        "“超满”指高于满位线的占用；满位时另寻他处而没有进场的车数不得而知，不在其中。",
        "Overflow is what is taken above the full mark; cars that found a lot full and went elsewhere are not known and not in it.",
    ),
    Text(
        "各小时分别求解：车辆数是该小时应停在别处的车，不是新到的车。",
        "Each hour is solved by itself: cars are those that should stand elsewhere in that hour, not those that arrive in it.",
    ),
    Text(
        "余位按预测的高分位计，偏于稳妥：实际能安置的多半比这里算的多。",
        "Room is counted by the upper edge of the forecast, on the safe side: more cars are likely to find a place than is counted here.",
    ),
    Text("步行距离为直线距离乘绕行系数，没有路网。", "Walks are straight distances times a detour; there is no network of paths."),
)


@dataclass(frozen=True, slots=True)
class Lots:
    """What is known of n lots: names, walks (n, n) in m, berths there are and berths that owners may share (n,)."""

    ids: tuple[str, ...]
    titles: tuple[Text, ...]
    walk: Floats
    capacity: Floats
    shared: Whole


@dataclass(frozen=True, slots=True)
class Solved:
    """An hour, with the middle surplus that is expected (n,), the plan that is advised and that of the simple rule."""

    begins: Instant
    hour: Hour
    expected: Whole
    advised: Plan
    simple: Plan


def terms_on(day: str) -> Terms:
    """The terms in force on a local date."""
    known = in_force(PARAMETERS, day)
    return Terms(**{name: float(known[parameter]) for name, parameter in _TERMS.items()})


def answer(tables: Mapping[str, pa.Table], now: Instant) -> Advice:
    """The advice for the hours that are forecast."""
    terms = terms_on(local_date(now).isoformat())
    lots = _lots(tables, terms.detour)
    ahead = tables[f"forecast:{LOT}.occupancy"].to_pylist()
    given = {begins: edges for begins, edges in _by_hour(lots, ahead).items() if begins >= now // HOUR * HOUR}
    if not given:
        what = Text(
            "尚无停车场的总泊位、位置或预测，无从建议。",
            "No advice: the capacity, the place or the forecast of the lots is not known yet.",
        )
        return Advice("unknown", what, assumed=_ASSUMED)
    offered = tables[f"offer:{LOT}"].to_pylist()
    solved = [_solve(lots, Instant(begins), given[begins], offered, terms) for begins in sorted(given)]
    return _advice(lots, solved, terms)


def _solve(
    lots: Lots, begins: Instant, edges: tuple[Floats, Floats, Floats], offered: Sequence[dict[str, int | str]], terms: Terms
) -> Solved:
    given, free = _offers(lots, begins, offered)
    surplus = allocation.surplus_of(allocation.level(*edges, terms.need), lots.capacity, terms.full)
    room = np.where(surplus > 0, 0, allocation.room_of(allocation.level(*edges, terms.room), lots.capacity, terms.full))
    hour = Hour(surplus, room + free, np.maximum(lots.shared - given, 0))
    expected = allocation.surplus_of(edges[1], lots.capacity, terms.full)
    return Solved(begins, hour, expected, allocation.advised(hour, lots.walk, terms), allocation.nearest(hour, lots.walk, terms))


def _lots(tables: Mapping[str, pa.Table], detour: float) -> Lots:
    """Lots with a place and a capacity; of the capacity the newest count, which does not change when a lot is closed."""
    counted = {row["entity"]: row["value"] for row in tables[f"stream:{LOT}.capacity"].to_pylist() if (row["value"] or 0) > 0}
    rows = [row for row in tables[f"entity:{LOT}"].to_pylist() if row["lon"] is not None and row["id"] in counted]
    lon, lat = (np.array([row[name] for row in rows], np.float64) for name in ("lon", "lat"))
    return Lots(
        tuple(row["id"] for row in rows),
        tuple(Text(row["title_zh"], row["title_en"]) for row in rows),
        allocation.walking(lon, lat, detour),
        np.array([counted[row["id"]] for row in rows], np.float64),
        np.array([row["shared"] or 0 for row in rows], np.int64),
    )


def _by_hour(lots: Lots, ahead: Sequence[dict[str, float | str]]) -> dict[int, tuple[Floats, Floats, Floats]]:
    """Low, middle and high edge of each hour (n,), NaN for lots without a forecast."""
    place = {name: number for number, name in enumerate(lots.ids)}
    found: dict[int, Floats] = {}
    for row in ahead:
        if row["entity"] in place:
            edges = found.setdefault(int(row["time"]), np.full((3, len(lots.ids)), np.nan))
            edges[:, place[str(row["entity"])]] = row["low"], row["mean"], row["high"]
    return {begins: (edges[0], edges[1], edges[2]) for begins, edges in found.items()}


def _offers(lots: Lots, begins: Instant, offered: Sequence[dict[str, int | str]]) -> tuple[Whole, Whole]:
    """Berths that owners have opened and, of them, those that nobody has booked (n,), throughout an hour."""
    given, free = np.zeros(len(lots.ids), np.int64), np.zeros(len(lots.ids), np.int64)
    place = {name: number for number, name in enumerate(lots.ids)}
    slots: dict[str, list[dict[str, int | str]]] = {}
    for row in offered:
        if int(row["begins"]) < begins + HOUR and int(row["ends"]) > begins and row["entity"] in place:
            slots.setdefault(str(row["offer"]), []).append(row)
    for rows in slots.values():
        at = place[str(rows[0]["entity"])]
        given[at] += int(rows[0]["units"])
        whole = min(int(row["begins"]) for row in rows) <= begins and max(int(row["ends"]) for row in rows) >= begins + HOUR
        free[at] += min(int(row["free"]) for row in rows) if whole else 0
    return given, free


def _advice(lots: Lots, solved: Sequence[Solved], terms: Terms) -> Advice:
    cost, simple = sum(each.advised.cost for each in solved), sum(each.simple.cost for each in solved)
    doing_nothing = sum(allocation.idle(each.hour, terms) for each in solved)
    need, left = sum(int(each.hour.surplus.sum()) for each in solved), sum(int(each.advised.left.sum()) for each in solved)
    first, last = local(solved[0].begins), local(Instant(solved[-1].begins + HOUR))
    span = f"{first:%m-%d %H:%M} – {last:%m-%d %H:%M}"
    if not need:
        what = Text(
            f"{span}：按预测的 {terms.need:.0%} 分位，没有停车场超过满位线，无需引导。",
            f"{span}: by the {terms.need:.0%} quantile of the forecast no lot goes above its full mark; nothing to do.",
        )
        return Advice("nothing", what, 0.0, 0.0, 0.0, assumed=_ASSUMED)
    opened = sum(int(each.advised.opened.sum()) for each in solved)
    what = Text(
        f"{span}：按预测的 {terms.need:.0%} 分位，{need} 个泊位小时超过满位线；建议请业主开放 {opened} 个泊位小时，"
        f"连同就近引导可安置 {need - left} 个，平均步行 {_mean_walk(solved):.0f} 米。",
        f"{span}: at the {terms.need:.0%} quantile of the forecast {need} berth hours are above the full mark; ask owners for {opened} berth hours: "
        f"with boards leading to the nearest, {need - left} find a place, with {_mean_walk(solved):.0f} m to walk on average.",
    )
    return Advice(
        "infeasible" if left else "advised",
        what,
        float(cost),
        float(doing_nothing),
        float(simple),
        (_guided(lots, solved), _asked(lots, solved), _hours(solved)),
        tuple(_binding(lots, solved, terms)),
        _ASSUMED,
    )


def _mean_walk(solved: Sequence[Solved]) -> float:
    moved = sum(int(each.advised.sent.sum()) for each in solved)
    return sum(each.advised.metres for each in solved) / max(moved, 1)


def _guided(lots: Lots, solved: Sequence[Solved]) -> Sheet:
    rows = tuple(
        (
            _span(begins, solved[0].begins),
            lots.titles[giver],
            _OWN if giver == taker else lots.titles[taker],
            float(cars),
            float(round(lots.walk[giver, taker])),
        )
        for begins, (giver, taker), cars in _runs(solved, lambda each: each.advised.sent)
    )
    return Sheet(
        Text(
            "诱导：满位时预计引导到哪里（就近规则）",
            "Guidance: where boards are likely to lead when a lot is full, by the simple rule",
        ),
        (
            Text("时段", "Hours"),
            Text("满位停车场", "When this is full"),
            Text("引导到", "Lead to"),
            Text("至多（辆）", "Cars, at most"),
            Text("步行（米）", "Walk (m)"),
        ),
        rows,
    )


def _asked(lots: Lots, solved: Sequence[Solved]) -> Sheet:
    rows = tuple(
        (_span(begins, solved[0].begins), lots.titles[taker], float(berths), float(berths * len(begins)))
        for begins, (_, taker), berths in _runs(solved, lambda each: each.advised.opened[None, :])
    )
    return Sheet(
        Text("请业主开放共享泊位", "Owners to ask for berths"),
        (
            Text("时段", "Hours"),
            Text("停车场", "Lot"),
            Text("泊位（个）", "Berths"),
            Text("泊位小时", "Berth hours"),
        ),
        rows,
    )


def _hours(solved: Sequence[Solved]) -> Sheet:
    rows = tuple(
        (
            _span([each.begins], solved[0].begins),
            float(each.expected.sum()),
            float(each.hour.surplus.sum()),
            float(each.advised.left.sum()),
            float(each.simple.left.sum()),
        )
        for each in solved
        if each.hour.surplus.any()
    )
    return Sheet(
        Text("逐小时：超过满位线的车辆", "By hour: cars above the full mark"),
        (
            Text("时段", "Hour"),
            Text("预测中位（辆）", "Forecast, middle"),
            Text("按备足分位（辆）", "At the quantile to be ready for"),
            Text("按建议后剩余", "Left, as advised"),
            Text("按就近规则后剩余", "Left by the simple rule"),
        ),
        rows,
    )


def _binding(lots: Lots, solved: Sequence[Solved], terms: Terms) -> Iterator[Text]:
    """What would have to be otherwise for a better plan: lots filled to their margin, and lots with none within the walk."""
    left = sum((each.advised.left for each in solved), np.zeros(len(lots.ids), np.int64))
    for giver in np.flatnonzero(left):
        near = (lots.walk[giver] <= terms.walk).sum() - 1
        name = lots.titles[giver]
        yield (
            Text(
                f"{name.zh}：{left[giver]} 个泊位小时无处安置，步行 {terms.walk:.0f} 米内（{near} 个停车场）已无余位。",
                f"{name.en}: {left[giver]} berth hours have no place; no room is left within {terms.walk:.0f} m (lots there: {near}).",
            )
            if near
            else Text(
                f"{name.zh}：{left[giver]} 个泊位小时无处安置，步行 {terms.walk:.0f} 米内没有别的停车场。",
                f"{name.en}: {left[giver]} berth hours have no place; no other lot is within {terms.walk:.0f} m.",
            )
        )
    for taker in range(len(lots.ids)):
        begins = [each.begins for each in solved if _filled(each, taker)]
        if begins:
            name = lots.titles[taker]
            yield Text(
                f"{name.zh}：余位（留安全余量后）和请业主开放的泊位用尽，{len(begins)} 个小时。",
                f"{name.en}: its room, after the margin, and the berths to be opened are used up for {len(begins)} h.",
            )


def _filled(each: Solved, taker: int) -> bool:
    used = int(each.advised.sent[:, taker].sum())
    return used > 0 and used == int(each.hour.room[taker] + each.advised.opened[taker])


def _runs(solved: Sequence[Solved], of: Callable[[Solved], Whole]) -> list[tuple[list[Instant], tuple[int, int], int]]:
    """Hours in a row with the same number in the same cell, the earliest first."""
    runs: list[tuple[list[Instant], tuple[int, int], int]] = []
    for each in solved:
        table = of(each)
        for giver, taker in zip(*(side.tolist() for side in np.nonzero(table)), strict=True):
            pair, units = (giver, taker), int(table[giver, taker])
            begun = (run for run in runs if run[1:] == (pair, units) and run[0][-1] + HOUR == each.begins)
            run = next(begun, None)
            if run is None:
                runs.append(([each.begins], pair, units))
            else:
                run[0].append(each.begins)
    return sorted(runs, key=lambda run: (run[0][0], run[1]))


def _span(begins: Sequence[Instant], first: Instant) -> Text:
    """Hours in a row as clock times; those of a later day than the first hour say so."""
    words = f"{local(begins[0]):%H:%M}–{local(Instant(begins[-1] + HOUR)):%H:%M}"
    return same(words) if local_date(begins[0]) == local_date(first) else Text(f"次日 {words}", f"next day {words}")


ALLOCATION = Question(
    name="parking_allocation",
    title=Text("停车引导与错时共享的分配建议", "Where to lead drivers, and which owners to ask for berths"),
    about=Text(
        "按未来 24 小时的占用预测，预计超过满位线的停车场，应把车引导到附近哪些停车场、请哪些业主在哪些时段开放多少泊位。",
        "By the forecast of the next 24 hours: from lots that are expected to go above their full mark, which lots nearby should boards lead to, "
        "and which owners should be asked for how many berths in which hours.",
    ),
    goal=Text(
        "折算为步行米数之和：步行＋开放共享泊位的折算＋仍然超满的折算；越小越好",
        "metres in all: walking, plus the worth of berths that owners open, plus the worth of what stays above the mark; less is better",
    ),
    simple=Text(
        "就近规则：满了就去最近的有空位停车场，不请业主开放", "The simple rule: to the nearest lot with room; no owner is asked"
    ),
    inputs=(f"entity:{LOT}", f"stream:{LOT}.capacity", f"forecast:{LOT}.occupancy", f"offer:{LOT}"),
    parameters=tuple(_TERMS.values()),
    answer=answer,
)
