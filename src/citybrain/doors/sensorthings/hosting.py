"""The Observations about the place of a Thing of which others' streams speak too: two lists in the order of time, put together page by page. Pure.

The mark of a page says of each list which of its own pages is looked at and how much of that was given already.
"""

from collections.abc import Callable
from typing import Final, NamedTuple, TypeAlias

from citybrain.doors.sensorthings.refusals import wrong
from citybrain.doors.sensorthings.shape import Item
from citybrain.kernel.instant import parse

_PAGE: Final = 1000
_DIGITS: Final = 4
_END: Final = "-"
"""In place of a mark where a list has come to its end."""
Pages: TypeAlias = Callable[[int, str | None], tuple[tuple[Item, ...], str | None]]
"""A page of a list: so many of it at most after a mark, and the mark of those after."""


class _Mark(NamedTuple):
    """A page of a list, and how many of it were given."""

    done: int
    cursor: str | None


_BEGIN: Final = _Mark(0, None)


def merged(guests: Pages, own: Pages, limit: int, cursor: str | None, *, descending: bool) -> tuple[tuple[Item, ...], str | None]:
    """At most ``limit`` of both by time, and the mark of those after; raises BadInputError for a mark that is none."""
    sides = (guests, own)
    marks = (_BEGIN, _BEGIN) if cursor is None else _marks(cursor)
    none: tuple[tuple[Item, ...], str | None] = ((), None)
    pages = [
        none if mark is None else side(min(_PAGE, limit + mark.done), mark.cursor) for side, mark in zip(sides, marks, strict=True)
    ]
    waiting = [list(page[0][0 if mark is None else mark.done :]) for page, mark in zip(pages, marks, strict=True)]
    given = [0, 0]
    found: list[Item] = []
    while len(found) < limit:
        left = [side for side in (0, 1) if given[side] < len(waiting[side])]
        # Past the end of a page that has another one after it nothing is known of that list.
        if not left or any(pages[side][1] is not None for side in (0, 1) if side not in left):
            break
        times = {side: parse(str(waiting[side][given[side]].row["time"])) for side in left}
        first = max(left, key=times.__getitem__) if descending else min(left, key=times.__getitem__)
        found.append(waiting[first][given[first]])
        given[first] += 1
    onward = [_onward(mark, len(page[0]), count, page[1]) for mark, page, count in zip(marks, pages, given, strict=True)]
    return tuple(found), None if onward == [_END, _END] else "|".join(onward)


def _onward(mark: _Mark | None, size: int, given: int, following: str | None) -> str:
    if mark is None:
        return _END
    if mark.done + given < size:
        return f"{mark.done + given}:{mark.cursor or ''}"
    return _END if following is None else f"0:{following}"


def _marks(cursor: str) -> tuple[_Mark | None, _Mark | None]:
    guests, bar, own = cursor.partition("|")
    if not bar:
        raise _unread()
    return _mark(guests), _mark(own)


def _mark(text: str) -> _Mark | None:
    if text == _END:
        return None
    done, sign, cursor = text.partition(":")
    if not sign or not (done.isascii() and done.isdigit()) or len(done) > _DIGITS:
        raise _unread()
    return _Mark(int(done), cursor or None)


def _unread() -> Exception:
    return wrong("$skiptoken 无法识别，请从第一页开始。", "$skiptoken cannot be read. Start from the first page.", "$skiptoken")
