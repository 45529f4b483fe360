"""The tables of act: cases with their steps, numbers and causes; units; notices; the working calendar; reports and their ratings."""

from sqlalchemy import BigInteger, Boolean, Column, Double, ForeignKey, Index, Integer, MetaData, Table, Text

METADATA = MetaData()

CASE = Table(
    "case",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("number", Text, nullable=False, unique=True),
    Column("key", Text, nullable=False),
    # Equals the key while the case is open and is null afterwards: one open case of a key, by the store itself.
    Column("open_key", Text, unique=True),
    Column("matter", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("flow", Text, nullable=False),
    Column("flow_version", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("handler", Text),
    Column("lon", Double),
    Column("lat", Double),
    Column("area", Text),
    Column("entity", Text),
    Column("cause", Text, nullable=False),
    Column("words", Text, nullable=False),
    Column("opened", BigInteger, nullable=False),
    Column("due", BigInteger, nullable=False),
    Column("closed", BigInteger),
    Column("grade", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("origin", Text, nullable=False),
    Index("case_opened", "opened", "id"),
    Index("case_due", "due", "id"),
    Index("case_closed", "closed"),
    Index("case_state_unit", "state", "unit", "due", "closed"),
)
CAUSE = Table(
    "case_cause",
    METADATA,
    Column("case", Text, ForeignKey("case.id"), primary_key=True),
    Column("cause", Text, primary_key=True),
)
SERIAL = Table(
    "case_serial",
    METADATA,
    Column("day", Text, primary_key=True),
    Column("last", Integer, nullable=False),
)
STEP = Table(
    "step",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("case", Text, ForeignKey("case.id"), nullable=False),
    Column("no", Integer, nullable=False),
    Column("move", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("wall", BigInteger, nullable=False),
    Column("note", Text, nullable=False),
    Index("step_of_case", "case", "no", unique=True),
)
STEP_PHOTO = Table(
    "step_photo",
    METADATA,
    Column("step", Text, ForeignKey("step.id"), primary_key=True),
    Column("photo", Text, nullable=False),
    Column("taken", BigInteger),
    Column("metres", Integer),
    Index("step_photo_by_photo", "photo"),
)
"""The photo that proves a step; when it was taken and how far from the case, as it said itself, and null where it did not."""
INSTRUCTION = Table(
    "instruction",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("case", Text, ForeignKey("case.id"), nullable=False),
    Column("by", Text, nullable=False),
    Column("words", Text, nullable=False),
    Column("given", BigInteger, nullable=False),
    Column("due", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("answered", BigInteger),
    Column("closed", BigInteger),
    Column("origin", Text, nullable=False),
    Index("instruction_of_case", "case", "given"),
    Index("instruction_due", "due", "id"),
    Index("instruction_state", "state", "case"),
)
UNIT = Table(
    "unit",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("duties", Text, nullable=False),
    Column("area", Text),
    Column("parent", Text),
)
NOTICE = Table(
    "notice",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("recipient", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("words", Text, nullable=False),
    Column("subject", Text),
    Column("origin", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("wall", BigInteger, nullable=False),
    Index("notice_once", "recipient", "key", unique=True),
)
NOTICE_READ = Table(
    "notice_read",
    METADATA,
    Column("notice", Text, ForeignKey("notice.id"), primary_key=True),
    Column("account", Text, primary_key=True),
    Column("wall", BigInteger, nullable=False),
)
WORKDAY = Table(
    "workday",
    METADATA,
    Column("day", Text, primary_key=True),
    Column("works", Boolean, nullable=False),
    Column("why", Text, nullable=False),
)
REPORT = Table(
    "report",
    METADATA,
    # The digest of its form and key: the same report twice is one row, by the store itself.
    Column("id", Text, primary_key=True),
    Column("form", Text, nullable=False),
    Column("case", Text, ForeignKey("case.id"), nullable=False),
    Column("code", Text, nullable=False),
    Column("words", Text, nullable=False),
    Column("spot", Text, nullable=False),
    Column("contact", Text, nullable=False),
    Column("photo", Text),
    Column("lon", Double),
    Column("lat", Double),
    Column("area", Text),
    Column("account", Text),
    Column("content", Text, nullable=False),
    Column("follow", Text, nullable=False),
    Column("sealed", Text, nullable=False),
    Column("filed", BigInteger, nullable=False),
    Column("wall", BigInteger, nullable=False),
    Column("erased", BigInteger),
    Column("origin", Text, nullable=False),
    Index("report_of_case", "case"),
    Index("report_filed", "form", "filed"),
    Index("report_by_photo", "photo"),
)
RATING = Table(
    "report_rating",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("report", Text, ForeignKey("report.id"), nullable=False),
    Column("closing", BigInteger, nullable=False),
    Column("grade", Integer, nullable=False),
    Column("solved", Boolean, nullable=False),
    Column("words", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("wall", BigInteger, nullable=False),
    # A closing is rated once by each who reported.
    Index("rating_of_closing", "report", "closing", unique=True),
)
REPORT_PHOTO = Table(
    "report_photo",
    METADATA,
    Column("photo", Text, primary_key=True),
    Column("wall", BigInteger, nullable=False),
    Index("report_photo_wall", "wall"),
)
REPORT_TRY = Table(
    "report_try",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("who", Text, nullable=False),
    Column("wall", BigInteger, nullable=False),
    Index("report_try_of", "who", "wall"),
)
