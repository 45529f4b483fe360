"""The front-end build: what it promises about size, names, letters and outside addresses."""

import gzip
import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from citybrain.web import assets

ROOT = Path(__file__).parents[2]
BUILD = assets.STATIC / "build"
built = pytest.mark.skipif(not (BUILD / "manifest.json").exists(), reason="the front end is not built here: run make web")


def hook() -> ModuleType:
    """The build hook, which lies outside every package."""
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def zipped(files: list[Path]) -> int:
    """Bytes of some files after gzip."""
    return sum(len(gzip.compress(file.read_bytes(), 6)) for file in files)


@built
def test_the_script_of_every_page_is_small() -> None:
    scripts = [file for file in BUILD.glob("*.js") if not file.name.startswith(("cb-map", "cb-chart"))]
    assert scripts
    assert zipped(scripts) < 60_000


@built
def test_a_page_with_map_and_chart_stays_below_a_megabyte() -> None:
    assert zipped([*BUILD.glob("*.js"), *BUILD.glob("*.css"), *BUILD.rglob("*.mjs")]) < 1_000_000


@built
def test_every_file_of_the_manifest_exists_and_bears_a_hash() -> None:
    for name, address in assets.read().items():
        file = BUILD / Path(address).name
        assert file.is_file(), name
        assert re.search(r"-[0-9A-Z]{8}\.", file.name)


@built
def test_the_workers_of_the_map_lie_beside_it() -> None:
    folder = next(BUILD.glob("maplibre-*"))
    assert {file.name for file in folder.iterdir()} == {"maplibre-gl.mjs", "maplibre-gl-worker.mjs"}
    script = next(BUILD.glob("cb-map-*.js")).read_text(encoding="utf-8")
    assert f'from"./{folder.name}/maplibre-gl.mjs"' in script


@built
def test_rare_letters_are_served_by_a_file_of_ours_with_its_licence() -> None:
    style = next(BUILD.glob("main-*.css")).read_text(encoding="utf-8")
    ranges = [tuple(int(part, 16) for part in found) for found in re.findall(r"U\+([0-9A-F]+)-([0-9A-F]+)", style.upper())]
    for letter in "䶮𠅤":
        assert any(first <= ord(letter) <= last for first, last in ranges)
    assert "SIL OPEN FONT LICENSE" in (BUILD / "licences" / "lxgw-wenkai.txt").read_text(encoding="utf-8")


@built
def test_our_own_script_and_style_name_no_outside_address() -> None:
    for file in [*BUILD.glob("main-*"), *BUILD.glob("cb-map-*"), *BUILD.glob("chunk-*"), *BUILD.glob("*.css")]:
        assert re.findall(r"https?://(?!www\.w3\.org)", file.read_text(encoding="utf-8")) == [], file.name


@pytest.mark.parametrize(
    "file", [*sorted((ROOT / "web").glob("css/*.css")), ROOT / "web" / "tokens.css"], ids=lambda file: file.name
)
def test_our_style_stays_above_no_floor_of_old_browsers(file: Path) -> None:
    """Chromium 78 knows no flex gap, inset, :is(), clamp(), aspect-ratio, logical margins; a style that needs them breaks there silently."""
    text = re.sub(r"/\*.*?\*/", "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
    newer = r"(?<!grid-)(?<!column-)\bgap:|\binset:|:is\(|:where\(|:has\(|\bclamp\(|\b(?:min|max)\(|aspect-ratio:|(?:margin|padding)-(?:inline|block)|color-mix\(|@layer|@container"
    assert re.findall(newer, text) == []


def test_the_lock_file_names_no_registry_address() -> None:
    lock = (ROOT / "web" / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock
    assert '"integrity"' in lock


def test_a_changed_input_changes_the_hash_and_a_test_file_does_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build = hook()
    monkeypatch.setattr(build, "WEB", tmp_path)
    (tmp_path / "a.ts").write_text("one", encoding="utf-8")
    before = build.inputs_hash()
    (tmp_path / "a.test.ts").write_text("test", encoding="utf-8")
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "b.js").write_text("b", encoding="utf-8")
    assert build.inputs_hash() == before
    (tmp_path / "a.ts").write_text("two", encoding="utf-8")
    assert build.inputs_hash() != before


def test_a_failing_step_says_what_the_tool_said() -> None:
    build = hook()
    node, npm = build.tools()
    assert Path(npm[-1]).exists()
    with pytest.raises(RuntimeError, match="no such words"):
        build.run([node, "-e", "console.error('no such words'); process.exit(1)"])
