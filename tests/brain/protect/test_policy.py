"""The policies say what the written matrix says, for lists as for single rows."""

import msgspec
import pytest

from citybrain.brain.protect import ACTIONS, CedarPolicy
from citybrain.kernel.access import ANYONE, SYSTEM, Ask, Caller
from citybrain.kernel.clock import FixedClock
from citybrain.kernel.errors import UnsupportedError
from citybrain.kernel.instant import DAY, Instant, local_date, midnight
from citybrain.kernel.predicate import EVERYTHING, NOTHING, Compare, holds
from citybrain.kernel.text import Json
from tests.brain.protect.conftest import OWN_UNIT, PEOPLE
from tests.brain.protect.matrix import OPEN, OWN, YES


def own_row(caller: Caller) -> dict[str, str]:
    return {"unit": OWN_UNIT, "account": caller.account, "recipient": f"account:{caller.account}"}


def test_the_matrix_speaks_of_every_action_and_of_no_other() -> None:
    assert YES.keys() == ACTIONS.keys()
    assert OWN.keys() <= ACTIONS.keys()
    assert ACTIONS.keys() >= OPEN
    assert all(title.zh and title.en for title in ACTIONS.values())


@pytest.mark.parametrize("who", PEOPLE)
def test_each_action_is_decided_for_each_role_as_written(policy: CedarPolicy, who: str) -> None:
    caller = PEOPLE[who]
    decided = {action: policy.decide(Ask(caller, action, "x")).allowed for action in ACTIONS}
    assert decided == {action: who in roles for action, roles in YES.items()}


@pytest.mark.parametrize("who", PEOPLE)
def test_own_rows_are_allowed_as_written_and_those_of_others_are_not(policy: CedarPolicy, who: str) -> None:
    caller = PEOPLE[who]
    others = {"unit": "unit-other", "account": "acc-other", "recipient": "account:acc-other"}
    for action, roles in OWN.items():
        mine = policy.decide(Ask(caller, action, "x", facts=dict(own_row(caller)))).allowed
        theirs = policy.decide(Ask(caller, action, "x", facts=dict(others))).allowed
        assert mine == (who in roles or who in YES[action]), action
        assert theirs == (who in YES[action]), action


@pytest.mark.parametrize("who", PEOPLE)
def test_unconditional_datasets_are_open_and_closed_ones_are_not(policy: CedarPolicy, who: str) -> None:
    for action in ACTIONS:
        free = policy.decide(Ask(PEOPLE[who], action, "x", facts={"access": "unconditional"})).allowed
        assert free == (who in YES[action] or (action in OPEN and who != "device")), action
    assert not policy.decide(Ask(PEOPLE[who], "dataset.read", "x", facts={"access": "closed"})).allowed
    assert not policy.decide(Ask(PEOPLE[who], "dataset.export", "x", facts={"access": "closed"})).allowed


@pytest.mark.parametrize("who", PEOPLE)
def test_a_list_is_narrowed_to_exactly_the_rows_that_would_be_allowed_one_by_one(policy: CedarPolicy, who: str) -> None:
    caller = PEOPLE[who]
    rows = [
        own_row(caller),
        {"unit": "unit-other", "account": "acc-other", "recipient": "role:leader"},
        {"unit": OWN_UNIT, "account": "acc-other", "recipient": f"unit:{OWN_UNIT}"},
        {},
    ]
    for action in ACTIONS:
        for resource in ("x", "air_station"):
            where = policy.narrow(Ask(caller, action, resource)).where
            for row in rows:
                one = policy.decide(Ask(caller, action, resource, facts=dict(row))).allowed
                assert holds(where, row) == one, (action, row, where)


def test_handlers_see_the_cases_of_their_unit_alone(policy: CedarPolicy) -> None:
    narrowing = policy.narrow(Ask(PEOPLE["handler"], "case.read", "case"))
    assert narrowing.where == Compare("unit", "eq", OWN_UNIT)
    assert narrowing.reasons == ("handler-own-unit",)
    stray = Caller("acc-x", "x", frozenset({"handler"}))
    assert policy.narrow(Ask(stray, "case.read", "case")).where == NOTHING


def test_the_portal_shows_today_and_no_earlier_day(policy: CedarPolicy, clock: FixedClock) -> None:
    where = policy.narrow(Ask(ANYONE, "observation.read", "air_station")).where
    today = midnight(local_date(clock.city()))
    assert where == Compare("time", "ge", today)
    assert policy.narrow(Ask(ANYONE, "observation.read", "noise")).where == NOTHING
    clock.set(Instant(clock.city() + DAY))
    assert policy.narrow(Ask(ANYONE, "observation.read", "air_station")).where == Compare("time", "ge", today + DAY)


def test_two_roles_see_what_either_sees(policy: CedarPolicy) -> None:
    both = Caller("acc-b", "b", frozenset({"handler", "dispatcher"}), OWN_UNIT)
    assert policy.narrow(Ask(both, "case.read", "case")).where == EVERYTHING


def test_personal_columns_are_masked_without_a_purpose_and_for_roles_without_need(policy: CedarPolicy) -> None:
    ask = Ask(PEOPLE["admin"], "account.read", "account", facts={"access": "closed", "personal": ["name"]})
    assert policy.narrow(ask).masked == {"name"}
    assert policy.narrow(msgspec.structs.replace(ask, purpose="  ")).masked == {"name"}
    assert policy.narrow(msgspec.structs.replace(ask, purpose="核对账号")).masked == frozenset()
    leader = msgspec.structs.replace(ask, caller=PEOPLE["leader"], action="case.read", purpose="核对")
    assert policy.narrow(leader).masked == {"name"}


def test_an_action_that_does_not_exist_is_refused_not_guessed(policy: CedarPolicy) -> None:
    with pytest.raises(UnsupportedError):
        policy.decide(Ask(SYSTEM, "audit.delete", "audit"))
    assert not {action for action in ACTIONS if action.startswith("audit.")} & {"audit.delete", "audit.write"}


def test_facts_of_another_type_do_not_open_anything(policy: CedarPolicy) -> None:
    wrong: tuple[Json, ...] = (None, 7, True, [OWN_UNIT], {"unit": OWN_UNIT})
    for unit in wrong:
        assert not policy.decide(Ask(PEOPLE["handler"], "case.move", "case", facts={"unit": unit})).allowed
