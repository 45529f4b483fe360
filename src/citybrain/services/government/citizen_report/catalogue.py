"""The catalogue of classes (GB/T 47678.5, dated and marked), with whose duty each is and the words people use."""

import csv
from collections.abc import Mapping
from pathlib import Path

from citybrain.sdk import Allowance, ReportClass, Text

_MAJORS: Mapping[str, Text] = {
    "01": Text("市政公用设施", "Municipal utilities"),
    "02": Text("交通设施", "Traffic facilities"),
    "03": Text("市容环卫设施", "Sanitation facilities"),
    "04": Text("园林绿化设施", "Parks and trees"),
    "05": Text("其他管理部件", "Other components"),
    "06": Text("市容环境类", "City appearance"),
    "07": Text("宣传广告类", "Posters and advertising"),
    "08": Text("施工管理类", "Construction sites"),
    "09": Text("街面秩序类", "Order in the street"),
    "10": Text("其他事项类", "Other matters"),
}


def read_classes(file: Path, promises: Mapping[str, Allowance]) -> tuple[ReportClass, ...]:
    """Every class of ``catalogue.csv`` in the order of its codes; ``promises`` are the times promised, by the word in the file."""
    with file.open(encoding="utf-8", newline="") as lines:
        return tuple(
            ReportClass(
                code=row["code"],
                title=Text(row["zh"], row["en"]),
                major=_MAJORS[row["code"][:2]],
                everyday=tuple(word for word in row["everyday"].split("|") if word),
                duty=row["duty"],
                allowance=promises[row["promise"]],
            )
            for row in csv.DictReader(lines)
        )
