"""Observations in: one (``POST Observations``) or many (``POST CreateObservations``, data arrays), through the one intake."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final, Protocol

import msgspec

from citybrain.brain.observe import AS_BEFORE, Rows, Runs, Verdict, because, permitted, read_rows, read_series
from citybrain.brain.protect import Accounts
from citybrain.doors.sensorthings import links, saying
from citybrain.doors.sensorthings.refusals import not_held, wrong
from citybrain.kernel.access import Caller
from citybrain.kernel.errors import BadInputError, CityError, ForbiddenError, UnreadableError
from citybrain.kernel.instant import parse
from citybrain.kernel.observations import Ints, Refusal
from citybrain.kernel.text import Json, Text

DOOR: Final = "sensorthings"
FEATURE: Final = "FeatureOfInterest"
_KEPT: Final = frozenset({"phenomenonTime", "result", "Datastream", "@iot.id"})
_FEATURE: Final = f"{FEATURE}/id"
_COMPONENTS: Final = ("phenomenonTime", "result", *saying.MEMBERS, _FEATURE)
_BESIDE: Final = (*saying.MEMBERS, _FEATURE)
_PLAIN: Final = ["phenomenonTime", "result"]


class _Reference(msgspec.Struct, gc=False):
    id: str = msgspec.field(name="@iot.id")


class _Array(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """A data array as most senders write it: nothing but times and numbers."""

    datastream: _Reference = msgspec.field(name="Datastream")
    components: list[str]
    data: list[tuple[str, float]] = msgspec.field(name="dataArray")
    count: int = msgspec.field(name="dataArray@iot.count", default=0)


_FAST: Final = msgspec.json.Decoder(list[_Array])


class Takes(Protocol):
    """What takes observations in: the intake, or a group that waits to be entered whole."""

    async def take(self, rows: Rows, door: str, key: str | None) -> Verdict:
        """Store rows, or hold them, and say which were refused."""


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes observations of one caller; without a time they are of the moment ``now`` (of the city).

    Where they may be sent again (by a key) there is no ``now``: each must say its time, or its address would change.
    """

    intake: Takes
    accounts: Accounts
    caller: Caller
    numbers: Mapping[str, int]
    now: str | None

    async def one(self, body: Json, stream: str | None, key: str | None) -> str:
        """Store one observation; its id, when it is durable. ``stream`` is the Datastream that the address names.

        Raises BadInputError or ForbiddenError saying why it was refused, and 501 for a part that is not kept.
        """
        row = observed(body, stream, self.now)
        verdict = await self._take([row], key)
        if verdict.refused:
            raise refused(verdict.refused[0])
        return self.id(row)

    async def arrays(self, body: bytes, key: str | None, around: links.Around) -> bytes | None:
        """Store data arrays that hold times and numbers alone, as ``many`` does; None for a body that holds anything else.

        The answer as it is sent: a list of the addresses, or of why a row was refused.
        """
        try:
            decoded = _FAST.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None
        pairs = list(chain.from_iterable(array.data for array in decoded))
        if not pairs or any(array.components != _PLAIN for array in decoded):
            return None
        streams = Runs([array.datastream.id for array in decoded], [len(array.data) for array in decoded])
        rows = read_series(streams, [pair[0] for pair in pairs], [pair[1] for pair in pairs])
        if rows is None:
            return None
        verdict = await self._store(rows, key)
        if not verdict.refused:
            return self._addresses(streams, rows.time, around)
        said = [f"{self.numbers.get(stream)}.{time}" for stream, time in zip(streams, rows.time.tolist(), strict=True)]
        for each in verdict.refused:
            said[each.row] = f"error {because(each)}"
        return addressed(said, around)

    def _addresses(self, streams: Runs, times: Ints, around: links.Around) -> bytes:
        """The addresses of rows (n,) that were all taken; written in one piece a run, for a thousand of them cost more than storing them."""
        before, after = (msgspec.json.encode(text)[1:-1].decode() for text in around)
        digits = msgspec.json.encode(times.tolist())[1:-1].decode().split(",")
        runs, begin = [], 0
        for stream, count in zip(streams.words, streams.counts, strict=True):
            head = f'"{before}{self.numbers.get(stream)}.'
            runs += [head + f'{after}",{head}'.join(digits[begin : begin + count]) + f'{after}"'] if count else []
            begin += count
        return f"[{','.join(runs)}]".encode()

    async def many(self, body: Json, key: str | None) -> list[str]:
        """Store data arrays of Datastreams; for each row its id or ``error <code>: <why>``, in order."""
        if not isinstance(body, list):
            raise UnreadableError(Text("内容须为 dataArray 的列表。", "The body is a list of data arrays."))
        rows: list[Json] = []
        for number, array in enumerate(body):
            rows += self.array(array, number)
        if not rows:
            return []
        verdict = await self._take(rows, key)
        refused = {each.row: f"error {because(each)}" for each in verdict.refused}
        return [refused[number] if number in refused else self.id(row) for number, row in enumerate(rows)]

    def array(self, array: Json, number: int) -> list[Json]:
        """The rows of a data array of a Datastream, one for each element."""
        stream, names, data = columns(array, "Datastream", number)
        return [self.element(stream, names, element) for element in data]

    def element(self, stream: str, names: Sequence[str], element: Json) -> Json:
        """A row for the intake; one of the wrong shape becomes one that it refuses."""
        if not isinstance(element, list) or len(element) != len(names):
            return None
        return _row(stream, dict(zip(names, element, strict=True)), self.now)

    async def _take(self, rows: Sequence[Json], key: str | None) -> Verdict:
        return await self._store(read_rows(msgspec.json.encode(rows)), key)

    async def _store(self, rows: Rows, key: str | None) -> Verdict:
        own = permitted(rows, self.accounts.barred(self.caller))
        return await self.intake.take(own, DOOR, None if key is None else f"{self.caller.account}:{key}")

    def id(self, row: Json) -> str:
        """The id of the Observation that a row became."""
        stream, time = (str(row["stream"]), str(row["time"])) if isinstance(row, dict) else ("", "")
        return f"{self.numbers[stream]}.{parse(time)}"


