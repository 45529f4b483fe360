"""What people say anew of observations, kept with a record of what was known before."""

import json
from collections.abc import Sequence
from typing import NoReturn

import numpy as np
import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from citybrain.brain.observe import About, Anew, Featured, Having, Signed, beside
from citybrain.brain.observe import restated as records
from citybrain.brain.observe.store import RESTATED
from citybrain.kernel.errors import BusyError, ConflictError, StaleError
from citybrain.kernel.instant import Instant
from tests.brain.observe.conftest import World

BY = Signed("officer", "读错了表", Instant(7))
PLAIN = About(1, Instant(10), None, None)


def told(time: int, mark: str | None = None, **words: object) -> About:
    return About(1, Instant(time), None, json.dumps(words) if words else None, mark)


def nothing(_: Connection) -> None:
    """No work."""


def unsaid(world: World, key: str) -> None:
    """Undo what was said anew with acts."""
    with world.transactions.begin() as tx:
        beside.unsay(tx.connection, key)


def stands(featured: Featured) -> list[About]:
    return sorted(featured.of([1, 2], 0, 99).values())


def test_what_is_said_anew_stands_with_its_record_until_it_is_undone(world: World) -> None:
    featured, other = Featured(world.transactions), Featured(world.transactions)
    assert other.known() == Having(frozenset(), frozenset())
    first, second = told(10, "validTime", validTime="a"), told(10, "validTime,parameters", validTime="b")
    featured.restate([(Anew(PLAIN, first), BY)])
    assert (stands(other), other.saying()) == ([first], frozenset({1})), "another process knows of it"
    featured.restate_with([(Anew(first, second), BY)], "acts", nothing)
    unsaid(world, "acts")
    assert stands(featured) == [first]
    with world.transactions.read() as connection:
        (one,) = records.of(connection, 1)
    assert (one.was_said, one.said, one.names, one.by) == ({}, {"validTime": "a"}, ("validTime",), "officer")


def test_what_another_process_says_anew_is_told_here_once_and_what_came_to_nothing_hides_nothing_after_it(world: World) -> None:
    featured, other, heard = Featured(world.transactions), Featured(world.transactions), list[About]()
    other.restate([(Anew(PLAIN, told(10, "validTime", validTime="a")), BY)])
    featured.on_restated(heard.extend)
    featured.renew()
    assert heard == [], "that was before anybody was to be told"
    first, moved = told(11, "validTime", validTime="b"), told(21, "phenomenonTime")
    other.restate_with([(Anew(About(1, Instant(11), None, None), first), BY._replace(wall=Instant(8)))], "acts", nothing)
    other.restate([(Anew(About(1, Instant(20), None, None), moved), BY._replace(wall=Instant(9)))])
    featured.renew()
    featured.renew()
    assert sorted(heard) == [first, moved]
    unsaid(world, "acts")
    last = told(30, "validTime", validTime="c")
    other.restate_with([(Anew(About(1, Instant(30), None, None), last), BY._replace(wall=Instant(10)))], "acts", nothing)
    featured.renew()
    assert heard.pop() == last
    unsaid(world, "acts")
    again = told(31, "validTime", validTime="d")
    other.restate([(Anew(About(1, Instant(31), None, None), again), BY._replace(wall=Instant(11)))])
    featured.renew()
    assert heard.pop() == again, "under the number that the one before had"
    own = told(32, "validTime", validTime="e")
    featured.restate([(Anew(About(1, Instant(32), None, None), own), BY._replace(wall=Instant(12)))])
    assert heard.pop() == own
    assert sorted(heard) == [first, moved]


def test_over_what_somebody_changed_nothing_is_said(world: World) -> None:
    featured = Featured(world.transactions)
    featured.put([told(10, parameters=1)])
    with pytest.raises(StaleError):
        featured.restate([(Anew(PLAIN, told(10, "validTime", validTime="a")), BY)])
    assert stands(featured) == [told(10, parameters=1)]
    with world.transactions.read() as connection:
        assert records.of(connection, 1) == ()


