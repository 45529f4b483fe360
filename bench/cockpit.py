"""The cockpit in a real browser: its first paint, what its updates cost the main thread, and whether memory stays flat."""

import argparse
import time

from playwright.sync_api import Browser, Page, sync_playwright

from bench import demo, machine

_WATCH = """
window.longTasks = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) window.longTasks.push([entry.startTime, entry.duration]);
}).observe({type: "longtask", buffered: true});
"""
_SETTLED = 5
"""Seconds after which the page has loaded: what comes later is the work of updates."""


def measure(seconds: float) -> list[str]:
    """Open the wall of the demo, leave it alone for so long; returns the lines of the report."""
    with demo.fresh() as (_, port), sync_playwright() as tool:
        browser = tool.chromium.launch(
            executable_path=machine.chromium(), args=["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
        )
        try:
            return [*_paint(browser, port), *_watched(browser, port, seconds)]
        finally:
            browser.close()


def _paint(browser: Browser, port: int) -> list[str]:
    """First contentful paint of the second visit."""
    page = _signed_in(browser, port)
    page.goto(f"http://127.0.0.1:{port}/cockpit", wait_until="load")
    page.reload(wait_until="load")
    page.wait_for_timeout(1000)
    painted = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    page.context.close()
    return [f"| cockpit, first paint, warm | {painted / 1000:.2f} s | under 1.5 s |"]


def _watched(browser: Browser, port: int, seconds: float) -> list[str]:
    page = _signed_in(browser, port)
    page.add_init_script(_WATCH)
    page.goto(f"http://127.0.0.1:{port}/cockpit", wait_until="load")
    page.wait_for_timeout(_SETTLED * 1000)
    before, began = _held(page), time.monotonic()
    while time.monotonic() - began < seconds:
        page.wait_for_timeout(1000)
    after = _held(page)
    tasks = [lasting for start, lasting in page.evaluate("window.longTasks") if start > _SETTLED * 1000]
    page.context.close()
    return [
        f"| cockpit, main-thread tasks over 50 ms in {seconds:.0f} s of updates | {len(tasks)}, longest {max(tasks, default=0):.0f} ms | none |",
        f"| cockpit, script memory after {seconds:.0f} s: before / after | {before[0]:.1f} / {after[0]:.1f} MB | flat |",
        f"| cockpit, elements on the page: before / after | {before[1]} / {after[1]} | flat |",
    ]


def _held(page: Page) -> tuple[float, int]:
    """Script memory in MB after a collection, and the number of elements."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    used = session.send("Runtime.getHeapUsage")["usedSize"]
    session.detach()
    return used / 1e6, int(page.evaluate("document.querySelectorAll('*').length"))


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
