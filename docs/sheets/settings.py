"""The page of settings: name, variable, type, default, and what the source says beside each."""

from citybrain.app import settings
from citybrain.doors.mqtt import mapping
from citybrain.kernel.text import Text
from docs.sheets.declared import Declared, classes
from docs.sheets.markdown import code, sheet, table


def page() -> str:
    """The page."""
    found = {one.name: one for one in classes(settings)}
    topics = next(one for one in classes(mapping) if one.name == "Topic")
    about = Text(
        "三个来源，后者优先：工作目录的 `citybrain.toml`（或 `--config` 指定）< 环境变量 `CITYBRAIN_*` < 命令行参数。"
        "机密可放在文件里：`CITYBRAIN_DATABASE_FILE=/run/secrets/db`。不认识的设置会使启动停止并指出名称。",
        "Three sources, the later wins: `citybrain.toml` in the working folder (or `--config`) < `CITYBRAIN_*` < flags. A secret may "
        "stand in a file: `CITYBRAIN_<NAME>_FILE`. Lists are separated by commas in variables. An unknown setting stops the start.",
    )
    own = (
        (code(one.name), code(f"CITYBRAIN_{one.name.upper()}"), code(one.type), code(one.default), one.about)
        for one in found["Settings"].members
    )
    return sheet(
        Text("设置", "Settings"),
        about,
        table(("设置 · setting", "变量 · variable", "类型 · type", "默认 · default", "说明 · about"), own),
        _nested("footer", found["Footer"]),
        _nested("map", found["Map"]),
        _nested("[mqtt_topics]", topics),
    )


def _nested(name: str, one: Declared) -> str:
    rows = (
        (code(f"{name.strip('[]')}.{member.name}"), code(member.type), code(member.default), member.about) for member in one.members
    )
    return f"## [{name}]\n\n{one.about}\n\n" + table(("设置 · setting", "类型 · type", "默认 · default", "说明 · about"), rows)
