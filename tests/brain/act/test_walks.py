"""Random walks: whatever people try, a case stays on its flow and its history only grows."""

import itertools
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citybrain.brain.act import METADATA, STANDARD_FLOW, CaseBook, Units, Working
from citybrain.engines import transactions as engine_tables
from citybrain.engines.sqlite import open_sqlite
from citybrain.kernel.access import Caller
from citybrain.kernel.clock import FixedClock
from citybrain.kernel.errors import CityError
from citybrain.kernel.instant import parse
from citybrain.kernel.parties import Unit
from citybrain.kernel.text import Text
from tests.brain.act.conftest import CITIZEN, DISPATCHER, HANDLER, STRANGER, request

MOVES = [*(move.name for move in STANDARD_FLOW.moves), "nonsense"]
Try: TypeAlias = tuple[str, Caller, str, str | None, int]
TRIES = st.lists(
    st.tuples(
        st.sampled_from(MOVES),
        st.sampled_from([DISPATCHER, HANDLER, STRANGER, CITIZEN]),
        st.sampled_from(["", "说明"]),
        st.sampled_from([None, "unit-street", "unit-district"]),
        st.integers(0, 1),
    ),
    max_size=30,
)


@pytest.mark.slow
@given(tries=TRIES, cause=st.sampled_from(["alert:1", "report:1"]))
@settings(max_examples=25, deadline=None)
def test_a_walk_never_leaves_the_flow_and_never_rewrites_history(tries: list[Try], cause: str) -> None:
    with TemporaryDirectory() as folder:
        store = open_sqlite(Path(folder) / "walk.sqlite")
        with store.begin() as tx:
            engine_tables.create(tx.connection)
            METADATA.create_all(tx.connection)
        units = Units(store)
        units.put(Unit("unit-street", Text("街道", "Street"), ("environment",), "120104001"))
        units.put(Unit("unit-district", Text("区局", "District"), ("environment",), "120104"))
        clock = FixedClock(parse("2026-11-22T07:00:00Z"))
        book = CaseBook(store, {"standard": STANDARD_FLOW}, units, Working(store), clock, "NK")
        case_id = book.open(request("walk", cause=cause))
        before = book.steps(case_id)
        for move, caller, note, unit, lag in tries:
            case = book.case(case_id)
            offered = {each.name for each in book.moves_for(case, caller)}
            try:
                book.move(case_id, move, caller, note, case.version - lag, unit)
            except CityError:
                assert book.case(case_id) == case
            else:
                assert move in offered
            after = book.steps(case_id)
            assert after[: len(before)] == before
            before = after
        store.close()
    graph = {(source, move.name, move.target) for move in STANDARD_FLOW.moves for source in move.sources}
    assert {(step.source, step.move, step.target) for step in before[1:]} <= graph
    assert all(one.target == two.source for one, two in itertools.pairwise(before))
