"""The Facts port over Flight: the process that makes the figures owns the facts, the others ask it."""

from collections.abc import Mapping
from typing import Any

import msgspec
import pyarrow as pa

from citybrain.engines.flight.calls import Answer, Call, Calls, plain
from citybrain.kernel.ports import Facts
from citybrain.kernel.text import Json


class RemoteFacts:
    """Facts that another process owns."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def append(self, name: str, rows: pa.Table, upto: int) -> None:
        """Add rows there and remember the outbox position they reach, in one commit."""
        self._calls.ask("facts_append", {"rows": rows}, name=name, upto=upto)

    def position(self, name: str) -> int:
        """The outbox position a fact table has reached."""
        return msgspec.convert(self._calls.plain("facts_position", name=name), int)

    def query(self, sql: str, values: Mapping[str, Json], tables: Mapping[str, pa.Table] | None = None) -> pa.Table:
        """Read with one SELECT; ``tables`` go along under their names. Raises BadInputError."""
        return self._calls.ask("facts_query", tables, sql=sql, values=dict(values))


def facts_answers(facts: Facts) -> Mapping[str, Answer]:
    """What the owner answers of its facts."""

    def append(call: Call) -> pa.Table:
        name, upto = msgspec.convert((call.values["name"], call.values["upto"]), tuple[str, int])
        facts.append(name, call.table("rows"), upto)
        return plain(None)

    def query(call: Call) -> pa.Table:
        sql, values = msgspec.convert((call.values["sql"], call.values["values"]), tuple[str, dict[str, Any]])
        return facts.query(sql, values, {name: call.table(name) for name in call.tables})

    return {
        "facts_append": append,
        "facts_position": lambda call: plain(facts.position(msgspec.convert(call.values["name"], str))),
        "facts_query": query,
    }
