"""The view of streams by life."""

import msgspec

from citybrain.web.desk_views import Tab
from citybrain.web.views import Fact, Table


class StreamsPage(msgspec.Struct, frozen=True):
    """``/admin/streams``: a tab a life with its count, the streams of one of them, and how many are held against their neighbours."""

    tabs: tuple[Tab, ...]
    table: Table
    judged: tuple[Fact, ...]
