"""The promises of a pack: a good pack keeps them, and every planted fault is told with the pack's name."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import ibis
import ibis.expr.types as ir
import msgspec
import numpy as np
import pytest

from citybrain.app.check import check, imported
from citybrain.kernel.datasets import ForecastPoint, Reliability, Skill
from citybrain.sdk import (
    HOUR,
    MINUTE,
    Advice,
    Allowance,
    Board,
    By,
    DemoDistrict,
    Derived,
    Field,
    Flow,
    Forecast,
    ForecastModel,
    Grade,
    History,
    Indicator,
    Instant,
    Kind,
    Move,
    Opens,
    Pack,
    Parameter,
    Planted,
    Question,
    Replay,
    Rule,
    Simulator,
    Slice,
    State,
    Tables,
    Text,
    same,
)

MANHOLE = Kind(
    "manhole",
    Text("井盖", "Manhole"),
    (
        Field("tilt", Text("倾角", "Tilt"), By.SENSOR, unit="deg", every="PT10M", silent_after="PT30M", range=(0.0, 90.0)),
        Field("water", Text("水位", "Water"), By.SENSOR, unit="cm"),
        Field("depth", Text("深度", "Depth"), By.FORM, unit="cm"),
        Field("fill", Text("充满度", "Fill"), By.DERIVED, unit="1"),
    ),
    owner="water",
    place="point",
)
TILTED = Rule(
    "cover_tilted",
    "manhole",
    "tilt >= tilt_limit",
    Text("{title}倾斜 {tilt:.0f}°", "{title} leans {tilt:.0f}°"),
    Text("示例依据", "Example basis"),
    Grade.ORANGE,
    fires=({"tilt": 15.0}, {"tilt": 80}),
    silent=({"tilt": 14.9}, {"water": 200.0}),
    lasting="PT20M",
    opens=Opens("manhole_tilted", Text("井盖倾斜", "Cover tilted"), "mend", "water", Allowance(2, "hours")),
)
FULL = replace(
    TILTED,
    name="shaft_full",
    when="fill > 0.9",
    lasting=None,
    fires=({"fill": 1.0},),
    silent=({"fill": 0.1},),
    because=same("{fill}"),
)
FLOW = Flow(
    "mend",
    1,
    Text("维修", "Mend"),
    (State("reported", Text("待处置", "Reported")), State("mended", Text("已修复", "Mended"), end=True)),
    (Move("mend", Text("修复", "Mend"), ("reported",), "mended", ("handler",)),),
    "reported",
)


def plant(district: DemoDistrict) -> tuple[Planted, ...]:
    area, place = district.subdistricts[0]
    return (Planted("manhole-1", "manhole", Text("井盖一", "Manhole 1"), place, area, {"depth": 200}),)


def day(rng: np.random.Generator, start: Instant) -> Iterator[Slice]:
    times = start + np.arange(144) * 10 * MINUTE
    tilt = np.where((times >= start + 8 * HOUR) & (times <= start + 9 * HOUR), 30.0, rng.normal(5.0, 1.0, 144))
    water = np.where(times == start + 20 * HOUR, 195.0, rng.normal(20.0, 1.0, 144))
    yield Slice(np.zeros(144, dtype=np.int32), times.astype(np.int64), {"tilt": tilt, "water": water})


def fill(_times: np.ndarray[tuple[int], np.dtype[np.int64]], inputs: object) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    assert isinstance(inputs, dict)
    return np.asarray(inputs["water"] / 200.0, dtype=np.float64)


def count(tables: Tables) -> ir.Table:
    cases = tables.table("case")
    assert isinstance(cases, ir.Table)
    return cases.aggregate(value=cases.count().cast("float64")).mutate(area=ibis.null("string"), unknown=ibis.literal(0))


OPEN = Indicator("manholes_open", Text("在办", "Open"), "{case}", 1, Text("在办数", "Open"), ("case", "stream:manhole.tilt"), count)
GOOD = Pack(
    name="manhole",
    title=Text("井盖", "Manholes"),
    plan="四-3-2",
    about=Text("井盖监测", "Manholes watched"),
    kinds=(MANHOLE,),
    derived=(Derived("manhole", "fill", ("water",), fill),),
    rules=(TILTED, FULL),
    flows=(FLOW,),
    indicators=(OPEN,),
    parameters=(Parameter("tilt_limit", 15.0, "2026-01-01", "Example", "local"),),
    simulator=Simulator(plant, day),
)


def broken(pack: Pack) -> dict[str, str]:
    """The promises that a pack breaks, and the words of each."""
    return {promise.name: promise.words.en for promise in check(pack).promises if not promise.ok}


def test_a_good_pack_keeps_every_promise_and_is_bronze() -> None:
    report = check(GOOD)

    assert broken(GOOD) == {}
    assert report.kept
    assert report.grade == "bronze"
    assert len(report.promises) == 14
    assert all(promise.words.zh and promise.words.en for promise in report.promises)


def test_a_report_tells_grade_promises_and_faults() -> None:
    good, bad = check(GOOD).told(), check(replace(GOOD, collects=("ranking",))).told()

    assert good.startswith("manhole: 铜级：履行全部承诺 · bronze: keeps every promise\n")
    assert good.count("✓") == 14
    assert "✗" not in good
    assert "✗ people: 应用包“manhole”要求了不得要求的内容：ranking。\n    Pack 'manhole' asks people for a ranking." in bad
    assert bad.startswith("manhole: 未通过 · broken promises")


def with_field(name: str, **changes: object) -> Pack:
    fields = tuple(msgspec.structs.replace(one, **changes) if one.name == name else one for one in MANHOLE.fields)
    return replace(GOOD, kinds=(msgspec.structs.replace(MANHOLE, fields=fields),))


def with_rule(**changes: object) -> Pack:
    return replace(GOOD, rules=(replace(TILTED, **changes), FULL))  # type: ignore[arg-type] # faults are planted by name


def with_board(field: str) -> Pack:
    board = Board("manhole", same("x"), field, (), same("x"), same("x"), on=("portal",))
    return replace(GOOD, boards=(board,))


def with_question(inputs: tuple[str, ...] = (), parameters: tuple[str, ...] = (), every: str = "PT1H") -> Pack:
    x = same("x")
    return replace(GOOD, questions=(Question("worst", x, x, x, x, inputs, parameters, lambda *_: Advice("nothing", x), every),))


FAULTS: tuple[tuple[str, Pack, str], ...] = (
    ("names", with_rule(when="tilt > tilt_limits"), "'tilt_limits' is neither a field nor a parameter"),
    ("names", with_rule(because=same("{lean}")), "has strangers in 'cover_tilted': lean."),
    ("names", with_rule(fires=({"tilt": 20.0, "colour": 1},)), "has strangers in 'cover_tilted': colour."),
    ("names", with_rule(when="tilt >="), "has a rule 'cover_tilted' that does not compile"),
    ("names", with_rule(on="lamp"), "on a kind it does not declare: 'lamp'"),
    ("names", replace(GOOD, derived=(Derived("manhole", "fill", ("rain",), fill),)), "has strangers in 'manhole.fill': rain."),
    ("names", with_board("depth"), "on 'depth', which a form fills. Take one by sensor or derived."),
    ("names", with_board("tilt"), "puts 'manhole' on the portal, but it is not open to all."),
    ("names", with_question(inputs=("entity:manhole", "hourly:manhole.heat")), "has strangers in 'worst': hourly:manhole.heat."),
    ("names", with_question(inputs=("offer:lamp",)), "has strangers in 'worst': offer:lamp."),
    ("names", with_question(parameters=("tilt_limits",)), "has strangers in 'worst': tilt_limits."),
    ("names", with_question(every="hourly"), "asks 'worst' every 'hourly', which is no duration."),
    (
        "examples",
        replace(GOOD, parameters=(replace(GOOD.parameters[0], value=20.0),)),
        "belie a rule. Rule manhole.cover_tilted: {'tilt': 15.0} should fire.",
    ),
    ("examples", with_rule(silent=({"tilt": 50.0},)), "Rule manhole.cover_tilted: {'tilt': 50.0} should stay silent."),
    ("basis", with_rule(basis=Text("", "")), "gives no basis for 'cover_tilted'."),
    ("basis", with_rule(silent=()), "lacks examples"),
    (
        "flows",
        replace(GOOD, flows=(msgspec.structs.replace(FLOW, states=(FLOW.states[0], State("mended", same("x")))),)),
        "has no state that ends",
    ),
    ("flows", replace(GOOD, flows=()), "opens cases of 'cover_tilted' on no flow: 'mend'."),
    ("languages", replace(GOOD, title=Text("井盖", " ")), "lacks a language in PACK.title."),
    ("languages", with_field("tilt", title=Text("", "Tilt")), "lacks a language in PACK.kinds[0].fields[0].title."),
    ("units", with_field("tilt", unit="degrees"), "has no UCUM unit in 'manhole.tilt': degrees."),
    ("units", with_field("water", unit=None), "has no UCUM unit in 'manhole.water': None."),
    ("units", with_field("tilt", silent_after="30 min"), "durations in 'manhole.tilt' that are none: 30 min."),
    ("units", with_field("tilt", range=(90.0, 0.0)), "range upside down"),
    (
        "indicators",
        replace(GOOD, indicators=(replace(OPEN, inputs=("stream:manhole.heat",)),)),
        "strangers in 'manholes_open': stream:manhole.heat",
    ),
    (
        "indicators",
        replace(GOOD, indicators=(replace(OPEN, measure=lambda tables: tables.table("cases")),)),
        "does not build: KeyError",
    ),
    (
        "indicators",
        replace(GOOD, indicators=(replace(OPEN, measure=lambda tables: count(tables).drop("unknown")),)),
        "without the columns unknown",
    ),
    (
        "parameters",
        replace(GOOD, parameters=(replace(GOOD.parameters[0], source=" "),)),
        "no source, mark or date for parameter 'tilt_limit'",
    ),
    (
        "parameters",
        replace(GOOD, parameters=(replace(GOOD.parameters[0], title=Text("倾角限值", "Tilt"), unit="deg", range=(20.0, 30.0)),)),
        "no title or unit for it, or a value outside",
    ),
    ("people", replace(GOOD, collects=("checkin",)), "asks people for a checkin."),
    ("people", replace(GOOD, collects=("ranking",)), "asks people for a ranking."),
    ("people", replace(GOOD, collects=("photo",)), "asks for a photo that no closing needs"),
    ("people", with_field("depth", personal=True), "personal field without a purpose, or open to all: 'manhole.depth'."),
    ("stage", replace(GOOD, simulator=None), "has neither a replay nor a simulator"),
    ("stage", replace(GOOD, simulator=Simulator(lambda _: (), day)), "plants nothing"),
    (
        "same_day",
        replace(GOOD, simulator=Simulator(plant, lambda _rng, _start: iter(()))),
        "simulator that is empty or not seeded.",
    ),
    (
        "same_day",
        replace(GOOD, simulator=Simulator(plant, lambda _rng, start: day(np.random.default_rng(), start))),
        "simulator that is empty or not seeded.",
    ),
    ("rules_tried", with_rule(lasting="PT3H"), "has rules its simulator never tries: ['cover_tilted']."),
    ("rules_tried", replace(GOOD, derived=()), "has rules its simulator never tries: ['shaft_full']."),
)


@pytest.mark.parametrize(
    ("promise", "pack", "words"), FAULTS, ids=[f"{promise}-{number}" for number, (promise, _, _) in enumerate(FAULTS)]
)
def test_a_planted_fault_is_told_with_the_name_of_the_pack(promise: str, pack: Pack, words: str) -> None:
    found = broken(pack)

    assert words in found[promise]
    assert found[promise].startswith("Pack 'manhole' ")
    assert check(pack).grade == "none"


def test_a_photo_is_allowed_where_the_closing_asks_for_one() -> None:
    photo = Field("closing_photo", Text("办结照片", "Closing photo"), By.FORM, required=True)
    kind = msgspec.structs.replace(MANHOLE, fields=(*MANHOLE.fields, photo))

    assert broken(replace(GOOD, kinds=(kind,), collects=("photo",))) == {}


def test_a_personal_field_with_a_purpose_is_allowed_unless_it_is_open_to_all() -> None:
    purpose = Text("联系报告人", "To call back who reported")
    pack = with_field("depth", personal=True, purpose=purpose)
    opened = replace(pack, kinds=(msgspec.structs.replace(pack.kinds[0], access="unconditional"),))

    assert broken(pack) == {}
    assert set(broken(opened)) == {"people"}


class Fitted(msgspec.Struct, frozen=True):
    """A model of stated errors."""

    errors: tuple[Skill, ...]
    version: str = "1"

    def predict(self, history: History, entity: int, at: Instant) -> tuple[ForecastPoint, ...]:
        return () if at < history.times[-1] else (ForecastPoint(at, float(entity), 0.0, 0.0),)

    def reliability(self) -> tuple[Reliability, ...]:
        return ()

    def skill(self) -> tuple[Skill, ...]:
        return self.errors


def forecast(*errors: Skill) -> Pack:
    def fit(_history: History, _at: Instant) -> ForecastModel:
        return Fitted(errors)

    one = Forecast("manhole_water", Text("水位预测", "Water forecast"), "manhole", "water", ("water",), fit, Text("方法", "Method"))
    return replace(GOOD, forecasts=(one,))


def test_an_algorithm_is_compared_with_a_baseline_and_never_served_when_worse() -> None:
    good, worse = Skill(1, 1.0, 2.0, 0.9, "model", 100), Skill(1, 3.0, 2.0, 0.9, "model", 100)

    assert broken(forecast(good)) == {}
    assert broken(forecast(msgspec.structs.replace(worse, serves="baseline"))) == {}
    assert "without a baseline" in broken(forecast())["baseline"]
    assert "serves 'manhole_water' where its baseline is better" in broken(forecast(worse))["baseline"]


def test_a_replay_is_read_twice_where_its_data_lie_and_otherwise_said_to_be_untried(tmp_path: Path) -> None:
    seen: list[Path] = []

    def read(folder: Path, since: Instant, _until: Instant) -> Iterator[Slice]:
        seen.append(folder)
        yield from day(np.random.default_rng(7), since)

    replayed = replace(GOOD, simulator=None, replay=Replay(same("x"), Instant(0), Instant(10 * 24 * HOUR), plant, read, "PT10M"))

    with_data, without = check(replayed, data=tmp_path), check(replayed, data=tmp_path / "none")

    assert with_data.kept
    assert seen == [tmp_path, tmp_path]
    assert without.kept
    assert "no day was tried" in next(one.words.en for one in without.promises if one.name == "same_day")


def test_imports_are_found_wherever_they_stand(tmp_path: Path) -> None:
    file = tmp_path / "pack.py"
    file.write_text(
        "import numpy as np\nfrom citybrain import sdk\ndef f():\n    from citybrain.engines.sqlite import open\n", encoding="utf-8"
    )

    assert imported(file) == {"numpy", "citybrain.sdk", "citybrain.engines.sqlite"}


def test_silver_needs_a_finished_page_that_names_every_rule_and_a_test(tmp_path: Path) -> None:
    page = tmp_path / "docs" / "packs" / "manhole.md"
    test = tmp_path / "tests" / "services" / "livelihood" / "test_manhole.py"
    for file in (page, test):
        file.parent.mkdir(parents=True)
    test.write_text("", encoding="utf-8")
    grades, lacking = [], []
    for words in ("cover_tilted", "TO WRITE cover_tilted shaft_full manholes_open", "cover_tilted shaft_full manholes_open"):
        page.write_text(words, encoding="utf-8")
        report = check(GOOD, house=tmp_path)
        grades.append(report.grade)
        lacking += [one.en for one in report.lacking]
    fixtures = tmp_path / "data" / "manhole" / "deployment"
    fixtures.mkdir(parents=True)
    (fixtures / "day.csv").write_text("x", encoding="utf-8")

    assert grades == ["bronze", "bronze", "silver"]
    assert lacking == [
        "For silver: say in docs/packs/manhole.md what these are: shaft_full, manholes_open.",
        "For silver: finish docs/packs/manhole.md and take 'TO WRITE' out.",
    ]
    assert check(GOOD, house=tmp_path).grade == "gold"
