"""Observations that bring their features, under SIGKILL: none that was acknowledged is lost, nor what it is about."""

import random
from pathlib import Path

import pytest

from citybrain.brain.observe import FEATURE
from citybrain.kernel.instant import parse
from citybrain.kernel.observations import SeriesQuery
from tests.doors.sensorthings import describer
from tests.doors.sensorthings.conftest import parts_of
from tests.killed import killed_after

KILLS = 4


@pytest.mark.kill
def test_four_kills_lose_no_reading_that_was_acknowledged_nor_what_it_is_about(tmp_path: Path) -> None:
    chance = random.Random(11)
    for run in range(KILLS):
        killed_after(describer, tmp_path, run, chance.uniform(1.0, 3.0))
    told = [line.split("|") for line in (tmp_path / "acknowledged").read_text().splitlines()]
    assert len({line[0].partition("-")[0] for line in told}) == 2, "to wells, and with new things"
    with describer.opened(tmp_path) as world:
        registry, featured = world.parts.registry, parts_of(world).featured
        named = {one.id: one.title.en for one in registry.entities(FEATURE)}
        assert len(set(named.values())) == len(named), "each of them once"
        for stream, written, value, name in told:
            entity, _, field = stream.partition(".")
            (known,) = [one for one in registry.streams_of(entity) if field in ("*", one.field)]
            at = parse(written)
            rows = world.series.scan(SeriesQuery((known.no,), at, type(at)(at + 1))).to_pylist()
            assert [row["value"] for row in rows] == [float(value)], (stream, written)
            found = featured.of([known.no], at, at)
            assert named[str(found[f"{known.no}.{at}"].feature)] == name, (stream, written)
            assert found[f"{known.no}.{at}"].words()["parameters"] == {"of": name}, (stream, written)
        alone = set(named) - {one.feature for key in named for one in featured.listed(key, None, 1, descending=True)}
        assert len(alone) <= KILLS * describer.DEVICES, "one at a time is on its way when it is killed"
