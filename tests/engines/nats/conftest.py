"""A NATS server for the tests of this folder."""

from collections.abc import Iterator

import pytest

from bench.program import free_port
from tests import several


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    with several.nats(tmp_path_factory.mktemp("nats"), port):
        yield f"nats://127.0.0.1:{port}"
