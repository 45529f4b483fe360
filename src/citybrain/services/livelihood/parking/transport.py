"""The transport problem in whole units: from those who have too many to those who have room, at least cost. Exact and pure.

Successive shortest paths on the residual bipartite graph: each path sends what it can, and paths only grow dearer, so what is left when
the cheapest path costs as much as the penalty is best left where it is.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Whole: TypeAlias = NDArray[np.int64]
FAR = 1 << 40
"""The cost of what is not allowed: more than any path of allowed steps."""


@dataclass(frozen=True, slots=True)
class _Paths:
    """Cheapest paths: their cost to each taker (n,), the giver before each taker (n,) and the taker before each giver (m,), -1 at a start."""

    cost: Whole
    giver: Whole
    taker: Whole


def transport(supply: Whole, room: Whole, cost: Whole, penalty: int) -> Whole:
    """What goes from each giver (m,) to each taker (n,), as (m, n): no more than it has, no more than there is room for.

    The sum of flow × cost + penalty × what stays is the least there is; ``cost`` (m, n) is not negative, FAR where not allowed.
    """
    flow = np.zeros_like(cost)
    left, free = supply.copy(), room.copy()
    while left.any() and free.any():
        paths = _cheapest(left, cost, flow)
        last = int(np.argmin(np.where(free > 0, paths.cost, FAR)))
        if free[last] <= 0 or paths.cost[last] >= penalty:
            break
        steps = _steps(paths, last)
        back = [(giver, int(paths.taker[giver])) for giver, _ in steps if paths.taker[giver] >= 0]
        first = steps[-1][0]
        units = min(int(left[first]), int(free[last]), *(int(flow[step]) for step in back))
        for step in steps:
            flow[step] += units
        for step in back:
            flow[step] -= units
        left[first] -= units
        free[last] -= units
    return flow


def _cheapest(left: Whole, cost: Whole, flow: Whole) -> _Paths:
    """From all givers with something left (Bellman and Ford): forward at a cost, backward along what flows at its opposite."""
    givers, takers = np.where(left > 0, 0, FAR).astype(np.int64), np.full(cost.shape[1], FAR, np.int64)
    giver, taker = np.full(cost.shape[1], -1, np.int64), np.full(cost.shape[0], -1, np.int64)
    while True:
        ahead = givers[:, None] + cost
        closer = ahead.min(axis=0) < takers
        giver[closer] = ahead.argmin(axis=0)[closer]
        takers = np.minimum(takers, ahead.min(axis=0))
        behind = np.where(flow > 0, takers[None, :] - cost, FAR)
        nearer = behind.min(axis=1) < givers
        if not nearer.any():
            return _Paths(takers, giver, taker)
        taker[nearer] = behind.argmin(axis=1)[nearer]
        givers = np.minimum(givers, behind.min(axis=1))


def _steps(paths: _Paths, last: int) -> list[tuple[int, int]]:
    """The steps forward (giver, taker) of the path to a taker, the last first."""
    steps = []
    at = last
    while at >= 0:
        giver = int(paths.giver[at])
        steps.append((giver, at))
        at = int(paths.taker[giver])
    return steps
