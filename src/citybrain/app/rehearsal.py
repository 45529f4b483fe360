"""What a pack promises by what it does: its day is tried on its own rules, and its algorithms on a made-up year. Pure but for replay files."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from citybrain.app.faults import Faults, fault, fenced
from citybrain.app.rule_promises import compiled, rulebook
from citybrain.brain.detect.expressions import Frame
from citybrain.brain.detect.rulebook import FEED_LOST, Compiled, is_number
from citybrain.kernel.instant import DAY, HOUR, Instant, duration, parse
from citybrain.kernel.pack import Column, DemoDistrict, Forecast, History, Pack, Planted, Simulator, Slice
from citybrain.kernel.places import Place
from citybrain.kernel.text import Text
from citybrain.kernel.things import Kind

SEED = 7
START = parse("2026-06-01T00:00:00+08:00")
"""The simulated day that is tried."""
STAGE = DemoDistrict(tuple((f"990104{number:03d}", Place(117.12 + 0.005 * number, 39.10)) for number in range(1, 13)))
_FIT_DAYS = 450
"""Days of made-up history on which a forecast is fitted."""

Track = dict[str, NDArray[np.float64]]


def staged(pack: Pack) -> Faults:
    """A pack with rules or sensors brings a replay or a simulator, whose entities are of its kinds and stand in the district."""
    measured = any(field.measured for kind in pack.kinds for field in kind.fields)
    if pack.replay is None and pack.simulator is None:
        if not (pack.rules or measured):
            return ()
        return (
            fault(
                pack,
                "没有回放也没有模拟，无法演示和检验。请加 simulator=Simulator(…)。",
                "has neither a replay nor a simulator: nothing tries it. Add simulator=Simulator(…).",
            ),
        )
    planted, error = fenced(lambda: plants(pack))
    if planted is None:
        return (fault(pack, f"的示范对象无法生成：{error}", f"cannot plant its entities: {error}"),)
    return tuple(_planted_faults(pack, planted))


def same_day_twice(pack: Pack, folder: Path) -> Faults:
    """The same seed gives the same simulated day, and the same span of a replay the same rows; neither is empty."""
    found = []
    for name, day in _days(pack, folder):
        rows, error = fenced(partial(_twice, day))
        if rows is None:
            found.append(fault(pack, f"的{name.zh}无法运行：{error}", f"has a {name.en} that fails: {error}"))
        elif not rows[0] or rows[0] != rows[1]:
            found.append(
                fault(
                    pack,
                    f"的{name.zh}为空，或同一种子结果不同。请只用传入的 rng。",
                    f"has a {name.en} that is empty or not seeded. Draw from the rng it is handed, and from nothing else.",
                )
            )
    return tuple(found)


def every_rule_tried(pack: Pack) -> Faults:
    """On the simulated day every rule's condition holds somewhere, for as long as the rule asks.

    Derived fields are computed, a value counts until its field is silent for too long, parameters are the newest. Packs that
    replay real data are not held to this: a real day may be a calm one, and their rules stand on their examples. Neither is
    the rule of lost feeds, which the program tells of by itself.
    """
    if pack.simulator is None or not pack.rules:
        return ()
    tried, error = fenced(lambda: rules_tried(pack))
    if tried is None:
        return (fault(pack, f"的模拟无法运行：{error}", f"has a simulator that fails: {error}"),)
    left = [rule.name for rule in pack.rules if rule.name not in tried and rule.name != FEED_LOST]
    return (
        (
            fault(
                pack,
                f"的模拟从未触发规则：{left}。请让模拟的一天里条件成立、且持续够久。",
                f"has rules its simulator never tries: {left}. Let its day hold the condition, for as long as the rule asks.",
            ),
        )
        if left
        else ()
    )


def better_than_nothing(pack: Pack) -> Faults:
    """Every forecast is compared with a baseline on unseen time, and shows the baseline where that is better."""
    return tuple(found for forecast in pack.forecasts for found in _forecast_faults(pack, forecast))


def plants(pack: Pack) -> tuple[Planted, ...]:
    """The entities that the pack's simulator or replay brings along."""
    source = pack.simulator or pack.replay
    return () if source is None else tuple(source.entities(STAGE))


def rules_tried(pack: Pack) -> set[str]:
    """The names of the rules whose condition holds on the simulated day, long enough, as the program compiles them."""
    if pack.simulator is None:
        return set()
    book = rulebook(replace(pack, rules=compiled(pack)))
    kinds = {kind.name: kind for kind in pack.kinds}
    planted, values = plants(pack), book.parameters(pack.name)
    tried: set[str] = set()
    for index, (times, track) in _tracks(pack.simulator).items():
        entity = planted[index]
        rules = [rule for rule in book.rules() if rule.rule.on == entity.kind and rule.rule.name not in tried]
        frame = _frame(pack, kinds[entity.kind], {**values, **_stated(entity)}, times, track)
        tried |= {rule.rule.name for rule in rules if _holds_long(rule, times, frame)}
    return tried


def _planted_faults(pack: Pack, planted: Sequence[Planted]) -> Iterator[Text]:
    kinds, codes = {kind.name for kind in pack.kinds}, {code for code, _ in STAGE.subdistricts}
    ids = [one.id for one in planted]
    if not ids or len(set(ids)) < len(ids):
        yield fault(
            pack,
            "的示范对象为空或编号重复。请给每个对象一个编号。",
            "plants nothing, or two things of one id. Give each an id of its own.",
        )
    for one in planted:
        if one.kind not in kinds or one.area not in codes:
            yield fault(
                pack, f"的示范对象“{one.id}”类型或区域不明。", f"plants '{one.id}' of no kind of its own or in no subdistrict."
            )


