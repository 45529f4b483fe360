"""An alert and its case say which of their readings have changed since, with what each was and is."""

import re

from citybrain.brain.observe import Change
from citybrain.kernel.instant import Instant
from tests.doors.pages.conftest import World


async def corrected(world: World, field: str, at: Instant, factor: float) -> None:
    """A reading of a field times a number, and what rests on it computed anew."""
    city = world.city
    stream, change = city.registry.stream(f"air-01.{field}"), Change(at, Instant(at + 1), factor)
    seen = city.corrections.preview(stream, change).seen
    await city.corrections.correct(stream, change, seen, "data_officer", "单位误设")
    while await city.deriver.run_once():
        pass


async def test_the_page_of_a_case_and_of_its_alert_say_what_was_computed_anew(world: World) -> None:
    evidence = world.city.alerts.alert(world.alert).evidence
    latest = next(one for one in evidence if one.stream == "air-01.aqi")
    async with world.client("dispatcher") as client:
        for path in (f"/desk/{world.number}", f"/alerts/{world.alert}"):
            assert "其后" not in (await client.get(f"{path}?lang=zh")).text, "nothing has changed yet"
    was = f"{latest.value:g}"
    for field in ("pm25", "pm10"):
        await corrected(world, field, latest.time, 0.5)
    (now,) = {one.now for one in world.city.corrections.altered([latest])}
    async with world.client("dispatcher") as client:
        case = (await client.get(f"/desk/{world.number}?lang=zh")).text
        assert re.search(rf"<dt>[^<]*：其后重新计算</dt><dd>{was} → {now:g}", case), case
        assert "预警的文字仍是发布时的" in case
        alert = (await client.get(f"/alerts/{world.alert}?lang=en")).text
        assert "Readings that have changed since (below)</dt><dd>1</dd>" in alert
        assert re.search(rf"<dt>Computed anew since</dt><dd>{was} → {now:g}", alert)
        chain = (await client.get(f"/api/v1/see/trace/alerts/{world.alert}")).json()
        told = next(part["said"] for part in chain["parts"] if part["key"] == "air-01.aqi")
        assert (told["value"], told["changed"]["was"], told["changed"]["now"]) == (latest.value, latest.value, now)
        assert (chain["said"]["changed"], told["changed"]["how"]) == (1, "computed")
    async with world.client("leader") as client:
        for figure in ("open_cases", "alerts_open"):
            rows = (await client.get(f"/figures/{figure}?lang=zh")).text
            assert rows.count("所据读数其后更正") == 1, figure
