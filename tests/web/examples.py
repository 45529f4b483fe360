"""Realistic views of every page, in an invented district; tests and the preview both draw them."""

import math
from collections.abc import Mapping

from citybrain.kernel.instant import DAY, HOUR, MINUTE, Instant, parse
from citybrain.kernel.text import Lang, Text, same
from citybrain.web import data_views, desk_views, frame_views, map_views, views
from citybrain.web.desk_views import StepLine
from citybrain.web.map_views import Level, Shape
from citybrain.web.views import AlertItem, AlertList, CaseItem, CaseList, Cell, Chart, ChartRow, Column, Fact, Figure, Link, Table

NOW = parse("2026-11-22T07:55:00+08:00")
DISTRICT = Text("云汀区（示意）", "Yunting District (invented)")
ORIGIN = Text("PRSA 北京监测站 2013-2017 年小时数据，平移日期", "PRSA hourly data of Beijing stations 2013-2017, dates shifted")
LEVELS = (
    Level(1, Text("优", "Excellent"), "#00E400", "0-50"),
    Level(2, Text("良", "Good"), "#FFFF00", "51-100"),
    Level(3, Text("轻度污染", "Lightly polluted"), "#FF7E00", "101-150"),
    Level(4, Text("中度污染", "Moderately polluted"), "#FF0000", "151-200"),
    Level(5, Text("重度污染", "Heavily polluted"), "#99004C", "201-300"),
    Level(6, Text("严重污染", "Severely polluted"), "#7E0023", ">300"),
)
_NAMES = (
    ("和桥街道", "Heqiao Subdistrict"),
    ("望河街道", "Wanghe Subdistrict"),
    ("文汇街道", "Wenhui Subdistrict"),
    ("长汀街道", "Changting Subdistrict"),
    ("广宁街道", "Guangning Subdistrict"),
    ("学苑街道", "Xueyuan Subdistrict"),
    ("云台街道", "Yuntai Subdistrict"),
    ("水岸街道", "Shui'an Subdistrict"),
    ("嘉禾街道", "Jiahe Subdistrict"),
    ("兴隆街道", "Xinglong Subdistrict"),
    ("丹霞路街道", "Danxia Road Subdistrict"),
    ("临湖街道", "Linhu Subdistrict"),
)
_VALUES: tuple[int | None, ...] = (68, 92, 118, 84, 131, 109, 97, None, 88, 163, 104, 76)
NONE = same("")


def level_of(value: int) -> Level:
    """The level of an index value."""
    return next(level for level, top in zip(LEVELS, (50, 100, 150, 200, 300, 10_000), strict=True) if value <= top)


def page(lang: Lang = "zh", path: str = "/cockpit", theme: views.Theme = "auto", size: views.Size = "normal") -> views.Page:
    """The frame of a page in the demo district, signed in as its leader except on the portal and the sign-in page."""
    known = path not in {"/", "/signin"}
    return views.Page(
        lang=lang,
        path=path,
        city=NOW,
        district=DISTRICT,
        csrf="0b6f3c",
        speed=60.0,
        demo=views.Demo(ORIGIN),
        user=views.User("陈晓", (Text("区领导", "Leader"),)) if known else None,
        sections=SECTIONS if known else SECTIONS[:1] + SECTIONS[3:4],
        theme=theme,
        size=size,
        footer=views.Footer(host="云汀区人民政府办公室（示意）", site_code="1200000000", icp="示意ICP备00000000号"),
    )


SECTIONS = (
    views.Section("/", Text("公众服务", "Public services")),
    views.Section("/cockpit", Text("驾驶舱", "Cockpit")),
    views.Section("/desk", Text("工作台", "Desk")),
    views.Section("/data", Text("数据目录", "Data")),
    views.Section("/admin", Text("系统管理", "Administration")),
)


def _corner(column: int, row: int) -> tuple[float, float]:
    wave = math.sin(column * 2.3 + row * 1.7) * 0.0045
    return 117.10 + column * 0.019 + wave, 39.155 - row * 0.017 + math.cos(column * 1.1 + row * 2.9) * 0.0032


def _shape(index: int) -> Shape:
    column, row = index % 4, index // 4
    corners = ((column, row), (column + 1, row), (column + 1, row + 1), (column, row + 1), (column, row))
    value = _VALUES[index]
    return Shape(
        id=f"S{index + 1:02}",
        title=Text(*_NAMES[index]),
        rings=(tuple(_corner(*corner) for corner in corners),),
        value="" if value is None else str(value),
        level=None if value is None else level_of(value),
        href=f"/figures/index?area=S{index + 1:02}",
        reason=Text("06:40起监测站无数据", "no data from the station since 06:40") if value is None else None,
    )


