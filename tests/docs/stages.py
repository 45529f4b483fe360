"""The folders in which examples of the docs run: an empty one, a district that has begun, the running demo, a copy of the source tree."""

import os
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from textwrap import indent

import shapely

from bench.program import free_port
from citybrain.app.settings import Settings
from citybrain.app.stores import opened
from citybrain.brain.observe import AreaBook
from citybrain.kernel.places import Area
from citybrain.kernel.text import same
from tests import lived
from tests.docs.examples import EDITS, TREE, Example

_GROUND = "POLYGON((117.1 39.1, 117.2 39.1, 117.2 39.2, 117.1 39.2, 117.1 39.1))"
_PATIENCE = 110


@dataclass(frozen=True)
class Stage:
    """A folder with what the words of examples are to be read as there (ports, secrets), and the environment of what runs."""

    folder: Path
    read_as: Mapping[str, str]
    environment: Mapping[str, str]

    def play(self, example: Example) -> str:
        """Do what an example says; returns what it printed. Raises AssertionError with its words when it fails."""
        if example.verb in EDITS:
            return self._written(example)
        text = example.text
        for word, meant in self.read_as.items():
            text = text.replace(word, meant)
        command = ["bash", "-euo", "pipefail", "-c", text] if example.language == "bash" else [sys.executable, "-c", text]
        done = subprocess.run(
            command,
            cwd=self.folder,
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
        assert done.returncode == 0, f"{example.page}:\n{text}\n{done.stdout}\n{done.stderr}"
        self._installed()
        return done.stdout

    def _written(self, example: Example) -> str:
        _, path, *where = example.words.split(maxsplit=2)
        file = self.folder / path
        if example.verb == "write":
            assert not file.exists(), f"{example.page}: {path} is there already"
            file.write_text(example.text, encoding="utf-8")
            return ""
        old = file.read_text(encoding="utf-8")
        if example.verb == "append":
            file.write_text(f"{old}\n{example.text}", encoding="utf-8")
            return ""
        line = where[0].partition(" ")[2].strip("`")
        assert old.count(line) == 1, f"{example.page}: '{line}' stands {old.count(line)} times in {path}"
        kept = f"{line}\n" if example.verb == "insert" else ""
        file.write_text(old.replace(line, f"{kept}{_like(line, example.text)}"), encoding="utf-8")
        return ""

    def _installed(self) -> None:
        """What an installation does with the entry points of a source tree: write them where the import system looks."""
        project = self.folder / "pyproject.toml"
        if not project.exists():
            return
        packs = tomllib.loads(project.read_text(encoding="utf-8"))["project"]["entry-points"]["citybrain.packs"]
        facts = self.folder / "src" / "citybrain-0.1.0.dist-info"
        facts.mkdir(exist_ok=True)
        (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: citybrain\nVersion: 0.1.0\n", encoding="utf-8")
        lines = ["[citybrain.packs]", *(f"{name} = {value}" for name, value in packs.items()), ""]
        (facts / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")


def _like(line: str, text: str) -> str:
    """The text in the place of a line's neighbour: as far to the right, and with a comma where that has one."""
    margin = " " * (len(line) - len(line.lstrip()))
    return indent(text.rstrip().removesuffix(","), margin) + ("," if line.endswith(",") else "")


def empty(folder: Path) -> Stage:
    """A folder with nothing but the virtual environment at hand."""
    (folder / ".venv").symlink_to(sys.prefix)
    return Stage(folder, {}, {})


def district(folder: Path) -> Stage:
    """A district that has begun: settings, schema, and one surveyed area."""
    (folder / "citybrain.toml").write_text('district = "120104"\ncase_prefix = "NK"\n', encoding="utf-8")
    ground = shapely.to_wkb(shapely.from_wkt(_GROUND))
    with opened(Settings(state=str(folder / "var")), upgrade=True) as stores:
        AreaBook(stores.transactions).put((Area("120104", "district", same("南开区"), None, ground, "surveyed"),))
    return empty(folder)


def tree(folder: Path) -> Stage:
    """A copy of the source tree, as much of it as packs need."""
    # What was compiled is taken along, and fits as long as a file is left as it is.
    skipped = shutil.ignore_patterns("static", "node_modules")
    shutil.copytree(TREE / "src", folder / "src", ignore=skipped)
    (folder / "tests").mkdir()
    (folder / "tests" / "__init__.py").write_text('"""Tests."""\n', encoding="utf-8")
    shutil.copy(TREE / "pyproject.toml", folder)
    found = empty(folder)
    return Stage(found.folder, {}, {"PYTHONPATH": str(folder / "src"), "PYTHONDONTWRITEBYTECODE": "1"})


@contextmanager
def demo(folder: Path) -> Iterator[Stage]:
    """The demo district, running; the ports and the device's secret of the docs are read as those of this one."""
    web, mqtt = (free_port() for _ in range(2))
    found = empty(folder)
    lived.copy(folder / "var", lived.today())
    command = [
        str(folder / ".venv" / "bin" / "citybrain"),
        "demo",
        "--port",
        str(web),
        "--mqtt-port",
        str(mqtt),
        "--hosts",
        "127.0.0.1",
    ]
    with (folder / "out").open("w", encoding="utf-8") as out, (folder / "err").open("w", encoding="utf-8") as err:
        program = subprocess.Popen(command, cwd=folder, stdout=out, stderr=err)
        try:
            _wait(program, folder)
            secret = (folder / "var" / "device.secret").read_text(encoding="ascii")
            yield Stage(
                folder,
                {"127.0.0.1:8000": f"127.0.0.1:{web}", "127.0.0.1:1883": f"127.0.0.1:{mqtt}", "TOKEN": secret},
                found.environment,
            )
        finally:
            program.terminate()
            program.wait(timeout=90)


def _wait(program: "subprocess.Popen[bytes]", folder: Path) -> None:
    until = time.monotonic() + 2 * _PATIENCE
    while "demo device" not in (folder / "out").read_text(encoding="utf-8"):
        assert program.poll() is None, (folder / "err").read_text(encoding="utf-8")[-3000:]
        assert time.monotonic() < until, "the demo did not start"
        time.sleep(0.2)
