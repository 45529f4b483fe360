"""Servers on loopback: Sail and Apache Spark, which speak Spark Connect, and an S3 API over a folder."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

import pytest

from bench.program import free_port
from tests.brokers import listens

KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1"}


@contextmanager
def started(
    port: int, command: Sequence[str], environment: Mapping[str, str] = MappingProxyType({}), seconds: float = 20
) -> Iterator[subprocess.Popen[bytes]]:
    """A process from when it listens; killed at the end."""
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, env={**os.environ, **environment}, stdout=quiet, stderr=quiet) as process:
        try:
            until = time.monotonic() + seconds
            while not listens(port):
                if process.poll() is not None or time.monotonic() > until:
                    pytest.fail(f"{command[:5]} does not listen.")
                time.sleep(0.02)
            yield process
        finally:
            process.kill()


@contextmanager
def sail(port: int = 0, environment: Mapping[str, str] = MappingProxyType({})) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A Sail server: its address, and its process."""
    pytest.importorskip("pysail", reason="Sail stands in for Spark; it has no wheel for this machine")
    port = port or free_port()
    command = [sys.executable, "-m", "pysail", "spark", "server", "--ip", "127.0.0.1", "--port", str(port)]
    with started(port, command, environment) as process:
        yield f"sc://127.0.0.1:{port}", process


@contextmanager
def spark(home: Path) -> Iterator[str]:
    """Apache Spark with two executors, each a process of its own: the address of its Spark Connect server."""
    port = free_port()
    settings = {
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": str(port),
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.sql.shuffle.partitions": "4",
        "spark.ui.enabled": "false",
    }
    command = [str(home / "bin" / "spark-submit"), "--master", "local-cluster[2,1,1024]"]
    command += ["--class", "org.apache.spark.sql.connect.service.SparkConnectServer"]
    command += [word for name, value in settings.items() for word in ("--conf", f"{name}={value}")]
    with started(port, [*command, "spark-internal"], {"SPARK_HOME": str(home)}, 180):
        yield f"sc://127.0.0.1:{port}"


@contextmanager
def s3(folder: Path) -> Iterator[str]:
    """An S3 API; every folder in the folder is a bucket. Its host and port."""
    port = free_port()
    with started(port, [sys.executable, "-m", "localbucket", str(folder), "--port", str(port)]):
        yield f"127.0.0.1:{port}"