SHAPES = tuple(_shape(index) for index in range(len(_NAMES)))
POINTS = (
    map_views.Point("P1", Text("兴隆监测站", "Xinglong station"), 117.128, 39.110, "163", level_of(163), 2, "/things/P1", NOW),
    map_views.Point(
        "P2",
        Text("水岸监测站", "Shui'an station"),
        117.168,
        39.128,
        "",
        None,
        3,
        "/things/P2",
        NOW,
        Text("06:40起无数据", "no data since 06:40"),
    ),
    map_views.Point("P3", Text("和桥监测站", "Heqiao station"), 117.109, 39.147, "68", level_of(68), None, "/things/P3", NOW),
)
MAP = map_views.Map(
    name="district",
    title=Text("全区态势", "The district now"),
    shapes=SHAPES,
    points=POINTS,
    levels=LEVELS,
    measure=Text("空气质量指数（AQI），1小时", "Air quality index (AQI), 1 hour"),
    src=("areas|/static/examples/areas.geojson", "points|/static/examples/points.geojson"),
    demo=True,
)
TILES = map_views.Map(
    name="tiles",
    title=Text("空气质量分布", "Air quality across the district"),
    shapes=SHAPES,
    levels=LEVELS,
    measure=Text("空气质量指数（AQI）", "Air quality index (AQI)"),
    tiles=True,
    demo=True,
)


def trend(name: str, title: Text, unit: Text, base: float, swing: float, decimals: int = 0) -> Chart:
    """A day behind and a day ahead, hourly, with a gap and a widening band."""
    rows = []
    for hour in range(-24, 25):
        at = Instant(NOW - NOW % HOUR + hour * HOUR)
        value = base + swing * math.sin((hour + 3) / 24 * math.tau) + swing / 4 * math.sin(hour * 1.9)
        if hour <= 0:
            rows.append(ChartRow(at, None if hour in {-9, -8} else round(value, 1), round(value, 1) if hour == 0 else None))
        else:
            width = swing * (0.2 + hour / 40)
            rows.append(ChartRow(at, None, round(value, 1), round(max(0.0, value - width), 1), round(value + width, 1)))
    return Chart(
        name=name,
        title=title,
        unit=unit,
        rows=tuple(rows),
        decimals=decimals,
        thresholds=(views.Threshold(75, Text("24小时二级限值", "24-hour class 2 limit"), "#b45309"),) if swing > 20 else (),
        skill=(views.Skill(6, 14.2, 21.9, unit), views.Skill(24, 27.5, 26.8, unit))
        if swing > 20
        else (views.Skill(24, 3.1, 4.4, unit),),
        method=Text("按小时与星期的季节基线加近期残差", "seasonal baseline by hour and weekday with recent residuals"),
        href=f"/figures/{name}",
        demo=True,
    )


