"""500 rules over 20 kinds: rule-rows a second, and milliseconds for a coalesced batch, without the store."""

import time

import numpy as np

from bench import machine, pack
from citybrain.brain.detect.frames import New
from citybrain.brain.detect.kindwatch import KindWatch
from citybrain.brain.detect.rulebook import Rulebook
from citybrain.kernel.clock import FixedClock
from citybrain.kernel.instant import duration, parse
from citybrain.kernel.things import Contract, Entity, Stream

START = parse("2026-11-22T07:00:00Z")
CONTRACT = Contract(duration("PT1M"), duration("PT1H"), None, 0.0, 1000.0)


def watches() -> list[KindWatch]:
    """The 20 kinds of the benchmark pack with 125 entities each."""
    rulebook = Rulebook((pack.PACK,), FixedClock(START))
    made = []
    for name, rules in rulebook.by_kind.items():
        watch = KindWatch(rules, rulebook, [CONTRACT] * len(rules.measured))
        entities = [
            Entity(each.id, each.kind, each.title, each.place, None, {}, 1, START, None, "generated")
            for each in pack.entities()
            if each.kind == name
        ]
        streams = [
            Stream(f"{entity.id}.{field}", 1, entity.id, name, field, "1", CONTRACT, "bench")
            for entity in entities
            for field in pack.FIELDS
        ]
        watch.meet(entities, streams)
        made.append(watch)
    return made


def measure(rows: int, rounds: int, seed: int) -> tuple[float, float]:
    """CPU milliseconds for a batch of so many observations over all kinds, and rule-rows a CPU second."""
    chance, made = np.random.default_rng(seed), watches()
    share = max(1, rows // len(made))
    batches = [
        [
            New(
                chance.integers(0, pack.ENTITIES, share),
                chance.integers(0, len(pack.FIELDS), share),
                np.full(share, START + number * 50_000, np.int64),
                chance.uniform(0, 890, share),
                np.full(share, START + number * 50_000, np.int64),
            )
            for _ in made
        ]
        for number in range(rounds)
    ]
    moments = 0
    began = time.process_time()
    for batch in batches:
        for watch, new in zip(made, batch, strict=True):
            for _ in watch.take(new, {}):
                moments += 1
    took = time.process_time() - began
    return took / rounds * 1000, share * len(made) * rounds * pack.RULES / took


def main() -> None:
    """Print the figures."""
    print(machine.about(7))
    for rate in (5_000, 300_000):
        spent, speed = measure(rate // 20, 100, 7)
        print(
            f"| {rate:,} obs/s in batches of 50 ms, 500 rules | {spent:.1f} ms CPU a batch ({spent / 50:.0%} of a core) | {speed:,.0f} rule-rows/s |"
        )


if __name__ == "__main__":
    main()
