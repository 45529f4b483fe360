"""Ships a series to a folder and kills itself on the way; run by the tests: ``python -m … folder how``."""

import os
import signal
import sys
from pathlib import Path

from citybrain.engines.duckdb import DuckFile, DuckSeries
from citybrain.engines.objects import ObjectStore


class Fatal(ObjectStore):
    """A store during whose second put, or first removal, the process is killed."""

    how = ""
    puts = 0

    def put(self, path: Path, name: str) -> None:
        """Put, and be killed before or after the second one."""
        self.puts += 1
        if self.how == "before" and self.puts == 2:
            _die()
        super().put(path, name)
        if self.how == "after" and self.puts == 2:
            _die()

    def remove(self, name: str) -> None:
        """Remove, and be killed after it."""
        super().remove(name)
        if self.how == "removed":
            _die()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    store = Fatal((Path(sys.argv[1]) / "objects").as_uri())
    store.how = sys.argv[2]
    DuckSeries(DuckFile(Path(sys.argv[1]) / "series"), store=store).ship()
