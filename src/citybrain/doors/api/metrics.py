"""Numbers about the program itself for Prometheus: requests, door ledger, streams by life, queues; a registry of our own."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Middleware, Receive, Scope, Send
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from citybrain.doors.api.parts import ApiParts
from citybrain.kernel.errors import BusyError
from citybrain.kernel.observations import DoorAccount

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_BUCKETS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


class Metrics:
    """The registry of one running program."""

    def __init__(self, parts: ApiParts) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_House(parts))
        self._seconds = Histogram(
            "citybrain_request_seconds",
            "Duration of requests to their last byte",
            ("method", "route", "status"),
            registry=self._registry,
            buckets=_BUCKETS,
        )

    def text(self) -> bytes:
        """All numbers in Prometheus' text form."""
        return generate_latest(self._registry)

    def took(self, method: str, route: str, status: int, seconds: float) -> None:
        """Note how long a request took."""
        self._seconds.labels(method, route, str(status)).observe(seconds)

    def middleware(self) -> Middleware:
        """What times every request of the door; event streams are left out, for they have no end."""

        def around(app: ASGIApp) -> ASGIApp:
            async def timed(scope: Scope, receive: Receive, send: Send) -> None:
                """Handle a request and note how long it took."""
                status = 500

                async def watched(message: Message) -> None:
                    """Pass a message on and remember the status."""
                    nonlocal status
                    if message["type"] == "http.response.start":
                        status = message["status"]
                    await send(message)

                began = time.perf_counter()
                try:
                    await app(scope, receive, watched)
                finally:
                    self._note(scope, status, time.perf_counter() - began)

            return timed

        return around

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = scope["path_template"]
        if scope["type"] == ScopeType.HTTP and not route.endswith("/live"):
            self.took(scope["method"], route, status, seconds)


class _House(Collector):
    """Numbers that are read at the moment somebody asks."""

    def __init__(self, parts: ApiParts) -> None:
        self._parts = parts

    def collect(self) -> Iterable[Metric]:
        """Door ledger, streams by life, and the gauges that the program hands in."""
        yield from self._doors()
        yield self._lives()
        for name, (about, value) in self._parts.gauges.items():
            yield GaugeMetricFamily(name, about, value())

    def describe(self) -> Iterable[Metric]:
        """Nothing beforehand: reading the stores waits until somebody asks."""
        return ()

    def _doors(self) -> Iterator[Metric]:
        rows = CounterMetricFamily(
            "citybrain_door_rows", "Rows by door and fate; received is counted as they come", labels=("door", "fate")
        )
        about = "Rows stored through a door that were kept long enough and deleted"
        deleted = CounterMetricFamily("citybrain_door_deleted_rows", about, labels=("door",))
        pending = GaugeMetricFamily(
            "citybrain_door_pending_rows", "Rows on their way to the store, those that wait in JetStream too", labels=("door",)
        )
        current = GaugeMetricFamily(
            "citybrain_door_ledger_current", "1 where rows by door are of now, 0 where they are what was last told"
        )
        for account in self._accounts():
            fates = {"received": account.received, "stored": account.stored, "duplicate": account.duplicate}
            fates |= {f"refused_{code}": count for code, count in account.refused.items()}
            for fate, count in fates.items():
                rows.add_metric((account.door, fate), count)
            deleted.add_metric((account.door,), account.deleted)
            if account.pending is not None:
                pending.add_metric((account.door,), account.pending)
        current.add_metric((), float(self._parts.intake.silent() is None))
        yield current
        yield rows
        yield deleted
        yield pending

    def _accounts(self) -> Sequence[DoorAccount]:
        """None where the process that keeps the ledger was never there: the other numbers do not wait for it."""
        try:
            return self._parts.intake.accounts()
        except BusyError:
            return ()

    def _lives(self) -> Metric:
        lives = GaugeMetricFamily("citybrain_streams", "Streams by the life of their newest value", labels=("life",))
        for life, count in Counter(self._parts.latest.table().column("life").to_pylist()).items():
            lives.add_metric((str(life),), count)
        return lives
