"""The audit trail cannot be changed without its showing."""

import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select, text, update

from citybrain.brain.protect import AuditTrail
from citybrain.brain.protect.store import AUDIT, AUDIT_HEAD
from citybrain.engines.sqlite import open_sqlite
from citybrain.engines.transactions import SqlTransactions
from citybrain.kernel.access import ANYONE, SYSTEM, Ask, Verdict
from citybrain.kernel.clock import FixedClock
from citybrain.kernel.errors import ConflictError
from citybrain.kernel.instant import MINUTE, Instant
from tests.brain.protect.conftest import PEOPLE, MacKeys

YES = Verdict(allowed=True, reasons=("p",))
NO = Verdict(allowed=False, reasons=("default-deny",))


def fill(trail: AuditTrail, count: int) -> None:
    for n in range(count):
        trail.write(Ask(PEOPLE["dispatcher"], "case.move", f"case-{n}"), YES, {"n": n, "词": "中文"})


def test_an_untouched_trail_stands_and_its_heads_are_signed(trail: AuditTrail, rooms: SqlTransactions) -> None:
    assert trail.verify() == 0
    fill(trail, 10)
    assert trail.verify() == 10
    with rooms.read() as connection:
        assert list(connection.execute(select(AUDIT_HEAD.c.no).order_by(AUDIT_HEAD.c.no)).scalars()) == [1, 4, 8]


@pytest.mark.parametrize(
    "change",
    [
        {"allowed": False},
        {"account": "acc-other"},
        {"detail": "{}"},
        {"wall": 0},
        {"purpose": "x"},
        {"reasons": "[]"},
        {"unit": "u"},
    ],
)
def test_a_changed_row_is_named(trail: AuditTrail, rooms: SqlTransactions, change: dict[str, object]) -> None:
    fill(trail, 6)
    with rooms.begin() as tx:
        tx.connection.execute(update(AUDIT).where(AUDIT.c.no == 3).values(change))
    with pytest.raises(ConflictError) as broken:
        trail.verify()
    assert broken.value.fields["row"] == 3


def test_a_removed_row_is_named(trail: AuditTrail, rooms: SqlTransactions) -> None:
    fill(trail, 6)
    with rooms.begin() as tx:
        tx.connection.execute(delete(AUDIT).where(AUDIT.c.no == 3))
    with pytest.raises(ConflictError) as broken:
        trail.verify()
    assert broken.value.fields["row"] == 3


def test_an_end_cut_off_before_a_signed_head_is_noticed(trail: AuditTrail, rooms: SqlTransactions) -> None:
    fill(trail, 6)
    with rooms.begin() as tx:
        tx.connection.execute(delete(AUDIT).where(AUDIT.c.no >= 3))
    with pytest.raises(ConflictError) as broken:
        trail.verify()
    assert broken.value.fields["row"] == 3


def test_a_chain_computed_anew_fails_for_want_of_the_key(trail: AuditTrail, rooms: SqlTransactions, clock: FixedClock) -> None:
    class OtherKeys(MacKeys):
        def sign(self, message: bytes) -> bytes:
            return bytes(reversed(super().sign(message)))

        def verify(self, message: bytes, signature: bytes) -> bool:
            return self.sign(message) == signature

    fill(AuditTrail(rooms, OtherKeys(), clock, every=4), 6)
    with pytest.raises(ConflictError) as broken:
        trail.verify()
    assert broken.value.fields["row"] == 1


def test_a_row_put_in_at_the_end_without_the_chain_is_named(trail: AuditTrail, rooms: SqlTransactions) -> None:
    fill(trail, 5)
    with rooms.begin() as tx:
        row = dict(tx.connection.execute(select(AUDIT).where(AUDIT.c.no == 5)).mappings().one())
        tx.connection.execute(insert(AUDIT).values({**row, "no": 6}))
    with pytest.raises(ConflictError) as broken:
        trail.verify()
    assert broken.value.fields["row"] == 6


def test_many_writers_make_one_unbroken_chain(trail: AuditTrail) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: fill(trail, 5), range(8)))
    assert trail.verify() == 40


def flood(trail: AuditTrail, count: int, resource: str = "case") -> None:
    for _ in range(count):
        trail.write(Ask(ANYONE, "case.read", resource), NO, {})


def told(rooms: SqlTransactions) -> list[tuple[str, str, str]]:
    with rooms.read() as connection:
        return [(row.account, row.resource, row.detail) for row in connection.execute(select(AUDIT).order_by(AUDIT.c.no))]


