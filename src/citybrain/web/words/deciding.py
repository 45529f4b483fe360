"""Rules and their limits, and advice."""

from typing import Final

from citybrain.kernel.text import Text

WORDS: Final = {
    # Studio
    "studio_title": Text("规则工坊", "Studio"),
    "studio_about": Text(
        "各应用的预警规则与限值。限值可先在历史数据上试算，再带原因发布；已发出的预警保留当时的规则版本。",
        "The alert rules of each application and their limits. A limit is tried on history first and published with a reason; "
        "alerts keep the rule version they were raised with.",
    ),
    "no_rules": Text("没有应用声明规则。", "No application declares a rule."),
    "back_to_studio": Text("返回规则工坊", "Back to the studio"),
    "rule_version": Text("规则版本", "Rule version"),
    "rule_word": Text("规则", "Rule"),
    "limits": Text("限值", "Limits"),
    "no_limits": Text("此规则没有可在线调整的限值。", "This rule has no limit that may be changed here."),
    "source_of": Text("出处：", "Source: "),
    "new_value": Text("试算值", "Value to try"),
    "range_of": Text("合理范围 {low} 至 {high}", "Sane range {low} to {high}"),
    "over_days": Text("回放", "Replay"),
    "last_days": Text("最近{days}天", "Last {days} days"),
    "try_it": Text("试算", "Try"),
    "result": Text("试算结果", "What would change"),
    "alerts_counted": Text("预警条数", "Alerts"),
    "at_present": Text("现行", "Now"),
    "as_tried": Text("试算", "Tried"),
    "by_day": Text("按日对比", "Day by day"),
    "contradicted": Text("新限值与规则示例矛盾", "The new limit contradicts the rule's own examples"),
    "publish_title": Text("发布此限值", "Publish this limit"),
    "publish_about": Text(
        "自发布起生效，运行中的系统立即采用；写入历史和审计。",
        "It holds from the moment it is published; the running program takes it at once. It goes into the history and the audit trail.",
    ),
    "why_publish": Text("原因", "Reason"),
    "why_contradict": Text("与示例矛盾的说明", "Why in spite of the examples"),
    "publish_it": Text("发布", "Publish"),
    "versions": Text("发布历史", "Published versions"),
    "no_versions": Text("尚未发布过，均为声明值。", "Nothing has been published; all limits stand as declared."),
    "version_no": Text("第{version}版", "Version {version}"),
    "went_back": Text("退回第{version}版", "Back to version {version}"),
    "went_back_declared": Text("退回声明值", "Back to the declared value"),
    "roll_back": Text("回退", "Roll back"),
    "roll_back_to": Text("{limit}：退回第{version}版（{value}{sign}）", "{limit}: back to version {version} ({value}{sign})"),
    "roll_back_declared": Text("{limit}：退回声明值（{value}{sign}）", "{limit}: back to the declared value ({value}{sign})"),
    # Decisions
    "decide_title": Text("辅助决策", "Decisions"),
    "decide_about": Text(
        "由优化计算得出的建议，附代价、对照和依据。建议供人采纳，系统不会自行执行。",
        "Advice found by optimisation, with what it costs, what it is held against and what it rests on. People accept it or not; the program acts on none.",
    ),
    "no_questions": Text("没有应用提出决策问题。", "No application asks a question."),
    "back_to_decide": Text("返回辅助决策", "Back to decisions"),
    "asked_at": Text("求解时间：", "Computed: "),
    "advice_word": Text("建议", "Advice"),
    "advice_only": Text("仅为建议，不会自动执行。", "Advice only: nothing is done by itself."),
    "advice_later": Text("这是较早的一次建议。", "This is an earlier advice."),
    "advice_newest": Text("查看最新建议", "See the newest"),
    "advice_against": Text("与不采取行动和简单规则对照", "Against doing nothing and a simple rule"),
    "goal_of": Text("代价的口径：", "What a cost is: "),
    "binding": Text("起约束作用的条件", "What binds"),
    "assumed": Text("假设与限制", "What it rests on"),
    "decision": Text("决定", "Decision"),
    "decide_form_about": Text(
        "采纳或不采纳都请写明理由，记入台账和审计。", "Say why either way: it goes into the ledger and the audit trail."
    ),
    "decide_why": Text("理由", "Reason"),
    "accept": Text("采纳", "Accept"),
    "decline": Text("不采纳", "Decline"),
}
