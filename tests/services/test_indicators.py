"""The figures of all packs that are installed."""

import pytest

from citybrain.app.packs import installed
from citybrain.brain.see import HOUSE, STREAM, IbisTables
from citybrain.engines.duckdb.facts import DuckFacts
from citybrain.engines.duckdb.file import DuckFile
from citybrain.kernel.instant import DAY, Instant, parse
from citybrain.kernel.pack import Indicator

NOW = parse("2026-11-22T23:59:59.999999+08:00")
ALL = (*HOUSE, *(one for pack in installed() for one in pack.indicators))


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> DuckFacts:
    return DuckFacts(DuckFile(tmp_path_factory.mktemp("facts")))


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)
def test_what_a_figure_asks_does_not_change_with_the_time_so_it_is_built_but_once(one: Indicator, facts: DuckFacts) -> None:
    asked = [IbisTables(facts, STREAM.empty_table, tuple, now) for now in (NOW, Instant(NOW + 1), Instant(NOW + 400 * DAY))]
    first = one.measure(asked[0])
    assert asked[0].timeless
    for tables in asked:
        assert tables.run(first).equals(tables.run(one.measure(tables)))
