"""Observations that a device sends as plain JSON, answered before the routes: what the route of taking.py does, and nothing around it."""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, NamedTuple

import msgspec

from citybrain.brain.observe import read_rows
from citybrain.doors.api import taking
from citybrain.doors.api.metrics import Metrics
from citybrain.doors.api.parts import ApiParts
from citybrain.doors.api.speaking import preferred
from citybrain.kernel.access import Caller
from citybrain.kernel.errors import CityError

_PATH: Final = "/api/v1/observe/observations"
_OK, _FAILED = 200, 500


class _Answer(NamedTuple):
    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()


class Aim(NamedTuple):
    """What the address takes: the action that it is, the bytes of a body at most, and what answers one; raises CityError."""

    action: str
    largest: int
    answer: Callable[[Caller, str, Mapping[bytes, bytes], bytes], Awaitable[_Answer]]
    """Given who sends, scheme and host, the headers and the body."""


class Bulk:
    """The way of the door; ``numbers`` time its answers as those of the routes."""

    def __init__(self, parts: ApiParts, numbers: Metrics) -> None:
        self._parts = parts
        self._numbers = numbers
        self._aim = Aim(taking.ACTION, taking.LARGE, self._answered)

    def aim(self, raw: bytes) -> Aim | None:
        """What a path takes; None for any other than the one of observations."""
        return self._aim if raw == _PATH.encode() else None

    async def _answered(self, caller: Caller, _host: str, headers: Mapping[bytes, bytes], sent: bytes) -> _Answer:
        began, status = time.perf_counter(), _FAILED
        try:
            rows = taking.read(self._parts, caller, read_rows, sent)
            taken = await taking.taken(self._parts, rows, None, preferred(headers.get(b"accept-language", b"").decode("latin-1")))
            status = _OK
        except CityError as error:
            status = error.status
            raise
        finally:
            self._numbers.took("POST", _PATH, status, time.perf_counter() - began)
        return _Answer(_OK, msgspec.json.encode(taken))
