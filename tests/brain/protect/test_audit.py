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
from citybrain.kernel.access import Ask, Verdict
from citybrain.kernel.clock import FixedClock
from citybrain.kernel.errors import ConflictError
from citybrain.kernel.instant import Instant
from tests.brain.protect.conftest import PEOPLE, MacKeys

YES = Verdict(allowed=True, reasons=("p",))


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
