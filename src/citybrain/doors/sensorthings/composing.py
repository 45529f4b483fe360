"""Observations of a MultiDatastream coming in: an array becomes one reading a field, all of them or none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np

from citybrain.brain.observe import Registry, Rows, Verdict, permitted, read_rows
from citybrain.brain.protect import Accounts
from citybrain.doors.sensorthings import multi
from citybrain.doors.sensorthings.refusals import missing, wrong
from citybrain.doors.sensorthings.writing import DOOR, Takes, observed
from citybrain.kernel.access import Caller
from citybrain.kernel.errors import BadInputError, ForbiddenError, UnreadableError
from citybrain.kernel.instant import parse
from citybrain.kernel.observations import Refusal
from citybrain.kernel.text import Json, Text

_NAV: Final = "MultiDatastream"


def names_one(body: Json) -> bool:
    """Whether an Observation says itself that it is of a MultiDatastream."""
    return isinstance(body, dict) and _NAV in body


@dataclass(frozen=True, slots=True)
class Composer:
    """Writes for one caller; without a time an observation is of the moment ``now`` (of the city), if there is one."""

    intake: Takes
    accounts: Accounts
    caller: Caller
    registry: Registry
    now: str | None

    async def one(self, body: Json, entity: str | None, key: str | None) -> str:
        """Store one reading for each field that has a value; the id of the Observation, when they are durable.

        ``entity`` is the MultiDatastream that the address names. Raises NotFoundError, BadInputError or ForbiddenError with
        nothing stored, and 501 for a part that is not kept.
        """
        named, rows, time = self._rows(body, entity)
        read = permitted(read_rows(msgspec.json.encode(rows)), self.accounts.barred(self.caller))
        if read.refused or not np.isfinite(read.value).all():
            await self._refuse(read)
        # The rest that the intake looks at is the time and the kind, which are those of all rows: it takes all or none.
        verdict = await self.intake.take(read, DOOR, None if key is None else f"{self.caller.account}:{key}")
        if verdict.refused:
            raise _refused(verdict.refused[0])
        return multi.named(named, parse(time))

    async def _refuse(self, read: Rows) -> None:
        """Enter the refusals in the account of the door, with no reading, and raise the first."""
        none = np.zeros(0, np.int64)
        infinite = tuple(
            Refusal(int(row), "not_a_number", "The value is not a finite number.") for row in read.row[~np.isfinite(read.value)]
        )
        refused = (*read.refused, *infinite)
        verdict: Verdict = await self.intake.take(Rows([], none, np.zeros(0), None, none, refused), DOOR, None)
        raise _refused(verdict.refused[0])

    def _rows(self, body: Json, entity: str | None) -> tuple[str, list[Json], str]:
        """The MultiDatastream, a row of the intake for each value, and their time."""
        if not isinstance(body, dict):
            raise UnreadableError(Text("内容须为一个 Observation 对象。", "The body is one Observation object."))
        named = self._named(body, entity)
        fields = [column.name for column in multi.fields_of(self.registry, named)]
        if not fields:
            raise missing(f"{multi.MULTI}('{named}')")
        values = _values(body.get("result"), fields)
        plain: dict[str, Json] = {name: value for name, value in body.items() if name != _NAV}
        checked = observed(plain, f"{named}.{fields[0]}", self.now)
        time: Json = checked["time"] if isinstance(checked, dict) else None
        rows: list[Json] = [
            {"stream": f"{named}.{name}", "time": time, "value": value}
            for name, value in zip(fields, values, strict=True)
            if value is not None
        ]
        return named, rows, str(time)

    def _named(self, body: Mapping[str, Json], entity: str | None) -> str:
        reference = body.get(_NAV)
        said = reference.get("@iot.id") if isinstance(reference, dict) else None
        if (_NAV in body and not isinstance(said, str)) or (entity is None and said is None):
            raise wrong("缺少 MultiDatastream 的 @iot.id。", "The MultiDatastream's @iot.id is missing.", _NAV)
        if entity is not None and said not in (None, entity):
            raise wrong("MultiDatastream 与地址不符。", "The MultiDatastream is not that of the address.", _NAV)
        if body.get("Datastream") is not None:
            raise wrong(
                "观测值属于 Datastream 或 MultiDatastream，不能两者都写。",
                "An Observation is of a Datastream or of a MultiDatastream. Leave one out.",
                "Datastream",
            )
        return str(said if entity is None else entity)


def _values(result: Json, fields: Sequence[str]) -> list[Json]:
    """The values by field; raises BadInputError for what is no array of their number, or holds none."""
    listed = ", ".join(fields)
    if not isinstance(result, list) or len(result) != len(fields):
        got = f"{len(result)}" if isinstance(result, list) else "-"
        raise wrong(
            f"result 须为 {len(fields)} 项的数组，依次为 {listed}，没有的写 null；收到 {got} 项。",
            f"The result is an array of {len(fields)}: {listed}, null where there is none. Received: {got}.",
            "result",
        )
    if all(value is None for value in result):
        raise wrong("result 全为 null，没有可保存的值。", "All of the result is null: there is nothing to keep.", "result")
    return result


def _refused(refusal: Refusal) -> BadInputError | ForbiddenError:
    code, why = refusal.code, refusal.why
    what = Text(f"观测值被整条拒绝（{code}）：{why}", f"The observation was refused whole ({code}): {why}")
    return ForbiddenError(what) if code == "forbidden_stream" else BadInputError(what, reason=code)
