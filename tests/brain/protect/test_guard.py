"""Nobody reads around policy, masking and audit."""

import msgspec
import pytest

from citybrain.brain.protect import Accounts, AuditTrail, CedarPolicy, Guard, datasets, sources
from citybrain.brain.protect.actions import action_on
from citybrain.brain.protect.guard import fitted
from citybrain.engines.transactions import SqlTransactions
from citybrain.kernel.access import ANYONE, Ask, Order, Page, Query
from citybrain.kernel.datasets import Column, Dataset, Edge
from citybrain.kernel.errors import ForbiddenError, NotFoundError, UnauthenticatedError
from citybrain.kernel.instant import parse
from citybrain.kernel.ports import Source
from citybrain.kernel.predicate import EVERYTHING, NOTHING, Compare, Not, Or, holds
from citybrain.kernel.text import Text
from tests.brain.protect.conftest import OWN_UNIT, PEOPLE

ROWS = (
    {"id": "1", "unit": OWN_UNIT, "name": "张三", "at": "2026-11-22T01:00:00Z"},
    {"id": "2", "unit": "unit-other", "name": "欧阳娜娜", "at": "2026-11-22T02:00:00Z"},
)
CASES = Dataset(
    "case",
    Text("案件", "Cases"),
    Text("试", "Try"),
    "command",
    "act",
    (
        Column("id", Text("标识", "Id"), "text"),
        Column("unit", Text("单位", "Unit"), "text"),
        Column("name", Text("姓名", "Name"), "text", personal=True),
        Column("at", Text("时间", "At"), "instant"),
    ),
    "conditional",
    "real",
    Text("测试", "Test"),
)


class Shelf:
    """A catalogue of what is put on it."""

    def __init__(self, *entries: Dataset) -> None:
        self._entries = {entry.name: entry for entry in entries}

    def register(self, dataset: Dataset) -> None:
        self._entries[dataset.name] = dataset

    def describe(self, name: str) -> Dataset:
        if name not in self._entries:
            raise NotFoundError(Text("没有", "None"))
        return self._entries[name]

    def link(self, edge: Edge) -> None:
        raise NotImplementedError(edge.job)


def rows(query: Query) -> Page:
    return Page(tuple(dict(row) for row in ROWS if holds(query.where, row)))


@pytest.fixture
def guard(rooms: SqlTransactions, policy: CedarPolicy, trail: AuditTrail) -> Guard:
    served: dict[str, Source] = {"case": rows, **sources(rooms)}
    return Guard(policy, served, Shelf(CASES, *datasets()), trail)


def trail_rows(rooms: SqlTransactions) -> list[tuple[object, ...]]:
    page = sources(rooms)["audit"](Query("audit", order=Order("no")))
    return [(row["account"], row["action"], row["allowed"], row["reasons"]) for row in page.rows]


def test_a_handler_reads_the_rows_of_the_own_unit_with_names_masked(guard: Guard, rooms: SqlTransactions) -> None:
    page = guard.reader(PEOPLE["handler"]).read(Query("case"))
    assert [(row["id"], row["name"]) for row in page.rows] == [("1", "张*")]
    assert page.masked == ("name",)
    assert page.reasons == ("handler-own-unit",)
    assert trail_rows(rooms) == []


def test_asking_for_other_units_rows_does_not_widen_what_is_seen(guard: Guard) -> None:
    wide = Or((EVERYTHING, Compare("unit", "eq", "unit-other")))
    assert [row["id"] for row in guard.reader(PEOPLE["handler"]).read(Query("case", wide)).rows] == ["1"]


def test_reading_names_for_a_purpose_leaves_a_row_in_the_trail(guard: Guard, rooms: SqlTransactions) -> None:
    page = guard.reader(PEOPLE["dispatcher"], "联系当事人").read(Query("case"))
    assert [row["name"] for row in page.rows] == ["张三", "欧阳娜娜"]
    assert trail_rows(rooms) == [("acc-dispatcher", "case.read", True, ["dispatcher-cases"])]
    (row,) = sources(rooms)["audit"](Query("audit")).rows
    assert (row["purpose"], row["detail"]) == ("联系当事人", {"personal": ["name"], "rows": 2})


def test_masked_columns_cannot_be_found_out_by_filtering_or_sorting(guard: Guard) -> None:
    reader = guard.reader(PEOPLE["handler"])
    for query in (Query("case", Not(Compare("name", "eq", "张三"))), Query("case", order=Order("name"))):
        with pytest.raises(ForbiddenError, match="masked fields: name"):
            reader.read(query)


