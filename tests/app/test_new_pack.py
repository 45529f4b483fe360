"""A new pack passes from the first minute: written into a copy of the source tree, and checked there by a program of its own."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from citybrain.app.new_pack import new_pack, write
from citybrain.kernel.errors import BadInputError, ConflictError
from citybrain.kernel.text import Text

TREE = Path(__file__).parents[2]
CHECK = """
from citybrain.app.check import check, module_of
from citybrain.app.packs import installed
pack = next(pack for pack in installed() if pack.name == "lamps")
report = check(pack)
print(module_of(pack), report.grade, *(promise.words.en for promise in report.promises if not promise.ok))
"""


def overlay(folder: Path) -> Path:
    """A copy of the source tree, as much of it as packs need."""
    # What was compiled is taken along, and fits as long as a file is left as it is.
    skipped = shutil.ignore_patterns("static", "node_modules")
    shutil.copytree(TREE / "src", folder / "src", ignore=skipped)
    (folder / "tests").mkdir()
    (folder / "tests" / "__init__.py").write_text('"""Tests."""\n', encoding="utf-8")
    shutil.copy(TREE / "pyproject.toml", folder)
    return folder


def enter(tree: Path) -> None:
    """What an installation does with entry points: write them where the import system looks."""
    packs = tomllib.loads((tree / "pyproject.toml").read_text(encoding="utf-8"))["project"]["entry-points"]["citybrain.packs"]
    facts = tree / "src" / "citybrain-0.1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: citybrain\nVersion: 0.1.0\n", encoding="utf-8")
    lines = [f"{name} = {value}" for name, value in packs.items() if name == "lamps"]
    (facts / "entry_points.txt").write_text("\n".join(["[citybrain.packs]", *lines, ""]), encoding="utf-8")


def run(tree: Path, *command: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(tree / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, *command], cwd=tree, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


@pytest.mark.slow
def test_a_new_pack_passes_its_check_its_test_and_the_linter(tmp_path: Path) -> None:
    tree = overlay(tmp_path)

    made = new_pack(tree, "services/livelihood/lamps")
    enter(tree)

    assert run(tree, "-c", CHECK) == "citybrain.services.livelihood.lamps bronze"
    assert "2 passed" in run(tree, "-m", "pytest", "-q", "tests/services/livelihood/test_lamps.py")
    written = [str(file) for file in made.files if file.suffix == ".py"]
    assert "All checks passed!" in run(tree, "-m", "ruff", "check", "--no-cache", *written)
    assert "already formatted" in run(tree, "-m", "ruff", "format", "--no-cache", "--check", *written)


@pytest.mark.slow
def test_a_pack_that_does_not_load_is_told_by_its_name_and_line_and_not_by_a_traceback(tmp_path: Path) -> None:
    tree = overlay(tmp_path)
    new_pack(tree, "services/livelihood/lamps")
    enter(tree)
    place = tree / "src" / "citybrain" / "services" / "livelihood" / "lamps" / "__init__.py"
    place.write_text(place.read_text(encoding="utf-8").replace("rules=(MANY_BROKEN,)", "rules=(MANY_BROKE,)"), encoding="utf-8")

    environment = {**os.environ, "PYTHONPATH": str(tree / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", "from citybrain.app.cli import main; raise SystemExit(main(['check', 'lamps']))"],
        cwd=tree,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert "Pack 'lamps' does not load: NameError: name 'MANY_BROKE' is not defined" in done.stderr
    assert "(__init__.py, line 1" in done.stderr
    assert "Traceback" not in done.stderr


def test_titles_stand_in_both_languages_and_what_could_break_the_code_is_refused(tmp_path: Path) -> None:
    new_pack(bare(tmp_path), "services/livelihood/lamps", Text("路灯", "Street lamps"))
    written = (tmp_path / "src" / "citybrain" / "services" / "livelihood" / "lamps" / "__init__.py").read_text(encoding="utf-8")
    assert 'Text("路灯", "Street lamps")' in written
    assert 'Text("路灯损坏", "Street lamps broken")' in written
    for title in ('灯"', "灯{x}", "", "灯\n"):
        with pytest.raises(BadInputError, match="cannot be a title"):
            new_pack(tmp_path, "services/livelihood/signs", Text(title, "Signs"))


def bare(folder: Path) -> Path:
    shutil.copy(TREE / "pyproject.toml", folder)
    return folder


def test_the_entry_point_is_added_and_the_rest_of_the_file_stays(tmp_path: Path) -> None:
    before = tomllib.loads((bare(tmp_path) / "pyproject.toml").read_text(encoding="utf-8"))

    new_pack(tmp_path, "supports/foundation/street_lamps")
    after = tomllib.loads((tmp_path / "pyproject.toml").read_text(encoding="utf-8"))

    added = after["project"]["entry-points"]["citybrain.packs"].pop("street_lamps")
    assert added == "citybrain.supports.foundation.street_lamps:PACK"
    assert after == before


def test_every_new_folder_is_a_package_and_the_steps_tell_to_install_again(tmp_path: Path) -> None:
    made = new_pack(bare(tmp_path), "scenes/tourism/boats")

    folders = {path.parent for path in (tmp_path / "src" / "citybrain" / "scenes").rglob("*.py")}
    assert all((folder / "__init__.py").exists() for folder in folders)
    assert (tmp_path / "tests" / "scenes" / "tourism" / "__init__.py").exists()
    assert (tmp_path / "docs" / "packs" / "boats.md").exists()
    assert "pip install" in made.steps.en
    assert "citybrain check boats" in made.steps.zh


def test_what_is_told_names_the_files_and_the_steps_in_both_languages(tmp_path: Path) -> None:
    told = write(bare(tmp_path), "services/livelihood/lamps")

    assert "src/citybrain/services/livelihood/lamps/__init__.py" in told
    assert [line.splitlines()[0] for line in told[-2:]] == [
        "已写入 src/citybrain/services/livelihood/lamps。接下来：",
        "Written to src/citybrain/services/livelihood/lamps. Next:",
    ]


@pytest.mark.parametrize(
    "path",
    [
        "lamps",
        "services/lamps",
        "services/livelihood/lamps/more",
        "kernel/livelihood/lamps",
        "services/livelihood/Lamps",
        "services/livelihood/路灯",
        "services/livelihood/class",
        "services/livelihood/json",
        "services/livelihood/lamps_",
        "services/livelihood/9lamps",
        "services/../lamps",
        "",
    ],
)
def test_a_name_that_cannot_be_a_pack_is_refused_and_nothing_is_written(tmp_path: Path, path: str) -> None:
    with pytest.raises(BadInputError, match="services/livelihood/lamps"):
        new_pack(bare(tmp_path), path)
    assert [file.name for file in tmp_path.iterdir()] == ["pyproject.toml"]


def test_a_pack_that_exists_is_not_overwritten(tmp_path: Path) -> None:
    new_pack(bare(tmp_path), "services/livelihood/lamps")

    with pytest.raises(ConflictError, match="'lamps' already"):
        new_pack(tmp_path, "services/industry/lamps")


def test_outside_the_source_tree_it_says_where_to_run(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="root of the source tree"):
        new_pack(tmp_path, "services/livelihood/lamps")
