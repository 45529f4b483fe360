"""Files by content: ``ab/<sha256>`` in a folder, synced to the disk before their reference is given."""

import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from citybrain.engines.space import FreeSpace, room
from citybrain.engines.syncing import sync
from citybrain.kernel.errors import BadInputError, NotFoundError, TooLargeError
from citybrain.kernel.text import Text

LARGEST = 64 * 1024 * 1024
"""Bytes of the largest file."""
_PIECE = 1024 * 1024
_REFERENCE = re.compile(r"[0-9a-f]{64}\.[a-z0-9][a-z0-9.+-]{0,59}\.[a-z0-9][a-z0-9.+-]{0,59}")
_KIND = re.compile(r"[a-z0-9][a-z0-9.+-]{0,59}/[a-z0-9][a-z0-9.+-]{0,59}")


class FolderFiles:
    """The Files port in a folder. A reference is the SHA-256 and the media type: ``<hex>.image.jpeg``."""

    def __init__(self, folder: Path, space: FreeSpace | None = None, largest: int = LARGEST) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._space = space or FreeSpace(folder)
        self._largest = largest

    def put(self, stream: BinaryIO, kind: str) -> str:
        """Store bytes of a media type (``image/jpeg``); the same content gives the same reference.

        Raises BadInputError for a media type that is none, TooLargeError, StorageFullError.
        """
        if _KIND.fullmatch(kind) is None:
            raise BadInputError(Text(f"“{kind}”不是媒体类型。", f"'{kind}' is no media type. Write it like image/jpeg."), kind=kind)
        self._space.check()
        with room(), _temporary(self._folder) as (file, path):
            digest = self._copy(stream, file)
            target = self._path(digest)
            if not target.exists():
                target.parent.mkdir(exist_ok=True)
                path.rename(target)
                sync(target.parent)
                sync(self._folder)
        return f"{digest}.{kind.replace('/', '.', 1)}"

    def open(self, reference: str) -> BinaryIO:
        """Read a file; raises NotFoundError."""
        missing = Text(f"没有文件“{reference}”。", f"There is no file '{reference}'.")
        if _REFERENCE.fullmatch(reference) is None:
            raise NotFoundError(missing)
        try:
            return self._path(reference[:64]).open("rb")
        except FileNotFoundError:
            raise NotFoundError(missing) from None

    def remove(self, reference: str) -> None:
        """Delete a file for good; harmless for one that is gone. Whoever asks knows that nothing else refers to it."""
        if _REFERENCE.fullmatch(reference) is not None:
            target = self._path(reference[:64])
            target.unlink(missing_ok=True)
            if target.parent.exists():
                sync(target.parent)

    def _copy(self, stream: BinaryIO, file: BinaryIO) -> str:
        digest, size = hashlib.sha256(), 0
        while piece := stream.read(_PIECE):
            size += len(piece)
            if size > self._largest:
                mebibytes = self._largest // _PIECE
                what = Text(f"文件超过 {mebibytes} MiB。", f"The file is over {mebibytes} MiB. Send a smaller one.")
                raise TooLargeError(what, limit=self._largest)
            digest.update(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
        return digest.hexdigest()

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / digest


@contextmanager
def _temporary(folder: Path) -> Iterator[tuple[BinaryIO, Path]]:
    """A file beside the stored ones, gone afterwards unless it was renamed."""
    handle, name = tempfile.mkstemp(dir=folder, suffix=".part")
    path = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file, path
    finally:
        path.unlink(missing_ok=True)
