"""Bars: counts before and after side by side, as rectangles for a template, so that a page shows them without script."""

from collections.abc import Sequence

import msgspec

from citybrain.web.studio_views import Bar

_WIDTH, _HEIGHT = 640.0, 200.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 36.0, 8.0, 12.0, 24.0
_MOST_WORDS = 8


class Rect(msgspec.Struct, frozen=True):
    """One bar in the drawing's units; ``key`` is before or after."""

    x: float
    y: float
    width: float
    height: float
    key: str


class Word(msgspec.Struct, frozen=True):
    """A word on an axis."""

    at: float
    word: str


class Bars(msgspec.Struct, frozen=True):
    """Drawn bars."""

    width: float
    height: float
    left: float
    right: float
    bottom: float
    rects: tuple[Rect, ...]
    across: tuple[Word, ...]
    up: tuple[Word, ...]


def draw(bars: Sequence[Bar]) -> Bars | None:
    """The bars on one scale from zero; None where there are none."""
    if not bars:
        return None
    most = max(1, *(max(bar.before, bar.after) for bar in bars))
    step = (_WIDTH - _LEFT - _RIGHT) / len(bars)
    wide = min(step * 0.4, 28.0)
    tall = (_HEIGHT - _TOP - _BOTTOM) / most
    rects = []
    for place, bar in enumerate(bars):
        middle = _LEFT + step * (place + 0.5)
        for count, x, key in ((bar.before, middle - wide, "before"), (bar.after, middle, "after")):
            rects.append(Rect(round(x, 1), round(_HEIGHT - _BOTTOM - count * tall, 1), round(wide, 1), round(count * tall, 1), key))
    every = -(-len(bars) // _MOST_WORDS)
    across = tuple(Word(round(_LEFT + step * (place + 0.5), 1), bar.word) for place, bar in enumerate(bars) if not place % every)
    up = tuple(Word(round(_HEIGHT - _BOTTOM - count * tall, 1), str(count)) for count in sorted({0, most // 2, most}))
    return Bars(_WIDTH, _HEIGHT, _LEFT, _WIDTH - _RIGHT, _HEIGHT - _BOTTOM, tuple(rects), across, up)
