"""Assets: plain names become hashed addresses, and a missing build is no error."""

from pathlib import Path

from citybrain.web import assets


def test_names_become_addresses(tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.json"
    manifest.write_text('{"main.js": "main-8F3A.js"}', encoding="utf-8")
    assert assets.read(manifest) == {"main.js": "/static/build/main-8F3A.js"}


def test_without_a_build_there_are_no_addresses(tmp_path: Path) -> None:
    assert assets.read(tmp_path / "manifest.json") == {}
