"""The rules of the house that no linter knows."""

import re
import subprocess
import sys
import tokenize
import tomllib
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import grimp
import msgspec
import pytest

from citybrain.app.check import ALLOWED, REACHES_OUT

TREE = Path(__file__).parents[2]
SOURCE = TREE / "src" / "citybrain"
KERNEL_LINES = 2_800
EXCEPTIONS = 36
"""How many noqa and type: ignore there may be in all; may only fall."""
PACK_FREE = ("kernel", "brain", "doors", "web", "app")
ROWS = (
    *(f"B{number}" for number in range(1, 10)),
    *(f"F{number}" for number in range(1, 10)),
    *("G1", "G2", "G3", "G4", "G5", "G6", "G7"),
    *("L1", "L2", "L3", "L4", "L5", "L6", "I1", "I2"),
    *("S1", "S2a", "S2b", "S2c", "S3", "S4", "S5", "X1"),
    *("K1", "K2", "K3", "K4"),
    *(f"C{number}" for number in range(1, 19)),
)
"""Every row of the mission's tables."""


def python_files(*folders: str) -> Iterator[Path]:
    for folder in folders:
        for file in sorted((TREE / folder).rglob("*.py")):
            if "node_modules" not in file.parts:
                yield file


def test_every_folder_with_source_is_a_package() -> None:
    folders = {folder for file in SOURCE.rglob("*.py") for folder in file.parents if SOURCE in (folder, *folder.parents)}

    assert [str(folder.relative_to(TREE)) for folder in sorted(folders) if not (folder / "__init__.py").exists()] == []


def test_the_kernel_stays_small(capsys: pytest.CaptureFixture[str]) -> None:
    size = sum(len(file.read_text(encoding="utf-8").splitlines()) for file in (SOURCE / "kernel").rglob("*.py"))

    with capsys.disabled():
        sys.stdout.write(f"[kernel: {size} lines of at most {KERNEL_LINES}] ")
    assert size <= KERNEL_LINES


def test_no_pack_is_spoken_of_outside_the_packs() -> None:
    packs = {entry.name: entry.module for entry in entry_points(group="citybrain.packs")}
    declared = tomllib.loads((TREE / "pyproject.toml").read_text(encoding="utf-8"))["project"]["entry-points"]["citybrain.packs"]
    packs |= {name: value.partition(":")[0] for name, value in declared.items()}
    forbidden = [re.compile(rf"{re.escape(module)}\b|[\"']{re.escape(name)}[\"']") for name, module in packs.items()]
    spoken = [
        f"{file.relative_to(SOURCE)}: {found.group()}"
        for part in PACK_FREE
        for file in sorted((SOURCE / part).rglob("*"))
        if file.suffix in (".py", ".html", ".jinja", ".toml", ".txt", ".cedar") and "build" not in file.parts
        for words in forbidden
        for found in words.finditer(file.read_text(encoding="utf-8"))
    ]

    assert packs
    assert spoken == []


def test_import_contracts_are_kept_and_ignore_nothing() -> None:
    settings = tomllib.loads((TREE / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    program = Path(sys.executable).with_name("lint-imports")

    done = subprocess.run([program, "--no-cache"], cwd=TREE, capture_output=True, text=True, check=False)

    assert [contract["id"] for contract in settings["contracts"] if "ignore_imports" in contract] == []
    assert done.returncode == 0, done.stdout[-4000:]


def comments(file: Path) -> Iterator[tuple[int, str]]:
    with file.open("rb") as lines:
        for token in tokenize.tokenize(lines.readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string


_NOQA = re.compile(r"noqa: [A-Z]+[0-9]+(?:, ?[A-Z]+[0-9]+)*\s*(?:-|#|\()\s*\S+")
_IGNORE = re.compile(r"type: ignore\[[a-z, -]+\]\s*(?:-|#|\()\s*\S+")


@pytest.mark.thorough
def test_every_exception_names_its_code_and_its_reason_and_there_are_few() -> None:
    bare, count = [], 0
    for file in python_files("src", "tests", "bench", "data", "docs"):
        for line, comment in comments(file):
            for word, form in (("noqa", _NOQA), ("type: ignore", _IGNORE)):
                if re.search(rf"#\s*{word}", comment):
                    count += 1
                    bare += [f"{file.relative_to(TREE)}:{line}"] if not form.search(comment) else []

    assert bare == []
    assert count <= EXCEPTIONS


def test_packs_compute_with_allowed_libraries_and_open_nothing() -> None:
    graph = grimp.build_graph("citybrain", include_external_packages=True, cache_dir=None)
    allowed = {*ALLOWED, *(sys.stdlib_module_names - REACHES_OUT)}
    packs = {
        module
        for root in ("supports", "services", "scenes", "safeguards")
        for module in graph.modules
        if module.startswith(f"citybrain.{root}.")
    }
    strangers = {
        f"{module} -> {found}"
        for module in packs
        for found in graph.find_modules_directly_imported_by(module)
        if found.partition(".")[0] not in allowed and found.partition(".")[0] != "citybrain"
    }

    assert packs
    assert strangers == set()


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A row of the mission: what it is called, whether it works, and what proves it."""

    id: str
    title: str
    status: str
    proofs: list[str]


class Mission(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    row: list[Row]


def mission() -> list[Row]:
    text = (TREE / "docs" / "mission.toml").read_bytes()
    return msgspec.toml.decode(text, type=Mission).row


def test_every_row_of_the_mission_stands_there_once() -> None:
    assert sorted(row.id for row in mission()) == sorted(ROWS)


def test_a_row_that_works_has_proofs_and_one_that_does_not_says_so() -> None:
    rows = mission()

    assert {row.status for row in rows} <= {"works", "partial", "not yet"}
    assert [row.id for row in rows if row.status != "not yet" and not row.proofs] == []
    assert [row.id for row in rows if not row.title.strip()] == []


def test_every_proof_exists() -> None:
    assert [f"{row.id}: {proof}" for row in mission() for proof in row.proofs if not proved(proof)] == []


def proved(proof: str) -> bool:
    """Whether a file exists, and the test function (or class and method) named after ``::`` stands in it."""
    path, *names = proof.split("::")
    file = TREE / path
    if not file.is_file():
        return False
    text = file.read_text(encoding="utf-8")
    return all(
        re.search(rf"^\s*(?:async def|def|class) {re.escape(name.partition('[')[0])}\b", text, re.MULTILINE) for name in names
    )


@pytest.mark.parametrize(
    ("proof", "stands"),
    [
        ("tests/layout/test_house.py::test_every_proof_exists", True),
        ("tests/layout/test_house.py", True),
        ("tests/layout/test_house.py::test_nothing_of_the_kind", False),
        ("tests/layout/test_palace.py", False),
    ],
)
def test_a_proof_is_looked_for_in_its_file(*, proof: str, stands: bool) -> None:
    assert proved(proof) is stands
