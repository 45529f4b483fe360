"""Trends: what was read, what is forecast, and how good the forecast is."""

from itertools import pairwise

from citybrain.doors.pages.parts import PageParts
from citybrain.kernel.access import Caller
from citybrain.kernel.datasets import ForecastIssue
from citybrain.kernel.errors import ForbiddenError
from citybrain.kernel.instant import DAY, HOUR, Duration, Instant
from citybrain.kernel.pack import Board
from citybrain.kernel.text import Text, same
from citybrain.kernel.things import LIFE_WORDS, Entity, Life, Stream
from citybrain.kernel.units import UNITS
from citybrain.web import plausible
from citybrain.web.views import Chart, ChartRow, Skill, Threshold

_DAYS = 2
_HOLE = Duration(3 * HOUR)
_SHOWN = (1, 6, 12, 24)
_NO_READINGS = Text("近两日没有读数", "no readings in two days")


def trend(parts: PageParts, caller: Caller, board: Board, entity: Entity) -> Chart:
    """The headline field of an entity over two days, its levels as thresholds, nothing ahead; empty for whom may not see readings."""
    return _chart(parts, caller, board, entity, board.field, None)


def readings(parts: PageParts, caller: Caller, stream: Stream, title: Text) -> Chart:
    """Any stream over two days, without levels; empty, with the reason, for whom may not see its readings."""
    now = parts.clock.city()
    seen, reason = recent(parts, caller, stream, now)
    return Chart(
        name="readings",
        title=title,
        unit=same(UNITS[stream.unit].sign if stream.unit in UNITS else stream.unit),
        rows=_rows(stream, seen, None, now, *_marks(parts, stream, now)) if seen else (),
        decimals=_decimals(stream, seen),
        promised=_promised(stream),
        ails=_ails(parts, stream),
        reason=None if seen else reason,
        demo=stream.origin != "real",
    )


def recent(parts: PageParts, caller: Caller, stream: Stream, now: Instant) -> tuple[tuple[tuple[Instant, float], ...], Text]:
    """The readings of a stream in two days up to now, and why there are none where there are none."""
    try:
        return parts.history(caller, stream.id, Instant(now - _DAYS * DAY), Instant(now + 1)), _NO_READINGS
    except ForbiddenError as refused:
        return (), refused.what


def outlook(parts: PageParts, caller: Caller, board: Board, entity: Entity) -> Chart:
    """The forecast field of an entity: two days back and the issued hours ahead with their band."""
    field = board.forecast or board.field
    return _chart(parts, caller, board, entity, field, parts.forecasts.latest(f"{entity.id}.{field}"))


def _chart(parts: PageParts, caller: Caller, board: Board, entity: Entity, field: str, issue: ForecastIssue | None) -> Chart:
    now = parts.clock.city()
    stream = parts.registry.stream(f"{entity.id}.{field}")
    title = next(kind for pack in parts.packs for kind in pack.kinds if kind.name == entity.kind).field(field).title
    seen, reason = recent(parts, caller, stream, now)
    open_ = reason is _NO_READINGS
    sign = UNITS[stream.unit].sign
    return Chart(
        name=f"{entity.id}-{field}".replace(".", "-"),
        title=Text(f"{entity.title.zh} {title.zh}", f"{entity.title.en}: {title.en}"),
        unit=Text(sign, sign),
        rows=_rows(stream, seen, issue, now, *_marks(parts, stream, now)) if open_ else (),
        decimals=_decimals(stream, seen),
        promised=_promised(stream),
        ails=_ails(parts, stream) if open_ else None,
        thresholds=_thresholds(board, field),
        skill=() if issue is None else _skill(issue, sign, _baseline(parts, entity.kind, field)),
        method=None if issue is None else issue.note,
        coverage=80,
        reason=None if seen else reason,
        demo=stream.origin != "real",
    )


