"""Whether stores are of one district: by the newest events of its database, which no other district has."""

from collections.abc import Collection

from sqlalchemy import inspect

from citybrain.brain.see import facts
from citybrain.engines.meeting import Place
from citybrain.engines.transactions import OUTBOX, SqlTransactions
from citybrain.kernel.ports import Facts

_LOOKED = 1000
"""Events that are looked at again: with none among the last so many nothing tells one district's facts from another's but how far they are."""


def newest(transactions: SqlTransactions) -> Place:
    """The newest event of a database; 0 and nothing where there is none yet."""
    with transactions.read() as connection:
        if not inspect(connection).has_table(OUTBOX.name):
            return 0, ""
    found = transactions.events_after(transactions.last_position() - 1, 1)
    return (found[0][0], found[0][1].id) if found else (0, "")


def knows(transactions: SqlTransactions, place: Place) -> bool:
    """Whether an event is one of a database; none is one of every."""
    found = transactions.events_after(place[0] - 1, 1) if place[0] else ()
    return not place[0] or [(position, event.id) for position, event in found] == [place]


def fit(transactions: SqlTransactions, found: Facts, names: Collection[str] = tuple(facts.FACTS)) -> bool:
    """Whether facts are those of a database: the newest that were made of its events are there, and none is of later ones."""
    upto = transactions.cursor(facts.FactFeed.READER)
    if max(map(found.position, facts.FACTS)) > max(upto, transactions.last_position()):
        return False
    taken = [one for one in transactions.events_after(max(0, upto - _LOOKED), _LOOKED) if one[0] <= upto]
    return all(_has(found, name, str(rows[-1]["event"])) for name, rows in facts.flatten(taken).items() if name in names)


def begun(transactions: SqlTransactions, found: Facts) -> bool:
    """Whether a worker may go on with facts: they fit, but for tables of which it has none yet, as in a new folder or after an upgrade."""
    names = {name for name in facts.FACTS if found.position(name)}
    return not names or fit(transactions, found, names)


def _has(found: Facts, name: str, event: str) -> bool:
    return (
        found.position(name) > 0
        and found.query(f'SELECT 1 AS there FROM "{name}" WHERE event = $event', {"event": event}).num_rows > 0
    )
