"""Fact tables: once, additive, read-only for readers."""

from pathlib import Path

import pyarrow as pa
import pytest

from citybrain.engines.duckdb import DuckFacts, DuckFile, DuckSeries
from citybrain.kernel.errors import BadInputError
from tests.engines.duckdb.world import START, batch


def moved(*cases: str, **more: list[int]) -> pa.Table:
    return pa.table({"case_id": pa.array(cases, pa.string()), **more})


def test_facts_are_added_once_for_each_position(facts: DuckFacts) -> None:
    assert facts.position("case_moved") == 0
    facts.append("case_moved", moved("a", "b"), 2)
    facts.append("case_moved", moved("a", "b"), 2)
    facts.append("case_moved", moved("c"), 5)
    facts.append("case_moved", moved("old"), 3)
    assert facts.position("case_moved") == 5
    assert facts.query("SELECT case_id FROM case_moved ORDER BY 1", {})["case_id"].to_pylist() == ["a", "b", "c"]


def test_rows_and_position_fail_together(facts: DuckFacts) -> None:
    facts.append("case_moved", moved("a", hours=[1]), 1)
    wrong = pa.table({"case_id": ["b"], "hours": ["many"]})
    with pytest.raises(Exception, match="Conversion"):
        facts.append("case_moved", wrong, 2)
    assert facts.position("case_moved") == 1
    assert facts.query("SELECT count(*) AS n FROM case_moved", {})["n"].to_pylist() == [1]


def test_a_new_column_is_empty_in_older_rows_and_a_missing_one_in_newer(facts: DuckFacts) -> None:
    facts.append("case_moved", moved("a"), 1)
    facts.append("case_moved", moved("b", hours=[7]), 2)
    facts.append("case_moved", moved("c"), 3)
    found = facts.query("SELECT case_id, hours FROM case_moved ORDER BY 1", {})
    assert found.to_pydict() == {"case_id": ["a", "b", "c"], "hours": [None, 7, None]}


def test_values_are_bound_by_name(facts: DuckFacts) -> None:
    facts.append("case_moved", moved("a", "b'); DROP TABLE case_moved; --"), 1)
    found = facts.query("SELECT count(*) AS n FROM case_moved WHERE case_id = $id", {"id": "b'); DROP TABLE case_moved; --"})
    assert found["n"].to_pylist() == [1]


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE case_moved",
        "SELECT 1; SELECT 2",
        "INSERT INTO case_moved VALUES ('x')",
        "COPY case_moved TO 'x.csv'",
        "SET threads = 1",
        "SELECT * FROM read_csv('/etc/hostname')",
        "SELECT * FROM '/etc/hostname'",
        "SELECT * FROM no_such_table",
        "not sql at all",
    ],
)
def test_readers_can_only_select_and_only_from_the_store(facts: DuckFacts, sql: str) -> None:
    facts.append("case_moved", moved("a"), 1)
    with pytest.raises(BadInputError):
        facts.query(sql, {})
    assert facts.query("SELECT count(*) AS n FROM case_moved", {})["n"].to_pylist() == [1]


@pytest.mark.parametrize("name", ["fact_position", "observation", 'x"; DROP TABLE y', "Upper", ""])
def test_names_that_would_hurt_are_refused(facts: DuckFacts, name: str) -> None:
    with pytest.raises(BadInputError):
        facts.append(name, moved("a"), 1)


@pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")  # Ibis 12 asks DuckDB 1.5 by the old name
async def test_observations_facts_and_latest_values_join_in_sql_and_in_ibis(facts: DuckFacts, series: DuckSeries) -> None:
    await series.append(batch("a", [(1, START, 1.0), (1, START, 2.0), (2, START, 3.0)]))
    facts.replace("stream", pa.table({"stream_no": pa.array([1, 2], pa.int32()), "title": ["one", "two"]}))
    sql = "SELECT title, value FROM observation JOIN stream USING (stream_no) ORDER BY title"
    assert facts.query(sql, {}).to_pydict() == {"title": ["one", "two"], "value": [2.0, 3.0]}
    facts.replace("stream", pa.table({"stream_no": pa.array([1], pa.int32()), "title": ["only"]}))
    assert facts.query(sql, {}).to_pydict() == {"title": ["only"], "value": [2.0]}
    backend = facts.ibis()
    joined = backend.table("observation").join(backend.table("stream"), "stream_no").select("title", "value")
    assert joined.to_pyarrow().to_pydict() == {"title": ["only"], "value": [2.0]}


def test_facts_survive_a_restart(tmp_path: Path) -> None:
    file = DuckFile(tmp_path / "s")
    DuckFacts(file).append("case_moved", moved("a"), 4)
    file.close()
    file = DuckFile(tmp_path / "s")
    assert DuckFacts(file).position("case_moved") == 4
    assert DuckFacts(file).query("SELECT * FROM case_moved", {}).num_rows == 1
    file.close()
