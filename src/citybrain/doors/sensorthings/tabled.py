"""Data arrays whose elements say more than times and results: what they are about (``FeatureOfInterest/id``), and what saying.py keeps.

arrays → rows and what is beside them → rows of features that are not there refused → stored element by element, with it or not at all
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from anyio import to_thread

from citybrain.brain.observe import AS_BEFORE, Registry, Rows
from citybrain.doors.sensorthings import saying
from citybrain.doors.sensorthings.composing import Arrays, Composer
from citybrain.doors.sensorthings.featuring import unfit
from citybrain.doors.sensorthings.keeping import NOTHING, Keeping, Told, about
from citybrain.doors.sensorthings.parts import SensorThingsParts
from citybrain.doors.sensorthings.together import Group
from citybrain.doors.sensorthings.writing import DOOR, Writer
from citybrain.kernel.observations import Refusal
from citybrain.kernel.text import Json, Text

CODE: Final = "bad_feature"
WHY: Final = Text(
    "FeatureOfInterest/id 指明的观测对象不存在：既不是新建的，也不是有位置的 Thing。",
    "FeatureOfInterest/id names no feature: none that was made here, and no Thing that stands somewhere.",
)
_NO_ID: Final = Text(
    "FeatureOfInterest/id 须为观测对象的 id；要描述观测对象，请用 FeaturesOfInterest，或单独发送该 Observation。",
    "FeatureOfInterest/id is the id of a feature. Describe a feature at FeaturesOfInterest, or in an Observation by itself.",
)


@dataclass(frozen=True, slots=True)
class _Sent:
    """Rows that may be stored, and what is beside some of them, by their places in the sending."""

    rows: Rows
    beside: Mapping[int, Told]

    def of(self, row: int) -> Told:
        """What is beside the row at a place."""
        return self.beside.get(row, NOTHING)


async def arrays(
    parts: SensorThingsParts, within: Group | None, composer: Composer, single: Writer, body: Sequence[Json], key: str | None
) -> list[str]:
    """Store data arrays; for each element its id or ``error <code>: <why>``. Raises as Composer.arrays does."""
    sent = composer.read(body, single)
    name = None if key is None else f"{composer.caller.account}:{key}"
    if within is not None:
        told = await to_thread.run_sync(_told, parts, within.gathering, sent)
        verdict = await within.take(told.rows, DOOR, name)
        within.about += about(within.gathering, told.rows, told.of, (one.row for one in verdict.refused))
        return sent.said(verdict, single)
    if not single.numbers.keys() >= set(sent.rows.streams):
        await to_thread.run_sync(parts.registry.renew)
    told = await to_thread.run_sync(_told, parts, parts.registry, sent)
    takes = Keeping(parts, told.of) if told.beside else parts.intake
    return sent.said(await takes.take(told.rows, DOOR, name), single)


def _told(parts: SensorThingsParts, registry: Registry, sent: Arrays) -> _Sent:
    """The rows of a sending, less those that say what cannot be kept; what is beside the others."""
    features = _Features(registry, parts.featured.streams(), {})
    beside: dict[int, Told] = {}
    bad: dict[int, tuple[str, Text]] = {}
    said_of, numbers = parts.featured.saying(), registry.stream_numbers()
    for stream, row in zip(sent.rows.streams, sent.rows.row.tolist(), strict=True):
        element, number = sent.element(row), numbers.get(stream, 0)
        if not number:
            continue
        feature, why = features.of(element.feature, number)
        said = AS_BEFORE if element.said is None and number not in said_of else element.said
        if element.why:
            bad[row] = saying.CODE, element.why
        elif why:
            bad[row] = CODE, why
        elif (feature, said) != NOTHING:
            beside[row] = feature, said
    return _Sent(_less(sent.rows, bad), beside)


@dataclass(frozen=True, slots=True)
class _Features:
    """The features that elements name; ``known`` is why those of which it was asked cannot be, None where they can."""

    registry: Registry
    featured: frozenset[int]
    known: dict[str, Text | None]

    def of(self, said: Json, number: int) -> tuple[str | None, Text | None]:
        """The feature of a reading of a stream, as ``About`` has it, and why it cannot be about it; None where it can."""
        if said is None:
            return AS_BEFORE, None
        if not isinstance(said, str | int):
            return AS_BEFORE, _NO_ID
        named = str(said)
        if named == self.registry.streams()[number - 1].entity:
            return None if number in self.featured else AS_BEFORE, None
        if named not in self.known:
            error = unfit(self.registry, named)
            self.known[named] = None if error is None else error.what
        return named, self.known[named]


def _less(rows: Rows, bad: Mapping[int, tuple[str, Text]]) -> Rows:
    """The same sending with some of its rows refused."""
    if not bad:
        return rows
    kept = np.array([row not in bad for row in rows.row.tolist()], np.bool_)
    places = np.flatnonzero(kept).tolist()
    refused = (*rows.refused, *(Refusal(row, *bad[row]) for row in rows.row[~kept].tolist()))
    streams = [rows.streams[place] for place in places]
    return Rows(streams, rows.time[kept], rows.value[kept], None, rows.row[kept], refused, rows.said)