def _days(pack: Pack, folder: Path) -> Iterator[tuple[Text, Callable[[], Iterator[Slice]]]]:
    simulator, replay = pack.simulator, pack.replay
    if simulator is not None:
        yield Text("模拟", "simulator"), lambda: simulator.day(np.random.default_rng(SEED), START)
    if replay is not None and folder.exists():
        middle = Instant((replay.since + replay.until) // 2)
        yield Text("回放", "replay"), lambda: replay.read(folder, middle, Instant(middle + DAY))


def _twice(day: Callable[[], Iterator[Slice]]) -> tuple[list[bytes], list[bytes]]:
    return _flat(day()), _flat(day())


def _flat(day: Iterator[Slice]) -> list[bytes]:
    found: list[bytes] = []
    for one in day:
        if len(one.time):
            columns = [np.asarray(one.fields[name], dtype=np.float64) for name in sorted(one.fields)]
            found += [one.entity.tobytes(), one.time.tobytes(), *(column.tobytes() for column in columns)]
    return found


def _tracks(simulator: Simulator) -> dict[int, tuple[NDArray[np.int64], Track]]:
    """Per entity index: times (n,) ascending, and each field (n,) with NaN for none."""
    cells: dict[int, dict[int, dict[str, float]]] = {}
    for one in simulator.day(np.random.default_rng(SEED), START):
        for row, (entity, time) in enumerate(zip(one.entity.tolist(), one.time.tolist(), strict=True)):
            here = cells.setdefault(entity, {}).setdefault(time, {})
            here.update({name: float(column[row]) for name, column in one.fields.items() if not np.isnan(column[row])})
    found = {}
    for entity, moments in cells.items():
        times = np.array(sorted(moments), dtype=np.int64)
        names = {name for values in moments.values() for name in values}
        found[entity] = (times, {name: np.array([moments[int(at)].get(name, np.nan) for at in times]) for name in names})
    return found


def _stated(entity: Planted) -> dict[str, float | str]:
    return {
        name: value if isinstance(value, str) else float(value)
        for name, value in entity.body.items()
        if isinstance(value, bool | int | float | str)
    }


def _frame(pack: Pack, kind: Kind, values: Mapping[str, float | str], times: NDArray[np.int64], track: Track) -> Frame:
    """What rules look at, row by row: measured and derived fields carried while they live, stated ones and parameters throughout."""
    empty = np.full(len(times), np.nan)
    for made in pack.derived:
        if made.kind == kind.name:
            inputs: Mapping[str, Column] = {name: track.get(name, empty) for name in made.inputs}
            track[made.field] = made.compute(times, inputs)
    frame: dict[str, NDArray[np.float64] | NDArray[np.object_]] = {
        name: np.full(len(times), value) if isinstance(value, float) else np.full(len(times), value, object)
        for name, value in values.items()
    }
    for field in kind.fields:
        if field.name in track:
            frame[field.name] = _carried(times, track[field.name], kind, field.name)
        elif field.name not in frame:
            frame[field.name] = empty if is_number(field) else np.full(len(times), None, object)
    return frame


def _carried(times: NDArray[np.int64], column: NDArray[np.float64], kind: Kind, name: str) -> NDArray[np.float64]:
    """Each row's last known value, as long as it lives."""
    known = np.where(np.isnan(column), -1, np.arange(len(column)))
    last = np.maximum.accumulate(known)
    carried = np.where(last >= 0, column[np.maximum(last, 0)], np.nan)
    silent = kind.field(name).silent_after if kind.has(name) else None
    if silent is not None:
        carried = np.where(times - times[np.maximum(last, 0)] <= duration(silent), carried, np.nan)
    return carried


def _holds_long(rule: Compiled, times: NDArray[np.int64], frame: Frame) -> bool:
    since: int | None = None
    for time, holds in zip(times.tolist(), rule.when.true(frame).tolist(), strict=True):
        since = (time if since is None else since) if holds else None
        if since is not None and time - since >= rule.lasting:
            return True
    return False


def _forecast_faults(pack: Pack, forecast: Forecast) -> Iterator[Text]:
    history = _made_up(forecast)
    at = Instant(int(history.times[-1]) + HOUR)
    skill, error = fenced(lambda: forecast.fit(history, at).skill())
    if skill is None:
        yield fault(
            pack, f"的算法“{forecast.name}”无法拟合：{error}", f"has an algorithm '{forecast.name}' that does not fit: {error}"
        )
    elif not skill or any(not np.isfinite(one.baseline) or one.cases <= 0 for one in skill):
        yield fault(pack, f"的算法“{forecast.name}”没有与基线比较。", f"has an algorithm '{forecast.name}' without a baseline.")
    elif any((one.serves == "model") and one.error > one.baseline for one in skill):
        yield fault(pack, f"的算法“{forecast.name}”不如基线却仍被采用。", f"serves '{forecast.name}' where its baseline is better.")


def _made_up(forecast: Forecast) -> History:
    """A seeded history with days and weeks in it, two entities, all inputs above zero."""
    rng = np.random.default_rng(SEED)
    hours = np.arange(_FIT_DAYS * 24)
    times = (START + hours * HOUR).astype(np.int64)
    names = dict.fromkeys((forecast.field, *forecast.inputs))
    fields = {}
    for name in names:
        daily = 10.0 * np.sin(2 * np.pi * hours / 24)[:, None] + 5.0 * np.sin(2 * np.pi * hours / 168)[:, None]
        drift = np.cumsum(rng.normal(0.0, 1.0, (len(hours), 2)), axis=0)
        fields[name] = np.maximum(1.0, 60.0 + daily + 20.0 * np.tanh(drift / 40.0) + rng.normal(0.0, 2.0, (len(hours), 2)))
    return History(times, ("made-up-1", "made-up-2"), fields)
