"""Files by content."""

import hashlib
import io
from pathlib import Path

import pytest

from citybrain.engines.files import FolderFiles
from citybrain.engines.space import FreeSpace
from citybrain.kernel.errors import BadInputError, NotFoundError, StorageFullError, TooLargeError


def test_what_is_put_can_be_read_by_its_reference(tmp_path: Path) -> None:
    files = FolderFiles(tmp_path / "files")
    content = bytes(range(256)) * 9_000
    reference = files.put(io.BytesIO(content), "image/jpeg")
    assert reference == f"{hashlib.sha256(content).hexdigest()}.image.jpeg"
    with FolderFiles(tmp_path / "files").open(reference) as file:
        assert file.read() == content


def test_the_same_content_is_kept_once_and_nothing_half_written_stays(tmp_path: Path) -> None:
    files = FolderFiles(tmp_path, largest=10)
    assert files.put(io.BytesIO(b"same"), "text/plain") == files.put(io.BytesIO(b"same"), "text/plain")
    with pytest.raises(TooLargeError):
        files.put(io.BytesIO(b"much too long"), "text/plain")
    digest = hashlib.sha256(b"same").hexdigest()
    assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()] == [f"{digest[:2]}/{digest}"]


@pytest.mark.parametrize("reference", ["", "../../etc/passwd", "0" * 64 + ".text.plain", "0" * 64 + ".text.plain/../../x"])
def test_a_reference_that_is_none_is_not_found(tmp_path: Path, reference: str) -> None:
    with pytest.raises(NotFoundError):
        FolderFiles(tmp_path).open(reference)


def test_a_media_type_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInputError):
        FolderFiles(tmp_path).put(io.BytesIO(b"x"), "../x")


def test_below_the_low_water_mark_nothing_is_stored(tmp_path: Path) -> None:
    with pytest.raises(StorageFullError):
        FolderFiles(tmp_path, FreeSpace(tmp_path, 500, lambda _: 499)).put(io.BytesIO(b"x"), "text/plain")