def test_nothing_that_was_taken_away_comes_back_when_it_is_sent_again(world: World) -> None:
    featured = Featured(world.transactions)
    sent = told(10, parameters=1)
    featured.put([sent])
    bare = About(1, Instant(10), None, None, "parameters")
    featured.restate([(Anew(sent, bare), BY)])
    featured.put([sent])
    assert (stands(featured), featured.verify()) == ([bare], 1), "it is marked, though nothing is said"
    featured.put([told(10, parameters=2)])
    assert (stands(featured), featured.verify()) == ([told(10, parameters=2)], 0)


def test_one_that_was_moved_leads_on_and_retention_empties_the_record(world: World) -> None:
    featured = Featured(world.transactions)
    moved = told(20, "phenomenonTime", parameters=1)
    featured.restate([(Anew(PLAIN, moved), BY)])
    assert (featured.moved((1,), 10), featured.moved((1,), 20), featured.moved((2,), 10)) == ((1, 20), None, None)
    assert (stands(featured), featured.verify()) == ([moved], 1)
    featured.forget(np.array([1], np.int32), Instant(30))
    with world.transactions.read() as connection:
        (one,) = records.of(connection, 1)
    assert (one.by, one.names, one.said, featured.moved((1,), 10)) == ("officer", ("phenomenonTime",), {}, (1, 20))


@pytest.mark.parametrize(
    "there",
    [About(1, Instant(20), None, '{"depth": 1}', "phenomenonTime"), About(2, Instant(10), None, '{"depth": 1}', "Datastream")],
)
def test_what_was_said_of_one_that_was_moved_is_held_as_long_as_it_is_there(world: World, there: About) -> None:
    featured = Featured(world.transactions)
    featured.restate([(Anew(PLAIN, there), BY)])
    featured.forget(np.array([1], np.int32), Instant(15))
    assert featured.verify() == 1, "it is kept longer where it is than where it was"
    featured.forget(np.array([there.stream], np.int32), Instant(30))
    with world.transactions.read() as connection:
        (one,) = records.of(connection, 1)
    assert (one.by, one.said, featured.verify()) == ("officer", {}, 0)


def test_retention_of_more_streams_than_a_statement_names_is_done(world: World) -> None:
    featured = Featured(world.transactions)
    featured.restate([(Anew(PLAIN, told(10, "validTime", validTime="a")), BY)])
    featured.forget(np.arange(1, 300_000, dtype=np.int32), Instant(30))
    with world.transactions.read() as connection:
        assert [one.said for one in records.of(connection, 1)] == [{}]


def test_a_record_that_was_changed_by_hand_is_found(world: World) -> None:
    featured = Featured(world.transactions)
    featured.restate([(Anew(PLAIN, told(10, "validTime", validTime="a")), BY)])
    with world.transactions.begin() as tx:
        tx.connection.exec_driver_sql("DELETE FROM restated")
    with pytest.raises(ConflictError, match="not as its record says"):
        featured.verify()


def test_a_number_that_another_process_has_just_taken_is_not_given_twice(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    featured, other, real = Featured(world.transactions), Featured(world.transactions), records.record
    told_ = Anew(PLAIN, told(10, "validTime", validTime="a"))
    elsewhere = About(2, Instant(10), None, None)
    other.restate([(Anew(elsewhere, elsewhere._replace(said='{"validTime":"b"}', restated="validTime")), BY)])
    tries: list[int] = []

    def late(connection: Connection, listed: Sequence[tuple[records.Record, Signed]], key: str | None) -> None:
        """The first time the number is one that is there by now."""
        real(connection, listed, key)
        tries.append(records.newest(connection)[0])
        if len(tries) == 1:
            connection.execute(RESTATED.update().where(RESTATED.c.no == tries[0]).values(no=1))

    monkeypatch.setattr(records, "record", late)
    featured.restate([(told_, BY)])
    assert (tries, featured.verify()) == ([2, 2], 2)
    monkeypatch.setattr(records, "record", always)
    with pytest.raises(BusyError):
        featured.restate([(Anew(told_.about, told(10, "validTime", validTime="c")), BY)])


def always(*_: object) -> NoReturn:
    """Another process is always first."""
    raise IntegrityError("", {}, Exception())
