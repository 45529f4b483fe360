"""What the commands do that know no district: those for writers of packs, and for a source tree."""

import argparse
from pathlib import Path

from citybrain.app import bundle as bundling
from citybrain.app import new_pack
from citybrain.app.programs import python
from citybrain.app.saying import say
from citybrain.kernel.errors import NotFoundError
from citybrain.kernel.text import Text

_TREE = Path(__file__).resolve().parents[3]


def new(given: argparse.Namespace) -> int:
    """Write a pack that already passes check."""
    title = Text(given.zh or given.en, given.en or given.zh) if given.zh or given.en else None
    for line in new_pack.write(Path.cwd(), given.path, title):
        say(line)
    return 0


def bundle(given: argparse.Namespace) -> int:
    """Write the offline bundle of a source tree, and say what it is."""
    made = bundling.bundle(Path.cwd(), given.folder, given.key)
    say(f"{made} ({made.stat().st_size / 1e6:.0f} MB)")
    return 0


def bench(given: argparse.Namespace) -> int:
    """Measure, with the programs of the source tree; raises NotFoundError where they are not."""
    if not (_TREE / "bench").is_dir():
        what = Text(
            "测速程序只在源码目录中。请在源码目录运行 make bench。", "The benchmarks live in the source tree: run make bench there."
        )
        raise NotFoundError(what)
    return python(("-m", "bench", *(("--quick",) if given.quick else ())), _TREE)