def _baseline(parts: PageParts, kind: str, field: str) -> Text:
    """What the errors of a field's forecast are held against."""
    return next(one.baseline for pack in parts.packs for one in pack.forecasts if (one.kind, one.field) == (kind, field))


def _marks(parts: PageParts, stream: Stream, now: Instant) -> tuple[frozenset[Instant], frozenset[Instant]]:
    """When readings were set by a person, and when they were struck out."""
    span = Instant(now - _DAYS * DAY), Instant(now + 1)
    return parts.corrections.standing(stream, *span), parts.corrections.struck(stream, *span)


def _promised(stream: Stream) -> tuple[float, float] | None:
    low, high = stream.contract.low, stream.contract.high
    return None if low is None or high is None or low >= high else (low, high)


def _ails(parts: PageParts, stream: Stream) -> Text | None:
    """What is wrong with a stream now, and why."""
    newest = parts.latest.of(stream.no)
    if newest is None or newest.life in (Life.LIVE, Life.CLOSED):
        return None
    _, why = parts.latest.why(stream, newest.life, newest.time, newest.value)
    word = LIFE_WORDS[newest.life]
    return Text(f"{word.zh}：{why.zh}", f"{word.en}: {why.en}")


def _decimals(stream: Stream, seen: tuple[tuple[Instant, float], ...]) -> int:
    """Decimals that readings need, whatever a broken one among them says."""
    values = [value for _, value in seen]
    window = plausible.window(values, _promised(stream))
    return plausible.decimals([value for value in values if window.holds(value)])


def _rows(
    stream: Stream,
    seen: tuple[tuple[Instant, float], ...],
    issue: ForecastIssue | None,
    now: Instant,
    corrected: frozenset[Instant],
    struck: frozenset[Instant],
) -> tuple[ChartRow, ...]:
    known = [ChartRow(at, seen=value, corrected=at in corrected) for at, value in seen]
    # The row of what was struck out has no value: the line stops there.
    past = with_gaps(sorted([*known, *(ChartRow(at, struck=True) for at in struck)], key=lambda row: row.at), hole(stream, known))
    points = () if issue is None else issue.points
    since = max(Instant(now - HOUR), past[-1].at if past else Instant(0))
    if past and not points and now - past[-1].at >= hole(stream, known):
        # The axis goes on to this moment, so that a line that ended is seen to have ended.
        past = (*past, ChartRow(now))
    ahead = [ChartRow(point.time, ahead=point.mean, low=point.low, high=point.high) for point in points if point.time > since]
    return (*past, *with_gaps(ahead, _HOLE))


def hole(stream: Stream, known: list[ChartRow]) -> Duration:
    """How long nothing may come before the line stops: three times what was promised, or what is usual where that is long."""
    if stream.contract.every is not None:
        return Duration(3 * stream.contract.every)
    between = sorted(after.at - row.at for row, after in pairwise(known))
    return Duration(max(_HOLE, 3 * between[len(between) // 2])) if between else _HOLE


def with_gaps(known: list[ChartRow], longest: Duration) -> tuple[ChartRow, ...]:
    """The rows, with an empty one in each hole: a line must not bridge what nobody measured or forecast."""
    rows: list[ChartRow] = []
    for row in known:
        if rows and row.at - rows[-1].at >= longest:
            rows.append(ChartRow(Instant(rows[-1].at + longest // 3)))
        rows.append(row)
    return tuple(rows)


def _thresholds(board: Board, field: str) -> tuple[Threshold, ...]:
    if field == board.forecast and field != board.field:
        return () if board.limit is None else (Threshold(board.limit[0], board.limit[1]),)
    return tuple(Threshold(level.low, level.title, level.colour) for level in board.levels[2:])


def _skill(issue: ForecastIssue, sign: str, baseline: Text) -> tuple[Skill, ...]:
    return tuple(
        Skill(one.horizon, one.error, one.baseline, Text(sign, sign), baseline=baseline)
        for one in issue.skill
        if one.horizon in _SHOWN
    )