PM = trend("pm25", Text("PM2.5 小时浓度", "PM2.5, hourly"), same("µg/m³"), 62, 24)
LOAD = trend("reports", Text("诉求量", "Requests from residents"), Text("件", "requests"), 21, 11)
FIGURES = (
    Figure(
        "index",
        Text("空气质量指数", "Air quality index"),
        109,
        NONE,
        Instant(NOW - 4 * MINUTE),
        href="/figures/index",
        level=LEVELS[2],
        demo=True,
        change=views.Change(18, NONE, Text("较昨日同时", "from this time yesterday")),
        better="down",
    ),
    Figure(
        "open_cases",
        Text("在办案件", "Open cases"),
        36,
        Text("件", "cases"),
        Instant(NOW - 2 * MINUTE),
        life="late",
        unknown=1,
        since=Instant(NOW - 75 * MINUTE),
        href="/figures/open_cases",
        demo=True,
    ),
    Figure(
        "closing_rate",
        Text("按期结案率", "Closed in time"),
        94.6,
        same("%"),
        Instant(NOW - 3 * MINUTE),
        1,
        href="/figures/closing_rate",
        demo=True,
        change=views.Change(-1.2, Text("个百分点", " percentage points"), Text("较上周", "from last week")),
        better="up",
    ),
    Figure(
        "late_cases",
        Text("超期案件", "Overdue cases"),
        3,
        Text("件", "cases"),
        Instant(NOW - 2 * MINUTE),
        href="/figures/late_cases",
        demo=True,
        change=views.Change(1, NONE, Text("较昨日", "from yesterday")),
        better="down",
    ),
    Figure(
        "readings",
        Text("今日入库读数", "Readings stored today"),
        1_284_530,
        Text("条", ""),
        Instant(NOW - 12_000_000),
        href="/figures/readings",
        demo=True,
    ),
    Figure(
        "satisfaction",
        Text("群众满意率", "Satisfaction"),
        None,
        same("%"),
        None,
        1,
        life="never",
        href="/figures/satisfaction",
        demo=True,
        reason=Text("今日尚无回访，由受理中心回访后填报", "no call-backs yet today; the intake centre fills it in"),
    ),
)
ALERTS = AlertList(
    (
        AlertItem(
            "a1",
            2,
            Text(
                "兴隆监测站 PM2.5 小时浓度 163 µg/m³，连续2小时高于150",
                "PM2.5 at Xinglong station is 163 µg/m³, above 150 for 2 hours",
            ),
            Text(*_NAMES[9]),
            Instant(NOW - 22 * MINUTE),
            href="/alerts/a1",
            case="YT-20261122-000123",
            case_href="/desk/YT-20261122-000123",
            demo=True,
        ),
        AlertItem(
            "a2",
            3,
            Text("水岸监测站 06:40 起无数据，超过约定间隔", "Shui'an station has sent nothing since 06:40, longer than agreed"),
            Text(*_NAMES[7]),
            Instant(NOW - 55 * MINUTE),
            href="/alerts/a2",
            case="YT-20261122-000121",
            case_href="/desk/YT-20261122-000121",
            demo=True,
        ),
        AlertItem(
            "a3",
            4,
            Text("学苑街道 PM10 日均值预计超过二级限值", "PM10 in Xueyuan is forecast to pass the class 2 limit today"),
            Text(*_NAMES[5]),
            Instant(NOW - 130 * MINUTE),
            href="/alerts/a3",
            demo=True,
        ),
        AlertItem(
            "a4",
            3,
            Text("广宁街道 AQI 高于 150", "AQI in Guangning above 150"),
            Text(*_NAMES[4]),
            Instant(NOW - 6 * HOUR),
            cleared=Instant(NOW - 4 * HOUR),
            href="/alerts/a4",
            demo=True,
        ),
    ),
    Text("当前没有预警。规则最近一次检查于 07:55。", "No alerts now. Rules were last checked at 07:55."),
    "/alerts",
)


def case(number: int, title: Text, state: Text, group: str, unit: Text, area: int, opened: int, due: int) -> CaseItem:
    """A case opened ``opened`` minutes ago and due in ``due`` minutes."""
    groups = {"new": "new", "working": "working", "checking": "checking", "closed": "closed"}
    return CaseItem(
        number=f"YT-20261122-{number:06}",
        href=f"/desk/YT-20261122-{number:06}",
        title=title,
        state=state,
        group="new"
        if groups[group] == "new"
        else "working"
        if group == "working"
        else "checking"
        if group == "checking"
        else "closed",
        unit=unit,
        area=Text(*_NAMES[area]),
        opened=Instant(NOW - opened * MINUTE),
        due=Instant(NOW + due * MINUTE),
        closed=Instant(NOW - 10 * MINUTE) if group == "closed" else None,
        handler="" if group == "new" else "王䶮",
        demo=True,
    )


