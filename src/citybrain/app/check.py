"""``citybrain check``: holds a pack to the promises that every pack makes, ours and strangers', and grades it by evidence."""

import ast
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, TypeAlias

from citybrain.app import promises, rehearsal, rule_promises
from citybrain.app.faults import Faults, fault
from citybrain.kernel.pack import Pack
from citybrain.kernel.text import Text

Grade: TypeAlias = Literal["none", "bronze", "silver", "gold"]
ALLOWED = frozenset({"numpy", "polars", "scipy", "sklearn", "lightgbm", "statsforecast", "shapely", "ibis", "pyarrow"})
"""Third parties that a pack may compute with; pyarrow reads the files of its replay."""
_GRADE_WORDS: dict[Grade, tuple[str, str]] = {
    "none": ("未通过", "broken promises"),
    "bronze": ("铜级：履行全部承诺", "bronze: keeps every promise"),
    "silver": ("银级：另有文档与测试", "silver: documented and tested as well"),
    "gold": ("金级：另有实际部署的数据", "gold: with fixtures of a real deployment as well"),
}
_UNWRITTEN = "TO WRITE"
"""Stands on a page that ``citybrain new pack`` wrote and nobody has finished."""
REACHES_OUT = frozenset(
    {"asyncio", "ftplib", "http", "multiprocessing", "smtplib", "socket", "sqlite3", "ssl", "subprocess", "urllib"}
)
"""Parts of the standard library that open a store, a process or a network."""


@dataclass(frozen=True, slots=True)
class Promise:
    """One promise: kept (``ok``) with what exactly was shown, or broken with every fault found."""

    name: str
    ok: bool
    words: Text


@dataclass(frozen=True, slots=True)
class Report:
    """All promises of a pack, and its grade: bronze keeps them, silver is also documented and tested, gold has run on site."""

    pack: str
    promises: tuple[Promise, ...]
    grade: Grade
    lacking: tuple[Text, ...] = ()
    """What a pack that keeps every promise still lacks for silver."""

    @property
    def kept(self) -> bool:
        """Whether every promise is kept."""
        return all(promise.ok for promise in self.promises)

    def told(self) -> str:
        """The report for a terminal: the grade, then every promise with its sign and, where it is broken, the faults."""
        zh, en = _GRADE_WORDS[self.grade]
        lines = [f"{self.pack}: {zh} · {en}"]
        for promise in self.promises:
            sign = "✓" if promise.ok else "✗"
            lines += [f"  {sign} {promise.name}: {promise.words.zh}", f"    {promise.words.en}"]
        for one in self.lacking:
            lines += [f"  → {one.zh}", f"    {one.en}"]
        return "\n".join(lines)


def check(pack: Pack, data: Path = Path("data"), house: Path = Path()) -> Report:
    """Try every promise of a pack.

    ``data`` is the folder from which replays read; without it a replay's rows are not tried, and the report says so. ``house``
    is the source tree in which pages and tests are looked for, for the grade.
    """
    tried = [_promise(name, claim, kept(pack)) for name, claim, kept in _DECLARED]
    tried += [_promise("same_day", _day_claim(pack, data), rehearsal.same_day_twice(pack, data))]
    tried += [_promise(name, claim, kept(pack)) for name, claim, kept in _DONE]
    if not all(promise.ok for promise in tried):
        return Report(pack.name, tuple(tried), "none")
    lacking = tuple(_lacking(pack, house))
    return Report(pack.name, tuple(tried), "bronze" if lacking else _deployed(pack, house), lacking)


def module_of(pack: Pack) -> str | None:
    """The dotted path of the module that declares an installed pack; None for one that is not installed."""
    found = [entry.module for entry in entry_points(group="citybrain.packs") if entry.name == pack.name]
    return found[0] if found else None


def sdk_only(pack: Pack) -> Faults:
    """The pack's modules import the sdk, what may compute, and nothing that opens a store, a process or a network."""
    module = module_of(pack)
    spec = find_spec(module) if module is not None else None
    if module is None or spec is None or spec.origin is None:
        return ()
    strangers = {name for file in Path(spec.origin).parent.rglob("*.py") for name in imported(file) if not _may(name, module)}
    if not strangers:
        return ()
    listed = ", ".join(sorted(strangers))
    return (
        fault(
            pack,
            f"导入了不许用的模块：{listed}。请只用 citybrain.sdk 和计算库。",
            f"imports what a pack may not: {listed}. Use citybrain.sdk.",
        ),
    )


