"""The packs that are installed, found by entry point ``citybrain.packs``; ours are found the same way."""

from collections.abc import Sequence
from importlib.metadata import entry_points

from citybrain.app.faults import fenced
from citybrain.kernel.errors import DeclarationError
from citybrain.kernel.pack import Pack
from citybrain.kernel.text import Text


def installed() -> tuple[Pack, ...]:
    """Every declared pack, by name; raises DeclarationError naming the entry that is none or does not load."""
    found = []
    for entry in sorted(entry_points(group="citybrain.packs"), key=lambda entry: entry.name):
        pack, error = fenced(entry.load)
        if error is not None:
            what = Text(
                f"应用包“{entry.name}”无法载入：{error}。请改正 {entry.module}，或从 pyproject.toml 去掉它的入口并重新安装。",
                f"Pack '{entry.name}' does not load: {error}. Mend {entry.module}, or take its entry out of pyproject.toml and install again.",
            )
            raise DeclarationError(what, pack=entry.name)
        if not isinstance(pack, Pack):
            what = Text(f"入口 {entry.value} 不是 Pack 对象。", f"The entry point {entry.value} is not a Pack.")
            raise DeclarationError(what, pack=entry.name)
        found.append(pack)
    _distinct(found)
    return tuple(found)


def _distinct(packs: Sequence[Pack]) -> None:
    seen: dict[str, str] = {}
    for pack in packs:
        for name in (*(kind.name for kind in pack.kinds), *(form.name for form in pack.reports)):
            other = seen.setdefault(name, pack.name)
            if other != pack.name:
                what = Text(
                    f"应用包 {pack.name} 与 {other} 都声明了“{name}”。请给其中一个换名。",
                    f"Packs {pack.name} and {other} both declare '{name}'. Rename one.",
                )
                raise DeclarationError(what, pack=pack.name)
