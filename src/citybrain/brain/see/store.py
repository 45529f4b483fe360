"""The tables of see: every figure that was ever shown, so that trends and 'as of' can be answered."""

from sqlalchemy import BigInteger, Column, Double, Index, Integer, MetaData, Table, Text

METADATA = MetaData()

FIGURE = Table(
    "figure",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("indicator", Text, nullable=False),
    Column("version", Integer, nullable=False),
    # Empty for the district: a null would never equal itself in the uniqueness below.
    Column("area", Text, nullable=False),
    Column("value", Double),
    Column("unknown", Integer, nullable=False),
    Column("reason", Text),
    Column("as_of", BigInteger, nullable=False),
    Column("computed", BigInteger, nullable=False),
    Column("origin", Text, nullable=False),
    Index("figure_once", "indicator", "area", "computed", unique=True),
    Index("figure_newest", "computed", "id"),
)