def test_a_refusal_names_the_policy_and_stands_in_the_trail(guard: Guard, rooms: SqlTransactions) -> None:
    with pytest.raises(UnauthenticatedError):
        guard.reader(ANYONE).read(Query("case"))
    with pytest.raises(ForbiddenError) as refusal:
        guard.reader(PEOPLE["device"]).read(Query("case"))
    assert refusal.value.fields["policies"] == ["device-nothing-else"]
    with pytest.raises(ForbiddenError):
        guard.reader(PEOPLE["admin"]).read(Query("case"))
    with pytest.raises(ForbiddenError):
        guard.reader(PEOPLE["citizen"]).read(Query("case"))
    assert [row[:3] for row in trail_rows(rooms)] == [
        ("anyone", "case.read", False),
        ("acc-device", "case.read", False),
        ("acc-admin", "case.read", False),
        ("acc-citizen", "case.read", False),
    ]


def test_nobody_carries_cases_away_and_every_export_is_recorded(guard: Guard, rooms: SqlTransactions) -> None:
    for who in ("admin", "leader", "dispatcher", "data_officer"):
        with pytest.raises(ForbiddenError):
            guard.exporter(PEOPLE[who], "归档").read(Query("case"))
    assert len(guard.exporter(PEOPLE["auditor"], "取证").read(Query("audit")).rows) == 4
    assert trail_rows(rooms)[-1][:3] == ("acc-auditor", "audit.export", True)


def test_writes_and_refusals_are_recorded_and_reads_are_not(guard: Guard, rooms: SqlTransactions) -> None:
    guard.require(Ask(PEOPLE["dispatcher"], "case.read", "case"))
    guard.require(Ask(PEOPLE["device"], "observation.write", "air-01"))
    guard.require(Ask(PEOPLE["dispatcher"], "case.move", "case", facts={"unit": "u1"}))
    with pytest.raises(ForbiddenError) as refusal:
        guard.require(Ask(PEOPLE["leader"], "case.move", "case"))
    assert refusal.value.fields["policies"] == ["default-deny"]
    with pytest.raises(UnauthenticatedError):
        guard.require(Ask(ANYONE, "case.move", "case"))
    assert [row[:3] for row in trail_rows(rooms)] == [
        ("acc-dispatcher", "case.move", True),
        ("acc-leader", "case.move", False),
        ("anyone", "case.move", False),
    ]


def test_accounts_are_listed_without_hashes_and_only_by_the_administrator(guard: Guard, accounts: Accounts) -> None:
    accounts.create("张三", "zhangsan", "Right-horse-9", ["handler"], OWN_UNIT)
    page = guard.reader(PEOPLE["admin"]).read(Query("account"))
    assert [(row["name"], row["login"], row["roles"]) for row in page.rows] == [("张*", "z*******", ["handler"])]
    assert not {"password", "secret", "token"} & {name for row in page.rows for name in row}
    for who in ("leader", "dispatcher", "auditor", "data_officer"):
        with pytest.raises(ForbiddenError):
            guard.reader(PEOPLE[who]).read(Query("account"))


def test_the_auditor_reads_the_trail_and_the_administrator_does_not(guard: Guard) -> None:
    guard.reader(PEOPLE["auditor"]).read(Query("audit"))
    with pytest.raises(ForbiddenError):
        guard.reader(PEOPLE["admin"]).read(Query("audit"))


def test_facts_of_cases_are_guarded_as_cases_are_and_kinds_of_packs_as_datasets() -> None:
    assert action_on(CASES, "read") == "case.read"
    assert action_on(msgspec.structs.replace(CASES, name="case_opened"), "export") == "case.export"
    assert action_on(msgspec.structs.replace(CASES, name="case_study", pack="sample"), "read") == "dataset.read"
    assert action_on(msgspec.structs.replace(CASES, name="edge"), "read") == "dataset.read"


def test_a_limit_of_nothing_asks_for_the_count_alone_whatever_a_source_reads_for_it(policy: CedarPolicy, trail: AuditTrail) -> None:
    def counted(query: Query) -> Page:
        return Page(rows(query).rows, "more", 2)

    guard = Guard(policy, {"case": counted}, Shelf(CASES), trail)
    found = guard.reader(PEOPLE["dispatcher"]).read(Query("case", limit=0, count=True))
    assert (found.rows, found.next, found.total) == ((), None, 2)


def test_a_dataset_that_is_not_there_or_has_no_rows_is_not_found(guard: Guard) -> None:
    with pytest.raises(NotFoundError):
        guard.reader(PEOPLE["leader"]).read(Query("unheard_of"))


def test_a_narrowing_is_put_in_the_datasets_own_terms() -> None:
    noon = parse("2026-11-22T04:00:00Z")
    assert fitted(Compare("at", "ge", noon), CASES) == Compare("at", "ge", "2026-11-22T04:00:00Z")
    assert fitted(Or((Compare("account", "eq", "a"), Compare("unit", "eq", "u"))), CASES) == Or((Compare("unit", "eq", "u"),))
    assert fitted(Compare("account", "eq", "a"), CASES) == NOTHING
