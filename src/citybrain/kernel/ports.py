"""Ports: what the faculties ask of the world and of one another; engines and app fill them in."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import BinaryIO, Protocol, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from citybrain.kernel.access import Ask, Guarded, Narrowing, Page, Query, Verdict
from citybrain.kernel.calendar import Allowance
from citybrain.kernel.cases import CaseRequest
from citybrain.kernel.datasets import Dataset, Edge
from citybrain.kernel.events import Event
from citybrain.kernel.instant import Instant
from citybrain.kernel.observations import Batch, DoorAccount, Receipt, SeriesQuery
from citybrain.kernel.places import Area, Place
from citybrain.kernel.predicate import Scalar
from citybrain.kernel.text import Json

C_co = TypeVar("C_co", covariant=True)


class Tx(Protocol[C_co]):
    """One transaction: its connection, and the outbox in the same commit."""

    @property
    def connection(self) -> C_co:
        """The connection (SQLAlchemy Core)."""
        ...

    def emit(self, *events: Event) -> None:
        """Write events that are delivered, in this order, if and only if this transaction commits."""
        ...


class Transactions(Protocol[C_co]):
    """The transactional store. ``begin`` commits on leaving, rolls back on an error; durable (fsync) when it returns."""

    def begin(self) -> AbstractContextManager[Tx[C_co]]:
        """Read and write; one writer at a time on SQLite."""
        ...

    def read(self) -> AbstractContextManager[C_co]:
        """Read a consistent snapshot; never blocks on a writer."""
        ...

    def events_after(self, cursor: int, limit: int) -> Sequence[tuple[int, Event]]:
        """Committed events with their outbox position, in order, after a position."""
        ...

    def ask(self, sql: str, values: Mapping[str, Scalar]) -> Sequence[Mapping[str, object]]:
        """Rows of a query with ``:name`` parameters, on a snapshot."""
        ...

    def last_position(self) -> int:
        """The newest committed outbox position; 0 at first."""
        ...

    def cursor(self, name: str) -> int:
        """The durable position of a named reader; 0 at first."""
        ...

    def advance(self, connection: object, name: str, position: int) -> None:
        """Move a named reader's position within an open transaction's connection."""
        ...


class Series(Protocol):
    """The series store: observations are durable before ``append`` resolves."""

    async def append(self, batch: Batch) -> Receipt:
        """Store a batch with its door account in one commit (grouped with others); raises BusyError, StorageFullError."""
        ...

    def scan(self, query: SeriesQuery) -> pa.Table:
        """Observations or buckets of a SeriesQuery."""
        ...

    def after(self, seq: int, limit: int) -> pa.Table:
        """Observations (ROWS) with a greater sequence number, in order, to the end of a commit; infinite ones strike out what was there."""
        ...

    def known(self, stream_no: NDArray[np.int32], time: NDArray[np.int64]) -> NDArray[np.float64]:
        """The newest stored value at each (stream, time), infinite where it was struck out, NaN where there is none; shapes (n,)."""
        ...

    def latest(self, at_most: int | None = None, streams: tuple[int, ...] | None = None) -> pa.Table:
        """The newest observation (ROWS) of every stream, at start, or of some; of those with a sequence number of at most that."""
        ...

    def doors(self) -> Sequence[DoorAccount]:
        """The ledger of every door since the beginning."""
        ...

    def last_seq(self) -> int:
        """The greatest durable sequence number; 0 at first."""
        ...


class Facts(Protocol):
    """Append-only fact tables for joins, indicators and the time machine."""

    def append(self, name: str, rows: pa.Table, upto: int) -> None:
        """Add rows and remember the outbox position they reach, in one commit."""
        ...

    def position(self, name: str) -> int:
        """The outbox position a fact table has reached."""
        ...

    def query(self, sql: str, values: Mapping[str, Json], tables: Mapping[str, pa.Table] | None = None) -> pa.Table:
        """Read with SQL of the series engine; named parameters as ``$name``, tables in memory under their names."""
        ...


class Bus(Protocol):
    """In-process delivery of wake-ups and committed events."""

    def publish(self, topic: str, message: object) -> None:
        """Hand a message to every listener; a slow listener misses some, never blocks."""
        ...

    def listen(self, topic: str, size: int = 256) -> AsyncIterator[object]:
        """Messages from now on, through a bounded queue."""
        ...


class Policy(Protocol):
    """The one place that says who may."""

    def decide(self, ask: Ask) -> Verdict:
        """Yes or no, with reasons."""
        ...

    def narrow(self, ask: Ask) -> Narrowing:
        """What of a dataset the caller may see."""
        ...


class Source(Protocol):
    """A faculty's rows of one dataset, before policy; never handed to a door."""

    def __call__(self, query: Query) -> Page:
        """Rows for a query whose predicate already includes the narrowing."""
        ...


class Reader(Protocol):
    """Reading bound to a caller and a purpose: policy, masking and audit cannot be walked around."""

    def read(self, query: Query) -> Guarded:
        """A page of what the caller may see; raises ForbiddenError, NotFoundError, UnsupportedError."""
        ...


class Cases(Protocol):
    """How detect, exchange and protect ask for a case."""

    def open(self, request: CaseRequest) -> str:
        """Open a case, or join the open one of the same key; returns the case id."""
        ...


class Duty(Protocol):
    """Who is responsible."""

    def responsible(self, duty: str, area: str | None) -> str:
        """The unit id that answers for a duty in an area: the nearest area upward wins; raises NotFoundError."""
        ...


class WorkingTime(Protocol):
    """Legal time."""

    def due(self, start: Instant, allowance: Allowance) -> Instant:
        """When an allowance runs out."""
        ...


class Areas(Protocol):
    """Where a place belongs."""

    def area_of(self, place: Place) -> str | None:
        """The code of the smallest area that holds a place, by geometry; None outside the district."""
        ...

    def area(self, code: str) -> Area:
        """An area by code; raises NotFoundError."""
        ...

    def all(self) -> Sequence[Area]:
        """All areas, district first."""
        ...


class Catalogue(Protocol):
    """The catalogue that makes itself."""

    def register(self, dataset: Dataset) -> None:
        """Enter a dataset; the same name again replaces it."""
        ...

    def describe(self, name: str) -> Dataset:
        """A dataset by name; raises NotFoundError."""
        ...

    def link(self, edge: Edge) -> None:
        """Record lineage."""
        ...


class Audit(Protocol):
    """The trail of who did what."""

    def write(self, ask: Ask, verdict: Verdict, detail: Mapping[str, Json]) -> None:
        """One row, chained to the one before it; durable when it returns."""
        ...


class Files(Protocol):
    """Files by content (SHA-256), durable before their reference is given."""

    def put(self, stream: BinaryIO, kind: str) -> str:
        """Store bytes of a media type; returns the reference."""
        ...

    def open(self, reference: str) -> BinaryIO:
        """Read a file; raises NotFoundError."""
        ...

    def remove(self, reference: str) -> None:
        """Delete a file for good; harmless for one that is gone."""
        ...


class Keys(Protocol):
    """The key port: soft keys now (未经认证，不得用于生产), an HSM or signature server behind the same calls later."""

    def sign(self, message: bytes) -> bytes:
        """A signature over a message."""
        ...

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Whether a signature is ours."""
        ...

    def seal(self, plain: bytes, context: bytes) -> bytes:
        """Encrypt with authentication, bound to a context."""
        ...

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """Decrypt; raises BadInputError when the bytes or the context were changed."""
        ...


Handler = Callable[[int, Event], Awaitable[None]]
