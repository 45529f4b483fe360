"""What the SensorThings door is handed: the guard and the intake, bound functions of the native API, and nothing to walk around them."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.datastructures.state import State
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import SkipValidation

from citybrain.brain.observe import Corrections, Featured, Inlet, Making, Registry
from citybrain.brain.protect import Accounts, Guard
from citybrain.kernel.access import Caller
from citybrain.kernel.clock import Clock
from citybrain.kernel.ports import Series

Call: TypeAlias = Request[Caller, str | None, State]
Connection: TypeAlias = ASGIConnection[BaseRouteHandler, Caller, str | None, State]


@dataclass(frozen=True, slots=True)
class SensorThingsParts:
    """All that the door stands on; ``admit`` and ``purpose`` are the native API's, so that callers are known in one way."""

    guard: Guard
    accounts: Accounts
    registry: Registry
    making: Making
    intake: Inlet
    featured: Featured
    featuring: asyncio.Lock
    """Held by whichever door makes a feature on its way: one after another, or each would find the register moved by the other."""
    corrections: Corrections
    series: Series
    clock: Clock
    admit: Callable[[Connection, BaseRouteHandler], Awaitable[None]]
    """Finds the caller and asks policy for the route's action, or raises."""
    purpose: Callable[[Call], str]
    """The purpose of reading that a request states."""
    body_limit: int = 32_000_000
    mqtt_port: int = 0
    """Of the broker at which observations may be published too; 0 where there is none."""


Parts: TypeAlias = NamedDependency[SkipValidation[SensorThingsParts]]
