"""The tables of offers and bookings, among those of act."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text

from citybrain.brain.act.store import METADATA

OFFER = Table(
    "offer",
    METADATA,
    Column("id", Text, primary_key=True),
    # One offer of an owner's Idempotency-Key, by the store itself.
    Column("key", Text, nullable=False, unique=True),
    Column("entity", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("area", Text),
    Column("owner", Text, nullable=False),
    Column("units", Integer, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("days", Text, nullable=False),
    Column("opens", Integer, nullable=False),
    Column("closes", Integer, nullable=False),
    Column("price", BigInteger, nullable=False),
    Column("words", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("origin", Text, nullable=False),
    Index("offer_until", "until", "id"),
    Index("offer_of_entity", "entity", "until"),
    Index("offer_of_owner", "owner", "until"),
)
BOOKING = Table(
    "booking",
    METADATA,
    Column("id", Text, primary_key=True),
    # One booking of an account's Idempotency-Key, by the store itself.
    Column("key", Text, nullable=False, unique=True),
    Column("code", Text, nullable=False),
    Column("offer", Text, ForeignKey("offer.id"), nullable=False),
    Column("account", Text, nullable=False),
    Column("begins", BigInteger, nullable=False),
    Column("ends", BigInteger, nullable=False),
    Column("units", Integer, nullable=False),
    Column("price", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("made", BigInteger, nullable=False),
    Column("changed", BigInteger, nullable=False),
    Column("appeal", Text, nullable=False),
    Column("words", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("origin", Text, nullable=False),
    Index("booking_of_offer", "offer", "begins"),
    Index("booking_of_account", "account", "begins"),
    Index("booking_begins", "begins", "id"),
    Index("booking_state", "state", "begins"),
)
