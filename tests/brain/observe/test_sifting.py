"""Sifting: what is left of a scan is what a predicate may hold for, and no row is made of anything else."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citybrain.brain.observe.observed import Observed
from citybrain.brain.observe.sifting import sifted
from citybrain.kernel import predicate
from citybrain.kernel.access import Query
from citybrain.kernel.predicate import And, Compare, Not, Or, Predicate
from citybrain.kernel.text import Json
from tests.brain.observe.conftest import World
from tests.brain.observe.test_sources import read

TABLE = pa.table({"value": [float(n % 7 - 3) for n in range(40)], "time": np.arange(40, dtype=np.int64), "door": ["a", "b"] * 20})
numbers = st.integers(-4, 40) | st.floats(-4, 40, allow_nan=False) | st.just(10**400) | st.just(float("inf"))
leaves = st.builds(
    Compare, st.sampled_from(("value", "time")), st.sampled_from(("eq", "ne", "lt", "le", "gt", "ge")), numbers
) | st.just(Compare("door", "eq", "a"))


def branches(inner: st.SearchStrategy[Predicate]) -> st.SearchStrategy[Predicate]:
    several = st.lists(inner, max_size=3).map(tuple)
    return st.builds(And, several) | st.builds(Or, several) | st.builds(Not, inner)


@settings(max_examples=300, deadline=None, database=None, derandomize=True)
@given(st.recursive(leaves, branches, max_leaves=6))
def test_no_row_that_satisfies_a_predicate_is_lost_and_none_is_left_that_its_numbers_rule_out(where: Predicate) -> None:
    fitting = [row for row in TABLE.to_pylist() if predicate.holds(where, row)]
    left = sifted(TABLE, where).to_pylist()
    assert [row for row in left if predicate.holds(where, row)] == fitting
    if "door" not in predicate.fields(where):
        assert left == fitting


async def test_of_a_rare_value_no_other_row_is_made(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.send(*(("p1.level", -n, 1.0) for n in range(50)), ("p1.level", -60, 9.0))
    made: list[int] = []
    rows = Observed._rows

    def counted(observed: Observed, table: pa.Table) -> list[dict[str, Json]]:
        made.append(table.num_rows)
        return rows(observed, table)

    monkeypatch.setattr(Observed, "_rows", counted)
    found = read(world, Query("observation", And((Compare("stream", "eq", "p1.level"), Compare("value", "gt", 5))), limit=1))
    assert [row["value"] for row in found.rows] == [9.0]
    assert sum(made) == 1
