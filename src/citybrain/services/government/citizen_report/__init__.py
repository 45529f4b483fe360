"""Citizens' reports (市民随手报): what anybody sees amiss in the street, in a few words, with a place and a photo if they wish."""

from pathlib import Path

from citybrain.sdk import HOUR, Allowance, Duration, Pack, ReportForm, Text, in_force, read_parameters
from citybrain.services.government.citizen_report.catalogue import read_classes
from citybrain.services.government.citizen_report.figures import FORM as FORM_NAME
from citybrain.services.government.citizen_report.figures import INDICATORS
from citybrain.services.government.citizen_report.samples import SAMPLES

_HERE = Path(__file__).parent
PARAMETERS = read_parameters(_HERE / "parameters.toml")
_EDITION = next(one for one in PARAMETERS if one.name == "catalogue")
_NUMBERS = {name: int(value) for name, value in in_force(PARAMETERS, _EDITION.since).items() if isinstance(value, float)}
_PROMISES = {
    "usual": Allowance(_NUMBERS["promised_days"], "working_days"),
    "danger": Allowance(_NUMBERS["promised_hours_danger"], "hours"),
}
_COMMON = ("01023", "01037", "06013", "06010", "06042", "01004", "06028", "09009", "09006", "08004", "04002", "09012")
FORM = ReportForm(
    name=FORM_NAME,
    title=Text("城市问题随手报", "Report a problem"),
    about=Text(
        "路灯不亮、井盖破损、垃圾满溢、占道停车等城市管理问题。紧急危险请拨打 110、119、120；政务咨询和诉求请拨打 12345。",
        "Street lights, manhole covers, rubbish, blocked ways and the like. In danger call 110, 119 or 120; for other requests call 12345.",
    ),
    flow="standard",
    duty="city_management",
    edition=Text(
        f"{_EDITION.value}《城市运行管理服务平台 管理部件和事项》（转录，未与印本核对）",
        f"{_EDITION.value}, managed components and events (a transcription, not compared with the printed standard)",
    ),
    since=_EDITION.since,
    mark=_EDITION.mark,
    classes=read_classes(_HERE / "catalogue.csv", _PROMISES),
    common=_COMMON,
    alike_within=Duration(_NUMBERS["alike_hours"] * HOUR),
    alike_metres=float(_NUMBERS["alike_metres"]),
    reopen_days=_NUMBERS["reopen_days"],
    keep_days=_NUMBERS["keep_days"],
    samples=SAMPLES,
)
# A photo is the reporter's free choice and no closing asks for one, so it is nothing that the pack collects.
PACK = Pack(
    name="citizen_report",
    title=Text("市民随手报", "Citizens' reports"),
    plan="四-2",
    about=Text(
        "任何人无需账号即可反映城市管理问题：按国标类别登记，派到责任单位，限时办理，凭编号查询，办结后评价，未解决可要求继续办理。",
        "Anybody reports a problem without an account: classed by the national catalogue, sent to the unit that answers, promised in time, "
        "followed by its number, rated at the end, reopened where it is not solved.",
    ),
    indicators=INDICATORS,
    parameters=PARAMETERS,
    collects=("location",),
    reports=(FORM,),
)
