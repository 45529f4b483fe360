"""Any SensorThings 1.1 server to ask: kept connections that are opened again, chunked answers, and never an exception for a refusal."""

import asyncio
import base64
import json
from asyncio import StreamReader, StreamWriter
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from bench import program
from citybrain.kernel.text import Json

_PATIENCE = 60.0
"""Seconds until an answer that does not come is one of status 0."""
_SAFE = "/?&=$(),;':@%"


def entities(said: Json, name: str) -> list[dict[str, Json]]:
    """What stands in an answer under a name, as far as it is a list of entities."""
    found = said.get(name) if isinstance(said, dict) else None
    return [each for each in found if isinstance(each, dict) and "@iot.id" in each] if isinstance(found, list) else []


@dataclass(frozen=True, slots=True)
class Server:
    """Where a server is, the path of its API, and the Authorization headers of who makes, who writes and who reads."""

    host: str
    port: int
    tls: bool
    root: str
    makes: str = ""
    writes: str = ""
    reads: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said; status 0 where it said nothing that could be read, and why stands in the body."""

    status: int
    body: bytes
    location: str = ""

    @property
    def good(self) -> bool:
        """Whether it did what was asked."""
        return 200 <= self.status < 300

    @property
    def refusal(self) -> str:
        """Status and first words of a refusal, fit for a cell of a table."""
        words = " ".join(self.body.decode("utf-8", "replace").split()).replace("|", "/")
        return f"refused: {self.status or 'no answer'} {words[:80]}".rstrip()

    @property
    def entities(self) -> list[dict[str, Json]]:
        """The entities of a set; none where the body is no set."""
        try:
            said: Json = json.loads(self.body)
        except (ValueError, RecursionError):
            return []
        return entities(said, "value")


def at(url: str, user: str = "", password: str = "") -> Server:
    """The server of an address such as ``http://host:8080/FROST-Server/v1.1``; raises ValueError for another."""
    where = urlsplit(url)
    if where.scheme not in ("http", "https") or not where.hostname:
        message = f"'{url}' is no address of a server. Write it like http://host:8080/FROST-Server/v1.1."
        raise ValueError(message)
    auth = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode() if user else ""
    tls = where.scheme == "https"
    return Server(where.hostname, where.port or (443 if tls else 80), tls, where.path.rstrip("/"), auth, auth, auth)


def ours(running: program.Running) -> Server:
    """The program of the bench: staff make and read, the device writes."""
    staff, device = running.staff.auth, running.target.auth
    return Server(running.target.host, running.target.port, tls=False, root="/sta/v1.1", makes=staff, writes=device, reads=staff)


class Line:
    """One connection to a server, kept as long as the server keeps it."""

    def __init__(self, server: Server, auth: str) -> None:
        self._server = server
        self._auth = auth
        self._open: tuple[StreamReader, StreamWriter] | None = None

    async def ask(self, method: str, path: str, body: bytes | None = None) -> Answer:
        """One request below the root of the API."""
        kept = self._open is not None
        try:
            async with asyncio.timeout(_PATIENCE):
                return await self._asked(method, path, body)
        except (OSError, asyncio.IncompleteReadError) as error:
            await self.close()
            # A server may end a kept connection between two requests; a fresh one that ends is a refusal.
            return await self.ask(method, path, body) if kept and not isinstance(error, TimeoutError) else _silent(error)
        except (ValueError, IndexError, asyncio.LimitOverrunError) as error:
            await self.close()
            return _silent(error)

    async def close(self) -> None:
        """Close it at once; the next request opens it again."""
        if self._open is not None:
            _, writer = self._open
            self._open = None
            writer.transport.abort()
            with suppress(OSError):
                await writer.wait_closed()

    async def _asked(self, method: str, path: str, body: bytes | None) -> Answer:
        server = self._server
        if self._open is None:
            self._open = await asyncio.open_connection(server.host, server.port, ssl=server.tls or None, limit=1 << 24)
        reader, writer = self._open
        head = f"{method} {server.root}{quote(path, safe=_SAFE)} HTTP/1.1\r\nHost: {server.host}:{server.port}\r\n"
        head += f"Authorization: {self._auth}\r\n" if self._auth else ""
        head += "" if body is None else f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        writer.write(f"{head}Accept: application/json\r\n\r\n".encode() + (body or b""))
        await writer.drain()
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:] if line)}
        answer = Answer(int(lines[0].split()[1]), await _body(reader, lines[0], headers), headers.get("location", ""))
        if headers.get("connection", "").lower() == "close" or not {"content-length", "transfer-encoding"} & headers.keys():
            await self.close()
        return answer


async def _body(reader: StreamReader, status: str, headers: dict[str, str]) -> bytes:
    if status.split()[1] in ("204", "304"):
        return b""
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = b""
        while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readuntil(b"\r\n")
        return body
    return await reader.readexactly(int(headers["content-length"])) if "content-length" in headers else await reader.read()


def _silent(error: BaseException) -> Answer:
    return Answer(0, (str(error) or type(error).__name__).encode())
