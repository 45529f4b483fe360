"""People of every role, a key that signs for real, and the rooms' tables in a real store."""

import hashlib
import hmac

import pytest

from citybrain.brain.protect import METADATA, Accounts, AuditTrail, CedarPolicy
from citybrain.engines.transactions import SqlTransactions
from citybrain.kernel.access import ANYONE, ROLES, Caller
from citybrain.kernel.clock import FixedClock
from citybrain.kernel.errors import BadInputError
from citybrain.kernel.text import Text

OWN_UNIT = "unit-street"
PEOPLE: dict[str, Caller] = {"anyone": ANYONE} | {
    role: Caller(f"acc-{role}", role, frozenset({role}), OWN_UNIT if role == "handler" else None) for role in ROLES
}


class MacKeys:
    """Signs with HMAC-SHA-256 under a fixed key; sealing is not asked of it here."""

    def sign(self, message: bytes) -> bytes:
        return hmac.new(b"key of the test", message, hashlib.sha256).digest()

    def verify(self, message: bytes, signature: bytes) -> bool:
        return hmac.compare_digest(self.sign(message), signature)

    def seal(self, plain: bytes, context: bytes) -> bytes:
        return self.sign(context + plain) + plain

    def open(self, sealed: bytes, context: bytes) -> bytes:
        if not self.verify(context + sealed[32:], sealed[:32]):
            raise BadInputError(Text("已改动", "Changed"))
        return sealed[32:]


@pytest.fixture
def rooms(transactions: SqlTransactions) -> SqlTransactions:
    with transactions.begin() as tx:
        METADATA.create_all(tx.connection)
    return transactions


@pytest.fixture
def trail(rooms: SqlTransactions, clock: FixedClock) -> AuditTrail:
    return AuditTrail(rooms, MacKeys(), clock, every=4)


@pytest.fixture
def accounts(rooms: SqlTransactions, clock: FixedClock, trail: AuditTrail) -> Accounts:
    return Accounts(rooms, clock, trail)


@pytest.fixture
def policy(clock: FixedClock) -> CedarPolicy:
    return CedarPolicy(clock, portal=frozenset({"air_station"}))
