"""Engines that tests of this folder share: a server that speaks Spark Connect, an S3 API, and reading over every engine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from citybrain.engines.duckdb import DuckFile, DuckSeries
from citybrain.engines.objects import ObjectStore
from citybrain.engines.spark import SparkSeries
from tests.engines.servers import KEYS, s3, sail
from tests.engines.world import Reading


@pytest.fixture(scope="session")
def buckets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A folder of buckets, and the host and port of its S3 API."""
    folder = tmp_path_factory.mktemp("buckets")
    with s3(folder) as host:
        yield folder, host


@pytest.fixture
def bucket(buckets: tuple[Path, str]) -> str:
    """The URL of an empty bucket."""
    folder, host = buckets
    name = f"bucket-{len(list(folder.iterdir()))}"
    (folder / name).mkdir()
    return f"s3://{KEYS['AWS_ACCESS_KEY_ID']}:{KEYS['AWS_SECRET_ACCESS_KEY']}@{name}?endpoint_override={host}&scheme=http&region=us-east-1"


@pytest.fixture(scope="session")
def spark_url(buckets: tuple[Path, str]) -> Iterator[str]:
    """Sail, which reads folders and the buckets."""
    with sail(environment={**KEYS, "AWS_ENDPOINT": f"http://{buckets[1]}", "AWS_ALLOW_HTTP": "true"}) as (url, _):
        yield url


@pytest.fixture(params=["duckdb", "spark"])
def reading(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Reading]:
    """An empty series with its readers: its owner, or Spark over what the owner has shipped."""
    store = ObjectStore((tmp_path / "objects").as_uri())
    file = DuckFile(tmp_path / "series")
    owner = DuckSeries(file, store=store)
    if request.param == "duckdb":
        yield Reading(owner, owner)
    else:
        reader = SparkSeries(request.getfixturevalue("spark_url"), store, owner)
        yield Reading(owner, reader)
        reader.close()
    owner.close()
    file.close()
