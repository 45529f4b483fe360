"""Flows hang together, or the program does not start."""

import msgspec
import pytest

from citybrain.brain.act import STANDARD_FLOW, check_flow
from citybrain.brain.act.flow import reachable, start_of
from citybrain.kernel.cases import Flow, Move, State
from citybrain.kernel.errors import DeclarationError
from citybrain.kernel.text import Text, same

A, B, END, ISLE = (State(name, same(name), end=name == "end") for name in ("a", "b", "end", "isle"))


def flow(states: tuple[State, ...], *moves: Move, first: str = "a") -> Flow:
    return Flow("try", 1, Text("试", "Try"), states, moves, first)


def move(name: str, source: str, target: str, by: str = "handler") -> Move:
    return Move(name, same(name), (source,), target, (by,))


def test_the_standard_flow_is_sound_and_every_state_can_be_reached() -> None:
    check_flow(STANDARD_FLOW)
    assert reachable(STANDARD_FLOW, "reported") == {state.name for state in STANDARD_FLOW.states}
    assert {state.name for state in STANDARD_FLOW.states if state.end} == {"closed", "dismissed"}


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (flow((A, B)), "no state that ends"),
        (flow((A, END)), "nothing reaches: end"),
        (flow((A, END), move("go", "a", "end"), first="x"), "does not declare: x"),
        (flow((A, END), move("go", "a", "nowhere")), "does not declare: nowhere"),
        (flow((A, END), move("go", "a", "end", by="wizard")), "unknown roles: wizard"),
        (flow((A, END), move("go", "a", "end"), move("go", "a", "end")), "twice: go"),
        (flow((A, A, END), move("go", "a", "end")), "twice: a"),
        (flow((A, END), move("go", "a", "end"), move("back", "end", "a")), "leave an end: back"),
        (flow((A, B, END), move("go", "a", "end"), move("side", "a", "b")), "no end can be reached: b"),
        (flow((A, END, ISLE), move("go", "a", "end"), move("off", "isle", "end")), "nothing reaches: isle"),
        (flow((A, END), msgspec.structs.replace(move("go", "a", "end"), by=())), "nobody may take"),
    ],
)
def test_a_broken_flow_is_refused_with_the_names_that_are_wrong(wrong: Flow, says: str) -> None:
    with pytest.raises(DeclarationError, match=says):
        check_flow(wrong)


def test_what_an_alert_opens_is_assigned_at_once_and_what_people_report_waits_to_be_filed() -> None:
    assert start_of(STANDARD_FLOW, "alert:1") == "assigned"
    assert start_of(STANDARD_FLOW, "report:1") == "reported"
    assert start_of(flow((A, END), move("go", "a", "end")), "alert:1") == "a"
