"""Object storage: whole files under plain names, in a folder (``file://``) or a bucket (``s3://``)."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from pyarrow import fs

from citybrain.engines.space import room
from citybrain.engines.syncing import sync
from citybrain.kernel.errors import BusyError
from citybrain.kernel.text import Text

_PART = ".part"
_AGAIN = 30
"""Seconds after which a store that did not answer is worth another try."""


class ObjectStore:
    """A folder or a prefix of a bucket that belongs to one program.

    ``file:///srv/series`` or ``s3://bucket/prefix?region=…&endpoint_override=host:port&scheme=http``; the key and its secret come from
    where AWS clients look for them (environment, profile, role), or stand before the bucket as ``key:secret@``.
    Raises ValueError for a URL of another kind; every call raises BusyError while the store does not answer.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("file", "s3"):
            message = f"Object storage is file:///folder or s3://bucket/prefix, not '{parts.scheme}://'."
            raise ValueError(message)
        self._fs, path = fs.FileSystem.from_uri(url)
        self._root = path.rstrip("/")
        self._folder = Path(self._root) if parts.scheme == "file" else None
        where = "".join(f" at {host}" for host in parse_qs(parts.query).get("endpoint_override", ()))
        self.address = f"s3://{self._root}{where}" if self._folder is None else self._folder.as_uri()
        """Which store this is, without keys; another address is another store."""
        self.folder = f"s3a://{self._root}" if self._folder is None else self._folder.as_uri()
        """The address as Spark reads it."""

    def put(self, path: Path, name: str) -> None:
        """Bring in a local file under a name: whole when it can be seen, in a folder also durable. Raises StorageFullError."""
        target = f"{self._root}/{name}"
        with _answering(), room():
            if self._folder is None:
                _copy(path, self._fs, target)
            else:
                self._folder.mkdir(parents=True, exist_ok=True)
                _copy(path, self._fs, target + _PART)
                sync(Path(target + _PART))
                Path(target + _PART).rename(target)
                sync(self._folder)

    def remove(self, name: str) -> None:
        """Delete a file for good; harmless for one that is gone."""
        with _answering():
            try:
                self._fs.delete_file(f"{self._root}/{name}")
            except FileNotFoundError:
                return
            if self._folder is not None:
                sync(self._folder)

    def names(self) -> dict[str, int]:
        """The files that are there with their sizes in bytes; one that was left half-written ends in ``.part``."""
        with _answering():
            found = self._fs.get_file_info(fs.FileSelector(self._root, allow_not_found=True))
        return {info.base_name: info.size for info in found if info.type == fs.FileType.File}


def _copy(path: Path, there: fs.FileSystem, target: str) -> None:
    fs.copy_files(str(path), target, source_filesystem=fs.LocalFileSystem(), destination_filesystem=there, use_threads=False)


@contextmanager
def _answering() -> Iterator[None]:
    """Within: an error of the store says that it does not answer; a local file that is not there stays that."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        what = Text("对象存储没有应答，稍后会再试。", "The object store does not answer. It is tried again later.")
        raise BusyError(what, retry_after=_AGAIN) from error
