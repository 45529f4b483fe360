"""Pieces hold every row once, none holds many more than is allowed, and they come in order."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from citybrain.brain.observe.pieces import Days, pieces
from citybrain.kernel.instant import DAY, Instant

COUNTED = st.dictionaries(st.integers(0, 40), st.integers(1, 900), max_size=12)


@given(counted=COUNTED, first=st.integers(-1, 42), width=st.integers(0, 44), descending=st.booleans(), most=st.integers(1, 300))
def test_pieces_hold_every_day_in_order(*, counted: dict[int, int], first: int, width: int, descending: bool, most: int) -> None:
    days = Days(np.array(sorted(counted), np.int64) * DAY, np.array([counted[day] for day in sorted(counted)], np.int64))
    since, until = Instant(first * DAY + 7), Instant((first + width) * DAY + 9)
    found = list(pieces(days, since, until, descending=descending, most=most))
    spans = [span for span, _ in found]
    ordered = spans[::-1] if descending else spans
    assert all(since <= begin < end <= until for begin, end in spans)
    assert all(end <= begin for (_, end), (begin, _) in pairwise(ordered))
    assert all(rows <= most for _, rows in found)
    for day in counted:
        for at in range(day * DAY, (day + 1) * DAY, DAY // 50):
            assert sum(begin <= at < end for begin, end in spans) == (since <= at < until)
