"""Where and when the test data is: the shipped extract and its years, and the shared folder that need not be there."""

import os
from datetime import date
from pathlib import Path

import pytest

from citybrain.sdk import midnight

ROOT = Path(__file__).parents[4]
EXTRACT = ROOT / "data" / "air" / "beijing_2013_2016.parquet"
START, SPLIT, END = midnight(date(2013, 3, 1)), midnight(date(2015, 3, 1)), midnight(date(2016, 3, 1))
"""The extract's span; models learn before SPLIT and are judged after it."""


def shared_file(name: str) -> Path:
    """A file of the shared folder (CITYBRAIN_SHARED, or beside the repository); skips the test when it is absent."""
    file = Path(os.environ.get("CITYBRAIN_SHARED", ROOT.parent / "shared")) / name
    if not file.exists():
        pytest.skip(f"{name} is not here: set CITYBRAIN_SHARED to the shared folder.")
    return file
