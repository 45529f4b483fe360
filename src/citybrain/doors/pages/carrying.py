"""The readings of a stream to carry away: how many of the last days are measured, corrected, struck out or estimated, and the files."""

from typing import Final
from urllib.parse import urlencode

from citybrain.brain.observe import MARKS
from citybrain.doors.pages.parts import PageParts
from citybrain.kernel.access import Ask, Caller, Query
from citybrain.kernel.instant import DAY, Instant, rfc3339
from citybrain.kernel.predicate import And, Compare
from citybrain.kernel.text import Text, same
from citybrain.kernel.things import Stream
from citybrain.web.data_views import Download
from citybrain.web.stream_views import CarryBlock
from citybrain.web.views import Fact

_DAYS: Final = 31
_ROAD: Final = "/api/v1/exchange/datasets/observation/export"
_WORDS: Final = {
    "measured": Text("测得", "Measured"),
    "computed": Text("算出", "Computed"),
    "corrected": Text("更正", "Corrected"),
    "struck": Text("作废", "Struck out"),
    "estimated": Text("缺少而有估计", "Missing, with an estimate"),
}
_STANDS: Final = Text("作废的和估计的不在内", "without what was struck out, and without estimates")
_ALL: Final = Text("连同作废的和估计的，逐行标记", "with what was struck out and with estimates, each row marked")
_SHEET: Final = Text("各种标记的条数", "how many of which mark")


def block(parts: PageParts, caller: Caller, stream: Stream) -> CarryBlock | None:
    """The files of the last days with their counts; None for whom may not carry readings away, or not see them."""
    dataset = parts.catalogue.describe("observation")
    asks = {"observation.export": dataset.access, "observation.read": parts.registry.kind(stream.kind).access}
    if not all(parts.policy.decide(Ask(caller, action, "observation", "", {"access": at})).allowed for action, at in asks.items()):
        return None
    until = Instant(parts.clock.city() + 1)
    since, end = rfc3339(Instant(until - _DAYS * DAY)), rfc3339(until)
    span = Compare("stream", "eq", stream.id), Compare("time", "ge", since), Compare("time", "lt", end)
    where = And((*span, Compare("mark", "in", MARKS)))
    found = parts.catalogue.manifest(parts.guard.reader(caller, ""), Query("observation", where)).readings
    counts = {} if found is None else {mark: count for mark, count in found.rows.items() if count or mark != "computed"}
    words = {"stream": stream.id, "time.ge": since, "time.lt": end}
    stands, every = (f"?{urlencode(said)}" for said in (words, {**words, "mark.in": ",".join(MARKS)}))
    return CarryBlock(
        tuple(Fact(_WORDS[mark], same(f"{count}")) for mark, count in counts.items()),
        (
            Download("CSV", f"{_ROAD}.csv{stands}", _STANDS),
            Download("Parquet", f"{_ROAD}.parquet{stands}", _STANDS),
            Download("CSV", f"{_ROAD}.csv{every}", _ALL),
            Download("JSON", f"{_ROAD}.manifest{every}", _SHEET),
        ),
    )
