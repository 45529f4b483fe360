"""Rendered parts kept between requests: a chart or a map of the same values is the same HTML, whoever looks."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

from citybrain.kernel.instant import local_date
from citybrain.web.map_views import Map
from citybrain.web.views import Chart, Page

_MOST = 128


class Keeper:
    """Remembers what a macro made of a view; the view's own values are the key, so nothing kept is ever stale.

    Times of these parts are written against the day of the city's clock, which belongs to the key too.
    """

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, str] = OrderedDict()

    def kept(self, part: Callable[..., str], view: Chart | Map, page: Page, *more: bool) -> str:
        """The HTML of ``part(view, page, *more)``, as the macro gave it: marked as escaped."""
        key = (view, local_date(page.city), more)
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found
        made = part(view, page, *more)
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return made