_WAIT, _WORK, _CHECK, _CLOSED = (
    Text("待受理", "Waiting"),
    Text("处置中", "In hand"),
    Text("待核查", "To be checked"),
    Text("已结案", "Closed"),
)
_ENV, _STREET, _SANI = (
    Text("生态环境分局", "Environment Office"),
    Text("街道综合执法队", "Subdistrict Enforcement"),
    Text("环卫所", "Sanitation Office"),
)
CASES = (
    case(123, Text("PM2.5 超标排查", "Trace a PM2.5 exceedance"), _WAIT, "new", _ENV, 9, 21, 219),
    case(122, Text("工地裸土未覆盖", "Bare soil uncovered at a site"), _WORK, "working", _STREET, 4, 64, 116),
    case(121, Text("监测站断数核查", "Station is silent: check"), _WORK, "working", _ENV, 7, 54, 426),
    case(120, Text("道路扬尘清扫", "Road dust to be swept"), _CHECK, "checking", _SANI, 2, 190, 50),
    case(118, Text("餐饮油烟扰民", "Cooking fumes disturb residents"), _CLOSED, "closed", _STREET, 5, 400, 80),
)
LATE = (
    case(97, Text("露天烧烤复查", "Open-air grilling: second visit"), _WORK, "working", _STREET, 0, 1500, -95),
    case(92, Text("渣土车未密闭", "Uncovered muck lorry"), _WAIT, "new", _STREET, 10, 1900, -240),
    case(88, Text("喷淋设施停用", "Sprinklers out of use"), _CHECK, "checking", _ENV, 1, 2900, -1560),
)
_NO_CASES = Text("当前没有案件。", "No cases now.")
NIGHT = views.Night(
    Instant(NOW - 10 * HOUR),
    NOW,
    (
        views.NightItem(
            Instant(NOW - 9 * HOUR),
            Text("广宁街道 AQI 升至 158，发出黄色预警", "AQI in Guangning rose to 158; yellow alert"),
            "warn",
            "/alerts/a4",
        ),
        views.NightItem(
            Instant(NOW - 6 * HOUR),
            Text("立案2件，均由生态环境分局受理", "2 cases opened, both taken by the Environment Office"),
            "plain",
            "/desk",
        ),
        views.NightItem(Instant(NOW - 4 * HOUR), Text("广宁街道预警解除", "Guangning alert cleared"), "good", "/alerts/a4"),
        views.NightItem(
            Instant(NOW - 75 * MINUTE),
            Text("水岸监测站中断，全区均值改按11个站计算", "Shui'an station fell silent; the mean now rests on 11 stations"),
            "bad",
            "/alerts/a2",
        ),
    ),
    Text("夜间没有预警，也没有新案件。", "No alerts and no new cases in the night."),
    demo=True,
    counts=(views.Fact(Text("预警", "Alerts"), same("31")), views.Fact(Text("立案", "Opened"), same("12"))),
    more=38,
)
COCKPIT = views.Cockpit(
    map=MAP,
    figures=FIGURES,
    alerts=ALERTS,
    cases=CaseList("latest", Text("最新案件", "Latest cases"), CASES, _NO_CASES, "/desk"),
    late=CaseList("late", Text("超期未结", "Overdue"), LATE, Text("没有超期案件。", "No case is overdue."), "/desk?filter=late"),
    trends=(PM, LOAD),
    night=NIGHT,
    live="/api/v1/see/live",
)


def _place(index: int) -> views.Place:
    value = _VALUES[index]
    return views.Place(
        Figure(
            f"index-S{index + 1:02}",
            Text(*_NAMES[index]),
            value,
            NONE,
            Instant(NOW - 4 * MINUTE),
            life="live" if value is not None else "late",
            since=None if value is not None else Instant(NOW - 75 * MINUTE),
            reason=None if value is not None else Text("监测站中断", "station silent"),
            href=f"/figures/index?area=S{index + 1:02}",
            level=None if value is None else level_of(value),
            demo=True,
        ),
        None
        if value is None
        else Text("首要污染物 PM2.5", "Primary pollutant PM2.5")
        if value > 100
        else Text("首要污染物 PM10", "Primary pollutant PM10"),
    )


