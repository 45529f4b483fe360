"""What every pack promises by its declaration alone, rules apart: a function a promise, from a pack to the faults found. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from typing import get_args

import ibis
import ibis.expr.types as ir
import msgspec
import pyarrow as pa

from citybrain.app.faults import Faults, fault, fenced, field_names, is_clock, is_duration, strangers
from citybrain.brain.act import STANDARD_FLOW, check_flow
from citybrain.brain.see import AREA, MOMENT, STREAM
from citybrain.brain.see.facts import ALERT_FACT, BOOKING_FACT, CASE_FACT, RATING_FACT, WINDOW_FACT
from citybrain.kernel.errors import DeclarationError
from citybrain.kernel.instant import Instant
from citybrain.kernel.pack import Indicator, Pack, Parameter
from citybrain.kernel.text import Text
from citybrain.kernel.things import Field, Kind
from citybrain.kernel.units import UNITS

_TABLES: Mapping[str, pa.Schema] = {
    "case": CASE_FACT,
    "alert": ALERT_FACT,
    "booking": BOOKING_FACT,
    "offer_window": WINDOW_FACT,
    "rating": RATING_FACT,
    "stream": STREAM,
    "area": AREA,
}
"""What an indicator may name among its inputs."""
_PAPER = {**_TABLES, "moment": MOMENT}
_MARKS = frozenset(get_args(Parameter.__annotations__["mark"]))


def languages(pack: Pack) -> Faults:
    """Every text has both languages."""
    return tuple(
        fault(
            pack,
            f'缺少一种语言：{path}。中英文都要写：Text("中文", "English")。',
            f'lacks a language in {path}. Write both: Text("中文", "English").',
        )
        for path, text in _texts(pack, "PACK")
        if not (text.zh.strip() and text.en.strip())
    )


def field_units(pack: Pack) -> Faults:
    """Units are UCUM, what is measured has one, durations are ISO 8601, ranges are in order, names are declared once."""
    return tuple(found for kind in pack.kinds for found in _field_faults(pack, kind))


def flows_ended(pack: Pack) -> Faults:
    """Every state of a flow can be reached and leads to an end, and rules open cases on flows that exist."""
    found = []
    for flow in pack.flows:
        try:
            check_flow(flow)
        except DeclarationError as error:
            found.append(fault(pack, f"：{error.what.zh}", f"has a flow that does not hang together. {error.what.en}"))
    known = {flow.name for flow in pack.flows} | {STANDARD_FLOW.name}
    astray = [(rule.name, rule.opens.flow) for rule in pack.rules if rule.opens is not None and rule.opens.flow not in known]
    return (
        *found,
        *(
            fault(
                pack,
                f"的规则“{rule}”用了不存在的流程“{flow}”。请写 standard，或把流程列入 PACK(flows=…)。",
                f"opens cases of '{rule}' on no flow: '{flow}'. Write 'standard', or enter the flow in PACK(flows=…).",
            )
            for rule, flow in astray
        ),
    )


def indicators_built(pack: Pack) -> Faults:
    """Indicators rest on tables and fields that exist, and their measures build into SQL with the columns that figures need."""
    return tuple(found for one in pack.indicators for found in _indicator_faults(pack, one))


def questions_known(pack: Pack) -> Faults:
    """Questions speak of kinds, fields and parameters that the pack declares, and of a span of time."""
    known = {one.name for one in pack.parameters}
    found: list[Text] = []
    for one in pack.questions:
        found += strangers(pack, one.name, {*_strange_tables(pack, one.inputs), *(set(one.parameters) - known)})
        if not is_duration(one.every):
            found.append(
                fault(
                    pack,
                    f"的问题“{one.name}”的间隔“{one.every}”不是时长。请写作 PT1H。",
                    f"asks '{one.name}' every '{one.every}', which is no duration. Write PT1H.",
                )
            )
    return tuple(found)


def parameters_sourced(pack: Pack) -> Faults:
    """Every dated value says where it is from and how sure that is; one that may be changed has a title, a unit, and lies in its range."""
    bad = [one for one in pack.parameters if not one.source.strip() or one.mark not in _MARKS or not _is_date(one.since)]
    return tuple(
        fault(
            pack,
            f"的参数“{one.name}”（{one.since}）缺少来源、标记或日期。请在 parameters.toml 写明 source、mark 和 since。",
            f"has no source, mark or date for parameter '{one.name}'. Write source, mark and since in parameters.toml.",
        )
        for one in bad
    ) + tuple(
        fault(
            pack,
            f"的参数“{one.name}”（{one.since}）声明了范围，但缺少名称或单位，或数值不在范围内。请补 title 和 UCUM 单位 unit，或改 range。",
            f"has a range for parameter '{one.name}' but no title or unit for it, or a value outside. Add title and a UCUM unit, or widen it.",
        )
        for one in pack.parameters
        if one.range is not None and not _changeable(one)
    )


def _changeable(one: Parameter) -> bool:
    low, high = one.range or (0.0, 0.0)
    return (
        one.title is not None and one.unit in UNITS and not isinstance(one.value, str) and low <= one.value <= high and low < high
    )


def people_spared(pack: Pack) -> Faults:
    """No check-ins, no rankings of persons, no photo that no closing asks for, no personal field without a purpose.

    《政务移动互联网应用程序规范化管理办法》 and 个人信息保护法 第六条. A photo is asked for by a required field ``closing_photo``.
    """
    found = [
        fault(pack, f"要求了不得要求的内容：{one}。", f"asks people for a {one}.")
        for one in pack.collects
        if one in ("checkin", "ranking")
    ]
    if "photo" in pack.collects and not any(
        kind.has("closing_photo") and kind.field("closing_photo").required for kind in pack.kinds
    ):
        found.append(
            fault(pack, "要求照片，但没有办结条件需要它。", "asks for a photo that no closing needs (field 'closing_photo').")
        )
    for kind in pack.kinds:
        for field in kind.fields:
            if field.personal and (field.purpose is None or kind.access == "unconditional"):
                words = f"的个人信息字段“{kind.name}.{field.name}”没有目的，或无条件共享。请写明 purpose，并把 access 改为 conditional 或 closed。"
                found.append(
                    fault(
                        pack,
                        words,
                        f"has a personal field without a purpose, or open to all: '{kind.name}.{field.name}'. Say its purpose, and let "
                        "access be conditional or closed.",
                    )
                )
    return tuple(found)


def _texts(node: object, path: str) -> Iterator[tuple[str, Text]]:
    if isinstance(node, Text):
        yield path, node
    elif isinstance(node, tuple | list):
        for number, part in enumerate(node):
            yield from _texts(part, f"{path}[{number}]")
    elif isinstance(node, msgspec.Struct):
        for name in node.__struct_fields__:
            yield from _texts(getattr(node, name), f"{path}.{name}")
    elif is_dataclass(node):
        for field in fields(node):
            yield from _texts(getattr(node, field.name), f"{path}.{field.name}")


def _field_faults(pack: Pack, kind: Kind) -> Iterator[Text]:
    names = [field.name for field in kind.fields]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield fault(pack, f"重复声明了“{kind.name}.{name}”。", f"declares '{kind.name}.{name}' twice.")
    for field in kind.fields:
        place = f"{kind.name}.{field.name}"
        if (field.unit is None and field.measured) or (field.unit is not None and field.unit not in UNITS):
            yield fault(
                pack,
                f"的“{place}”没有 UCUM 单位：{field.unit}。可用单位见 kernel/units.py，如 %、m、ug/m3。",
                f"has no UCUM unit in '{place}': {field.unit}. Those that are known stand in kernel/units.py, such as %, m, ug/m3.",
            )
        if wrong := _bad_times(field):
            yield fault(
                pack,
                f"的“{place}”时长有误：{wrong}。请写作 PT20M，钟点写作 08:00。",
                f"has durations in '{place}' that are none: {wrong}. Write PT20M, a time of the day 08:00.",
            )
        low, high = field.range
        if low is not None and high is not None and low > high:
            yield fault(pack, f"的“{place}”量程颠倒。", f"has a range upside down in '{place}'.")


def _bad_times(field: Field) -> str:
    wrong = [one for one in (field.every, field.silent_after, field.stuck_after) if one is not None and not is_duration(one)]
    return ", ".join([*wrong, *(one for one in field.hours or () if not is_clock(one))])


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class _Paper:
    """Tables without rows: enough to build a measure."""

    now: Instant

    def table(self, name: str) -> ir.Table:
        return ibis.table(ibis.Schema.from_pyarrow(_PAPER[name]), name=name)


def _indicator_faults(pack: Pack, one: Indicator) -> Iterator[Text]:
    yield from strangers(pack, one.name, _unknown_inputs(pack, one.inputs))
    columns, error = fenced(lambda: _built(one))
    if columns is None:
        yield fault(pack, f"的指标“{one.name}”无法构建：{error}", f"has an indicator '{one.name}' that does not build: {error}")
        return
    if lacking := {"area", "value", "unknown"} - columns:
        listed = ", ".join(sorted(lacking))
        yield fault(
            pack,
            f"的指标“{one.name}”缺少列：{listed}。计算式须给出 area、value、unknown 三列。",
            f"has an indicator '{one.name}' without the columns {listed}. Its measure gives area, value and unknown.",
        )


def _built(one: Indicator) -> set[str]:
    paper = _Paper(Instant(0))
    measured = _table(one.measure(paper), "measure")
    if one.rows is not None:
        _table(one.rows(paper), "rows")
    return set(measured.columns)


def _table(expression: object, name: str) -> ir.Table:
    if not isinstance(expression, ir.Table):
        message = f"its {name} is no Ibis table."
        raise TypeError(message)
    ibis.to_sql(expression, dialect="duckdb")
    return expression


def _strange_tables(pack: Pack, inputs: Sequence[str]) -> set[str]:
    """The inputs of a question that name no table there is."""
    strange = set()
    for given in inputs:
        sort, _, thing = given.partition(":")
        kind, _, field = thing.partition(".")
        whole = sort in ("entity", "offer") and not field and any(one.name == kind for one in pack.kinds)
        part = sort in ("stream", "forecast", "hourly") and field in field_names(pack, kind)
        if not (whole or part):
            strange.add(given)
    return strange


def _unknown_inputs(pack: Pack, inputs: Sequence[str]) -> set[str]:
    unknown = set()
    for given in inputs:
        table, _, thing = given.partition(":")
        kind, _, field = thing.partition(".")
        if table not in _TABLES or (table == "stream" and thing and field not in field_names(pack, kind)):
            unknown.add(given)
    return unknown
