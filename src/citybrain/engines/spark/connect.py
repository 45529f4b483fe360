"""The connection to Spark: a session that is begun anew when it is lost. pyspark is imported here alone."""

import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import grpc
import pyarrow as pa
import structlog

from citybrain.kernel.errors import BusyError
from citybrain.kernel.text import Text


@contextmanager
def _with_a_file() -> Iterator[None]:
    """A program without a file (``python -c``, a worker of pytest) pyspark takes for its own doctests and ends: here it has one."""
    main = vars(sys.modules["__main__"])
    bare = "__file__" not in main
    if bare:
        main["__file__"] = ""
    try:
        yield
    finally:
        if bare:
            del main["__file__"]


with warnings.catch_warnings(), _with_a_file():
    # Said of pandas 3 when it is imported; no table here passes through pandas.
    warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
    from pyspark.errors import PySparkException
    from pyspark.sql.connect.client import DefaultChannelBuilder
    from pyspark.sql.connect.dataframe import DataFrame
    from pyspark.sql.connect.session import SparkSession

__all__ = ["Connect", "DataFrame", "LostError", "SparkSession"]

_FAILURES = (PySparkException, grpc.RpcError, ValueError)
"""What a question fails with; ValueError is what gRPC says of a channel that was closed for another question."""
_CHANNEL = [("grpc.use_local_subchannel_pool", 1), ("grpc.keepalive_time_ms", 20_000)]
"""A new session connects at once, though the one before it still waits to try again; a line that went dead is noticed."""
QUESTIONS = 8
"""Questions that Spark is asked at a time; others wait within their patience."""
_AGAIN = 30
"""Seconds after which a question that took too long is worth another try."""
_log = structlog.get_logger(__name__)


class LostError(Exception):
    """A question has failed, and its session was given up; the next question begins another."""


class Connect:
    """Questions to a Spark Connect server (``sc://host:port/;…``), each answered within ``patience`` seconds or not at all."""

    def __init__(self, url: str, patience: float) -> None:
        self._url = url
        self._patience = patience
        self._lock = threading.Lock()
        self._session: SparkSession | None = None
        self._pool = ThreadPoolExecutor(QUESTIONS, thread_name_prefix="spark")

    def ask(self, work: Callable[[SparkSession], pa.Table]) -> pa.Table:
        """What a question comes to, on the session that all share; raises LostError, and BusyError when it takes too long."""
        session = self._open()
        try:
            return self._pool.submit(work, session).result(self._patience)
        except _FAILURES as error:
            self._give_up(session)
            _log.warning("spark_session_lost", error=str(error)[:500])
            raise LostError from error
        except TimeoutError as error:
            self._give_up(session)
            what = Text(
                f"历史数据查询超过 {self._patience:.0f} 秒，已停止。请缩短时段或减少监测项后重试。",
                f"The question to the history took over {self._patience:.0f} s and was stopped. Ask for less time or fewer streams.",
            )
            raise BusyError(what, retry_after=_AGAIN) from error

    def close(self) -> None:
        """End the session, if there is one, and whoever waits for it."""
        with self._lock:
            session, self._session = self._session, None
        if session is not None:
            session.stop()
        self._pool.shutdown(cancel_futures=True)

    def _open(self) -> SparkSession:
        with self._lock:
            if self._session is None:
                self._session = SparkSession.builder.channelBuilder(DefaultChannelBuilder(self._url, _CHANNEL)).create()
                # It would go on trying for ten minutes; here a question is asked once more, on a new session.
                self._session.client.set_retry_policies([])
            return self._session

    def _give_up(self, session: SparkSession) -> None:
        with self._lock:
            if self._session is session:
                self._session = None
        threading.Thread(target=_end, args=(session,), name="spark-end", daemon=True).start()


def _end(session: SparkSession) -> None:
    """Stop what a session still works on, as far as its server answers, and whoever waits for it."""
    with suppress(*_FAILURES):
        session.interruptAll()
    session.client.close()
