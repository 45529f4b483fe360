"""How it goes: portal, cockpit, desk, figures and their traces."""

from typing import Final

from citybrain.kernel.text import Text

WORDS: Final = {
    # Portal
    "portal_title": Text("公众服务", "Public services"),
    "by_subdistrict": Text("各街道", "By subdistrict"),
    "basis": Text("依据：", "Basis: "),
    "ways": Text("更多服务", "More"),
    "details": Text("详情", "Details"),
    # Cockpit
    "cockpit_title": Text("领导驾驶舱", "Leader's cockpit"),
    "figures": Text("主要指标", "Key figures"),
    "night": Text("夜间要情", "In the night"),
    "desk_views": Text("显示方式", "How it is shown"),
    "desk_list": Text("列表", "List"),
    "desk_map": Text("地图", "Map"),
    "desk_within": Text("仅显示：{area}", "Only: {area}"),
    "desk_whole": Text("显示全区", "Show the whole district"),
    "night_more": Text("另有更早的 {count} 件未列出", "{count} earlier ones are not listed"),
    "night_span": Text("{since}至{until}", "{since} to {until}"),
    # Desk
    "desk_title": Text("工作台", "Desk"),
    "filters": Text("案件筛选", "Filter cases"),
    "search_cases": Text("案号、地点或事由", "Number, place or matter"),
    "what_to_do": Text("办理", "To do"),
    "other_moves": Text("其他操作", "Other steps"),
    "history": Text("办理过程", "History"),
    "words_of_case": Text("事由", "What was said"),
    "why_alert": Text("触发预警", "The alert behind it"),
    "alert_changed": Text(
        "预警发布时的读数有的后来变了；预警的文字仍是发布时的：",
        "Some readings are not what they were when it was told; its words still say what they were:",
    ),
    "trace": Text("溯源：从案件到原始读数", "Trace: from the case to the reading"),
    "back_to_desk": Text("返回工作台", "Back to the desk"),
    # Figure and trace
    "version": Text("版本", "Version"),
    "meaning": Text("定义", "Definition"),
    "formula": Text("计算式", "Formula"),
    "inputs": Text("输入", "Inputs"),
    "trace_title": Text("数据溯源", "Trace"),
    "trace_about": Text(
        "自上而下：从所示数字到产生它的一次读数及收到的时间。",
        "From top to bottom: from the figure shown to the reading that made it and when it was received.",
    ),
    "trace_links": Text("单条溯源", "Trace one of them"),
    "chain_broken": Text("链条在此中断：", "The chain breaks here: "),
    "kind_figure": Text("指标", "Figure"),
    "kind_case": Text("案件", "Case"),
    "kind_alert": Text("预警", "Alert"),
    "kind_rule": Text("规则", "Rule"),
    "kind_evidence": Text("证据", "Evidence"),
    "kind_reading": Text("读数", "Reading"),
    "kind_booking": Text("预订", "Booking"),
    "kind_offer": Text("共享项目", "Offer"),
    "kind_stream": Text("数据流", "Stream"),
    "kind_door": Text("接入口", "Door"),
    "kind_device": Text("设备", "Device"),
    "kind_receipt": Text("接收", "Receipt"),
    "kind_file": Text("文件", "File"),
}
