"""What a reading is, row by row: measured, computed, set or struck out by a person, or an estimate of one that never came.

Rows that stand are shown unasked. Whoever wants what was struck out, or estimates, says so: ``mark`` is one of theirs.
"""

from collections.abc import Iterable
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from citybrain.brain.observe.gaps import Gap
from citybrain.brain.observe.revising import CORRECTION
from citybrain.kernel.observations import ROWS, Numbers
from citybrain.kernel.predicate import And, Compare, Predicate

MEASURED: Final = "measured"
COMPUTED: Final = "computed"
"""Of a field that its kind declares as derived from others."""
CORRECTED: Final = "corrected"
STRUCK_OUT: Final = "struck"
"""A row without a value; what was measured stands in the record of the correction."""
ESTIMATED: Final = "estimated"
"""A row that was never stored: it has no door, no time of receipt and no sequence number."""
MARKS: Final = (MEASURED, COMPUTED, CORRECTED, STRUCK_OUT, ESTIMATED)
STANDING: Final = frozenset((MEASURED, COMPUTED, CORRECTED))
"""What is shown unasked."""


def wanted(where: Predicate) -> frozenset[str]:
    """The marks that a predicate asks for by name, at its top (``mark eq`` or ``in``); STANDING where it names none."""
    named = _named(where)
    return STANDING if named is None else named


def of_rows(rows: pa.Table, computed: Numbers) -> NDArray[np.str_]:
    """The mark of each of rows (ROWS, n, with what was struck out) as (n,); ``computed`` (m,) are the streams of derived fields."""
    value, stored = rows["value"].to_numpy(), np.asarray(rows["seq"].is_valid())
    corrected = np.array([name == CORRECTION for name in rows["door"].to_pylist()], np.bool_)
    derived = np.isin(rows["stream_no"].to_numpy(), computed)
    marks = np.select([~stored, ~np.isfinite(value), corrected, derived], [ESTIMATED, STRUCK_OUT, CORRECTED, COMPUTED], MEASURED)
    return np.asarray(marks, np.str_)


def counted(buckets: pa.Table, computed: Numbers) -> dict[str, int]:
    """How many readings bear each mark, of buckets with marks."""
    corrected, struck = buckets["corrected"].to_numpy(), buckets["struck"].to_numpy()
    plain = buckets["count"].to_numpy() - corrected
    derived = np.isin(buckets["stream_no"].to_numpy(), computed)
    return {
        MEASURED: int(plain[~derived].sum()),
        COMPUTED: int(plain[derived].sum()),
        CORRECTED: int(corrected.sum()),
        STRUCK_OUT: int(struck.sum()),
    }


def estimates(stream: int, gaps: Iterable[Gap]) -> pa.Table:
    """The estimates of a stream's gaps as rows (ROWS) that were never stored."""
    pairs = [(int(at), value) for gap in gaps for at, value in zip(gap.times, gap.values, strict=True)]
    count = len(pairs)
    columns = {
        "seq": pa.nulls(count, pa.int64()),
        "stream_no": pa.array([stream] * count, pa.int32()),
        "time": pa.array([at for at, _ in pairs], pa.int64()),
        "value": pa.array([value for _, value in pairs], pa.float64()),
        "received": pa.nulls(count, pa.int64()),
        "door": pa.nulls(count, pa.string()),
    }
    return pa.table(columns, schema=ROWS)


def _named(where: Predicate) -> frozenset[str] | None:
    found: frozenset[str] | None = None
    for part in where.parts if isinstance(where, And) else (where,):
        own = _named(part) if isinstance(part, And) else _listed(part)
        if own is not None:
            found = own if found is None else found & own
    return found


def _listed(part: Predicate) -> frozenset[str] | None:
    if not isinstance(part, Compare) or part.field != "mark" or part.op not in ("eq", "in"):
        return None
    return frozenset(map(str, part.value)) if isinstance(part.value, tuple) else frozenset((str(part.value),))
