"""Results that are no numbers on pages: as what they say, in tables and lists, never as a line of codes."""

from typing import Final

from citybrain.brain.observe import UNMEASURED, written
from citybrain.doors.pages import charts, rows
from citybrain.doors.pages.parts import PageParts
from citybrain.doors.pages.rows import Row
from citybrain.kernel.access import Caller
from citybrain.kernel.instant import Instant
from citybrain.kernel.text import Text
from citybrain.kernel.things import Stream
from citybrain.web import formats
from citybrain.web.views import Cell, Column, Table

_SHOWN: Final = 50
_CORRECTED: Final = Text("由人员更正", "set by a person")
_COLUMNS: Final = (Column("time", Text("观测时间", "Observed")), Column("word", Text("结果", "Result")))


def reading(row: Row) -> Text | None:
    """The latest reading of a stream as people read it, from its row; None where there is none."""
    value = rows.number(row["value"])
    if value is None:
        return None
    if row["result_type"] in UNMEASURED:
        return written(row["word"])
    said, unit = formats.reading(value), rows.sign(str(row["unit"]))
    return Text(f"{said} {unit.zh}".rstrip(), f"{said} {unit.en}".rstrip())


def results(parts: PageParts, caller: Caller, stream: Stream, title: Text) -> Table:
    """The newest results of two days with their times; empty, with the reason, for whom may not see readings."""
    now = parts.clock.city()
    seen, empty = charts.recent(parts, caller, stream, now)
    shown = seen[-_SHOWN:][::-1]
    words = parts.registry.worded.results([(stream, value) for _, value in shown])
    corrected = parts.corrections.standing(stream, min((at for at, _ in shown), default=now), Instant(now + 1))
    lines = tuple(
        (Cell(at=at), Cell(text=written(word), note=_CORRECTED if at in corrected else None))
        for (at, _), word in zip(shown, words, strict=True)
    )
    return Table("results", title, _COLUMNS, lines, empty, total=len(seen), demo=stream.origin != "real")
