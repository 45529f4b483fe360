"""The page of nouns: every class of data of the kernel with its fields, as the source declares and explains them."""

from importlib import import_module

from citybrain.kernel.text import Text
from docs.sheets.declared import Declared, about, classes
from docs.sheets.markdown import code, sheet, table

MODULES = (
    *(
        "text",
        "instant",
        "places",
        "parties",
        "things",
        "observations",
        "alerts",
        "calendar",
        "cases",
        "datasets",
        "access",
        "events",
    ),
    *("predicate", "clock", "pack"),
)
"""Modules of the kernel in the order in which one reads them."""


def page() -> str:
    """The page."""
    intro = Text(
        "内核的名词：各部分共用的语言。字段名与代码一致；时间是微秒整数（UTC），单位是 UCUM，坐标是 WGS 84。",
        "The nouns of the kernel, the language that all parts share. Times are whole microseconds UTC, units UCUM, coordinates WGS 84.",
    )
    return sheet(Text("名词", "Nouns"), intro, *(_module(name) for name in MODULES))


def _module(name: str) -> str:
    module = import_module(f"citybrain.kernel.{name}")
    listed = classes(module)
    if not listed:
        return ""
    where = f"[kernel/{name}.py](../../src/citybrain/kernel/{name}.py)"
    return "\n\n".join((f"## {name}", f"{where}: {about(module)}", *(_noun(one) for one in listed)))


def _noun(one: Declared) -> str:
    rows = ((code(member.name), code(member.type or None), code(member.default), member.about) for member in one.members)
    return f"### {one.name}\n\n{one.about}\n\n" + table(("字段 · field", "类型 · type", "默认 · default", "说明 · about"), rows)
