"""Writes docs/reference from the code: ``python -m docs.reference [folder]``. Performance is written by the benchmarks."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from docs.sheets import api, cli, datasets, errors, mission, nouns, packs, roles, settings

FOLDER = Path(__file__).with_name("reference")
PAGES: Mapping[str, Callable[[], str]] = {
    "mission.md": mission.page,
    "settings.md": settings.page,
    "errors.md": errors.page,
    "nouns.md": nouns.page,
    "packs.md": packs.page,
    "datasets.md": datasets.page,
    "roles.md": roles.page,
    "api.md": api.page,
    "cli.md": cli.page,
}
"""Every generated page by its file name."""


def write(folder: Path) -> tuple[Path, ...]:
    """Write every page into a folder; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, page in PAGES.items():
        file = folder / name
        file.write_text(page(), encoding="utf-8")
        written.append(file)
    return tuple(written)


if __name__ == "__main__":
    for path in write(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER):
        print(path)
