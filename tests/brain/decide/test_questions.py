"""Questions: asked when due, kept as they were answered, decided on once with a reason; a failing pack leaves the others alone."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from citybrain.brain import decide
from citybrain.engines import transactions as engine_tables
from citybrain.engines.sqlite import open_sqlite
from citybrain.engines.transactions import SqlTransactions
from citybrain.kernel.access import Query
from citybrain.kernel.clock import FixedClock
from citybrain.kernel.datasets import Advice, Sheet
from citybrain.kernel.errors import BadInputError, ConflictError, DeclarationError, NotFoundError
from citybrain.kernel.instant import DAY, HOUR, MINUTE, Instant, parse
from citybrain.kernel.pack import Pack, Parameter, Question
from citybrain.kernel.text import Text, same

NOW = parse("2026-11-23T09:10:00+08:00")
ANSWERS: Mapping[str, Advice] = {
    "some": Advice("advised", same("send two"), 2.0, 9.0, 4.0, (Sheet(same("rows"), (same("a"),), ((Text("甲", "A"), 2.0),)),)),
    "none": Advice("nothing", same("all is well"), 0.0, 0.0, 0.0),
}


def question(name: str, answer: Callable[[Mapping[str, pa.Table], Instant], Advice], every: str = "PT1H") -> Question:
    return Question(name, same(name), same("about"), same("metres"), same("nearest"), ("entity:lot",), ("limit",), answer, every)


def broken(_: Mapping[str, pa.Table], __: Instant) -> Advice:
    raise ZeroDivisionError("pack code")


def counted(tables: Mapping[str, pa.Table], _: Instant) -> Advice:
    """Says how many rows it was handed."""
    return Advice("advised", same(f"{tables['entity:lot'].num_rows} rows"))


LIMITS = (
    Parameter("limit", 1.0, "2020-01-01", "test", "local"),
    Parameter("limit", 2.0, "2026-01-01", "test", "local"),
    Parameter("limit", 3.0, "2027-01-01", "test", "local"),
)
PACK = Pack(
    "p",
    same("P"),
    "四",
    same("P"),
    questions=(
        question("some", lambda *_: ANSWERS["some"]),
        question("none", lambda *_: ANSWERS["none"], "P1D"),
        question("broken", broken),
        question("counted", counted),
    ),
    parameters=LIMITS,
)


@pytest.fixture
def store(tmp_path: Path) -> SqlTransactions:
    transactions = open_sqlite(tmp_path / "city.sqlite")
    with transactions.begin() as tx:
        engine_tables.create(tx.connection)
        decide.METADATA.create_all(tx.connection)
    return transactions


def questions(store: SqlTransactions, now: Instant = NOW) -> decide.Questions:
    rows = pa.table({"id": ["a", "b"]})
    return decide.Questions((PACK,), lambda _: rows, store, FixedClock(now), "demo")


def asked(store: SqlTransactions, name: str = "some") -> decide.Posed:
    posed = questions(store).ask(name)
    assert posed is not None
    return posed


def test_an_advice_is_kept_as_it_was_given(store: SqlTransactions) -> None:
    posed = asked(store)
    assert posed.advice == ANSWERS["some"]
    assert (posed.asked, posed.origin, posed.decision) == (NOW, "demo", None)
    assert questions(store).newest("some") == posed == questions(store).posed(posed.id)


def test_the_tables_of_its_inputs_are_handed_to_the_answer(store: SqlTransactions) -> None:
    assert asked(store, "counted").advice.said == same("2 rows")


def test_each_is_asked_when_its_span_has_begun_and_a_broken_one_leaves_the_others_alone(store: SqlTransactions) -> None:
    assert questions(store).run_once() == 3
    assert questions(store).run_once() == 0
    assert questions(store, Instant(NOW + 45 * MINUTE)).run_once() == 0
    assert questions(store, Instant(NOW + HOUR)).run_once() == 2
    assert questions(store).newest("broken") is None


def test_a_decision_is_kept_with_its_words_and_made_once(store: SqlTransactions) -> None:
    posed = asked(store)
    made = questions(store, Instant(NOW + MINUTE)).decide(posed.id, "accepted", "  按此执行  ", "account-1")
    assert made.decision == decide.Decision("accepted", "按此执行", "account-1", Instant(NOW + MINUTE))
    assert questions(store).posed(posed.id) == made
    with pytest.raises(ConflictError, match="already"):
        questions(store).decide(posed.id, "declined", "on second thoughts", "account-2")
    assert questions(store).posed(posed.id) == made


@pytest.mark.parametrize("words", ["", "  ok ", "x" * 2001])
def test_a_decision_without_a_reason_is_refused(store: SqlTransactions, words: str) -> None:
    with pytest.raises(BadInputError) as refused:
        questions(store).decide(asked(store).id, "accepted", words, "account-1")
    assert refused.value.fields["field"] == "words"
    assert questions(store).posed(asked(store).id).decision is None


def test_an_advice_that_advises_nothing_cannot_be_accepted(store: SqlTransactions) -> None:
    with pytest.raises(BadInputError, match="advises nothing"):
        questions(store).decide(asked(store, "none").id, "accepted", "all the same", "account-1")


def test_after_a_month_only_what_was_decided_on_is_left(store: SqlTransactions) -> None:
    kept, dropped = asked(store), asked(store)
    questions(store).decide(kept.id, "declined", "not today", "account-1")
    later = questions(store, Instant(NOW + 32 * DAY))
    newest = later.ask("some")
    assert newest is not None
    assert [one.id for one in later.history("some")] == [newest.id, kept.id]
    with pytest.raises(NotFoundError):
        later.posed(dropped.id)


def test_the_parameters_shown_are_those_in_force(store: SqlTransactions) -> None:
    assert [one.value for one in questions(store).parameters("some")] == [2.0]


def test_a_question_nobody_asks_is_not_found(store: SqlTransactions) -> None:
    with pytest.raises(NotFoundError):
        questions(store).newest("nothing")


def test_two_questions_of_one_name_stop_the_start(store: SqlTransactions) -> None:
    twin = replace(PACK, name="q", questions=PACK.questions[:1])
    with pytest.raises(DeclarationError, match="some"):
        decide.Questions((PACK, twin), lambda _: pa.table({}), store, FixedClock(NOW))


def test_the_ledger_is_a_dataset_with_its_decisions(store: SqlTransactions) -> None:
    posed = asked(store)
    questions(store).decide(posed.id, "accepted", "do it now", "account-1")
    (row,) = decide.sources(store)["advice"](Query("advice")).rows
    assert (row["id"], row["found"], row["cost"], row["idle"], row["simple"]) == (posed.id, "advised", 2.0, 9.0, 4.0)
    assert (row["verdict"], row["words"], row["said"]) == ("accepted", "do it now", {"zh": "send two", "en": "send two"})
    (entry,) = decide.datasets((PACK,))
    assert set(row) == {column.name for column in entry.columns}
    assert "some" in entry.about.en