def refused(one: Refusal) -> CityError:
    """The error that an observation by itself is answered with."""
    code, why = one.code, one.why
    what = Text(f"观测值被拒绝（{code}）：{why.zh}", f"The observation was refused ({code}): {why.en}")
    return ForbiddenError(what) if code == "forbidden_stream" else BadInputError(what, reason=code)


def addressed(said: Sequence[str], around: links.Around) -> bytes:
    """A list as it is sent: the address of each id, and why a row was refused as it stands."""
    before, after = around
    # An id is digits and a point: nothing of it needs escaping.
    return msgspec.json.encode([one if one.startswith("error") else f"{before}{one}{after}" for one in said])


def columns(array: Json, nav: str, number: int) -> tuple[str, list[str], list[Json]]:
    """The id of the Datastream or MultiDatastream (``nav``) of a data array, the names of its components, and its elements.

    Raises UnreadableError for the array at ``number`` that has not the shape of one, and 501 for components that are not kept.
    """
    if not isinstance(array, dict):
        raise UnreadableError(Text(f"第 {number} 项不是对象。", f"Item {number} is no object."))
    named, components, data = _reference(array.get(nav)), array.get("components"), array.get("dataArray")
    if named is None or not isinstance(components, list) or not isinstance(data, list):
        what = f"第 {number} 项须含 {nav} 的 @iot.id、components 和 dataArray。"
        raise UnreadableError(Text(what, f"Item {number} needs the {nav}'s @iot.id, components and dataArray."))
    names = [str(name) for name in components]
    if "result" not in names or not set(names) <= set(_COMPONENTS):
        able = ", ".join(_COMPONENTS)
        raise not_held(f"components 仅可为 {able}，且须含 result。", f"components can be {able} and must hold result.")
    if len(set(names)) < len(names):
        raise wrong("components 中同一列只能出现一次。", "Each of the components stands there once.", "components")
    return named, names, data


