"""The connection to a NATS server: made when the program starts, made anew by itself whenever it breaks."""

import asyncio

import nats
import structlog
from nats.aio.client import Client
from nats.errors import Error

from citybrain.kernel.errors import BusyError
from citybrain.kernel.text import Text

log = structlog.get_logger()

_PATIENCE = 30.0
"""Seconds for the server to be there when this program starts."""
_AGAIN = 1
"""Seconds between two tries."""


class Link:
    """A connection of one process of a district; the address (``nats://…``) may carry user and password or a token.

    What goes over it bears the district's code: several districts may share a server and hear nothing of one another.
    """

    def __init__(self, address: str, district: str, name: str, patience: float = _PATIENCE) -> None:
        self._address = address
        self._name = f"citybrain-{district}-{name}"
        self.district = district
        self._patience = patience
        self._client: Client | None = None

    async def start(self) -> None:
        """Connect; raises BusyError where nobody listens."""
        try:
            async with asyncio.timeout(self._patience):
                self._client = await nats.connect(
                    self._address,
                    name=self._name,
                    allow_reconnect=True,
                    max_reconnect_attempts=-1,
                    reconnect_time_wait=_AGAIN,
                    connect_timeout=2,
                    error_cb=_said,
                )
        except (OSError, Error) as error:
            raise _absent() from error

    async def stop(self) -> None:
        """Send what waits, and close."""
        if self._client is not None and not self._client.is_closed:
            await self._client.close()

    @property
    def client(self) -> Client:
        """The client; raises BusyError before ``start``."""
        if self._client is None:
            raise _absent()
        return self._client


async def _said(error: Exception) -> None:
    log.warning("bus_said", error=str(error) or type(error).__name__)


def _absent() -> BusyError:
    what = Text(
        "消息总线（设置 bus）没有应答。请确认 nats-server 已启动且启用 JetStream。",
        "The message bus (setting bus) does not answer. See that nats-server runs, with JetStream.",
    )
    return BusyError(what, retry_after=2)
