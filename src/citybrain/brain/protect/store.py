"""The tables of protect: accounts, sessions, devices, attempts to sign in, the audit trail and its signed heads."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, MetaData, Table, Text

METADATA = MetaData()

ACCOUNT = Table(
    "account",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("login", Text, nullable=False, unique=True),
    Column("password", Text, nullable=False),
    Column("roles", Text, nullable=False),
    Column("unit", Text),
    Column("enabled", Boolean, nullable=False),
    Column("created", BigInteger, nullable=False),
)
SESSION = Table(
    "session",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("token", Text, nullable=False, unique=True),
    Column("account", Text, ForeignKey("account.id"), nullable=False),
    Column("began", BigInteger, nullable=False),
    Column("seen", BigInteger, nullable=False),
    Index("session_of_account", "account"),
)
DEVICE = Table(
    "device",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("login", Text, nullable=False, unique=True),
    Column("secret", Text, nullable=False),
    Column("writes", Text, nullable=False),
    Column("unit", Text),
    Column("enabled", Boolean, nullable=False),
    Column("created", BigInteger, nullable=False),
)
ATTEMPT = Table(
    "attempt",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("who", Text, nullable=False),
    Column("wall", BigInteger, nullable=False),
    Index("attempt_of", "who", "wall"),
)
AUDIT = Table(
    "audit",
    METADATA,
    Column("no", Integer, primary_key=True, autoincrement=False),
    Column("wall", BigInteger, nullable=False),
    Column("account", Text, nullable=False),
    Column("roles", Text, nullable=False),
    Column("unit", Text),
    Column("action", Text, nullable=False),
    Column("resource", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("allowed", Boolean, nullable=False),
    Column("reasons", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Index("audit_account", "account", "no"),
)
AUDIT_HEAD = Table(
    "audit_head",
    METADATA,
    Column("no", Integer, primary_key=True, autoincrement=False),
    Column("hash", Text, nullable=False),
    Column("signature", Text, nullable=False),
)
