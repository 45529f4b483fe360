"""Lighthouse over the demo's pages: accessibility and performance as its users' machines would judge them."""

import json
import os
import subprocess
import tempfile
from pathlib import Path

import hatch_build
from bench import demo, machine

HERE = Path(__file__).parent / "lighthouse"
PAGES = {"/": "leader", "/desk": "dispatcher", "/data": "admin"}
"""Pages, and who asks for them."""
_WANTED = {"accessibility": 98, "performance": 90}


def measure() -> list[str]:
    """Start the demo, judge each page once it is warm; returns the lines of the report."""
    chromium = machine.chromium()
    if chromium is None:
        return ["| Lighthouse | not run: there is no Chromium on this machine | |"]
    node, npm = hatch_build.tools()
    subprocess.run([*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], cwd=HERE, check=True)
    lines: list[str] = []
    with demo.fresh() as (_, port):
        for path, login in PAGES.items():
            scores = _judged(
                node,
                chromium,
                f"http://127.0.0.1:{port}{path}",
                "; ".join(f"{each.name}={each.value}" for each in demo.cookies(port, login)),
            )
            lines += [
                f"| Lighthouse {what} of `{path}` | {scores[what]:.0f} | at least {least} |" for what, least in _WANTED.items()
            ]
    return lines


def _judged(node: str, chromium: str, address: str, cookie: str) -> dict[str, float]:
    """Scores from 0 to 100 by category."""
    with tempfile.TemporaryDirectory() as folder:
        report, headers = Path(folder) / "report.json", Path(folder) / "headers.json"
        headers.write_text(json.dumps({"Cookie": cookie}), encoding="utf-8")
        command = [node, str(HERE / "node_modules" / "lighthouse" / "cli" / "index.js"), address, "--quiet", "--preset=desktop"]
        command += [
            "--output=json",
            f"--output-path={report}",
            f"--extra-headers={headers}",
            f"--only-categories={','.join(_WANTED)}",
        ]
        command += ["--chrome-flags=--headless=new --no-sandbox --disable-dev-shm-usage"]
        subprocess.run(command, check=True, env={**os.environ, "CHROME_PATH": chromium}, capture_output=True)
        categories = json.loads(report.read_text(encoding="utf-8"))["categories"]
    return {name: 100 * category["score"] for name, category in categories.items()}


def main() -> None:
    """Print the scores."""
    print(machine.about(0))
    print("\n".join(measure()))


if __name__ == "__main__":
    main()
