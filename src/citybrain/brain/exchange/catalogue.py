"""The catalogue that makes itself: every dataset with its columns, owner, access, origin, lineage and quality."""

from collections.abc import Iterable, Iterator

import msgspec
from sqlalchemy import Connection, delete, insert, select

from citybrain.brain.exchange import lineage
from citybrain.brain.exchange.export import Format, Manifest, file_name, manifest, stream
from citybrain.brain.exchange.quality import Quality, Row, asked_of, assess
from citybrain.brain.exchange.store import DATASET, EDGE
from citybrain.kernel.access import Query
from citybrain.kernel.clock import Clock
from citybrain.kernel.datasets import Dataset, Edge
from citybrain.kernel.errors import NotFoundError
from citybrain.kernel.instant import Duration, Instant, local_date
from citybrain.kernel.ports import Reader, Transactions
from citybrain.kernel.text import Text
from citybrain.kernel.things import Access

ACCESS_WORDS: dict[Access, Text] = {
    "unconditional": Text("无条件共享", "Shared without conditions"),
    "conditional": Text("有条件共享", "Shared on conditions"),
    "closed": Text("不予共享", "Not shared"),
}


class DatasetPage(msgspec.Struct, frozen=True):
    """All that stands on a dataset's page; ``as_of`` is the city time for which it was put together."""

    dataset: Dataset
    access: Text
    up: tuple[Edge, ...]
    down: tuple[Edge, ...]
    registered: Instant
    as_of: Instant
    quality: Quality | None = None


class CatalogueBook:
    """All datasets and their lineage; implements the port Catalogue.

    What was read is kept until this book enters or takes out something: every guarded read asks for its dataset.
    """

    def __init__(self, transactions: Transactions[Connection], clock: Clock) -> None:
        self._transactions = transactions
        self._clock = clock
        self._kept: dict[str, tuple[Dataset, Instant]] = {}

    def register(self, dataset: Dataset) -> None:
        """Enter a dataset; the same name again replaces it."""
        self.register_all((dataset,))

    def register_all(self, datasets: Iterable[Dataset]) -> None:
        """Enter datasets in one commit; those that stand as they are keep the time of their first entry."""
        now = self._clock.city()
        with self._transactions.begin() as tx:
            known = {row.name: row.entry for row in tx.connection.execute(select(DATASET.c.name, DATASET.c.entry))}
            for dataset in datasets:
                entry = msgspec.json.encode(dataset).decode()
                if known.get(dataset.name) != entry:
                    tx.connection.execute(delete(DATASET).where(DATASET.c.name == dataset.name))
                    tx.connection.execute(insert(DATASET).values(name=dataset.name, entry=entry, registered=now))
        self._kept = {}

    def keep_only(self, names: Iterable[str]) -> None:
        """Take out the datasets that nobody declares any more."""
        with self._transactions.begin() as tx:
            tx.connection.execute(delete(DATASET).where(DATASET.c.name.not_in(list(names))))
        self._kept = {}

    def describe(self, name: str) -> Dataset:
        """A dataset by name; raises NotFoundError."""
        return self._entry(name)[0]

    def all(self) -> tuple[Dataset, ...]:
        """Every dataset, by name."""
        with self._transactions.read() as connection:
            rows = connection.execute(select(DATASET.c.entry).order_by(DATASET.c.name)).scalars().all()
        return tuple(msgspec.json.decode(row, type=Dataset) for row in rows)

    def open_data(self) -> tuple[Dataset, ...]:
        """The datasets that anyone may have without an account (无条件共享)."""
        return tuple(dataset for dataset in self.all() if dataset.access == "unconditional")

    def link(self, edge: Edge) -> None:
        """Record lineage; the same edge again changes nothing."""
        self.link_all((edge,))

    def link_all(self, edges: Iterable[Edge]) -> None:
        """Record many edges in one commit."""
        now = self._clock.city()
        known = set(self.edges())
        with self._transactions.begin() as tx:
            for edge in dict.fromkeys(edges):
                if edge not in known:
                    tx.connection.execute(insert(EDGE).values(**msgspec.structs.asdict(edge), registered=now))

    def edges(self) -> tuple[Edge, ...]:
        """All lineage, by source and target."""
        with self._transactions.read() as connection:
            rows = connection.execute(select(EDGE.c.source, EDGE.c.target, EDGE.c.job).order_by(EDGE.c.source, EDGE.c.target)).all()
        return tuple(Edge(row.source, row.target, row.job) for row in rows)

    def page(self, name: str, rows: Iterable[Row] | None = None, at_most: Duration | None = None) -> DatasetPage:
        """The page of a dataset, with the quality of rows where some are handed in; raises NotFoundError.

        ``at_most`` is how old the newest row may be.
        """
        dataset, registered = self._entry(name)
        edges, now = self.edges(), self._clock.city()
        quality = None if rows is None else assess(tuple(rows), asked_of(dataset, at_most), now)
        words = ACCESS_WORDS[dataset.access]
        return DatasetPage(dataset, words, lineage.up(name, edges), lineage.down(name, edges), registered, now, quality)

    def export(self, reader: Reader, query: Query, form: Format, hidden: frozenset[str] = frozenset()) -> Iterator[bytes]:
        """A dataset as a file, in pieces, ``hidden`` columns empty; raises NotFoundError and what the Reader raises before the first."""
        return stream(reader, query, self.describe(query.dataset), form, hidden)

    def manifest(self, reader: Reader, query: Query) -> Manifest:
        """What the file of the same query holds; raises as ``export`` does."""
        return manifest(reader, query, self.describe(query.dataset), self._clock.city())

    def file_name(self, name: str, form: Format) -> str:
        """The name of an export made now; raises NotFoundError."""
        return file_name(self.describe(name), local_date(self._clock.city()), form)

    def _entry(self, name: str) -> tuple[Dataset, Instant]:
        # Taken before the row is read: what was read before a change is put into a dict that the change has replaced.
        kept = self._kept
        if name in kept:
            return kept[name]
        with self._transactions.read() as connection:
            row = connection.execute(select(DATASET.c.entry, DATASET.c.registered).where(DATASET.c.name == name)).first()
        if row is None:
            what = Text(f"目录中没有数据集“{name}”。", f"There is no dataset '{name}' in the catalogue.")
            raise NotFoundError(what, dataset=name)
        kept[name] = msgspec.json.decode(row.entry, type=Dataset), Instant(row.registered)
        return kept[name]
