"""Every measurement, written as a page of the reference: ``python -m bench [--quick] [--only ingest,mqtt]``.

A section says when and under which conditions it was measured; those that are left out of a run stay as they stand.
"""

import argparse
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import structlog

from bench import (
    alerts,
    audit,
    cockpit,
    demo,
    ingest,
    latest,
    lives,
    machine,
    mqtt,
    nearest,
    pages,
    roles,
    rules,
    sensorthings,
    series_query,
    spark,
    storage,
)

PAGE = Path(__file__).parent.parent / "docs" / "reference" / "performance.md"
_SEED = 7
_HEAD = """> 本页由 `python -m bench` 测得并写成，请勿手改。Measured and written by `python -m bench`; do not edit it by hand.

# 性能 · Performance

每一行是一项目标和在本机测得的数值；压测程序与被测程序同在这台机器上，共用处理器。数值随机器和当时的负载而变，同一次运行中的比值更可靠。

Each line is a target and what was measured on this machine; the load generator runs on the same machine and shares its processors.
Figures change with the machine and its load at that time; ratios within one run are more reliable.

凡测得数值未达到目标栏的，就是目前的不足。Wherever the measured figure misses its target, that is where we lose today.
"""
_TABLE = "| 项目 · What | 测得 · Measured | 目标 · Target |\n|---|---|---|\n"


def sections(*, quick: bool) -> tuple[tuple[str, Callable[[], list[str]]], ...]:
    """Headings, and what measures below them."""
    return (
        ("批量写入 · Bulk ingest", lambda: ingest.measure(6 if quick else 20, 8, _SEED)),
        ("从读数到预警 · From reading to alert", lambda: alerts.measure(5000, 10 if quick else 60, 3 if quick else 10)),
        ("MQTT", lambda: mqtt.measure(3 if quick else 8)),
        ("SensorThings", lambda: sensorthings.measure(3 if quick else 8)),
        ("规则 · Rules", _rules),
        ("最新值 · Latest values", latest.measure),
        ("监测项状态 · The life of streams", lambda: lives.measure(10 if quick else 100)),
        ("就近查找 · Nearest", nearest.measure),
        ("历史 · History", lambda: series_query.week(1_000 if quick else 10_000)),
        ("历史（Spark） · History on Spark", lambda: spark.measure(1_000 if quick else 10_000)),
        ("存储 · Storage", lambda: storage.measure(1_000 if quick else 10_000, _SEED)),
        ("多进程 · Several processes", lambda: roles.measure(4 if quick else 12, 8, _SEED)),
        ("驾驶舱 · The cockpit", lambda: cockpit.measure(60 if quick else 180)),
        ("Lighthouse", audit.measure),
        ("页面 · Pages", lambda: pages.measure(10_000 if quick else pages.CASES)),
        ("示意城区 · The demo district", lambda: demo.measure(60 if quick else 600)),
    )


def _rules() -> list[str]:
    spent, speed = rules.measure(250, 100, _SEED)
    return [f"| 500 rules on 250 observations (50 ms at 5,000 obs/s) | {spent:.1f} ms, {speed:,.0f} rule-rows a second | |"]


def kept(page: str) -> dict[str, str]:
    """The sections of a page as they stand, by heading."""
    return {part.partition("\n")[0]: f"## {part.rstrip()}\n" for part in page.split("\n## ")[1:]}


def main() -> None:
    """Measure, print, write after each section, so that what was measured is not lost."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--quick", action="store_true", help="short runs")
    ask.add_argument("--only", default="", help="parts of headings, with commas between, such as ingest,mqtt")
    ask.add_argument("--page", type=Path, default=PAGE)
    given = ask.parse_args()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    wanted = [word.strip().lower() for word in given.only.split(",") if word.strip()]
    standing = kept(given.page.read_text(encoding="utf-8")) if wanted and given.page.exists() else {}
    every = sections(quick=given.quick)
    for heading, measure in every:
        if wanted and not any(word in heading.lower() for word in wanted):
            continue
        when = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC; {machine.about(_SEED)}"
        lines = measure()
        print("\n".join(lines), flush=True)
        standing[heading] = f"## {heading}\n\n测量条件 · Conditions: {when}\n\n{_TABLE}" + "\n".join(lines) + "\n"
        shown = [standing[name] for name, _ in every if name in standing]
        given.page.write_text("\n".join((_HEAD, *shown)), encoding="utf-8")


if __name__ == "__main__":
    main()
