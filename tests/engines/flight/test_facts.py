"""The Facts port, asked from another process."""

from collections.abc import Iterator

import pyarrow as pa
import pytest

from citybrain.engines.duckdb import DuckFacts
from citybrain.engines.flight import Answers, Calls, RemoteFacts, facts_answers
from citybrain.kernel.errors import BadInputError
from citybrain.kernel.ports import Facts


@pytest.fixture(params=["own", "asked"])
def kept(request: pytest.FixtureRequest, facts: DuckFacts) -> Iterator[Facts]:
    """The facts, or somebody who asks for them."""
    if request.param == "own":
        yield facts
        return
    with Answers("grpc://127.0.0.1:0", "s", facts_answers(facts)) as answers:
        calls = Calls(f"grpc://127.0.0.1:{answers.port}", "s")
        yield RemoteFacts(calls)
        calls.close()


def test_facts_are_appended_once_and_read_with_values_and_tables(kept: Facts) -> None:
    rows = pa.table({"name": ["a", "b"], "time": [1, 2]})
    kept.append("case_opened", rows, 7)
    kept.append("case_opened", rows, 7)
    assert (kept.position("case_opened"), kept.position("case_closed")) == (7, 0)
    sql = "SELECT name, more FROM case_opened JOIN extra USING (name) WHERE time >= $since"
    found = kept.query(sql, {"since": 2}, {"extra": pa.table({"name": ["a", "b"], "more": [1.5, 2.5]})})
    assert found.to_pylist() == [{"name": "b", "more": 2.5}]


def test_what_is_no_select_is_refused_in_the_same_words(kept: Facts) -> None:
    with pytest.raises(BadInputError, match="Only one SELECT"):
        kept.query("DROP TABLE fact_position", {})
