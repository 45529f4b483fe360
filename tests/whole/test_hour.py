"""An hour on the wall: the cockpit of the running demo holds no more at its end than at its beginning."""

import os
from collections.abc import Callable

import psutil
import pytest
from playwright.sync_api import sync_playwright

from bench import cockpit, demo, machine

SECONDS = float(os.environ.get("CITYBRAIN_HOUR", "3600"))


@pytest.mark.soak
@pytest.mark.timeout(SECONDS + 600)
def test_the_cockpit_and_the_program_behind_it_stay_flat_for_an_hour(record_property: Callable[[str, object], None]) -> None:
    with demo.fresh() as (pid, port), sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=machine.chromium(), args=cockpit.FLAGS)
        cockpit.watched(browser, port, SECONDS / 10)
        program = psutil.Process(pid).memory_info().rss
        found = cockpit.watched(browser, port, SECONDS)
        browser.close()
        grown = psutil.Process(pid).memory_info().rss / program
    record_property("held", f"{found}; the program held {program / 1e6:.0f} MB and grew to {grown:.0%}")
    assert found.after.megabytes < 1.3 * found.before.megabytes + 2
    assert found.after.elements < 1.3 * found.before.elements
    assert grown < 1.3
