"""The cockpit in a real browser: its first paint, what its updates cost the main thread, and whether memory stays flat."""

import argparse
import statistics
import time
from typing import NamedTuple

from playwright.sync_api import Browser, Page, sync_playwright

from bench import demo, machine

_WATCH = """
window.longTasks = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) window.longTasks.push([entry.startTime, entry.duration]);
}).observe({type: "longtask", buffered: true});
"""
FLAGS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
_VISITS = 7
_SETTLED = 5
"""Seconds after which the page has loaded: what comes later is the work of updates."""


class Held(NamedTuple):
    """What a page holds: script memory in MB after a collection, and elements."""

    megabytes: float
    elements: int


class Watched(NamedTuple):
    """A page before and after a stretch of updates, and its main-thread tasks over 50 ms in it (ms)."""

    before: Held
    after: Held
    tasks: list[float]


def measure(seconds: float) -> list[str]:
    """Open the cockpit of the demo, leave it alone for so long; returns the lines of the report."""
    if machine.chromium() is None:
        return ["| cockpit in a browser | not run: there is no Chromium on this machine | |"]
    with demo.fresh() as (_, port), sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=machine.chromium(), args=FLAGS)
        try:
            return [*_paint(browser, port), *_told(watched(browser, port, seconds), seconds)]
        finally:
            browser.close()


def _paint(browser: Browser, port: int) -> list[str]:
    """First contentful paint of the visits after the first, each once the page before has settled."""
    page = _signed_in(browser, port)
    page.goto(f"http://127.0.0.1:{port}/cockpit", wait_until="load")
    painted = []
    for _ in range(_VISITS):
        page.wait_for_timeout(_SETTLED * 1000)
        page.reload(wait_until="load")
        page.wait_for_timeout(1000)
        painted.append(page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime") / 1000)
    page.context.close()
    said = f"median {statistics.median(painted):.2f}, longest {max(painted):.2f} s"
    return [f"| cockpit, first paint, warm, {_VISITS} visits, drawn by software | {said} | under 1.5 s |"]


def watched(browser: Browser, port: int, seconds: float) -> Watched:
    """Leave the cockpit open for so long while the city goes on."""
    page = _signed_in(browser, port)
    page.add_init_script(_WATCH)
    page.goto(f"http://127.0.0.1:{port}/cockpit", wait_until="load")
    # A page that is not updated holds no more after an hour either.
    page.wait_for_selector('cb-live[data-state="on"]', timeout=30_000)
    page.wait_for_timeout(_SETTLED * 1000)
    before, began = _held(page), time.monotonic()
    while time.monotonic() - began < seconds:
        page.wait_for_timeout(1000)
    after = _held(page)
    tasks = [lasting for start, lasting in page.evaluate("window.longTasks") if start > _SETTLED * 1000]
    page.context.close()
    return Watched(before, after, tasks)


def _told(found: Watched, seconds: float) -> list[str]:
    before, after, tasks = found
    return [
        f"| cockpit, main-thread tasks over 50 ms in {seconds:.0f} s of updates | {len(tasks)}, longest {max(tasks, default=0):.0f} ms | none |",
        f"| cockpit, script memory after {seconds:.0f} s: before / after | {before.megabytes:.1f} / {after.megabytes:.1f} MB | flat |",
        f"| cockpit, elements on the page: before / after | {before.elements} / {after.elements} | flat |",
    ]


def _held(page: Page) -> Held:
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    used = session.send("Runtime.getHeapUsage")["usedSize"]
    session.detach()
    return Held(used / 1e6, int(page.evaluate("document.querySelectorAll('*').length")))


def _signed_in(browser: Browser, port: int) -> Page:
    """A laptop's page, signed in as the leader."""
    address = f"http://127.0.0.1:{port}"
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.add_cookies([{"name": each.name, "value": each.value or "", "url": address} for each in demo.cookies(port, "leader")])
    return context.new_page()


def main() -> None:
    """Print the figures."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--seconds", type=float, default=300)
    print(machine.about(0))
    print("\n".join(measure(ask.parse_args().seconds)))


if __name__ == "__main__":
    main()
