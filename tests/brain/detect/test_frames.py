"""Frames: states over time equal to those of a plain loop, however the rows are cut into batches."""

from math import isnan

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from citybrain.brain.detect.frames import Carry, New
from citybrain.kernel.instant import Duration
from citybrain.kernel.things import Contract

CONTRACTS = (Contract(None, Duration(5), Duration(8), 0.0, 3.0), Contract())
Row = tuple[int, int, int, float]
rows_of = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 1), st.integers(1, 25), st.sampled_from([0.0, 1.0, 2.0, 9.0])), max_size=25
)


def new(rows: list[Row]) -> New:
    columns = list(zip(*rows, strict=True)) if rows else [(), (), (), ()]
    ints = [np.array(column, np.int64) for column in columns[:3]]
    return New(ints[0], ints[1], ints[2], np.array(columns[3], np.float64), ints[2])


def plainly(batches: list[list[Row]]) -> list[tuple[int, int, list[float | None]]]:
    """The last state of each entity by a loop over the rows, batch by batch in time order."""
    state: dict[tuple[int, int], tuple[int, float, int]] = {}
    clocks: dict[int, int] = {}
    for batch in batches:
        for entity, field, time, value in sorted(batch, key=lambda row: (row[0], row[2])):
            known = state.get((entity, field))
            if known is not None and time < known[0]:
                continue
            changed = known[2] if known is not None and known[1] == value else time
            state[entity, field] = (time, value, changed)
            clocks[entity] = max(clocks.get(entity, 0), time)
    return [
        (entity, clock, [_alive(state.get((entity, field)), field, clock) for field in (0, 1)])
        for entity, clock in sorted(clocks.items())
    ]


def _alive(known: tuple[int, float, int] | None, field: int, clock: int) -> float | None:
    if known is None:
        return None
    time, value, changed = known
    fine = field == 1 or (clock - time <= 5 and 0.0 <= value <= 3.0 and time - changed < 8)
    return value if fine else None


@given(st.lists(rows_of, max_size=4))
def test_the_last_state_of_each_entity_is_that_of_a_plain_loop(batches: list[list[Row]]) -> None:
    carry = Carry(CONTRACTS)
    carry.room(3)
    last: dict[int, tuple[int, list[float | None]]] = {}
    # The loop drops by the state at the start of a batch, as the carry does: rows of a batch come in time order.
    for batch in batches:
        moments = carry.take(new(batch))
        assert np.all(np.diff(moments.entity) >= 0)
        for entity, time, fields in zip(moments.entity.tolist(), moments.time.tolist(), moments.fields.tolist(), strict=True):
            last[entity] = (time, [None if isnan(value) else value for value in fields])
    assert [(entity, *state) for entity, state in sorted(last.items())] == plainly(batches)


def test_every_moment_of_a_batch_has_its_row_with_what_was_known_then() -> None:
    carry = Carry(CONTRACTS)
    carry.room(2)
    carry.take(new([(0, 1, 9, 7.0)]))
    moments = carry.take(new([(0, 0, 12, 2.0), (0, 0, 10, 1.0), (1, 0, 10, 3.0), (0, 1, 12, 8.0)]))
    assert (moments.entity.tolist(), moments.time.tolist()) == ([0, 0, 1], [10, 12, 10])
    np.testing.assert_array_equal(moments.fields, [[1.0, 7.0], [2.0, 8.0], [3.0, np.nan]])
    np.testing.assert_array_equal(moments.seen[0], [10, 9])
