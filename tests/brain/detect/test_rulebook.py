"""The rulebook: rules compiled at start, by name when wrong."""

from dataclasses import replace

import pytest

from citybrain.brain.detect import Rulebook
from citybrain.kernel.clock import FixedClock
from citybrain.kernel.errors import DeclarationError
from citybrain.kernel.instant import parse
from citybrain.kernel.pack import Rule
from citybrain.kernel.text import same
from tests.brain import tiny


def test_the_examples_of_good_rules_do_what_they_should(clock: FixedClock) -> None:
    assert Rulebook((tiny.PACK,), clock).check() == ()


def test_an_example_that_does_not_is_named(clock: FixedClock) -> None:
    wrong = replace(tiny.HIGH, fires=({"level": 4.0},), silent=())
    faults = [fault.en for fault in Rulebook((replace(tiny.PACK, rules=(wrong,)),), clock).check()]
    assert faults == [
        "Rule pumps.high: {'level': 4.0} should fire",
        "Rule pumps.high lacks an example that fires or one that is silent",
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        replace(tiny.HIGH, when="depth > 3"),
        replace(tiny.HIGH, when="level >"),
        replace(tiny.HIGH, clears="level"),
        replace(tiny.HIGH, on="lamp"),
        replace(tiny.HIGH, because=same("{depth}")),
        replace(tiny.HIGH, because=same("{level")),
        replace(tiny.HIGH, lasting="5 minutes"),
    ],
)
def test_a_wrong_rule_stops_the_start_and_is_named(clock: FixedClock, wrong: Rule) -> None:
    with pytest.raises(DeclarationError, match="Rule high of pack pumps"):
        Rulebook((replace(tiny.PACK, rules=(wrong,)),), clock)


def test_parameters_are_those_in_force_on_the_districts_date(clock: FixedClock) -> None:
    rulebook = Rulebook((tiny.PACK,), clock)
    assert rulebook.parameters("pumps") == {"limit": 5.0}
    clock.set(parse("2026-12-31T15:59:59Z"))
    assert rulebook.parameters("pumps") == {"limit": 5.0}
    clock.set(parse("2026-12-31T16:00:00Z"))
    assert rulebook.parameters("pumps") == {"limit": 8.0}
