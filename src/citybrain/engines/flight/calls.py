"""Calls between processes over Arrow Flight: a name, plain values and tables go, one table or a plain value comes back.

Arrow Flight RPC (Apache Arrow): ``DoGet`` alone, the call is its ticket. Whoever calls shows the secret that all processes of a
district share; errors of the city come over as what they are, anything else stays in the log of the process that met it.
"""

import hmac
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypeAlias

import msgspec
import pyarrow as pa
import structlog
from pyarrow import flight

from citybrain.engines.meeting import Knows, MixedError, Place, Process, alike, shown, strange
from citybrain.engines.tls import Papers
from citybrain.engines.told import Told, raised, told
from citybrain.kernel.errors import BusyError, CityError
from citybrain.kernel.text import Text

log = structlog.get_logger()

PATIENCE = 120.0
"""Seconds for one answer: a question over years of history takes a while."""
_HEADER = "authorization"
_SHOWN = "citybrain-process"
"""Where a call shows which process it comes from."""
_WHO = "who"
"""The call that asks which process is there."""
_GREETING = 5.0
"""Seconds for its answer."""
_PLAIN = "plain"
_AGAIN_SOON: list[tuple[str, int | str]] = [
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 1000),
]
"""A process that was started again is met within a second; left alone, gRPC waits up to two minutes."""
_AGAIN = 0.2


class Call(msgspec.Struct, frozen=True, array_like=True):
    """What is asked: the name of an answer, its values, and tables as Arrow IPC streams."""

    name: str
    values: dict[str, Any]
    tables: dict[str, bytes]

    def table(self, name: str) -> pa.Table:
        """A table that came with the call."""
        return unwrapped(self.tables[name])


_ANYBODY = Process()
Answer: TypeAlias = Callable[[Call], pa.Table]
"""Answers a call in a thread of the server; a plain value goes back by way of ``plain``."""
_DECODER = msgspec.msgpack.Decoder(Call)


def plain(value: object) -> pa.Table:
    """A plain value (or a msgspec Struct) as an answer."""
    return pa.table({_PLAIN: pa.array([msgspec.msgpack.encode(value)], pa.binary())})


