"""Where cars should stand when lots overflow: an hour's least-cost transport from surplus to room. Pure.

forecast by quantiles → surplus and room with their margins → transport over walking metres → which berths owners open, where boards lead.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from citybrain.services.livelihood.parking.transport import FAR, Whole, transport

Floats = NDArray[np.float64]
_RADIUS = 6_371_008.8
"""Mean radius of the earth in m (IUGG)."""
_SHARES = (0.1, 0.5, 0.9)
"""What of all cases lies below a forecast's low, middle and high edge."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What counts: the full mark in %, metres to walk at most, metres that a car too many and a berth to open are worth, margins as shares of cases."""

    full: float
    walk: float
    overflow: float
    opening: float
    detour: float
    need: float
    room: float


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour of n lots: cars too many, berths with room, berths that owners could open (n,); whole berths.

    Room at a lot with too many is that of berths its owner has opened already.
    """

    surplus: Whole
    room: Whole
    closed: Whole


@dataclass(frozen=True, slots=True)
class Plan:
    """An hour's plan: cars from lot to lot (n, n), berths that owners open (n,), cars that stay too many (n,).

    Cost in metres: walking, opening and what is left, each at its worth.
    """

    sent: Whole
    opened: Whole
    left: Whole
    metres: int
    cost: int


def walking(lon: Floats, lat: Floats, detour: float) -> Floats:
    """Metres to walk between places in degrees (n, n): great circle × detour, 0 on the diagonal."""
    east, north = np.radians(lon), np.radians(lat)
    half = np.sin((north[:, None] - north) / 2) ** 2
    half = half + np.cos(north[:, None]) * np.cos(north) * np.sin((east[:, None] - east) / 2) ** 2
    return np.asarray(2 * _RADIUS * detour * np.arcsin(np.sqrt(np.clip(half, 0.0, 1.0))))


def level(low: Floats, middle: Floats, high: Floats, share: float) -> Floats:
    """The level (n,) below which a share of cases lies, straight between the edges of a forecast and none beyond them."""
    edges = np.stack([low, middle, high])
    place = float(np.clip(share, _SHARES[0], _SHARES[-1]))
    below = 0 if place < _SHARES[1] else 1
    part = (place - _SHARES[below]) / (_SHARES[below + 1] - _SHARES[below])
    return np.asarray(edges[below] + part * (edges[below + 1] - edges[below]))


def surplus_of(taken: Floats, capacity: Floats, full: float) -> Whole:
    """Cars above the full mark (n,) where so many % are taken; 0 where it is not known."""
    return np.asarray(np.ceil(np.nan_to_num(np.maximum(taken - full, 0.0) * capacity / 100) - 1e-9), np.int64)


def room_of(taken: Floats, capacity: Floats, full: float) -> Whole:
    """Berths below the full mark (n,) where so many % are taken; 0 where it is not known."""
    return np.asarray(np.floor(np.nan_to_num(np.maximum(full - taken, 0.0) * capacity / 100) + 1e-9), np.int64)


def best(hour: Hour, walk: Floats, terms: Terms) -> Plan:
    """The plan of least cost: with the walk (n, n), no lot gets more than its room and what its owner could open."""
    there = _costs(walk, terms)
    opening = np.where(there < FAR, there + round(terms.opening), FAR)
    places, costs = np.concatenate([hour.room, hour.closed]), np.concatenate([there, opening], axis=1)
    flow = transport(hour.surplus, places, costs, round(terms.overflow))
    count = len(hour.surplus)
    return _plan(hour, there, flow[:, :count] + flow[:, count:], flow[:, count:].sum(axis=0), terms)


def nearest(hour: Hour, walk: Floats, terms: Terms, opened: Whole | None = None) -> Plan:
    """The simple rule: lot by lot, to the nearest that has room, on berths that stand open or are ``opened`` (n,) for it."""
    there = _costs(walk, terms)
    asked = np.zeros_like(hour.room) if opened is None else opened
    sent, room = np.zeros_like(there), hour.room + asked
    for giver in np.flatnonzero(hour.surplus):
        left = int(hour.surplus[giver])
        for taker in np.argsort(there[giver], kind="stable"):
            units = min(left, int(room[taker])) if there[giver, taker] < FAR else 0
            sent[giver, taker], left = units, left - units
            room[taker] -= units
    return _plan(hour, there, sent, asked, terms)


def advised(hour: Hour, walk: Floats, terms: Terms) -> Plan:
    """What is advised: owners open the berths of the best plan, boards lead by the simple rule; that alone where it costs no more.

    The boards know what is full when it is: on unseen weeks they find more places than a plan made from the forecast.
    """
    asked, alone = nearest(hour, walk, terms, best(hour, walk, terms).opened), nearest(hour, walk, terms)
    return asked if asked.cost < alone.cost else alone


def idle(hour: Hour, terms: Terms) -> int:
    """The cost of doing nothing: every car too many at its worth."""
    return round(terms.overflow) * int(hour.surplus.sum())


def _costs(walk: Floats, terms: Terms) -> Whole:
    return np.where(walk <= terms.walk, np.rint(walk), FAR).astype(np.int64)


def _plan(hour: Hour, there: Whole, sent: Whole, opened: Whole, terms: Terms) -> Plan:
    left = hour.surplus - sent.sum(axis=1)
    metres = int((sent * np.where(sent > 0, there, 0)).sum())
    cost = metres + round(terms.opening) * int(opened.sum()) + round(terms.overflow) * int(left.sum())
    return Plan(sent, opened, left, metres, cost)
