"""Chart images: a line, its forecast with a band, and thresholds as SVG paths, so that a page shows them without script."""

import msgspec

from citybrain.kernel.instant import HOUR, Instant, local
from citybrain.kernel.text import Lang
from citybrain.web import formats, plausible
from citybrain.web.views import Chart, ChartRow, Threshold

_WIDTH, _HEIGHT = 640.0, 240.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 44.0, 12.0, 12.0, 26.0


class Tick(msgspec.Struct, frozen=True):
    """A mark on an axis."""

    at: float
    word: str


class Limit(msgspec.Struct, frozen=True):
    """A threshold at its height."""

    y: float
    threshold: Threshold


class Edge(msgspec.Struct, frozen=True):
    """A value that lies beyond what is shown, drawn at the edge; ``path`` is a mark that points to where it is."""

    path: str


class Drawing(msgspec.Struct, frozen=True):
    """A drawn chart in its own units, ready for a template."""

    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float
    seen: str
    ahead: str
    band: str
    now: float | None
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    limits: tuple[Limit, ...]
    edges: tuple[Edge, ...] = ()
    least: float = 0.0
    most: float = 0.0
    """Where the axis ends."""


class _Scale(msgspec.Struct, frozen=True):
    """From time and value to the drawing's units."""

    first: Instant
    last: Instant
    low: float
    high: float

    def x(self, at: Instant) -> float:
        share = (at - self.first) / max(self.last - self.first, 1)
        return round(_LEFT + share * (_WIDTH - _LEFT - _RIGHT), 1)

    def y(self, value: float) -> float:
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(_HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM), 1)


def draw(view: Chart, lang: Lang) -> Drawing | None:
    """Draw a chart, or None where there is no value to draw."""
    values = [value for row in view.rows for value in (row.seen, row.ahead, row.low, row.high) if value is not None]
    if not values:
        return None
    window = plausible.window(values, view.promised)
    shown = [value for value in values if window.holds(value)] or list(view.promised or (0.0, 1.0))
    reach = max(shown) + (max(shown) - min(shown)) * 0.25
    near = [limit.value for limit in view.thresholds if limit.value <= reach]
    marks = formats.ticks(floor(shown), max([*shown, *near]))
    scale = _Scale(view.rows[0].at, view.rows[-1].at, marks[0], marks[-1])
    decimals = plausible.decimals(marks)
    return Drawing(
        width=_WIDTH,
        height=_HEIGHT,
        left=_LEFT,
        right=_WIDTH - _RIGHT,
        top=_TOP,
        bottom=_HEIGHT - _BOTTOM,
        seen=_line([(row.at, row.seen) for row in view.rows], scale),
        ahead=_line([(row.at, row.ahead) for row in view.rows], scale),
        band=_band(view.rows, scale),
        now=_now(view.rows, scale),
        across=_hours(scale, lang),
        up=tuple(Tick(scale.y(mark), formats.number(mark, decimals)) for mark in marks),
        edges=tuple(_edge(row.at, row.seen, scale) for row in view.rows if row.seen is not None and not window.holds(row.seen)),
        least=scale.low,
        most=scale.high,
        limits=tuple(Limit(scale.y(limit.value), limit) for limit in view.thresholds if scale.low < limit.value <= scale.high),
    )


def floor(values: list[float]) -> float:
    """Where the axis begins: at 0, but below the values where they lie close together far from 0."""
    low, high = min(values), max(values)
    return low - (high - low) / 4 if low > 0.6 * high else min(0.0, low)


def _line(points: list[tuple[Instant, float | None]], scale: _Scale) -> str:
    said, pen = [], "M"
    for place, (at, value) in enumerate(points):
        if value is None:
            pen = "M"
            continue
        said.append(f"{pen}{scale.x(at):g} {scale.y(value):g}")
        if pen == "M" and all(later is None for _, later in points[place + 1 : place + 2]):
            # One that stands alone is a dot: a path of no length with round ends.
            said.append("h0")
        pen = "L"
    return "".join(said)


def _edge(at: Instant, value: float, scale: _Scale) -> Edge:
    x, up = scale.x(at), value > scale.high
    y = _TOP if up else _HEIGHT - _BOTTOM
    return Edge(f"M{x:g} {y:g}l-5 {9 if up else -9}h10Z")


def _band(rows: tuple[ChartRow, ...], scale: _Scale) -> str:
    upper = [f"{scale.x(row.at):g} {scale.y(row.high):g}" for row in rows if row.low is not None and row.high is not None]
    lower = [f"{scale.x(row.at):g} {scale.y(row.low):g}" for row in rows if row.low is not None and row.high is not None]
    return "M" + "L".join([*upper, *reversed(lower)]) + "Z" if upper else ""


def _now(rows: tuple[ChartRow, ...], scale: _Scale) -> float | None:
    ahead = [row.at for row in rows if row.ahead is not None]
    seen = [row.at for row in rows if row.seen is not None]
    return scale.x(seen[-1]) if ahead and seen else None


def _hours(scale: _Scale, lang: Lang) -> tuple[Tick, ...]:
    length = scale.last - scale.first
    step = next((hours for hours in (1, 3, 6, 12, 24, 48, 96, 168) if length / (hours * HOUR) <= 8), 720)
    offset = local(scale.first).hour % min(step, 24)
    start = scale.first - scale.first % HOUR - offset * HOUR
    marks = []
    for index in range(1, int(length // (step * HOUR)) + 2):
        at = Instant(start + index * step * HOUR)
        if scale.first <= at <= scale.last:
            here = local(at)
            word = f"{here.month}/{here.day}" if here.hour == 0 or step >= 24 else f"{here:%H:%M}"
            if "/" in word and lang == "en":
                word = f"{here.day}/{here.month}"
            marks.append(Tick(scale.x(at), word))
    return tuple(marks)
