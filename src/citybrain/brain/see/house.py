"""The house's own indicators: open and overdue cases, today's closings, the on-time closing rate, streams live, alerts open."""

from citybrain.brain.see.counts import (
    NO_CASES,
    NO_STREAMS,
    alert_marks,
    case_marks,
    closed_today,
    counted,
    live_marks,
    on_time_marks,
    open_cases,
    overdue_cases,
    shared,
)
from citybrain.kernel.pack import Indicator
from citybrain.kernel.text import Text

HOUSE: tuple[Indicator, ...] = (
    Indicator(
        "open_cases",
        Text("在办案件", "Open cases"),
        "{case}",
        1,
        Text("尚未结案的案件数（待受理至待核查）。", "Cases that are not closed, from reported to finished."),
        ("case",),
        counted(case_marks(open_cases)),
        better="down",
    ),
    Indicator(
        "overdue_cases",
        Text("超期未结", "Overdue cases"),
        "{case}",
        1,
        Text("尚未结案且已超过办理期限的案件数。", "Cases that are not closed and past their promised time."),
        ("case",),
        counted(case_marks(overdue_cases)),
        better="down",
    ),
    Indicator(
        "closed_today",
        Text("今日结案", "Closed today"),
        "{case}",
        1,
        Text("当日零时以来结案的案件数，不含不予受理。", "Cases closed since midnight, without those not accepted."),
        ("case",),
        counted(case_marks(closed_today)),
        better="up",
    ),
    Indicator(
        "on_time_closing_rate",
        Text("按期结案率", "On-time closing rate"),
        "%",
        1,
        Text(
            "近30日（含当日）按期结案数÷应结案数。应结案数为已结案和已到办理期限的案件之和，每件只计一次，不含不予受理。",
            "Cases closed in time ÷ cases closed or due in the last 30 days, today included; each counted once, "
            "without those not accepted.",
        ),
        ("case",),
        shared(on_time_marks, NO_CASES),
        decimals=1,
        better="up",
    ),
    Indicator(
        "streams_live",
        Text("正常监测项", "Streams live"),
        "{count}",
        1,
        Text(
            "数值正常的监测项数；数据中断、数值不变、超量程等计为不明。",
            "Streams with a live value; silent, stuck or out-of-range ones are unknown.",
        ),
        ("stream",),
        counted(live_marks),
        better="up",
    ),
    Indicator(
        "streams_live_share",
        Text("在线监测项占比", "Share of streams live"),
        "%",
        1,
        Text(
            "数值正常的监测项÷应上报的监测项（停用时段除外）。",
            "Streams with a live value ÷ streams that should report (closed hours left out).",
        ),
        ("stream",),
        shared(live_marks, NO_STREAMS),
        decimals=1,
        better="up",
    ),
    Indicator(
        "alerts_open",
        Text("生效预警", "Alerts open"),
        "{count}",
        1,
        Text(
            "尚未解除的预警数；有监测项不正常的对象计为不明，因其可能漏报。",
            "Alerts not yet cleared; things with a stream that is not live count as unknown, for an alert may be missing there.",
        ),
        ("alert", "stream"),
        counted(alert_marks),
        better="down",
    ),
)
