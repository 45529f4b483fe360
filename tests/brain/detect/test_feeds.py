"""Feeds of which rules know no value: contradicted ones, and what is computed from one that stands still."""

import pyarrow as pa

from citybrain.brain.detect import feeds
from citybrain.kernel.instant import HOUR, Duration
from citybrain.kernel.things import Contract, Stream


def stream(no: int, contract: Contract) -> Stream:
    return Stream(f"a.x{no}", no, "a", "k", f"x{no}", "1", contract, "test")


def test_what_stands_still_by_its_own_contract_is_known_row_by_row_and_what_is_computed_from_it_is_not() -> None:
    streams = [stream(1, Contract(stuck_after=Duration(HOUR))), stream(2, Contract()), stream(3, Contract()), stream(4, Contract())]
    lives = ["stuck", "stuck", "contradicted", "live"]
    latest = pa.table({"stream_no": pa.array([1, 2, 3, 4], pa.int32()), "life": lives})
    assert feeds.contradicted(streams, latest).tolist() == [2, 3]
    assert feeds.contradicted(streams, latest.slice(3)).tolist() == []
