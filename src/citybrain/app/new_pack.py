"""``citybrain new pack services/livelihood/lamps``: writes a pack that already passes ``citybrain check``."""

import keyword
import re
import sys
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template

from citybrain.kernel.errors import BadInputError, ConflictError
from citybrain.kernel.text import Text, same

ROOTS = ("supports", "services", "scenes", "safeguards")
"""The folders of the plan in which packs live."""
_ENTRIES = '[project.entry-points."citybrain.packs"]'
_WORD = re.compile(r"[a-z][a-z0-9_]{1,30}")
_TITLE = re.compile(r"[^\W_][\w ()（）、·-]{0,31}")
"""Letters of any language and little else: a title goes into sentences of the code that is written."""


@dataclass(frozen=True, slots=True)
class Made:
    """The files that were written or changed, and what to do next."""

    files: tuple[Path, ...]
    steps: Text


def new_pack(tree: Path, path: str, title: Text | None = None) -> Made:
    """Write pack, parameters, test and page into a source tree and enter it in ``pyproject.toml``.

    ``path`` is root/family/name; without a ``title`` the name serves in both languages. Raises BadInputError for a path or title that
    cannot be a pack's, or a folder that is not CityBrain's source tree, and ConflictError where such a pack or entry is already.
    """
    root, family, name = _parts(path)
    title = _titled(title or same(name.replace("_", " ").capitalize()))
    project = tree / "pyproject.toml"
    entries = _entries(project)
    folder = tree / "src" / "citybrain" / root / family / name
    if folder.exists() or re.search(rf"^{name}\s*=", entries, re.MULTILINE):
        what = Text(f"已有应用包“{name}”。请换一个名称。", f"There is a pack '{name}' already. Choose another name.")
        raise ConflictError(what, name=name)
    texts = _texts(tree, folder, (root, family, name), title)
    for file, text in texts.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    entry = f'{name} = "citybrain.{root}.{family}.{name}:PACK"'
    project.write_text(_entered(project.read_text(encoding="utf-8"), entry), encoding="utf-8")
    return Made((*texts, project), _steps(folder.relative_to(tree), name))


def write(tree: Path, path: str, title: Text | None = None) -> tuple[str, ...]:
    """Write a pack as ``new_pack`` does, and return what to tell: the files, then the next steps in both languages."""
    made = new_pack(tree, path, title)
    return (*(str(file.relative_to(tree)) for file in made.files), made.steps.zh, made.steps.en)


def _parts(path: str) -> tuple[str, str, str]:
    parts = path.strip("/").split("/")
    fits = len(parts) == 3 and parts[0] in ROOTS and all(_is_word(part) for part in parts[1:])
    if not fits:
        roots = ", ".join(ROOTS)
        what = Text(
            f"“{path}”不能作为应用包路径。请写成 根/族/名，如 services/livelihood/lamps；根为 {roots} 之一，名称用小写字母、数字和下划线。",
            f"'{path}' cannot be a pack. Write root/family/name, such as services/livelihood/lamps; the root is one of {roots}, "
            "names are of small letters, digits and underscores, and no words of Python.",
        )
        raise BadInputError(what, path=path)
    return parts[0], parts[1], parts[2]


def _titled(title: Text) -> Text:
    for words in (title.zh, title.en):
        if _TITLE.fullmatch(words) is None:
            what = Text(
                f"“{words}”不能作为名称：请用 1 至 32 个字母、汉字、数字或空格。",
                f"'{words}' cannot be a title: write 1 to 32 letters, digits or spaces.",
            )
            raise BadInputError(what, title=words)
    return title


def _is_word(part: str) -> bool:
    taken = keyword.iskeyword(part) or keyword.issoftkeyword(part) or part in sys.stdlib_module_names
    return _WORD.fullmatch(part) is not None and not taken and not part.endswith("_")


def _entries(project: Path) -> str:
    text = project.read_text(encoding="utf-8") if project.exists() else ""
    if 'name = "citybrain"' not in text or _ENTRIES not in text:
        what = Text(
            "这里不是 CityBrain 的源代码目录（没有它的 pyproject.toml）。请在源代码根目录运行。",
            "This is not CityBrain's source tree (its pyproject.toml is not here). Run it at the root of the source tree.",
        )
        raise BadInputError(what)
    return text.split(_ENTRIES, 1)[1].split("\n[", 1)[0]


def _entered(text: str, line: str) -> str:
    """The project file with a line more at the end of the table of packs."""
    before, after = text.split(_ENTRIES, 1)
    table, mark, rest = after.partition("\n[")
    return f"{before}{_ENTRIES}{table.rstrip()}\n{line}\n{mark}{rest}"


def _texts(tree: Path, folder: Path, path: tuple[str, str, str], title: Text) -> dict[Path, str]:
    root, family, name = path
    module = f"citybrain.{root}.{family}.{name}"
    words = {"name": name, "zh": title.zh, "title": title.en, "constant": name.upper(), "module": module}
    tests = tree / "tests" / root / family
    texts = {
        folder / "__init__.py": _filled("pack.txt", words),
        folder / "parameters.toml": _filled("parameters.txt", words),
        tests / f"test_{name}.py": _filled("test.txt", words),
        tree / "docs" / "packs" / f"{name}.md": _filled("page.txt", words),
    }
    packages = {
        folder.parents[1]: f"{root.capitalize()}: packs by family.",
        folder.parent: f"Packs of the family {family}.",
        tests.parent: f"Tests of the packs under {root}.",
        tests: f"Tests of the packs of the family {family}.",
    }
    missing = {
        where / "__init__.py": f'"""{words}"""\n' for where, words in packages.items() if not (where / "__init__.py").exists()
    }
    return missing | texts


def _filled(template: str, words: dict[str, str]) -> str:
    text = (files("citybrain.app") / "pack_template" / template).read_text(encoding="utf-8")
    return Template(text).substitute(words)


def _steps(folder: Path, name: str) -> Text:
    place = folder.as_posix()
    return Text(
        f"已写入 {place}。接下来：\n"
        "1. 重新安装，使入口生效：SKIP_FRONTEND=1 .venv/bin/python -m pip install --no-deps --no-build-isolation -e .\n"
        f"2. 检验：.venv/bin/citybrain check {name}\n"
        f"3. 修改 {place}/__init__.py：类型、规则、流程、指标、模拟；再检验\n"
        "4. 在演示中查看：make demo",
        f"Written to {place}. Next:\n"
        "1. install again, so that the entry point is known: SKIP_FRONTEND=1 .venv/bin/python -m pip install --no-deps "
        "--no-build-isolation -e .\n"
        f"2. check: .venv/bin/citybrain check {name}\n"
        f"3. edit {place}/__init__.py: kinds, rule, flow, indicator, simulator; check again\n"
        "4. see it in the demo: make demo",
    )
