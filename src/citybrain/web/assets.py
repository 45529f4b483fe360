"""Assets: the content-hashed files of the front-end build, by their plain names."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

STATIC = Path(__file__).parent / "static"
"""The folder that the program serves at ``/static``."""
_MANIFEST = STATIC / "build" / "manifest.json"


def read(manifest: Path = _MANIFEST) -> Mapping[str, str]:
    """Plain name to address, such as ``main.js`` to ``/static/build/main-8F3A.js``; empty where nothing was built."""
    if not manifest.exists():
        return {}
    files = msgspec.json.decode(manifest.read_bytes(), type=dict[str, str])
    return {name: f"/static/build/{file}" for name, file in files.items()}
