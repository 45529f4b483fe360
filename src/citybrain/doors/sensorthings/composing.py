"""Observations of a MultiDatastream coming in: an array becomes one reading a field, all of them or none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import msgspec
import numpy as np

from citybrain.brain.observe import AS_BEFORE, Registry, Rows, Verdict, because, permitted, read_rows, whole
from citybrain.brain.protect import Accounts
from citybrain.doors.sensorthings import multi
from citybrain.doors.sensorthings.refusals import missing, wrong
from citybrain.doors.sensorthings.results import unfit, unlike
from citybrain.doors.sensorthings.writing import DOOR, Takes, Writer, columns, features, observed, told
from citybrain.kernel.access import Caller
from citybrain.kernel.errors import BadInputError, ForbiddenError, UnreadableError
from citybrain.kernel.instant import parse
from citybrain.kernel.observations import Refusal
from citybrain.kernel.text import Json, Text

_NAV: Final = "MultiDatastream"


def names_arrays(body: Json) -> bool:
    """Whether among data arrays there is one of a MultiDatastream."""
    return isinstance(body, list) and any(isinstance(array, dict) and _NAV in array for array in body)


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
        named, rows, time = readings(self.registry, body, entity, self.now)
        read = permitted(read_rows(msgspec.json.encode(rows)), self.accounts.barred(self.caller))
        if read.refused or read.infinite:
            why = unlike(body.get("result"), _joint(self.registry, named).streams) if isinstance(body, dict) else None
            await self._refuse(replace(read, refused=tuple(_because(each, why) for each in read.refused)))
        # The rest that the intake looks at is the time and the kind, which are those of all rows: it takes all or none.
        verdict = await self.intake.take(read, DOOR, None if key is None else f"{self.caller.account}:{key}")
        if verdict.refused:
            raise _refused(verdict.refused[0])
        return multi.named(named, parse(time))

    async def arrays(self, body: Sequence[Json], single: Writer, key: str | None) -> list[str]:
        """Store data arrays, of MultiDatastreams too; for each element its id or ``error <code>: <why>``.

        An element of a MultiDatastream is stored with all of its values, or none.
        """
        sent = self.read(body, single)
        verdict = await self.intake.take(sent.rows, DOOR, None if key is None else f"{self.caller.account}:{key}")
        return sent.said(verdict, single)

    def read(self, body: Sequence[Json], single: Writer) -> "Arrays":
        """Data arrays as rows of the intake, those of each element whole; raises UnreadableError, NotFoundError, and 501."""
        elements: list[_Element] = []
        for number, array in enumerate(body):
            joint = isinstance(array, dict) and _NAV in array
            elements += self._array(array, number, single) if joint else _singles(array, number, single)
        owner = [place for place, one in enumerate(elements) for _ in one.rows]
        listed: list[Json] = [row for one in elements for row in one.rows]
        # The rest that the intake looks at is the time and the kind, which are those of all rows of an element.
        rows = whole(permitted(read_rows(msgspec.json.encode(listed)), self.accounts.barred(self.caller)), owner)
        refused = tuple(_because(each, elements[owner[each.row]].unfit) for each in rows.refused)
        return Arrays(elements, owner, replace(rows, refused=refused))

    def _array(self, array: Json, number: int, single: Writer) -> "list[_Element]":
        named, names, data = columns(array, _NAV, number)
        joint = _joint(self.registry, named)
        first = joint.streams[0].id
        found: list[_Element] = []
        for element in data:
            row = single.element(first, names, element)
            one = _element(_spread(row, joint), named, names, element)
            bad = isinstance(row, dict) and any(isinstance(each, dict) and each["value"] is None for each in one.rows)
            found.append(replace(one, unfit=unlike(row["value"], joint.streams)) if isinstance(row, dict) and bad else one)
        return found

    async def _refuse(self, read: Rows) -> None:
        """Enter the refusals in the account of the door, with no reading, and raise the first."""
        none = np.zeros(0, np.int64)
        refused = (*read.refused, *read.infinite)
        verdict: Verdict = await self.intake.take(Rows([], none, np.zeros(0), None, none, refused), DOOR, None)
        raise _refused(verdict.refused[0])


def readings(registry: Registry, body: Json, entity: str | None, now: str | None) -> tuple[str, list[Json], str]:
    """The MultiDatastream of one Observation, a row of the intake for each value, and their time.

    ``entity`` is the MultiDatastream that the address names. Raises NotFoundError, UnreadableError, BadInputError, and 501 for
    a part that is not kept.
    """
    if not isinstance(body, dict):
        raise UnreadableError(Text("内容须为一个 Observation 对象。", "The body is one Observation object."))
    named = _named(body, entity)
    joint = _joint(registry, named)
    values = _values(body.get("result"), joint)
    plain: dict[str, Json] = {name: value for name, value in body.items() if name != _NAV}
    checked = observed(plain, joint.streams[0].id, now)
    time: Json = checked["time"] if isinstance(checked, dict) else None
    return named, _side_by_side(joint, time, values), str(time)


def _named(body: Mapping[str, Json], entity: str | None) -> str:
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


def _joint(registry: Registry, named: str) -> multi.Joint:
    """What a MultiDatastream is of; raises NotFoundError where there is none."""
    joint = multi.joint(registry, named)
    if joint is None:
        raise missing(f"{multi.MULTI}('{named}')")
    return joint


def _side_by_side(joint: multi.Joint, time: Json, values: Sequence[Json]) -> list[Json]:
    """A row of the intake for each value that is not null; of one that its stream does not take a row that is refused, for all of them."""
    pairs = [(stream, value) for stream, value in zip(joint.streams, values, strict=True) if value is not None]
    return [{"stream": stream.id, "time": time, "value": None if unfit(stream, value) else value} for stream, value in pairs]


@dataclass(frozen=True, slots=True)
class _Element:
    """An element of a data array: the rows of the intake that it becomes, and the MultiDatastream that it is of, if it is of one."""

    rows: list[Json]
    joint: str | None
    feature: Json
    """What it says that it is about; None where it says nothing."""
    said: str | None = AS_BEFORE
    """What else it says, as it is kept."""
    why: Text | None = None
    """Why that cannot be kept; None where it can."""
    unfit: Text | None = None
    """Which of its values is none of its stream, and why; None where all are."""


@dataclass(frozen=True, slots=True)
class Arrays:
    """Data arrays as they were sent: their elements, of which of them each row is, and the rows."""

    elements: Sequence[_Element]
    owner: Sequence[int]
    rows: Rows

    def element(self, row: int) -> _Element:
        """That of which the row at a place of the sending is."""
        return self.elements[self.owner[row]]

    def said(self, verdict: Verdict, single: Writer) -> list[str]:
        """For each element its id or ``error <code>: <why>``."""
        why = {self.owner[each.row]: f"error {because(each)}" for each in reversed(verdict.refused)}
        return [why.get(place) or _id(one, single) for place, one in enumerate(self.elements)]


def _singles(array: Json, number: int, single: Writer) -> list[_Element]:
    stream, names, data = columns(array, "Datastream", number)
    return [_element([single.element(stream, names, element)], None, names, element) for element in data]


def _element(rows: list[Json], joint: str | None, names: Sequence[str], element: Json) -> _Element:
    try:
        return _Element(rows, joint, features(names, element), told(names, element))
    except BadInputError as error:
        return _Element(rows, joint, None, why=error.what)


def _spread(row: Json, joint: multi.Joint) -> list[Json]:
    """A row for each value of an element; one that the intake refuses for an element of the wrong shape."""
    if not isinstance(row, dict):
        return [None]
    try:
        values = _values(row["value"], joint)
    except BadInputError:
        return [None]
    return _side_by_side(joint, row["time"], values)


def _id(element: _Element, single: Writer) -> str:
    row = element.rows[0]
    if element.joint is None or not isinstance(row, dict):
        return single.id(row)
    return multi.named(element.joint, parse(str(row["time"])))


def _values(result: Json, joint: multi.Joint) -> list[Json]:
    """The values by stream; raises BadInputError for what is no array of their number, or holds none."""
    listed, count = ", ".join(stream.field for stream in joint.streams), len(joint.streams)
    if not isinstance(result, list) or len(result) != count:
        got = f"{len(result)}" if isinstance(result, list) else "-"
        raise wrong(
            f"result 须为 {count} 项的数组，依次为 {listed}，没有的写 null；收到 {got} 项。",
            f"The result is an array of {count}: {listed}, null where there is none. Received: {got}.",
            "result",
        )
    if all(value is None for value in result):
        raise wrong("result 全为 null，没有可保存的值。", "All of the result is null: there is nothing to keep.", "result")
    return result


def _because(refusal: Refusal, unfit: Text | None) -> Refusal:
    return Refusal(refusal.row, refusal.code, unfit) if unfit and refusal.code == "bad_value" else refusal


def _refused(refusal: Refusal) -> BadInputError | ForbiddenError:
    code, why = refusal.code, refusal.why
    what = Text(f"观测值被整条拒绝（{code}）：{why.zh}", f"The observation was refused whole ({code}): {why.en}")
    return ForbiddenError(what) if code == "forbidden_stream" else BadInputError(what, reason=code)
