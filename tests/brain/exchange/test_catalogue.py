"""The catalogue: entries by declaration, lineage both ways, pages with quality."""

import msgspec
import pytest

from citybrain.brain import exchange
from citybrain.brain.exchange import CatalogueBook
from citybrain.kernel.access import Order, Query
from citybrain.kernel.clock import FixedClock
from citybrain.kernel.datasets import Edge
from citybrain.kernel.errors import BadInputError, NotFoundError, UnsupportedError
from citybrain.kernel.instant import HOUR, Instant
from citybrain.kernel.predicate import Compare
from citybrain.services.livelihood.air import PACK
from tests.brain.exchange.conftest import dataset, row

CHAIN = (Edge("door", "pm25", "take"), Edge("pm25", "aqi", "derive"), Edge("aqi", "alert", "rule"), Edge("alert", "aqi", "circle"))


def test_a_name_registered_again_replaces_the_entry(catalogue: CatalogueBook, clock: FixedClock) -> None:
    first = clock.city()
    catalogue.register(dataset())
    clock.set(Instant(first + HOUR))
    catalogue.register(dataset())
    assert catalogue.page("air_station").registered == first
    changed = msgspec.structs.replace(dataset(), owner="data")
    catalogue.register(changed)
    assert catalogue.all() == (changed,)
    assert catalogue.page("air_station").registered == first + HOUR
    catalogue.keep_only(())
    with pytest.raises(NotFoundError):
        catalogue.describe("air_station")


def test_a_page_says_who_answers_who_may_and_where_it_is_from(catalogue: CatalogueBook) -> None:
    catalogue.register_all((dataset("aqi", "conditional"), dataset("open")))
    catalogue.link_all((*CHAIN, CHAIN[0]))
    page = catalogue.page("aqi")
    assert (page.access.zh, page.dataset.owner, page.dataset.origin) == ("有条件共享", "environment", "demo")
    assert set(page.up) == {CHAIN[1], CHAIN[0], CHAIN[3], CHAIN[2]}
    assert page.up[:2] == (CHAIN[3], CHAIN[1]) or page.up[:2] == (CHAIN[1], CHAIN[3])
    assert set(page.down) == {CHAIN[2], CHAIN[3]}
    assert page.quality is None
    assert len(catalogue.edges()) == 4


def test_open_data_are_those_shared_without_conditions(catalogue: CatalogueBook) -> None:
    catalogue.register_all((dataset("a", "conditional"), dataset("b"), dataset("c", "closed")))
    assert [one.name for one in catalogue.open_data()] == ["b"]


def test_a_page_judges_the_rows_handed_in(catalogue: CatalogueBook, clock: FixedClock) -> None:
    catalogue.register(dataset())
    page = catalogue.page("air_station", [row("1"), row("2", value=None)], HOUR)
    assert page.quality is not None
    assert (page.quality.rows, page.quality.complete, page.quality.fresh) == (2, 1 - 1 / 8, 1.0)
    assert page.as_of == clock.city()


def test_the_lineage_of_a_pack_follows_from_its_declaration() -> None:
    edges = exchange.declared((PACK,))
    above = {edge.source for edge in exchange.up("figure:air_aqi_mean", edges)}
    assert above == {f"air_station.{name}" for name in ("aqi", "pm25", "pm10", "so2", "no2", "co", "o3")}
    below = {edge.target for edge in exchange.down("replay:air", edges)}
    assert {"air_station", "alert", "case"} <= below


def test_the_catalogue_is_itself_a_dataset(catalogue: CatalogueBook) -> None:
    catalogue.register_all((*exchange.datasets((PACK,)), dataset("x"), dataset("y", "closed")))
    catalogue.link(CHAIN[0])
    sources = exchange.sources(catalogue)
    for entry in exchange.datasets(()):
        for shown in sources[entry.name](Query(entry.name)).rows:
            assert list(shown) == [column.name for column in entry.columns]
    closed = sources["dataset"](Query("dataset", Compare("access", "eq", "closed"), count=True))
    assert ([one["name"] for one in closed.rows], closed.total) == (["y"], 1)
    first = sources["dataset"](Query("dataset", order=Order("name", descending=True), limit=3))
    second = sources["dataset"](Query("dataset", order=Order("name", descending=True), limit=3, cursor=first.next))
    assert [one["name"] for one in (*first.rows, *second.rows)] == ["y", "x", "edge", "dataset"]
    assert second.next is None
    with pytest.raises(UnsupportedError):
        sources["dataset"](Query("dataset", Compare("nothing", "eq", "x")))
    with pytest.raises(BadInputError):
        sources["dataset"](Query("dataset", cursor="nonsense"))
