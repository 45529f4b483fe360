"""Data arrays whose elements say what they are about (``FeatureOfInterest/id``): element by element, each with its feature or not at all.

arrays → rows and features → features that are not there refused → features of good rows kept → rows stored → those of refused rows back
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from anyio import to_thread

from citybrain.brain.observe import About, Registry, Rows, Verdict
from citybrain.doors.sensorthings.composing import Arrays, Composer
from citybrain.doors.sensorthings.featuring import about, unfit
from citybrain.doors.sensorthings.parts import SensorThingsParts
from citybrain.doors.sensorthings.together import Group
from citybrain.doors.sensorthings.writing import DOOR, Writer
from citybrain.kernel.observations import Refusal
from citybrain.kernel.text import Json

CODE: Final = "bad_feature"
WHY: Final = "FeatureOfInterest/id names no feature that was made here, nor the Datastream's own Thing."
_NO_ID: Final = (
    "FeatureOfInterest/id is the id of a feature. Describe a feature at FeaturesOfInterest, or in an Observation by itself."
)


@dataclass(frozen=True, slots=True)
class _Told:
    """Rows that may be stored, and what some of them are about, by their places in the sending; None for their own Thing."""

    rows: Rows
    features: Mapping[int, str | None]


async def arrays(
    parts: SensorThingsParts, within: Group | None, composer: Composer, single: Writer, body: Sequence[Json], key: str | None
) -> tuple[list[str], bool]:
    """Store data arrays; for each element its id or ``error <code>: <why>``, and whether any was taken. Raises as Composer.arrays does.

    A kill before it is answered may leave what readings are about without them; sent again, they are found and kept anew.
    """
    sent = composer.read(body, single)
    name = None if key is None else f"{composer.caller.account}:{key}"
    if within is not None:
        told = await to_thread.run_sync(_told, parts, within.gathering, sent)
        verdict = await within.take(told.rows, DOOR, name)
        within.about += _abouts(within.gathering, told, frozenset(one.row for one in verdict.refused))
        return sent.said(verdict, single)
    if not single.numbers.keys() >= set(sent.rows.streams):
        await to_thread.run_sync(parts.registry.renew)
    told = await to_thread.run_sync(_told, parts, parts.registry, sent)
    return sent.said(await _stored(parts, told, name), single)


async def _stored(parts: SensorThingsParts, told: _Told, key: str | None) -> Verdict:
    """Store rows and what they are about: that first, so that no reading that was acknowledged is without it."""
    if not told.features:
        return await parts.intake.take(told.rows, DOOR, key)
    bad = frozenset(one.row for one in parts.intake.refused(told.rows, parts.registry))
    mine = _abouts(parts.registry, told, bad)
    before = await to_thread.run_sync(parts.featured.keep, mine)
    verdict: Verdict | None = None
    try:
        verdict = await parts.intake.take(told.rows, DOOR, key)
    finally:
        if verdict is None:
            await to_thread.run_sync(parts.featured.put, before)
    refused = frozenset(one.row for one in verdict.refused)
    if refused != bad:
        # A day has ended, or a stream was entered elsewhere, between the look and the store: rare, so all is kept anew.
        await to_thread.run_sync(parts.featured.put, [*before, *_abouts(parts.registry, told, refused)])
    return verdict


def _told(parts: SensorThingsParts, registry: Registry, sent: Arrays) -> _Told:
    """The rows of a sending, less those whose feature is not there; of the others, which are about what."""
    known: dict[str, str | None] = {}
    bad: dict[int, str] = {}
    features: dict[int, str | None] = {}
    featured, numbers = parts.featured.streams(), registry.stream_numbers()
    for stream, row in zip(sent.rows.streams, sent.rows.row.tolist(), strict=True):
        said, number = sent.feature(row), numbers.get(stream, 0)
        if said is None or not number:
            continue
        named = str(said) if isinstance(said, str | int) else None
        if named is not None and named == registry.streams()[number - 1].entity:
            if number in featured:
                features[row] = None
            continue
        if named is not None and named not in known:
            error = unfit(registry, named)
            known[named] = None if error is None else error.what.en
        why = _NO_ID if named is None else known[named]
        if why is None:
            features[row] = named
        else:
            bad[row] = why
    return _Told(_less(sent.rows, bad), features)


def _less(rows: Rows, bad: Mapping[int, str]) -> Rows:
    """The same sending with some of its rows refused."""
    if not bad:
        return rows
    kept = np.array([row not in bad for row in rows.row.tolist()], np.bool_)
    places = np.flatnonzero(kept).tolist()
    refused = (*rows.refused, *(Refusal(row, CODE, bad[row]) for row in rows.row[~kept].tolist()))
    return Rows([rows.streams[place] for place in places], rows.time[kept], rows.value[kept], None, rows.row[kept], refused)


def _abouts(registry: Registry, told: _Told, refused: frozenset[int]) -> list[About]:
    """What the rows that are not refused are about, of those that say it."""
    rows = told.rows
    wanted = np.array([row in told.features and row not in refused for row in rows.row.tolist()], np.bool_)
    places = np.flatnonzero(wanted).tolist()
    few = Rows([rows.streams[place] for place in places], rows.time[wanted], rows.value[wanted], None, rows.row[wanted])
    return about(registry, few, told.features.__getitem__)
