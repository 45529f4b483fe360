"""The docs are whole: the reference is what the code says, links lead somewhere, decisions have their form, everything that must be told is told."""

import re
from pathlib import Path

import pytest

from citybrain.app.packs import installed
from docs.reference import FOLDER, PAGES, write
from docs.sheets import cli, errors, mission
from docs.sheets.markdown import MADE
from tests.docs.examples import PAGES as FILES
from tests.docs.examples import TREE

DECISIONS = sorted((TREE / "docs" / "explanation" / "decisions").glob("*.md"))
SOURCES = [*(TREE / "src").rglob("*.py"), *(TREE / "src").rglob("*.cedar"), *(TREE / "web" / "src").rglob("*.ts")]


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reference")
    write(folder)
    return folder


@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_the_reference_is_what_the_code_says(*, fresh: Path, name: str) -> None:
    kept = (FOLDER / name).read_text(encoding="utf-8")

    assert kept == (fresh / name).read_text(encoding="utf-8"), "run python -m docs.reference"
    assert kept.startswith(MADE)


def test_every_error_code_has_its_heading() -> None:
    words = (FOLDER / "errors.md").read_text(encoding="utf-8")

    for code in (
        "not_found",
        "bad_input",
        "forbidden",
        "refused_move",
        "stale",
        "busy",
        "storage_full",
        "bad_declaration",
        "internal",
    ):
        assert f"\n## {code}\n" in words


def test_every_reason_for_which_rows_are_refused_is_told_in_both_languages() -> None:
    found = errors.refused()

    assert [code for code, why in found.items() if not re.search("[一-鿿]", why.zh) or re.search("[一-鿿]", why.en)] == []
    assert {"unknown_stream", "bad_row", "bad_time", "bad_said", "bad_feature", "too_many_words"} < found.keys()


def test_every_row_of_the_mission_that_has_begun_says_what_works_and_what_lacks() -> None:
    begun = [row.id for row in mission.rows() if row.status != "not yet"]

    assert sorted(mission.words()) == sorted(begun)


def test_every_command_and_every_rule_is_told() -> None:
    commands, packs = ((FOLDER / name).read_text(encoding="utf-8") for name in ("cli.md", "packs.md"))

    assert [name for name in cli.commands() if f"## citybrain {name}\n" not in commands] == []
    assert [rule.name for pack in installed() for rule in pack.rules if f"#### {pack.name}.{rule.name}\n" not in packs] == []


@pytest.mark.parametrize("page", FILES, ids=lambda page: page.relative_to(TREE).as_posix())
def test_every_link_leads_somewhere(page: Path) -> None:
    without_code = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    targets = (target for target in re.findall(r"\]\(([^)\s]+)\)", without_code) if not re.match(r"[a-z]+:", target))
    split = (target.partition("#") for target in targets)

    assert [f"{path}#{heading}" for path, _, heading in split if not leads(page, path, heading)] == []


def leads(page: Path, path: str, heading: str) -> bool:
    """Whether a file or folder is there, and the heading in it."""
    target = (page.parent / path).resolve() if path else page
    if not target.exists():
        return False
    return not heading or f"## {heading}\n" in target.read_text(encoding="utf-8")


def test_the_readme_is_short() -> None:
    assert len((TREE / "README.md").read_text(encoding="utf-8").splitlines()) < 120


def test_decisions_are_numbered_without_a_gap() -> None:
    assert [page.name[:4] for page in DECISIONS] == [f"{number:04}" for number in range(1, len(DECISIONS) + 1)]
    assert len(DECISIONS) >= 5


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem)
def test_a_decision_has_number_date_status_and_what_it_costs(page: Path) -> None:
    words = page.read_text(encoding="utf-8")

    assert words.startswith(f"# {page.name[:4]} ")
    assert re.search(r"^- Date: 20\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$", words, re.MULTILINE)
    assert re.search(r"^- Status: (?:accepted|superseded by \[\d{4}\]\(.+\)|withdrawn)$", words, re.MULTILINE)
    assert [part for part in ("**Situation.**", "**Choice.**", "**Costs.**", "**Look again**") if part not in words] == []
    assert len(words.splitlines()) < 60


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem)
def test_what_obeys_a_decision_exists(page: Path) -> None:
    line = re.search(r"^- Obeyed by: (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)

    assert line is not None
    obeying = re.findall(r"`([^`]+)`", line[1])
    assert obeying
    assert [path for path in obeying if not (TREE / path).exists()] == []


def test_decisions_that_the_code_names_exist() -> None:
    numbers = {page.name[:4] for page in DECISIONS}
    named = {found for file in SOURCES for found in re.findall(r"decisions/(\d{4})", file.read_text(encoding="utf-8"))}

    assert named <= numbers


def test_every_version_of_the_changelog_has_its_date_and_its_readers() -> None:
    words = (TREE / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = re.findall(r"^## (\d+\.\d+\.\d+) - (\d{4}-\d{2}-\d{2})$", words, re.MULTILINE)
    present = re.search(r'^version = "([^"]+)"', (TREE / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)

    assert present is not None
    assert present[1] in [version for version, _ in versions]
    assert [reader for reader in ("Operators", "Pack authors", "Developers") if f"· {reader}\n" not in words] == []


def test_pages_name_no_outside_registry_and_no_path_of_a_machine() -> None:
    astray = [
        f"{page.relative_to(TREE)}: {found}"
        for page in FILES
        for found in re.findall(r"(?:pypi\.|npmjs|/root/|/home/|/work/)\S*", page.read_text(encoding="utf-8"))
    ]

    assert astray == []
