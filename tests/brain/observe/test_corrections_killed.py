"""Corrections under SIGKILL: none that was acknowledged is lost, none is half done, and what is taken back is as it was measured."""

import random
from collections import Counter
from pathlib import Path

import pytest

from citybrain.brain.observe import CORRECTION, RESTORED
from citybrain.kernel.instant import DAY, MINUTE
from tests.brain.observe import corrector
from tests.brain.observe.correcting import LEVEL, START, balanced, read
from tests.killed import killed_after

KILLS = 5


@pytest.mark.kill
async def test_five_kills_lose_no_correction_that_was_acknowledged_and_leave_no_span_half_done(tmp_path: Path) -> None:
    chance = random.Random(7)
    for run in range(KILLS):
        killed_after(corrector, tmp_path, run, chance.uniform(0.5, 2.5))
    told = [line.split() for line in (tmp_path / "acknowledged").read_text().splitlines()]
    with corrector.opened(tmp_path) as (world, corrections):
        assert await corrections.finish() <= 1
        found = {one.no: one for one in corrections.of(world.registry.stream(LEVEL))}
        assert {int(no) for _, no, _ in told} <= found.keys()
        assert {int(no) for _, no, state in told if state == "ended"} <= {no for no, one in found.items() if one.state == "ended"}
        assert {one.state for one in found.values()} == {"standing", "ended"}
        assert len(found) - len({no for _, no, _ in told}) <= KILLS, "one at a time is on its way when it is killed"
        stands = {
            (one.change.since - START + DAY) // (corrector.EACH * MINUTE): one for one in found.values() if one.state == "standing"
        }
        assert len(stands) == Counter(one.state for one in found.values())["standing"], "one a span"
        assert len({one.change.strikes for one in found.values()}) == 2, "some were struck out, some doubled"
        seen = {minute + 24 * 60: what for minute, what in read(world).items()}
        for number in range(corrector.SPANS):
            minutes = range(number * corrector.EACH + 1, (number + 1) * corrector.EACH + 1)
            values = {minute: seen[minute] for minute in minutes if minute in seen}
            one = stands.get(number)
            if one is not None and one.change.strikes:
                assert values == {}
            elif one is not None:
                assert values == {minute: (2.0 * minute, CORRECTION) for minute in minutes}
            else:
                assert {minute: value for minute, (value, _) in values.items()} == {minute: float(minute) for minute in minutes}
                assert {door for _, door in values.values()} <= {"test", RESTORED}
        assert balanced(world)
