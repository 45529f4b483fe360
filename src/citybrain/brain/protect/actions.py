"""Every action of the house, named ``<noun>.<verb>`` with its words, and the Cedar schema that follows from the table."""

from citybrain.kernel.datasets import Dataset
from citybrain.kernel.text import Text

_VERBS: dict[str, Text] = {
    "read": Text("查看", "Read"),
    "write": Text("修改", "Change"),
    "create": Text("新建", "Create"),
    "open": Text("登记", "Open"),
    "move": Text("办理", "Move"),
    "note": Text("补充说明", "Note on"),
    "delete": Text("结束", "End"),
    "count": Text("统计", "Count"),
    "export": Text("导出", "Export"),
    "follow": Text("凭编号查询", "Follow by number"),
    "rate": Text("评价", "Rate"),
    "verify": Text("校验", "Verify"),
    "try": Text("试算", "Try"),
    "publish": Text("发布", "Publish"),
    "decide": Text("决定", "Decide on"),
    "promise": Text("约定", "Agree on"),
    "correct": Text("更正", "Correct"),
}
_NOUNS: dict[str, tuple[Text, tuple[str, ...]]] = {
    "entity": (Text("对象", "entities"), ("read", "write", "export")),
    "stream": (Text("数据流", "streams"), ("read", "write", "promise", "export")),
    "observation": (Text("监测值", "observations"), ("read", "write", "correct", "export")),
    "alert": (Text("预警", "alerts"), ("read", "export")),
    "rule": (Text("规则", "rules"), ("read", "try", "publish")),
    "forecast": (Text("预报", "forecasts"), ("read", "export")),
    "advice": (Text("决策建议", "advice"), ("read", "decide", "export")),
    "case": (Text("案件", "cases"), ("read", "open", "move", "note", "count", "export")),
    "step": (Text("案件办理记录", "steps of cases"), ("read", "export")),
    "instruction": (Text("督办事项", "instructions"), ("read", "create", "move")),
    "notice": (Text("通知", "notices"), ("read",)),
    "offer": (Text("预订项目", "offers"), ("read", "create", "write", "export")),
    "booking": (Text("预订", "bookings"), ("read", "create", "write", "move", "export")),
    "report": (Text("上报", "reports"), ("read", "open", "follow", "rate")),
    "catalogue": (Text("数据目录", "catalogue entries"), ("read", "write")),
    "dataset": (Text("数据集", "datasets"), ("read", "write", "export")),
    "lineage": (Text("数据来历", "lineage"), ("read",)),
    "figure": (Text("指标数值", "figures"), ("read", "export")),
    "indicator": (Text("指标定义", "indicators"), ("read", "export")),
    "fact": (Text("事实表", "facts"), ("read", "export")),
    "area": (Text("区域", "areas"), ("read", "write", "export")),
    "unit": (Text("单位", "units"), ("read", "write")),
    "calendar": (Text("工作日历", "the working calendar"), ("read", "write")),
    "account": (Text("账号", "accounts"), ("read", "create", "write")),
    "device": (Text("设备账号", "device accounts"), ("read", "create", "write")),
    "session": (Text("会话", "sessions"), ("read", "create", "delete", "write")),
    "audit": (Text("审计记录", "the audit trail"), ("read", "verify", "export")),
    "door": (Text("接入口", "doors"), ("read", "write")),
    "health": (Text("运行状况", "health"), ("read",)),
    "personal": (Text("个人信息", "personal data"), ("read",)),
}
_PAGES: dict[str, Text] = {
    "portal": Text("打开门户", "Open the portal"),
    "cockpit": Text("打开驾驶舱", "Open the cockpit"),
    "desk": Text("打开工作台", "Open the desk"),
    "offers": Text("打开共享预订页", "Open the page of offers"),
    "nearby": Text("打开就近查找页", "Open the page of what is nearby"),
    "bookings": Text("打开我的预订页", "Open the page of own bookings"),
    "data": Text("打开数据页", "Open the data page"),
    "decide": Text("打开决策页", "Open the page of decisions"),
    "studio": Text("打开规则工坊", "Open the studio"),
    "admin": Text("打开管理页", "Open the admin page"),
    "streams": Text("打开监测项状态页", "Open the page of streams by life"),
    "trace": Text("打开来历页", "Open the page of a trace"),
    "report": Text("打开上报页", "Open the page for reports"),
    "signin": Text("打开登录页", "Open the sign-in page"),
}
ACTIONS: dict[str, Text] = {
    f"{noun}.{verb}": Text(f"{_VERBS[verb].zh}{words.zh}", f"{_VERBS[verb].en} {words.en}")
    for noun, (words, verbs) in _NOUNS.items()
    for verb in verbs
} | {f"page.{name}": words for name, words in _PAGES.items()}
"""Every action with its words; what is not here, nobody may do."""

_KEPT_ELSEWHERE = frozenset({"observation.write", "session.create"})
"""The ledger of the doors accounts for every batch, and signing in records itself; a row here would be a second one."""

_TYPES = """
entity Role;
entity Account in [Role] { account: String, unit?: String, inbox: Set<String>, purpose: Bool, today: Long };
entity Thing { access: String, portal: Bool };
type Row = { unit?: String, account?: String, recipient?: String, time?: Long, as_of?: Long };
"""


def schema() -> str:
    """The Cedar schema: who asks, for what, and what policies may know of a row."""
    names = ", ".join(f'"{name}"' for name in ACTIONS)
    return f"{_TYPES}action {names} appliesTo {{ principal: [Account], resource: [Thing], context: Row }};\n"


def audited(action: str) -> bool:
    """Whether an allowed action leaves a row in the audit trail: all that change or carry away."""
    noun, _, verb = action.partition(".")
    return noun != "page" and verb not in ("read", "count", "follow", "try") and action not in _KEPT_ELSEWHERE


def action_on(dataset: Dataset, verb: str) -> str:
    """The action that reads or exports a dataset: its noun's own, or ``dataset.<verb>`` for what packs bring along.

    What the house tells of a noun, such as the facts ``case_opened``, is guarded as the noun is.
    """
    noun = dataset.name if dataset.pack is not None else dataset.name.partition("_")[0]
    return f"{noun if noun in _NOUNS else 'dataset'}.{verb}"
