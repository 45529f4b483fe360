"""The state that is carried on equals the state folded from every fact, whatever comes and whenever it is asked for."""

import tempfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citybrain.brain.see.facts import CASE_FACT, state_of
from citybrain.brain.see.folds import Folds
from citybrain.engines.duckdb.facts import DuckFacts
from citybrain.engines.duckdb.file import DuckFile
from citybrain.kernel.instant import Instant
from citybrain.kernel.text import Json

FACT = st.tuples(st.sampled_from("abcd"), st.integers(1, 4), st.integers(0, 20), st.sampled_from(("case_opened", "case_moved")))
"""A case, its version, when it happened, and the table it stands in."""
ROUNDS = st.lists(st.tuples(st.lists(FACT, max_size=4), st.integers(0, 25)), min_size=1, max_size=5)
"""Facts that come, and the time for which the state is asked then."""


def append(facts: DuckFacts, came: list[tuple[str, int, int, str]], position: int) -> int:
    for table in ("case_opened", "case_moved"):
        rows = [
            {"case": case, "version": version, "time": time, "state": f"{case}{version}", "position": position + place}
            for place, (case, version, time, where) in enumerate(came, start=1)
            if where == table
        ]
        if rows:
            facts.append(table, pa.Table.from_pylist(rows, schema=CASE_FACT), position + len(came))
    return position + len(came)


def known(table: pa.Table) -> list[tuple[object, ...]]:
    return sorted((row["case"], row["version"], row["position"]) for row in table.to_pylist())


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(ROUNDS)
def test_carried_on_or_folded_anew_it_is_the_same(rounds: list[tuple[list[tuple[str, int, int, str]], int]]) -> None:
    with tempfile.TemporaryDirectory() as folder, closing(DuckFile(Path(folder))) as file:
        facts, position = DuckFacts(file), 0
        folds = Folds(facts)
        for came, now in rounds:
            position = append(facts, came, position)
            anew = facts.query(state_of(facts, "case"), {"now": now})
            assert known(folds.at("case", Instant(now))) == known(anew)


def test_what_has_not_changed_is_not_folded_again(facts: DuckFacts, monkeypatch: pytest.MonkeyPatch) -> None:
    folds = Folds(facts)
    position = append(facts, [("a", 1, 1, "case_opened"), ("b", 1, 2, "case_opened")], 0)
    first = folds.at("case", Instant(10))
    asked: list[str] = []
    query = facts.query

    def heard(sql: str, values: Mapping[str, Json], tables: Mapping[str, pa.Table] | None = None) -> pa.Table:
        asked.append(sql)
        return query(sql, values, tables)

    monkeypatch.setattr(facts, "query", heard)
    assert folds.at("case", Instant(20)) is first
    assert asked == []
    append(facts, [("a", 2, 15, "case_moved")], position)
    assert known(folds.at("case", Instant(20))) == [("a", 2, 3), ("b", 1, 2)]
    assert all("time <= $now" not in sql for sql in asked)


def test_a_fact_of_a_time_to_come_does_not_stand_yet(facts: DuckFacts) -> None:
    folds = Folds(facts)
    append(facts, [("a", 1, 1, "case_opened"), ("a", 2, 15, "case_moved")], 0)
    assert [known(folds.at("case", Instant(now)))[0][1] for now in (10, 20, 10)] == [1, 2, 1]
