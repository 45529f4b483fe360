"""The tables of exchange: the catalogue's entries and their lineage."""

from sqlalchemy import BigInteger, Column, MetaData, Table, Text

METADATA = MetaData()

DATASET = Table(
    "dataset",
    METADATA,
    Column("name", Text, primary_key=True),
    # The whole entry as JSON: what a dataset is, is declared in one place and only read here.
    Column("entry", Text, nullable=False),
    Column("registered", BigInteger, nullable=False),
)
EDGE = Table(
    "edge",
    METADATA,
    Column("source", Text, primary_key=True),
    Column("target", Text, primary_key=True),
    Column("job", Text, primary_key=True),
    Column("registered", BigInteger, nullable=False),
)
