"""The district: the demo one (示意, with invented names, offices and accounts), and a real one to begin with (``citybrain init``)."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np
import shapely

from citybrain.app.partition import Nested, Polygon, merged, partition
from citybrain.kernel.access import Role
from citybrain.kernel.errors import ConflictError, NotFoundError
from citybrain.kernel.pack import DemoDistrict
from citybrain.kernel.parties import Unit
from citybrain.kernel.places import Area, AreaLevel, Place, level_of, parent_of
from citybrain.kernel.text import Text

DEMO_CODE = "990104"
"""No province has the code 99: nobody can take it for a real division."""
DEMO_NAME = Text("示范城区（示意）", "Demo District (schematic)")
GENERATED, UNSURVEYED = "generated", "unsurveyed"
GRID_SIDE = 150.0
"""Metres; unit grids are of the order of 100 m x 100 m to 300 m x 300 m."""

_SUBDISTRICTS = (
    *(("清和", "Qinghe"), ("临溪", "Linxi"), ("望舒", "Wangshu"), ("松岚", "Songlan"), ("云岫", "Yunxiu"), ("听雨", "Tingyu")),
    *(("晴川", "Qingchuan"), ("柏舟", "Bozhou"), ("星渚", "Xingzhu"), ("兰汀", "Lanting"), ("竹溪", "Zhuxi"), ("秋浦", "Qiupu")),
)
_FIRST = [
    "晴qing",
    "松song",
    "岚lan",
    "澄cheng",
    "苇wei",
    "棠tang",
    "枫feng",
    "榆yu",
    "鹭lu",
    "雁yan",
    "霁ji",
    "荻di",
    "蕙hui",
    "梧wu",
    "筠yun",
]
_SECOND = ["汀ting", "渚zhu", "溪xi", "桥qiao", "岫xiu", "沐mu", "洲zhou", "浦pu", "坞wu", "榭xie", "径jing", "圃bu"]
"""Parts of invented names of communities; none of them is one of Nankai (a test compares)."""
_FEWEST, _MOST = 8, 14
"""Communities in a subdistrict of the demo district."""

_DUTIES = {
    "operations": Text("城市运行示范中心", "Demo City Operations Centre"),
    "environment": Text("生态环境示范科", "Demo Environment Office"),
    "city_management": Text("城市管理示范科", "Demo City Management Office"),
    "traffic": Text("交通示范科", "Demo Traffic Office"),
    "water": Text("水务示范科", "Demo Water Office"),
    "emergency": Text("应急示范科", "Demo Emergency Office"),
    "health": Text("卫生健康示范科", "Demo Health Office"),
    "education": Text("教育示范科", "Demo Education Office"),
    "culture_tourism": Text("文化旅游示范科", "Demo Culture and Tourism Office"),
    "commerce": Text("商务示范科", "Demo Commerce Office"),
    "housing": Text("住房建设示范科", "Demo Housing Office"),
    "market": Text("市场监管示范科", "Demo Market Supervision Office"),
    "civil_affairs": Text("民政示范科", "Demo Civil Affairs Office"),
    "informatics": Text("数据示范科", "Demo Data Office"),
}
"""Offices by function; names of no real office and of no person."""
_ROLE_HOLDERS: tuple[tuple[Role, Text, str | None], ...] = (
    ("admin", Text("系统管理员甲", "Administrator A"), "informatics"),
    ("leader", Text("领导甲", "Leader A"), "operations"),
    ("dispatcher", Text("派遣员甲", "Dispatcher A"), "operations"),
    ("handler", Text("处置员甲", "Handler A"), "environment"),
    ("data_officer", Text("数据专员甲", "Data officer A"), "informatics"),
    ("auditor", Text("审计员甲", "Auditor A"), "informatics"),
    ("citizen", Text("市民甲", "Citizen A"), None),
    ("device", Text("设备甲", "Device A"), None),
)
_PREFIXES = {"120104": "NK"}
"""How case numbers of a district begin."""


class DemoAccount(msgspec.Struct, frozen=True):
    """Somebody who can sign in to the demo: the login is the role's name (``handler-<duty>`` for the other offices' handlers)."""

    login: str
    role: Role
    name: Text
    unit: str | None


def read_shape(folder: Path) -> Polygon:
    """The outline of the demo district in WGS 84 degrees, from ``shape.json``; it is 示意 and no map for publication."""
    document = msgspec.json.decode((folder / "shape.json").read_bytes(), type=_Outline)
    return shapely.Polygon(document.ring)


def demo_areas(outline: Polygon, rng: np.random.Generator) -> tuple[Area, ...]:
    """The demo district, its twelve subdistricts, their communities and grids: district first, then in order of their codes."""
    counts = [int(count) for count in rng.integers(_FEWEST, _MOST + 1, len(_SUBDISTRICTS))]
    return tuple(sorted(_areas(partition(outline, counts, GRID_SIDE, rng), rng), key=lambda area: (len(area.code), area.code)))


def stage(areas: Sequence[Area]) -> DemoDistrict:
    """What replays may know of the demo district: a point well inside every subdistrict, for stations."""
    return DemoDistrict(tuple((area.code, _inside(area)) for area in areas if area.level == "subdistrict"))


def demo_units(areas: Sequence[Area]) -> tuple[Unit, ...]:
    """An office for every duty of the district, and an office for every subdistrict."""
    offices = [Unit(unit_id(duty), name, (duty,), DEMO_CODE) for duty, name in _DUTIES.items()]
    streets = [
        Unit(f"unit-{area.code}", Text(f"{area.name.zh}办事处", f"{area.name.en} Office"), ("subdistrict",), area.code)
        for area in areas
        if area.level == "subdistrict"
    ]
    return (*offices, *streets)


def demo_accounts() -> tuple[DemoAccount, ...]:
    """One account for every role, and a handler for every other office."""
    holders = [DemoAccount(role, role, name, unit_id(duty) if duty else None) for role, name, duty in _ROLE_HOLDERS]
    others = [duty for duty in _DUTIES if duty not in ("environment", "operations")]
    handlers = [
        DemoAccount(
            f"handler-{duty}", "handler", Text(f"处置员（{_DUTIES[duty].zh}）", f"Handler, {_DUTIES[duty].en}"), unit_id(duty)
        )
        for duty in others
    ]
    return (*holders, *handlers)


def unit_id(duty: str) -> str:
    """The id of the demo office that answers for a duty."""
    return f"unit-{duty}"


def init(folder: Path, source: Path, code: str, *, force: bool) -> tuple[Path, ...]:
    """Begin a real district: write ``citybrain.toml`` and ``areas.json`` and return the files that were written.

    Names and codes are those of ``<code>.csv`` in the source folder; areas have no geometry (none was surveyed: they wait for the
    district's own survey) and there are no accounts. The same call again writes nothing. Raises NotFoundError for a code
    without a file, and ConflictError rather than overwrite what differs, unless forced.
    """
    areas = real_areas(source, code)
    wanted = {
        folder / "citybrain.toml": _settings(areas[0]),
        folder / "areas.json": msgspec.json.format(msgspec.json.encode(areas)),
    }
    changed = [path for path, content in wanted.items() if not path.exists() or path.read_bytes() != content]
    standing = [path.name for path in changed if path.exists()]
    if standing and not force:
        names = ", ".join(standing)
        what = Text(
            f"{names} 已存在且内容不同，未写入任何文件。确认要覆盖时请加 --force。",
            f"{names} exist with other content; nothing was written. Add --force to overwrite.",
        )
        raise ConflictError(what, files=list(standing))
    folder.mkdir(parents=True, exist_ok=True)
    for path in changed:
        path.write_bytes(wanted[path])
    return tuple(changed)


def real_areas(source: Path, code: str) -> tuple[Area, ...]:
    """District, subdistricts and communities by their real names and codes, without geometry; raises NotFoundError."""
    file = source / f"{code}.csv"
    if level_of(code) != "district" or not file.exists():
        known = ", ".join(sorted(path.stem for path in source.glob("*.csv")))
        what = Text(f"没有区划 {code} 的名录。现有：{known}。", f"There are no names for division {code}. There are: {known}.")
        raise NotFoundError(what, code=code)
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    found = [_area(row["code"], Text(row["zh"], row["en"]), b"", UNSURVEYED) for row in rows]
    return tuple(sorted(found, key=lambda area: (len(area.code), area.code)))


def read_areas(file: Path) -> tuple[Area, ...]:
    """Areas that ``init`` wrote, or that a district put in their place with its survey (``wkb`` in base64)."""
    return msgspec.json.decode(file.read_bytes(), type=tuple[Area, ...])


class _Outline(msgspec.Struct, frozen=True):
    ring: list[tuple[float, float]]


def _areas(nested: Nested, rng: np.random.Generator) -> Iterator[Area]:
    names = _community_names(rng)
    outlines = []
    for number, (communities, (zh, en)) in enumerate(zip(nested, _SUBDISTRICTS, strict=True), 1):
        subdistrict = f"{DEMO_CODE}{number:03d}"
        inner = []
        for serial, blocks in enumerate(communities, 1):
            community = f"{subdistrict}{serial:03d}"
            for place, block in enumerate(blocks, 1):
                yield _area(f"{community}{place:03d}", Text(f"第{place:03d}网格", f"Grid {place:03d}"), block.wkb, GENERATED)
            inner.append(merged(blocks))
            yield _area(community, next(names), inner[-1].wkb, GENERATED)
        outlines.append(merged(inner))
        yield _area(subdistrict, Text(f"{zh}街道", f"{en} Subdistrict"), outlines[-1].wkb, GENERATED)
    yield _area(DEMO_CODE, DEMO_NAME, merged(outlines).wkb, GENERATED)


def _area(code: str, name: Text, wkb: bytes, origin: str) -> Area:
    level: AreaLevel = level_of(code)
    return Area(code, level, name, parent_of(code), wkb, origin)


def _community_names(rng: np.random.Generator) -> Iterator[Text]:
    pairs = [(one, other) for one in _FIRST for other in _SECOND]
    for at in rng.permutation(len(pairs)):
        one, other = pairs[int(at)]
        yield Text(f"{one[0]}{other[0]}里社区", f"{one[1:].capitalize()}{other[1:]}li Community")


def _inside(area: Area) -> Place:
    radius = shapely.maximum_inscribed_circle(shapely.from_wkb(area.wkb))
    lon, lat = shapely.get_coordinates(radius)[0]
    return Place(round(float(lon), 6), round(float(lat), 6))


def _settings(district: Area) -> bytes:
    lines = (
        "# Written by `citybrain init`. Every setting stands in docs/reference/settings.md.",
        f'district = "{district.code}"',
        f'district_name = {{ zh = "{district.name.zh}", en = "{district.name.en}" }}',
        f'case_prefix = "{_PREFIXES.get(district.code, "QX")}"',
    )
    return ("\n".join(lines) + "\n").encode()