class Answers:
    """Serves answers from its making until ``close``, or for the time of a block, at ``grpc://host:port``.

    With papers it is ``grpc+tls://host:port``; where they are mutual, only who shows a certificate is heard. A process of another release
    than ``me``, or whose newest event this one does not know, gets a MixedError.
    """

    def __init__(
        self,
        address: str,
        secret: str,
        answers: Mapping[str, Answer],
        papers: Papers | None = None,
        me: Process = _ANYBODY,
        knows: Knows = lambda _: True,
    ) -> None:
        def who(call: Call) -> pa.Table:
            if not knows(msgspec.convert(call.values["newest"], Place)):
                raise strange(me.role)
            return plain(me)

        self._server = _Server(address, {**answers, _WHO: who}, _Gate(secret), papers, me)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.port)

    def close(self) -> None:
        """End it; calls that are being answered are answered."""
        self._server.shutdown()

    def __enter__(self) -> Self:
        """Serve for the time of a block."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """End it."""
        self.close()


class _Server(flight.FlightServerBase):
    def __init__(self, address: str, answers: Mapping[str, Answer], gate: "_Gate", papers: Papers | None, me: Process) -> None:
        middleware: dict[str, flight.ServerMiddlewareFactory] = {"secret": gate}
        if papers is None:
            super().__init__(address, middleware=middleware)
        else:
            super().__init__(
                address,
                middleware=middleware,
                tls_certificates=[(papers.certificate, papers.key)],
                verify_client=papers.mutual,
                root_certificates=papers.ca if papers.mutual else None,
            )
        self._answers = answers
        self._me = me

    def do_get(self, context: flight.ServerCallContext, ticket: flight.Ticket) -> flight.FlightDataStream:  # Flight's own name
        caller = context.get_middleware("secret")
        try:
            alike(self._me, caller.process if isinstance(caller, _Caller) else None)
            call = _DECODER.decode(ticket.ticket)
            answer = self._answers[call.name](call)
        except CityError as error:
            message = error.code
            raise flight.FlightServerError(message, msgspec.msgpack.encode(told(error))) from error
        except Exception:
            log.exception("call_failed")
            raise
        return flight.RecordBatchStream(answer)


class _Gate(flight.ServerMiddlewareFactory):
    """Lets in whoever shows the secret."""

    def __init__(self, secret: str) -> None:
        self._shown = f"Bearer {secret}".encode()

    def start_call(self, info: flight.CallInfo, headers: Mapping[str, Sequence[str | bytes]]) -> "_Caller":
        del info
        given = next(iter(headers.get(_HEADER, [""])), "")
        if not hmac.compare_digest(str(given).encode(), self._shown):
            message = "The secret of this district is wanted."
            raise flight.FlightUnauthenticatedError(message)
        return _Caller(shown(str(next(iter(headers.get(_SHOWN, [""])), ""))))


class _Caller(flight.ServerMiddleware):
    """Which process a call comes from; None for one that does not show it."""

    def __init__(self, process: Process | None) -> None:
        self.process = process


class _Shown(flight.ClientMiddlewareFactory):
    """Shows the secret with each call, and which process it comes from."""

    def __init__(self, secret: str, me: Process) -> None:
        self._head = _Head(secret, me)

    def start_call(self, info: flight.CallInfo) -> flight.ClientMiddleware:
        del info
        return self._head


class _Head(flight.ClientMiddleware):
    def __init__(self, secret: str, me: Process) -> None:
        self._headers: dict[str, list[str] | list[bytes]] = {_HEADER: [f"Bearer {secret}"], _SHOWN: [str(me)]}

    def sending_headers(self) -> dict[str, list[str] | list[bytes]]:
        return self._headers


class Calls:
    """Asks another process; may be used from any thread. Raises what it raised, and BusyError where it is not there.

    Before the first question, and when it was away, it is asked who it is: MixedError where it is of another release than ``me``, or does
    not know the newest event of the database here.
    """

    def __init__(
        self,
        address: str,
        secret: str,
        patience: float = PATIENCE,
        papers: Papers | None = None,
        me: Process = _ANYBODY,
        newest: Callable[[], Place] = lambda: (0, ""),
    ) -> None:
        self._client = flight.FlightClient(
            address,
            middleware=[_Shown(secret, me)],
            generic_options=_AGAIN_SOON,
            tls_root_certs=None if papers is None else papers.ca,
            cert_chain=None if papers is None else papers.certificate or None,
            private_key=None if papers is None else papers.key or None,
        )
        self._address = address
        self._me = me
        self._newest = newest
        self._met = False
        self._options = flight.FlightCallOptions(timeout=patience)
        self._greeting = flight.FlightCallOptions(timeout=min(patience, _GREETING))

    def ask(self, name: str, tables: Mapping[str, pa.Table] | None = None, /, **values: object) -> pa.Table:
        """The table that answers; raises BusyError, and every CityError of the other process."""
        if not self._met and not self.meet():
            raise self._away()
        return self._ask(self._options, name, tables, values)

    def meet(self) -> bool:
        """Ask the other process who it is; whether it is there. Raises MixedError where it does not fit."""
        try:
            found = self._ask(self._greeting, _WHO, None, {"newest": self._newest()})
        except MixedError:
            raise
        except BusyError:
            return False
        except pa.ArrowKeyError:
            # It does not know the question.
            alike(self._me, None, self._address)
        else:
            alike(self._me, msgspec.msgpack.decode(found[_PLAIN][0].as_py(), type=Process), self._address)
            self._met = True
        return True

    def _ask(
        self, options: flight.FlightCallOptions, name: str, tables: Mapping[str, pa.Table] | None, values: Mapping[str, object]
    ) -> pa.Table:
        sent = {key: wrapped(table) for key, table in (tables or {}).items()}
        ticket = flight.Ticket(msgspec.msgpack.encode((name, values, sent)))
        try:
            return self._client.do_get(ticket, options).read_all()
        except flight.FlightServerError as error:
            if not error.extra_info:
                raise
            raise raised(msgspec.msgpack.decode(error.extra_info, type=Told)) from error
        except (flight.FlightUnavailableError, flight.FlightTimedOutError) as error:
            self._met = False
            raise self._away() from error

    def plain(self, name: str, tables: Mapping[str, pa.Table] | None = None, /, **values: object) -> object:
        """The plain value that answers."""
        return msgspec.msgpack.decode(self.ask(name, tables, **values)[_PLAIN][0].as_py())

    def wait(self, name: str, seconds: float) -> None:
        """Wait until the other process answers a call without values; raises BusyError when it does not within so many seconds.

        Raises MixedError at once.
        """
        deadline = time.monotonic() + seconds
        while True:
            try:
                self.ask(name)
            except MixedError:
                raise
            except BusyError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(_AGAIN)
            else:
                return

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _away(self) -> BusyError:
        sealed = self._address.startswith("grpc+tls")
        what = Text(
            f"进程 {self._address} 没有应答。请确认该角色的进程已启动{'、双方证书有效且名称相符' if sealed else ''}，稍后重试。",
            f"The process at {self._address} does not answer. See that the one of this role runs"
            f"{', that both certificates hold and bear its name' if sealed else ''}, and try again shortly.",
        )
        return BusyError(what, retry_after=2, address=self._address)


def wrapped(table: pa.Table) -> bytes:
    """A table as an Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue().to_pybytes())


def unwrapped(stream: bytes) -> pa.Table:
    """The table of an Arrow IPC stream."""
    return pa.ipc.open_stream(stream).read_all()
