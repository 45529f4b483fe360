"""The catalogue and its datasets."""

from typing import Final

from citybrain.kernel.text import Text

WORDS: Final = {
    # Data
    "data_title": Text("数据目录", "Data catalogue"),
    "data_about": Text(
        "目录由系统按数据声明自动编制，字段、质量和血缘随数据更新。",
        "The catalogue makes itself from the declarations of the data; fields, quality and lineage follow the data.",
    ),
    "search_data": Text("数据集名称、字段或单位", "Dataset, field or unit"),
    "owner": Text("数源单位", "Owner"),
    "open_data": Text("开放", "Open"),
    "rows": Text("行数", "Rows"),
    "quality": Text("质量", "Quality"),
    "quality_of": Text("合格率", "Passed"),
    "fields": Text("字段", "Fields"),
    "field": Text("字段名", "Field"),
    "title": Text("名称", "Title"),
    "type": Text("类型", "Type"),
    "unit_of_measure": Text("计量单位", "Unit of measure"),
    "filled": Text("填报方式", "Filled by"),
    "remark": Text("备注", "Remark"),
    "check": Text("规则", "Rule"),
    "tried": Text("检查行数", "Rows checked"),
    "failed_rows": Text("不合格", "Failed"),
    "why": Text("说明与依据", "What and on what basis"),
    "lineage": Text("血缘", "Lineage"),
    "lineage_from": Text("来源", "From"),
    "lineage_made": Text("加工", "Made by"),
    "lineage_to": Text("去向", "Used by"),
    "downloads": Text("下载", "Download"),
    "no_datasets": Text("没有符合条件的数据集。请缩短或更换搜索词。", "No dataset fits. Shorten or change the search words."),
    "back_to_data": Text("返回数据目录", "Back to the catalogue"),
    "none": Text("无", "None"),
}
