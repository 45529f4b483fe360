"""Words held against the readings that say them: two stores, which a restore may have put together from different days."""

from citybrain.brain.observe.pieces import days, pieces
from citybrain.brain.observe.registry import Registry
from citybrain.brain.observe.worded import WORDED
from citybrain.kernel.errors import ConflictError
from citybrain.kernel.instant import DAY, Instant
from citybrain.kernel.observations import SeriesQuery
from citybrain.kernel.ports import Series
from citybrain.kernel.text import Text
from citybrain.kernel.things import Stream

_BEGIN, _END = Instant(0), Instant(2**62)


def verify_words(series: Series, registry: Registry) -> int:
    """How many words readings say, each of which is known; raises ConflictError that names the first that is not."""
    return sum(_known(series, registry, registry.streams()[no - 1]) for no in sorted(registry.unlike))


def _known(series: Series, registry: Registry, stream: Stream) -> int:
    if stream.sort not in WORDED:
        return 0
    counted = days(series.scan(SeriesQuery((stream.no,), _BEGIN, _END, DAY)))
    codes: set[int] = set()
    for span, _ in pieces(counted, _BEGIN, _END, descending=False):
        codes |= {int(value) for value in set(series.scan(SeriesQuery((stream.no,), *span))["value"].to_numpy().tolist())}
    known = registry.worded.words((stream.no, code) for code in codes)
    lost = min((code for code in codes if (stream.no, code) not in known), default=None)
    if lost is not None:
        what = Text(
            f"数据流 {stream.id} 的读数含第 {lost} 个取值，而取值表中没有它：两处存储可能取自不同日期的备份，请从同一备份恢复。",
            f"Readings of {stream.id} say word {lost}, which its list does not hold: the two stores may be of different backups. "
            "Restore both from one.",
        )
        raise ConflictError(what, stream=stream.id, word=lost)
    return len(codes)