def imported(file: Path) -> set[str]:
    """The dotted names that a Python file imports, wherever in it they stand."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{name.name}" if node.module == "citybrain" else str(node.module) for name in node.names}
    return found


def _may(name: str, own: str) -> bool:
    top = name.partition(".")[0]
    if name == own or name.startswith(f"{own}.") or name == "citybrain.sdk":
        return True
    return top in ALLOWED or (top in sys.stdlib_module_names and top not in REACHES_OUT)


_DECLARED: tuple[tuple[str, Text, Callable[[Pack], Faults]], ...] = (
    ("languages", Text("所有文字中英文齐全", "every text has both languages"), promises.languages),
    ("units", Text("字段单位为 UCUM，时长与量程成立", "units are UCUM, durations and ranges hold"), promises.field_units),
    (
        "names",
        Text(
            "规则、推算、预测、看板、问题只提到已声明的名称",
            "rules, derivations, forecasts, boards and questions speak of known names",
        ),
        lambda pack: (*rule_promises.names_known(pack), *promises.questions_known(pack)),
    ),
    ("basis", Text("每条规则有依据和正反示例", "every rule has a basis and examples of both sorts"), rule_promises.reasons),
    ("examples", Text("每条规则按示例触发与静默", "every rule fires and is silent as its examples say"), rule_promises.examples),
    ("flows", Text("流程各状态可达且可办结", "every state of a flow is reached and leads to an end"), promises.flows_ended),
    (
        "indicators",
        Text("指标的输入存在，计算式可构建", "inputs of indicators exist and their measures build"),
        promises.indicators_built,
    ),
    (
        "parameters",
        Text("参数都有日期、来源和可信标记", "parameters have a date, a source and a mark"),
        promises.parameters_sourced,
    ),
    (
        "people",
        Text(
            "不打卡、不排名、不多要照片；个人信息有目的",
            "no check-ins, no rankings, no needless photo; personal fields have a purpose",
        ),
        promises.people_spared,
    ),
    ("imports", Text("只导入 sdk 与计算库", "imports the sdk and computing libraries alone"), sdk_only),
    (
        "stage",
        Text("回放或模拟的对象类型与区域都存在", "what is replayed or simulated has known kinds and areas"),
        rehearsal.staged,
    ),
)
_DONE: tuple[tuple[str, Text, Callable[[Pack], Faults]], ...] = (
    (
        "rules_tried",
        Text(
            "模拟日中每条规则都成立过（无模拟者以示例为据）",
            "every rule held on the simulated day (without a simulator: on its examples)",
        ),
        rehearsal.every_rule_tried,
    ),
    (
        "baseline",
        Text("每个算法都与基线比过", "every algorithm is compared with a baseline on unseen time"),
        rehearsal.better_than_nothing,
    ),
)


def _promise(name: str, claim: Text, faults: Faults) -> Promise:
    if not faults:
        return Promise(name, ok=True, words=claim)
    return Promise(name, ok=False, words=Text("\n".join(one.zh for one in faults), "\n".join(one.en for one in faults)))


def _day_claim(pack: Pack, data: Path) -> Text:
    if pack.simulator is not None:
        return Text("同一种子给出同一天，且不为空", "the same seed gives the same day, and not an empty one")
    if pack.replay is not None and data.exists():
        return Text("同一时段回放两次，结果相同且不为空", "the same day replayed twice is the same, and not empty")
    return Text(
        "没有可试的一天：无模拟，也没有回放数据文件夹", "no day was tried: there is no simulator, and no data folder to replay from"
    )


def _lacking(pack: Pack, house: Path) -> Iterator[Text]:
    """What silver asks for and is not there: a docs page that names every rule and indicator, and a test file."""
    place = Path("docs") / "packs" / f"{pack.name}.md"
    words = (house / place).read_text(encoding="utf-8") if (house / place).exists() else ""
    named = (*(rule.name for rule in pack.rules), *(indicator.name for indicator in pack.indicators))
    if not words:
        yield Text(f"到银级还缺：写 {place}。", f"For silver: write {place}.")
    elif _UNWRITTEN in words:
        yield Text(f"到银级还缺：写完 {place}，去掉“{_UNWRITTEN}”。", f"For silver: finish {place} and take '{_UNWRITTEN}' out.")
    elif unnamed := ", ".join(name for name in named if name not in words):
        yield Text(f"到银级还缺：在 {place} 中说明 {unnamed}。", f"For silver: say in {place} what these are: {unnamed}.")
    tests = house / "tests"
    if not [*tests.glob(f"*/*/{pack.name}/test_*.py"), *tests.glob(f"*/*/test_{pack.name}*.py")]:
        yield Text(f"到银级还缺：测试 test_{pack.name}.py。", f"For silver: a test, test_{pack.name}.py.")


def _deployed(pack: Pack, house: Path) -> Grade:
    """Gold: also fixtures of a real deployment."""
    deployed = house / "data" / pack.name / "deployment"
    return "gold" if deployed.is_dir() and any(deployed.iterdir()) else "silver"
