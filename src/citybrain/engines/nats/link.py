"""The connection to a NATS server: made when the program starts, made anew by itself whenever it breaks."""

import asyncio

import structlog
from nats.aio.client import Client
from nats.errors import Error

from citybrain.engines.tls import Papers
from citybrain.kernel.errors import BusyError
from citybrain.kernel.text import Text

log = structlog.get_logger()

_PATIENCE = 30.0
"""Seconds for the server to be there when this program starts."""
_AGAIN = 1
"""Seconds between two tries."""


class Link:
    """A connection of one process of a district; the address (``nats://…``) may carry user and password or a token.

    With papers it is ``tls://…``, and a server that does not offer TLS is told nothing. What goes over it bears the district's code:
    several districts may share a server and hear nothing of one another.
    """

    def __init__(self, address: str, district: str, name: str, patience: float = _PATIENCE, papers: Papers | None = None) -> None:
        self._address = address
        self._name = f"citybrain-{district}-{name}"
        self.district = district
        self._patience = patience
        self._papers = papers
        self._client: Client | None = None
        self._why = ""

    async def start(self) -> None:
        """Connect; raises BusyError where nobody listens."""
        client = Client() if self._papers is None else _Sealed()
        try:
            async with asyncio.timeout(self._patience):
                await client.connect(
                    self._address,
                    name=self._name,
                    allow_reconnect=True,
                    max_reconnect_attempts=-1,
                    reconnect_time_wait=_AGAIN,
                    connect_timeout=2,
                    error_cb=self._said,
                    tls=None if self._papers is None else self._papers.context,
                )
        except (OSError, Error) as error:
            raise _absent(self._why) from error
        self._client = client

    async def stop(self) -> None:
        """Send what waits, and close."""
        if self._client is not None and not self._client.is_closed:
            await self._client.close()

    @property
    def client(self) -> Client:
        """The client; raises BusyError before ``start``."""
        if self._client is None:
            raise _absent(self._why)
        return self._client

    async def _said(self, error: Exception) -> None:
        self._why = str(error) or type(error).__name__
        log.warning("bus_said", error=self._why)


class _Sealed(Client):
    """A client that hands a server which does not ask for TLS neither its password nor anything else: left alone it would go on in plain."""

    def _connect_command(self) -> bytes:
        if not self._server_info.get("tls_required"):
            message = "the server does not ask for TLS, and the setting bus does"
            raise Error(message)
        return super()._connect_command()


def _absent(why: str) -> BusyError:
    said = (f"：{why}", f": {why}") if why else ("", "")
    what = Text(
        f"消息总线（设置 bus）没有应答{said[0]}。请确认 nats-server 已启动且启用 JetStream。",
        f"The message bus (setting bus) does not answer{said[1]}. See that nats-server runs, with JetStream.",
    )
    return BusyError(what, retry_after=2)
