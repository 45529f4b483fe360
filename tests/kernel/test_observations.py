"""Batches of observations."""

import numpy as np

from citybrain.kernel.instant import Instant
from citybrain.kernel.observations import Batch


def test_what_was_sent_is_stored_and_duplicate_and_refused_together() -> None:
    empty = np.zeros(3)
    batch = Batch(
        "b", "mqtt", Instant(0), empty.astype("int32"), empty.astype("int64"), empty, {"bad_value": 2, "too_old": 1}, duplicate=4
    )

    assert batch.sent == 3 + 4 + 3
