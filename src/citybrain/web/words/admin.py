"""Streams by life, and administration."""

from typing import Final

from citybrain.kernel.text import Text

WORDS: Final = {
    # Streams by life
    "streams_title": Text("监测项状态", "Streams by life"),
    "streams_about": Text(
        "每个监测项按约定判定状态：何时起、为什么。异常的读数不参与预警和指标计算，也不会显示成平静。",
        "The state of every stream by its contract: since when, and why. What ails is left out of rules and figures, never shown as calm.",
    ),
    "back_to_streams": Text("返回监测项状态", "Back to streams by life"),
    "contract_title": Text("现行约定", "Contract in force"),
    "promise_title": Text("约定", "Agree on a contract"),
    "promise_about": Text(
        "没有约定的监测项，中断、不变或超量程都看不出来。下列建议由它自己近 28 天的读数得出，须由人确认或修改；留空表示不作约定。",
        "Of a stream without a contract nobody can tell that it is silent, stuck or out of range. What is proposed here comes from its own "
        "readings of 28 days; a person agrees to it or changes it. What is left empty is not promised.",
    ),
    "promise_basis": Text("建议的依据", "What the proposal rests on"),
    "promise_why": Text("理由", "Why"),
    "promise_agree": Text("确认约定", "Agree"),
    "promise_agreed": Text("确认约定", "Agreed"),
    "promise_taken_back": Text("撤回约定", "Taken back"),
    "promise_history": Text("约定的历史", "What was agreed on"),
    "promise_take_back": Text("撤回约定", "Take back"),
    "carry_title": Text("导出近 31 日的读数", "Readings of 31 days to carry away"),
    "correct_title": Text("更正读数", "Correct readings"),
    "correct_about": Text(
        "读数有误（如单位错误）时由数据专员更正：先预览，再写明理由。更正后的值处处带“更正”标记，测得的原值与读数同样保存，可随时撤回。"
        "没有正确的值可填的读数（如校准时的试气）作废：处处不再计入，缺口如实显示。",
        "Wrong readings (a wrong unit, say) are corrected by the data officer: look first, then say why. Corrected values bear their mark "
        "everywhere, what was measured is kept, and it can be taken back. Where there is no better value (a test puff of the calibrator, "
        "say) readings are struck out: they count nowhere, and the gap shows as one.",
    ),
    "correct_looked": Text("预览：将会这样更正", "What would be corrected"),
    "correct_do": Text("确认更正", "Correct"),
    "correct_leave": Text("放弃", "Leave it"),
    "correct_span": Text("更正一段时间（乘以、加上一个数）", "Correct a span (times, plus a number)"),
    "correct_one": Text("更正一个读数", "Correct one reading"),
    "correct_strike": Text("作废一段时间的读数（没有正确的数值）", "Strike out a span (there is no better value)"),
    "correct_look": Text("预览", "Look"),
    "correct_made": Text("已作的更正", "Corrections made"),
    "correct_end": Text("撤回更正", "Take back"),
    "restated_title": Text("改写的观测值", "Observations said anew"),
    "restated_about": Text(
        "经 SensorThings 改写了时间、观测对象、质量或参数的观测值：原来所说的留存于此，不能撤回，可再次改写。结果的更正见“更正读数”。",
        "Observations of which the time, the feature, the quality or parameters were said anew over SensorThings, with what had been "
        "said before. It is not taken back but said anew again. Corrected results stand under “Correct readings”.",
    ),
    "newest_of": Text("共 {total} 条，列出最新 {shown} 条。", "{total} in all; the newest {shown} are listed."),
    "judged_title": Text("与周边同类比对", "Compared with neighbours"),
    "judged_about": Text(
        "每小时把监测项与周边同类比对：突然或持续偏离的判为“与他源矛盾”，三周内逐日偏离的判为“漂移”。",
        "Every hour a stream is held against its neighbours: away at once or for a day is contradicted, "
        "day by day over three weeks is drifting.",
    ),
    # Admin
    "admin_title": Text("系统管理", "Administration"),
    "ledgers": Text("接入台账", "Doors' ledgers"),
    "ledgers_about": Text(
        "收到 = 存储 + 重复 + 拒收 + 待处理（多进程时含在 JetStream 中等候的）。差额不为 0 即有数据去向不明。“到期删除”是存储的数据中按保存期限删除的，逐次记入审计。",
        "Received = stored + duplicate + refused + pending, with what waits in JetStream where there are several processes. "
        "A difference other than 0 means data are unaccounted for. "
        "Of those stored, so many were kept as long as the settings say and deleted, each time with a row in the audit trail.",
    ),
    "ledgers_told": Text(
        "接入进程（ingest）没有应答：以下是它最后一次告知的数；“待处理”是此刻在 JetStream 中等它恢复的，其中个别可能已入库而未及告知。最后告知：",
        "The process that takes observations in (ingest) does not answer: these are the counts it last told. Pending is what waits for it "
        "in JetStream at this moment; some of that it may have stored and not told. Last told:",
    ),
    "not_known": Text("未知", "not known"),
    "door": Text("接入口", "Door"),
    "received": Text("收到", "Received"),
    "stored": Text("存储", "Stored"),
    "duplicate": Text("重复", "Duplicate"),
    "refused": Text("拒收", "Refused"),
    "refused_because": Text("拒收原因", "Why rows were refused"),
    "pending": Text("待处理", "Pending"),
    "difference": Text("差额", "Difference"),
    "deleted": Text("到期删除", "Deleted"),
    "last_received": Text("最近收到", "Last received"),
    "never_received": Text("尚未收到", "Nothing yet"),
    "health": Text("运行状况", "Health"),
    "no_ledgers": Text(
        "尚无数据接入。请按文档接入第一个数据源。", "Nothing has been received yet. Connect a first source as the documents say."
    ),
}
