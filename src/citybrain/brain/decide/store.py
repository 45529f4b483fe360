"""Where decide keeps its ledger: every advice as it was given, and what somebody decided on it; rows are added, never changed."""

from sqlalchemy import BigInteger, Column, Double, Index, MetaData, String, Table, Text

METADATA = MetaData()
ADVICE = Table(
    "advice",
    METADATA,
    Column("id", String(36), primary_key=True),
    Column("question", String(100), nullable=False),
    Column("pack", String(100), nullable=False),
    Column("asked", BigInteger, nullable=False),
    Column("wall", BigInteger, nullable=False),
    Column("found", String(20), nullable=False),
    Column("said", Text, nullable=False),
    Column("cost", Double),
    Column("idle", Double),
    Column("simple", Double),
    Column("body", Text, nullable=False),
    Column("origin", String(20), nullable=False),
    Index("advice_question", "question", "asked"),
    Index("advice_asked", "asked", "id"),
)
DECISION = Table(
    "decision",
    METADATA,
    Column("advice", String(36), primary_key=True),
    Column("verdict", String(20), nullable=False),
    Column("words", Text, nullable=False),
    Column("by", String(200), nullable=False),
    Column("decided", BigInteger, nullable=False),
    Column("wall", BigInteger, nullable=False),
)
