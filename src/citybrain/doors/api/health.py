"""Is the program alive, is it ready, and how busy is it."""

from typing import TypeAlias

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from citybrain.doors.api.caller import asks
from citybrain.doors.api.metrics import MEDIA_TYPE, Metrics
from citybrain.doors.api.parts import Parts
from citybrain.kernel.text import Text

Numbers: TypeAlias = NamedDependency[SkipValidation[Metrics]]


class Alive(msgspec.Struct, frozen=True):
    """The process answers."""

    alive: bool = True


class Ready(msgspec.Struct, frozen=True):
    """Whether requests can be served; ``wrong`` says for every part that is not ready why, and what to do."""

    ready: bool
    wrong: dict[str, Text]


@get("/healthz", opt=asks("page.portal"), sync_to_thread=False)
def healthz() -> Alive:
    """Whether the process answers at all."""
    return Alive()


@get("/readyz", opt=asks("page.portal"), sync_to_thread=True)
def readyz(parts: Parts) -> Response[Ready]:
    """Whether stores answer, migrations are current and the disk has room; 503 with the reasons otherwise."""
    wrong = {name: found for name, check in parts.ready.items() if (found := check()) is not None}
    return Response(Ready(not wrong, wrong), status_code=503 if wrong else 200)


@get("/metrics", opt=asks("health.read"), sync_to_thread=True, media_type=MEDIA_TYPE)
def metrics(numbers: Numbers) -> bytes:
    """Numbers for Prometheus."""
    return numbers.text()


HANDLERS = (healthz, readyz, metrics)
