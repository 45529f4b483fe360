"""One suite over a folder and an S3 API: what is put is there whole, what is removed is gone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from citybrain.engines.objects import ObjectStore
from citybrain.kernel.errors import BusyError

LONG = bytes(range(256)) * 50_000
"""More than is sent in one piece."""


@pytest.fixture(params=["folder", "bucket"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return (tmp_path / "objects").as_uri() if request.param == "folder" else str(request.getfixturevalue("bucket"))


@pytest.fixture
def store(url: str) -> ObjectStore:
    return ObjectStore(url)


@pytest.fixture
def written(tmp_path: Path) -> Iterator[Path]:
    """A local file; it is as it was at the end."""
    path = tmp_path / "local.parquet"
    path.write_bytes(LONG)
    yield path
    assert path.read_bytes() == LONG


def test_an_empty_store_has_no_names(store: ObjectStore) -> None:
    assert store.names() == {}


def test_what_is_put_is_there_under_its_name_with_its_size(store: ObjectStore, written: Path, url: str) -> None:
    store.put(written, "a.parquet")
    store.put(written, "b.parquet")
    assert store.names() == {"a.parquet": len(LONG), "b.parquet": len(LONG)}
    again = ObjectStore(url)
    assert again.names() == store.names()
    assert again.address == store.address


def test_a_second_put_under_a_name_replaces_the_first(store: ObjectStore, written: Path, tmp_path: Path) -> None:
    store.put(written, "a.parquet")
    (tmp_path / "other").write_bytes(b"short")
    store.put(tmp_path / "other", "a.parquet")
    assert store.names() == {"a.parquet": 5}


def test_what_is_removed_is_gone_and_a_second_time_is_harmless(store: ObjectStore, written: Path) -> None:
    store.put(written, "a.parquet")
    store.put(written, "b.parquet")
    store.remove("a.parquet")
    store.remove("a.parquet")
    assert list(store.names()) == ["b.parquet"]


def test_a_local_file_that_is_not_there_leaves_nothing(store: ObjectStore, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        store.put(tmp_path / "nothing", "a.parquet")
    assert store.names() == {}


def test_a_prefix_of_a_bucket_is_a_store_of_its_own(bucket: str, written: Path) -> None:
    place, _, options = bucket.partition("?")
    store = ObjectStore(f"{place}/series/2026?{options}")
    store.put(written, "a.parquet")
    assert store.names() == {"a.parquet": len(LONG)}
    assert ObjectStore(bucket).names() == {}
    assert store.folder.endswith("/series/2026")


def test_a_bucket_that_is_not_there_is_said_not_to_answer(bucket: str, written: Path) -> None:
    store = ObjectStore(bucket.replace("@", "@no-"))
    with pytest.raises(BusyError, match="object store does not answer"):
        store.put(written, "a.parquet")


def test_the_address_tells_stores_apart_and_holds_no_key() -> None:
    options = "scheme=http&region=cn-north-1"
    one = ObjectStore(f"s3://key:secret@city/series?endpoint_override=10.0.0.1:9000&{options}")
    other = ObjectStore(f"s3://key:secret@city/series?endpoint_override=10.0.0.2:9000&{options}")
    assert one.address == "s3://city/series at 10.0.0.1:9000"
    assert other.address != one.address
    assert one.folder == other.folder == "s3a://city/series"


@pytest.mark.parametrize("url", ["ftp://host/folder", "/srv/series", "file:///a b"])
def test_a_url_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"Object storage is|Cannot parse"):
        ObjectStore(url)