def features(names: Sequence[str], element: Json) -> Json:
    """What an element of a data array is about, as it says; None where it does not say it, or has the wrong shape."""
    sound = _FEATURE in names and isinstance(element, list) and len(element) == len(names)
    said = element[names.index(_FEATURE)] if sound and isinstance(element, list) else None
    return None if said in saying.EMPTY else said


def told(names: Sequence[str], element: Json) -> str | None:
    """What an element of a data array says besides, as ``saying.said`` has it; nothing of one that has the wrong shape."""
    if not isinstance(element, list) or len(element) != len(names):
        return AS_BEFORE
    return saying.said(dict(zip(names, element, strict=True)))


def tells(body: Json) -> bool:
    """Whether among data arrays there is one whose elements say more than times and results."""
    return isinstance(body, list) and any(isinstance(one, dict) and _tells(one) for one in body)


def _tells(array: Mapping[str, Json]) -> bool:
    names, data = _listed(array.get("components")), _listed(array.get("dataArray"))
    place = names.index(saying.PHENOMENON) if saying.PHENOMENON in names else len(names)
    return any(name in _BESIDE for name in names) or any(
        saying.spans(cell) for one in data for cell in _listed(one)[place : place + 1]
    )


def _listed(value: Json) -> Sequence[Json]:
    return value if isinstance(value, list) else ()


def decoded(body: bytes) -> Json:
    """A body as plain JSON; raises UnreadableError."""
    try:
        value: Json = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableError(Text(f"内容不是 UTF-8 编码的 JSON：{error}", f"The body is not JSON in UTF-8: {error}")) from error
    return value


def observed(body: Json, stream: str | None, now: str | None) -> Json:
    """The row of the intake that one Observation is; ``stream`` is the Datastream that an address names.

    Raises UnreadableError, BadInputError, or NotHeldError for a part that would be lost: what is kept beside it is not in it.
    """
    if not isinstance(body, dict):
        raise UnreadableError(Text("内容须为一个 Observation 对象。", "The body is one Observation object."))
    named = _reference(body.get("Datastream")) if stream is None else stream
    if named is None:
        raise wrong("缺少 Datastream 的 @iot.id。", "The Datastream's @iot.id is missing.", "Datastream")
    _kept(body, named)
    return _row(named, body, now)


def _row(stream: str, fields: Mapping[str, Json], now: str | None) -> Json:
    time = saying.begin(fields.get("phenomenonTime") or fields.get("resultTime") or now)
    if time is None:
        raise wrong(
            "带 Idempotency-Key 时，每条观测值须写明 phenomenonTime。",
            "With an Idempotency-Key every observation says its phenomenonTime.",
            "phenomenonTime",
        )
    return {"stream": stream, "time": time, "value": fields.get("result")}


def _reference(value: Json) -> str | None:
    found = value.get("@iot.id") if isinstance(value, dict) else None
    return found if isinstance(found, str) else None


def _kept(body: Mapping[str, Json], stream: str) -> None:
    """Raise 501 for parts of an observation that would be lost, BadInputError for those that say two things."""
    lost = sorted(name for name, value in body.items() if name not in _KEPT and value not in saying.EMPTY)
    if lost:
        listed = ", ".join(lost)
        raise not_held(f"不保存观测值的 {listed}，请去掉。", f"An observation's {listed} would not be kept. Leave it out.")
    if body.get("@iot.id") is not None:
        raise not_held("观测值的 @iot.id 由系统推出，请去掉。", "An observation's @iot.id is derived. Leave it out.")
    if "Datastream" in body and _reference(body["Datastream"]) != stream:
        raise wrong("Datastream 与地址不符。", "The Datastream is not that of the address.", "Datastream")