def test_a_flood_of_refusals_without_a_session_is_two_rows_a_minute_and_the_chain_stands(
    trail: AuditTrail, rooms: SqlTransactions, clock: FixedClock
) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: flood(trail, 50), range(10)))
    assert trail.verify() == 1
    began = clock.wall() // MINUTE * MINUTE
    clock.set(clock.city(), Instant(began + MINUTE))
    flood(trail, 3)
    clock.set(clock.city(), Instant(began + 2 * MINUTE))
    trail.settle()
    assert told(rooms) == [
        ("anyone", "case", "{}"),
        ("anyone", "case", '{"again":499,"minute":"2026-11-22T07:00:00Z"}'),
        ("anyone", "case", "{}"),
        ("anyone", "case", '{"again":2,"minute":"2026-11-22T07:01:00Z"}'),
    ]
    assert trail.verify() == 4
    trail.settle()
    assert trail.verify() == 4


def test_refusals_of_different_things_are_told_apart_and_those_of_somebody_known_are_each_a_row(
    trail: AuditTrail, rooms: SqlTransactions
) -> None:
    flood(trail, 3, "case")
    flood(trail, 2, "step")
    for _ in range(3):
        trail.write(Ask(PEOPLE["citizen"], "case.read", "case"), NO, {})
    trail.settle(all_of_them=True)
    assert sorted(row[:2] for row in told(rooms)) == [
        *([("acc-citizen", "case")] * 3),
        *([("anyone", "case")] * 2),
        *([("anyone", "step")] * 2),
    ]
    assert [row[2] for row in told(rooms)][-2:] == [
        '{"again":2,"minute":"2026-11-22T07:00:00Z"}',
        '{"again":1,"minute":"2026-11-22T07:00:00Z"}',
    ]
    assert trail.verify() == 7


def test_a_flood_of_ever_new_resources_is_bounded_too(trail: AuditTrail, rooms: SqlTransactions) -> None:
    for n in range(1010):
        flood(trail, 1, f"case-{n}")
    assert trail.verify() == 1001
    trail.settle(all_of_them=True)
    assert told(rooms)[-1] == ("anyone", "*", '{"again":9,"minute":"2026-11-22T07:00:00Z"}')


_WRITER = """
import itertools, sys
from pathlib import Path
from citybrain.brain.protect import METADATA, AuditTrail
from citybrain.engines import transactions
from citybrain.engines.sqlite import open_sqlite
from citybrain.kernel.access import SYSTEM, Ask, Verdict
from citybrain.kernel.clock import FixedClock
from tests.brain.protect.conftest import MacKeys
store = open_sqlite(Path(sys.argv[1]))
with store.begin() as tx:
    transactions.create(tx.connection)
    METADATA.create_all(tx.connection)
trail = AuditTrail(store, MacKeys(), FixedClock(0), every=4)
for n in itertools.count(1):
    trail.write(Ask(SYSTEM, "case.move", str(n)), Verdict(True, ()), {})
    print(n, flush=True)
"""


def test_a_kill_in_the_middle_of_writing_loses_no_row_that_was_acknowledged(tmp_path: Path) -> None:
    file = tmp_path / "audit.sqlite"
    with subprocess.Popen([sys.executable, "-c", _WRITER, str(file)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for _ in range(25):
            told = writer.stdout.readline()
        time.sleep(0.01)
        writer.send_signal(signal.SIGKILL)
        rest = writer.stdout.read().split()
    acknowledged = int(rest[-1] if rest else told)
    store = open_sqlite(file)
    assert AuditTrail(store, MacKeys(), FixedClock(Instant(0)), every=4).verify() in (acknowledged, acknowledged + 1)
    with store.read() as connection:
        assert connection.execute(text("PRAGMA integrity_check")).scalar_one() == "ok"
    store.close()


def test_what_the_program_has_written_of_a_resource_is_found_and_nothing_of_others(trail: AuditTrail) -> None:
    trail.write(Ask(SYSTEM, "observation.delete", "deletion/1"), YES, {"rows": 3, "词": "中文"})
    trail.write(Ask(PEOPLE["dispatcher"], "observation.delete", "deletion/2"), NO, {})
    assert trail.told("observation.delete", "deletion/1") == {"rows": 3, "词": "中文"}
    assert trail.told("observation.delete", "deletion/2") is None
    assert trail.told("observation.read", "deletion/1") is None