PORTAL = views.Portal(
    topics=(
        views.Topic(
            name="today",
            title=Text("今日空气质量", "Air quality today"),
            figure=Figure(
                "index",
                Text("空气质量指数", "Air quality index"),
                109,
                NONE,
                Instant(NOW - 4 * MINUTE),
                href="/figures/index",
                level=LEVELS[2],
                demo=True,
            ),
            hint=Text("健康提示", "Health advice"),
            advice=Text(
                "儿童、老年人及心血管系统疾病、呼吸系统疾病患者应减少长时间、高强度的户外锻炼。",
                "Children, older people and people with heart or lung disease should cut down long, hard exercise outdoors.",
            ),
            detail=Text("首要污染物：PM2.5", "Primary pollutant: PM2.5"),
            places=tuple(_place(index) for index in range(len(_NAMES))),
            map=TILES,
            chart=PM,
            basis=Text(
                "HJ 633-2026《环境空气质量指数（AQI）技术规定》",
                "HJ 633-2026, Technical regulation on the ambient air quality index",
            ),
            source=ORIGIN,
        ),
    ),
    ways=(
        Link(Text("开放数据", "Open data"), "/data", Text("可下载的数据集及其质量", "Datasets to download, with their quality")),
        Link(Text("12345政务服务便民热线", "12345 hotline"), "", Text("电话受理诉求", "Requests are taken by telephone")),
    ),
)
DESK = desk_views.Desk(
    tabs=(
        desk_views.Tab(Text("待受理", "Waiting"), "/desk?filter=waiting", 4, current=True),
        desk_views.Tab(Text("处置中", "In hand"), "/desk?filter=working", 21),
        desk_views.Tab(Text("待核查", "To be checked"), "/desk?filter=checking", 8),
        desk_views.Tab(Text("逾期", "Overdue"), "/desk?filter=late", 3, tone="bad"),
    ),
    cases=CaseList(
        "desk",
        Text("待受理案件", "Cases waiting"),
        CASES + LATE,
        Text("没有待受理的案件。新案件会自动出现在这里。", "No case is waiting. New ones appear here by themselves."),
    ),
    live="/api/v1/see/live",
    next="b2Zmc2V0",
)
STEPS = (
    StepLine(
        Instant(NOW - 21 * MINUTE),
        Text("立案", "Opened"),
        "",
        Text("系统", "System"),
        "规则 pm25_high 触发：163 µg/m³ ≥ 150 µg/m³，持续2小时",
        Text("时限开始", "Clock started"),
        "info",
    ),
    StepLine(Instant(NOW - 20 * MINUTE), Text("派遣", "Dispatched"), "", Text("系统", "System"), "按职责派至生态环境分局"),
    StepLine(
        Instant(NOW - 9 * MINUTE),
        Text("受理", "Taken"),
        "王䶮",
        _ENV,
        "已联系兴隆街道综合执法队，携带便携式检测仪前往𠅤家胡同·兴隆站。",
        None,
        "good",
    ),
)
_UNITS = (desk_views.Option("street", _STREET, Text("兴隆街道", "Xinglong")), desk_views.Option("sanitation", _SANI))
CASE = desk_views.CasePage(
    case=CASES[1],
    version=3,
    words="巡查发现工地裸土约200平方米未覆盖，扬尘明显。",
    facts=(
        Fact(Text("事项代码", "Matter code"), same("02-03-0105")),
        Fact(Text("立案条件", "Opened when"), Text("裸土未覆盖面积大于50平方米", "more than 50 m² of soil uncovered")),
    ),
    steps=STEPS,
    moves=(
        desk_views.MoveForm(
            "finish",
            Text("处置完成", "Finished"),
            "/desk/YT-20261122-000122/moves",
            needs_note=True,
            hint=Text("写明做了什么、现场现状如何。", "Say what was done and how the place is now."),
            tone="info",
        ),
        desk_views.MoveForm("note", Text("备注", "Add a note"), "/desk/YT-20261122-000122/moves", needs_note=True),
        desk_views.MoveForm(
            "transfer",
            Text("转办", "Transfer"),
            "/desk/YT-20261122-000122/moves",
            needs_note=True,
            units=_UNITS,
            note_label=Text("转办理由", "Why it goes there"),
            hint=Text("时限不因转办重新计算。", "A transfer does not restart the clock."),
        ),
    ),
    alert=ALERTS.items[0],
    chart=PM,
    trace="/trace/case/YT-20261122-000122",
)
CASE_REFUSED = desk_views.CasePage(
    case=CASES[3],
    version=5,
    words="",
    facts=(),
    steps=STEPS,
    moves=(
        desk_views.MoveForm("pass", Text("核查通过并结案", "Passed: close"), "/desk/YT-20261122-000120/moves", tone="info"),
        desk_views.MoveForm(
            "return",
            Text("核查不通过，退回", "Not passed: send back"),
            "/desk/YT-20261122-000120/moves",
            needs_note=True,
            note_label=Text("退回理由", "Why it goes back"),
            tone="bad",
        ),
    ),
    errors=(
        desk_views.FormError(
            "return-note", Text("请写明退回理由，责任单位据此重新处置。", "Say why it goes back; the unit acts on it.")
        ),
    ),
    typed={"return-note": " "},
)
_SHARED, _FREE = Text("有条件共享", "Shared under conditions"), Text("无条件共享", "Shared without conditions")
DATASETS = (
    data_views.DatasetItem(
        "station",
        "/data/station",
        Text("空气质量监测站", "Air quality stations"),
        Text(
            "监测站的位置、六项污染物小时浓度和指数。", "Places of stations, hourly concentrations of six pollutants and the index."
        ),
        _ENV,
        _FREE,
        Text("实体", "Entities"),
        12,
        Instant(NOW - 4 * MINUTE),
        98.7,
        open=True,
        demo=True,
    ),
    data_views.DatasetItem(
        "case",
        "/data/case",
        Text("案件", "Cases"),
        Text("立案、派遣、处置、核查、结案的全部步骤。", "Every step from opening to closing."),
        Text("城市运行管理中心", "Operations Centre"),
        _SHARED,
        Text("事实", "Facts"),
        18_204,
        Instant(NOW - 2 * MINUTE),
        99.9,
        demo=True,
    ),
    data_views.DatasetItem(
        "alert",
        "/data/alert",
        Text("预警", "Alerts"),
        Text("预警的等级、时间、地点、证据和规则版本。", "Grade, time, place, evidence and rule version."),
        Text("城市运行管理中心", "Operations Centre"),
        _FREE,
        Text("事实", "Facts"),
        2_310,
        Instant(NOW - 22 * MINUTE),
        100.0,
        open=True,
        demo=True,
    ),
    data_views.DatasetItem(
        "observation",
        "/data/observation",
        Text("读数", "Observations"),
        Text("全部数据流的读数，按日存档。", "Readings of all streams, archived by day."),
        Text("大数据中心", "Big Data Centre"),
        _SHARED,
        Text("时序", "Series"),
        128_453_000,
        Instant(NOW - 12_000_000),
        None,
        demo=True,
    ),
)
CATALOGUE = data_views.Catalogue(DATASETS, total=4)
_AT, _PM = Column("time", Text("时间", "Time"), sorts=True), Column("pm25", same("PM2.5"), same("µg/m³"), numeric=True, sorts=True)
PREVIEW = Table(
    "preview",
    Text("预览", "Preview"),
    (
        Column("name", Text("名称", "Name"), sorts=True),
        Column("area", Text("街道", "Subdistrict")),
        _AT,
        _PM,
        Column("index", same("AQI"), numeric=True, sorts=True),
    ),
    tuple(
        (
            Cell(Text(f"{zh[:2]}监测站", f"{en.split()[0]} station"), href=f"/things/P{index}"),
            Cell(Text(zh, en)),
            Cell(at=Instant(NOW - 4 * MINUTE)),
            Cell(number=float(value) * 0.7) if value is not None else Cell(reason=Text("06:40起无数据", "none since 06:40")),
            Cell(number=float(value)) if value is not None else Cell(reason=Text("06:40起无数据", "none since 06:40")),
        )
        for index, ((zh, en), value) in enumerate(zip(_NAMES, _VALUES, strict=True))
    ),
    Text("尚无数据。数据源接入后自动出现。", "No rows yet. They appear when the source is connected."),
    sort="-pm25",
    next="Y3Vyc29y",
    total=12,
    filter=True,
    demo=True,
)
DATASET = data_views.DatasetPage(
    dataset=DATASETS[0],
    facts=(
        Fact(Text("数源单位", "Owner"), _ENV),
        Fact(Text("更新频率", "Rhythm"), Text("每小时", "hourly")),
        Fact(Text("许可", "Licence"), Text("公共数据开放许可", "Open public data licence")),
        Fact(Text("最近更新", "Last update"), NONE, Instant(NOW - 4 * MINUTE)),
    ),
    fields=(
        data_views.FieldItem("name", Text("名称", "Name"), Text("文字", "text"), "", Text("表单", "form")),
        data_views.FieldItem(
            "pm25",
            Text("细颗粒物", "Fine particles"),
            Text("数值", "number"),
            "ug/m3",
            Text("传感器", "sensor"),
            Text("0-1000，每小时一次，3小时无数据即为中断", "0-1000, hourly, late after 3 hours"),
        ),
        data_views.FieldItem(
            "index", Text("空气质量指数", "Air quality index"), Text("数值", "number"), "{index}", Text("计算", "computed")
        ),
    ),
    checks=(
        data_views.QualityCheck(
            Text("取值范围", "Range"),
            288,
            286,
            Text("0-1000 µg/m³，超出的行标记为超出量程", "0-1000 µg/m³; rows outside are marked"),
        ),
        data_views.QualityCheck(
            Text("按时到达", "On time"), 288, 283, Text("每小时一次，3小时内到达", "hourly, arrived within 3 hours")
        ),
        data_views.QualityCheck(Text("完整", "Complete"), 288, 288, Text("必填字段不为空", "no required field is empty")),
    ),
    lineage=data_views.Lineage(
        (Link(Text("监测站小时读数", "Hourly readings of stations"), "/data/observation"),),
        Text("按 HJ 633-2026 计算分指数与指数", "Sub-indices and index by HJ 633-2026"),
        (Link(Text("空气质量指数", "Air quality index"), "/figures/index"), Link(Text("案件", "Cases"), "/data/case")),
    ),
    preview=PREVIEW,
    downloads=(
        data_views.Download("CSV", "/data/station.csv", Text("UTF-8（含 BOM）", "UTF-8 with BOM")),
        data_views.Download("JSON", "/data/station.json"),
        data_views.Download("Parquet", "/data/station.parquet"),
    ),
)
FIGURE = data_views.FigurePage(
    figure=FIGURES[2],
    version="2",
    definition=Text(
        "统计期内按期结案的案件数除以应结案案件数。退回重办的案件按最后一次结案计算，经批准的停表时间扣除。",
        "Cases closed in time over cases due in the period. Reopened cases count at their last closing; approved pauses are taken off.",
    ),
    formula="closed_in_time / due_in_period",
    inputs=(Link(Text("案件", "Cases"), "/data/case"),),
    facts=(
        Fact(Text("依据", "Basis"), same("GB/T 47678.5-2026")),
        Fact(Text("统计期", "Period"), Text("本周（周一起）", "this week, from Monday")),
    ),
    trend=Chart(
        "closing_rate",
        Text("近30天", "Last 30 days"),
        same("%"),
        tuple(ChartRow(Instant(NOW - day * DAY), 93 + 3 * math.sin(day / 3)) for day in range(30, -1, -1)),
        1,
        demo=True,
    ),
    parts=Table(
        "parts",
        Text("按单位", "By unit"),
        (
            Column("unit", Text("责任单位", "Unit"), sorts=True),
            Column("due", Text("应结", "Due"), numeric=True, sorts=True),
            Column("rate", Text("按期结案率", "Closed in time"), same("%"), numeric=True, sorts=True),
        ),
        (
            (Cell(_ENV), Cell(number=41), Cell(number=97.6, decimals=1)),
            (Cell(_STREET), Cell(number=118), Cell(number=93.2, decimals=1)),
            (Cell(_SANI), Cell(number=0), Cell(reason=Text("本期没有应结案件", "nothing was due in the period"))),
        ),
        NONE,
        demo=True,
    ),
    rows=Table(
        "rows",
        Text("案件明细", "The cases behind it"),
        (
            Column("number", Text("案号", "Number")),
            Column("title", Text("事由", "Matter")),
            Column("closed", Text("结案", "Closed"), sorts=True),
            Column("kept", Text("按期", "In time")),
        ),
        tuple(
            (
                Cell(same(item.number), href=item.href),
                Cell(item.title),
                Cell(at=item.closed, reason=Text("未结案", "not closed")),
                Cell(Text("是", "Yes"), tone="good"),
            )
            for item in CASES
        ),
        NONE,
        total=159,
        next="bmV4dA",
        filter=True,
        demo=True,
    ),
    traces=(
        Link(
            Text("YT-20261122-000118 从指标到读数", "YT-20261122-000118 from figure to reading"), "/trace/case/YT-20261122-000118"
        ),
    ),
)
TRACE = data_views.Trace(
    Text("按期结案率 94.6% 的一条来路", "One way down from 94.6% closed in time"),
    (
        data_views.TraceLink(
            "figure",
            Text("按期结案率", "Closed in time"),
            Text("94.6%，由159件案件计算", "94.6%, from 159 cases"),
            NOW,
            (Fact(Text("版本", "Version"), same("2")),),
            "/figures/closing_rate",
            demo=True,
        ),
        data_views.TraceLink(
            "case",
            same("YT-20261122-000123"),
            Text("PM2.5 超标排查，生态环境分局受理", "PM2.5 exceedance, taken by the Environment Office"),
            Instant(NOW - 21 * MINUTE),
            (),
            "/desk/YT-20261122-000123",
            demo=True,
        ),
        data_views.TraceLink(
            "alert",
            Text("橙色预警", "Orange alert"),
            ALERTS.items[0].title,
            Instant(NOW - 22 * MINUTE),
            (),
            "/alerts/a1",
            demo=True,
        ),
        data_views.TraceLink(
            "rule",
            same("pm25_high@1.2"),
            Text("PM2.5 小时浓度不低于150 µg/m³，持续2小时", "PM2.5 at or above 150 µg/m³ for 2 hours"),
            None,
            (Fact(Text("依据", "Basis"), same("HJ 633-2026 表3")),),
        ),
        data_views.TraceLink(
            "reading",
            same("163.0 µg/m³"),
            Text("兴隆监测站 PM2.5", "Xinglong station, PM2.5"),
            Instant(NOW - 25 * MINUTE),
            (Fact(Text("数据流", "Stream"), same("1042")), Fact(Text("状态", "Life"), Text("正常", "Live"))),
            "",
            demo=True,
        ),
        data_views.TraceLink(
            "door",
            same("MQTT"),
            Text("主题 v1/air/xinglong，批次 7f3a", "topic v1/air/xinglong, batch 7f3a"),
            None,
            (Fact(Text("证书", "Certificate"), same("CN=xinglong-01")),),
        ),
        data_views.TraceLink(
            "device",
            same("xinglong-01"),
            Text("颗粒物监测仪，上次校准 2026年10月8日", "particle monitor, last calibrated 8 Oct 2026"),
            None,
        ),
        data_views.TraceLink(
            "receipt",
            Text("收到并落盘", "Received and stored"),
            Text("批次与数据同一次提交", "batch and rows in one commit"),
            Instant(NOW - 24 * MINUTE),
            (),
            missing=None,
        ),
        data_views.TraceLink(
            "file",
            Text("原始报文", "Raw message"),
            Text("原始报文按规定只保留24小时", "raw messages are kept for 24 hours only"),
            None,
            missing=Text("已过保留期", "past its retention"),
        ),
    ),
)
SIGNIN = frame_views.SignIn(
    "/cockpit",
    name="chen",
    errors=(
        desk_views.FormError(
            "password",
            Text(
                "账号或口令不正确。连续5次错误将锁定15分钟。",
                "Name or password is wrong. Five wrong tries lock the account for 15 minutes.",
            ),
        ),
    ),
    accounts=(
        frame_views.Account("leader", Text("区领导", "Leader"), "demo-leader"),
        frame_views.Account("handler", Text("处置人员", "Handler"), "demo-handler"),
        frame_views.Account("data", Text("数据专员", "Data officer"), "demo-data"),
    ),
)
PROBLEM = frame_views.Problem(
    403,
    "forbidden",
    Text("没有权限", "Not permitted"),
    Text("您的角色“处置人员”不能查看系统管理。", "Your role, handler, may not see administration."),
    Text(
        "如工作需要，请向本单位系统管理员申请“管理员”角色。", "If your work needs it, ask your unit's administrator for the role."
    ),
    Text("策略 admin-pages 只允许管理员查看。", "Policy admin-pages permits administrators only."),
    "/docs/errors#forbidden",
    "0193-77aa",
)
ADMIN = frame_views.Admin(
    ledgers=(
        frame_views.DoorLedger(same("HTTP /api/v1/observe"), 1_284_530, 1_284_001, 512, 17, 0, Instant(NOW - 12_000_000)),
        frame_views.DoorLedger(
            same("MQTT"),
            88_120,
            88_100,
            0,
            12,
            5,
            Instant(NOW - 3_000_000),
            reasons=Text("时间超前 future_time 12", "The time is ahead future_time 12"),
        ),
        frame_views.DoorLedger(Text("文件", "Files"), 0, 0, 0, 0, 0, None),
    ),
    health=(
        frame_views.Health(
            Text("时序存储", "Series store"),
            "good",
            Text("正常", "Working"),
            Text("今日 1.2 GB，可用 61 GB", "1.2 GB today, 61 GB free"),
        ),
        frame_views.Health(
            Text("事务存储", "Transactional store"),
            "good",
            Text("正常", "Working"),
            Text("SQLite WAL，fsync 中位 0.06 ms", "SQLite WAL, fsync median 0.06 ms"),
        ),
        frame_views.Health(
            Text("MQTT 接入", "MQTT door"),
            "warn",
            Text("有待处理", "Pending"),
            Text("5 条读数等待落盘", "5 readings wait to be stored"),
        ),
    ),
    tables=(
        Table(
            "people",
            Text("人员", "People"),
            (
                Column("name", Text("姓名", "Name"), sorts=True),
                Column("unit", Text("单位", "Unit")),
                Column("roles", Text("角色", "Roles")),
                Column("last", Text("最近登录", "Last sign-in")),
            ),
            (
                (Cell(same("王䶮")), Cell(_ENV), Cell(Text("处置人员", "Handler")), Cell(at=Instant(NOW - 3 * HOUR))),
                (
                    Cell(same("阿依努尔·买买提")),
                    Cell(_STREET),
                    Cell(Text("处置人员", "Handler")),
                    Cell(reason=Text("从未登录", "never signed in")),
                ),
            ),
            NONE,
            filter=True,
            demo=True,
        ),
        Table(
            "units",
            Text("单位", "Units"),
            (Column("name", Text("名称", "Name")), Column("duty", Text("职责", "Duty"))),
            ((Cell(_ENV), Cell(Text("生态环境", "environment"))),),
            NONE,
            demo=True,
        ),
        Table(
            "roles",
            Text("角色", "Roles"),
            (Column("name", Text("名称", "Name")),),
            (),
            Text("尚未定义角色。由管理员在设置中添加。", "No role is defined. An administrator adds them in settings."),
        ),
    ),
)
PAGES: Mapping[str, tuple[str, frame_views.View]] = {
    "portal": ("/", PORTAL),
    "cockpit": ("/cockpit", COCKPIT),
    "desk": ("/desk", DESK),
    "case": ("/desk/YT-20261122-000122", CASE),
    "case-refused": ("/desk/YT-20261122-000120", CASE_REFUSED),
    "data": ("/data", CATALOGUE),
    "dataset": ("/data/station", DATASET),
    "figure": ("/figures/closing_rate", FIGURE),
    "trace": ("/trace/case/YT-20261122-000123", TRACE),
    "signin": ("/signin", SIGNIN),
    "error": ("/admin", PROBLEM),
    "admin": ("/admin", ADMIN),
}
