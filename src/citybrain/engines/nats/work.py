"""Work that one process hands to another by way of JetStream: kept there until it is done, and answered when it is.

A work-queue stream with one durable consumer (NATS JetStream): a piece that its taker did not finish, because it was killed, comes
again. So whatever is done must be harmless when it is done twice. The answer goes to an inbox of the asker; an asker that gave up
waiting finds its work done all the same. A piece may bear a few words of what it is about: of these is known how many wait.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeAlias

import msgspec
import structlog
from nats.aio.msg import Msg
from nats.errors import Error
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DiscardPolicy, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import APIError, BadRequestError, NoStreamResponseError, NotFoundError

from citybrain.engines.meeting import MixedError, Process, alike, shown
from citybrain.engines.nats.link import Link
from citybrain.engines.told import Told, raised, told
from citybrain.kernel.errors import BusyError
from citybrain.kernel.ids import new_id
from citybrain.kernel.text import Text

log = structlog.get_logger()

Do: TypeAlias = Callable[[bytes], Awaitable[bytes]]
"""Does a piece of work and says what became of it; harmless when it is done twice."""

PATIENCE = 20.0
"""Seconds that an asker waits for its answer."""
MOST = 1_000_000_000
"""Bytes of work that may wait; from then on askers are told to come back later."""
_REPLY = "Citybrain-Reply"
_WIRE = "Citybrain-Wire"
"""The version of what goes between processes in which a piece is written; one that says none is of the first."""
_UNFIT = "Citybrain-Unfit"
"""Where an answer says that it is an error: the piece was not understood."""
_TAKER = "taker"
_AT_ONCE = 64
"""Pieces that are done side by side: they become durable together."""
_AGAIN = 30.0
"""Seconds after which a piece that nobody said was done comes again."""
_TRIES = 5
"""How often a piece is tried that fails each time."""
_SOON = 2
"""Seconds in which the server must say what waits."""
_ROOM = 10_000
"""Bytes of a message that are left for its head."""


_ANYBODY = Process()


class Work:
    """One kind of work under a name; ``ask`` in some processes, ``serve`` in one."""

    def __init__(self, link: Link, name: str, patience: float = PATIENCE, most: int = MOST, me: Process = _ANYBODY) -> None:
        self._link = link
        self._me = me
        self._subject = f"citybrain.{link.district}.{name}"
        self._stream = f"CITYBRAIN_{link.district}_{name.upper()}"
        self._patience = patience
        self._most = most
        self._inbox = ""
        self._asked: dict[str, asyncio.Future[bytes]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._held: Counter[str] = Counter()
        """Pieces of this process that JetStream has not confirmed, by what they are about."""
        self._hand: Counter[str] = Counter()
        """Pieces that this process is doing."""

    @property
    def largest(self) -> int:
        """Bytes that one piece may have: what the server takes, less the head of the message."""
        return self._link.client.max_payload - _ROOM

    async def start(self) -> None:
        """Make the stream where it is not there yet, and listen for answers; the link is there. Raises BusyError without JetStream."""
        try:
            await self._make()
        except (Error, APIError) as error:
            raise _not_taken() from error
        self._loop = asyncio.get_running_loop()
        self._inbox = self._link.client.new_inbox()
        await self._link.client.subscribe(f"{self._inbox}.*", cb=self._answered)

    async def _make(self) -> None:
        config = StreamConfig(
            name=self._stream,
            subjects=[self._subject, f"{self._subject}.>"],
            retention=RetentionPolicy.WORK_QUEUE,
            storage=StorageType.FILE,
            discard=DiscardPolicy.NEW,
            max_bytes=self._most,
        )
        try:
            await self._context().add_stream(config)
        except BadRequestError:
            # It is there, made by a release whose pieces did not say what they are about.
            await self._context().update_stream(config)

    async def ask(self, body: bytes, about: str = "") -> bytes:
        """Hand over a piece and wait for its answer; raises BusyError where it cannot be kept or is not done in time.

        Work that is not done in time is not lost: it is done when its taker is there again. ``about`` is words of a subject of NATS,
        parted by dots. Raises MixedError where who takes it up would read it otherwise than it is written.
        """
        token, answer = new_id(), asyncio.get_running_loop().create_future()
        self._asked[token] = answer
        try:
            await self._hand_over(body, about, {_REPLY: f"{self._inbox}.{token}", _WIRE: str(self._me)})
            return await asyncio.wait_for(answer, self._patience)
        except (Error, APIError, TimeoutError) as error:
            raise _not_taken() from error
        finally:
            del self._asked[token]

    def held(self) -> Counter[str]:
        """Of how many pieces of this process JetStream has not confirmed yet that it has them, by what they are about."""
        return +Counter(self._held)

    def waits(self) -> Counter[str]:
        """How many pieces wait to be taken up, by what they are about; what this process is doing itself is not among them.

        Asks the server: blocks, call it from another thread than the loop's. Raises BusyError where it does not answer.
        """
        if self._loop is None or not self._link.client.is_connected:
            raise _unknown()
        asked = asyncio.run_coroutine_threadsafe(self._waits(), self._loop)
        try:
            return asked.result(2 * _SOON + 1)
        except (Error, APIError, TimeoutError) as error:
            raise _unknown() from error

    async def _waits(self) -> Counter[str]:
        before = Counter(self._hand)
        client = self._link.client
        # What was done a moment ago is confirmed before the server is asked.
        await client.flush(_SOON)
        try:
            found = await client.jetstream(timeout=_SOON).stream_info(self._stream, subjects_filter=f"{self._subject}.>")
        except NotFoundError:
            return Counter()
        waiting = {name.removeprefix(f"{self._subject}."): count for name, count in (found.state.subjects or {}).items()}
        return Counter(waiting) - (before | self._hand)

    async def _hand_over(self, body: bytes, about: str, headers: dict[str, str]) -> None:
        subject = f"{self._subject}.{about}" if about else self._subject
        self._held[about] += 1
        try:
            await self._context().publish(subject, body, headers=headers)
        except NoStreamResponseError:
            # The server has come back without what it had; what waited there was acknowledged to nobody.
            await self._make()
            await self._context().publish(subject, body, headers=headers)
        finally:
            self._held[about] -= 1

    async def serve(self, do: Do) -> None:
        """Do the work that is handed over, for ever, many pieces side by side; one that fails comes again, some times."""
        waiting: JetStreamContext.PullSubscription | None = None
        free = asyncio.Semaphore(_AT_ONCE)
        running: set[asyncio.Task[None]] = set()
        while True:
            try:
                waiting = waiting or await self._waiting()
                found = await _fetched(waiting)
            except TimeoutError:
                continue
            except (Error, APIError) as error:
                log.warning("work_waits", error=str(error))
                if waiting is not None:
                    await _forgotten(waiting)
                waiting = None
                await asyncio.sleep(1.0)
                continue
            for message in found:
                await free.acquire()
                self._hand[self._about(message)] += 1
                task = asyncio.create_task(self._done(do, message, free))
                running.add(task)
                task.add_done_callback(running.discard)

    async def _waiting(self) -> JetStreamContext.PullSubscription:
        """What fetches; the stream is made anew where the server has come back without it."""
        explicit = AckPolicy.EXPLICIT
        config = ConsumerConfig(
            name=_TAKER, durable_name=_TAKER, ack_policy=explicit, ack_wait=_AGAIN, max_ack_pending=2 * _AT_ONCE
        )
        await self._make()
        await self._context().add_consumer(self._stream, config)
        return await self._context().pull_subscribe_bind(durable=_TAKER, stream=self._stream)

    def _about(self, message: Msg) -> str:
        return message.subject.removeprefix(self._subject).removeprefix(".")

    async def _done(self, do: Do, message: Msg, free: asyncio.Semaphore) -> None:
        try:
            heads = message.headers or {}
            reply, unfit = heads.get(_REPLY), self._unfit(shown(heads.get(_WIRE, "")))
            answer = await do(message.data) if unfit is None else msgspec.msgpack.encode(told(unfit))
            if reply is not None:
                await self._link.client.publish(reply, answer, headers=None if unfit is None else {_UNFIT: unfit.code})
            await (message.ack() if unfit is None else message.term())
        except Exception as error:
            # The fence of each piece: it is not acknowledged and comes again.
            given_up = message.metadata.num_delivered >= _TRIES
            log.exception("work_failed", error=str(error), given_up=given_up)
            if given_up:
                # Nobody was told that it is done, so nothing is lost; left there it would come for ever.
                await message.term()
        finally:
            self._hand[self._about(message)] -= 1
            free.release()

    def _unfit(self, sender: Process | None) -> MixedError | None:
        """Why a piece is not taken; None where it is written as this process reads: then its release does not matter, and it may have waited."""
        if sender is None or sender.wire == self._me.wire:
            return None
        try:
            alike(self._me, sender)
        except MixedError as error:
            return error
        return None

    async def _answered(self, message: Msg) -> None:
        answer = self._asked.get(message.subject.rpartition(".")[2])
        if answer is None or answer.done():
            return
        if message.headers and _UNFIT in message.headers:
            answer.set_exception(raised(msgspec.msgpack.decode(message.data, type=Told)))
        else:
            answer.set_result(message.data)

    def _context(self) -> JetStreamContext:
        return self._link.client.jetstream(timeout=self._patience)


async def _fetched(waiting: JetStreamContext.PullSubscription) -> list[Msg]:
    """What there is to do, if anything; raises APIError where the server has come back without the consumer."""
    try:
        return await waiting.fetch(_AT_ONCE, timeout=1)
    except TimeoutError:
        # One that is gone looks like one without work.
        await waiting.consumer_info()
        return []


async def _forgotten(waiting: JetStreamContext.PullSubscription) -> None:
    """Let go of what fetched; where the server is away there is nothing to let go of."""
    with suppress(Error):
        await waiting.unsubscribe()


def _unknown() -> BusyError:
    what = Text(
        "消息总线没有应答，不知有多少尚待处理。", "The message bus does not answer: how much waits to be taken up is not known."
    )
    return BusyError(what, retry_after=2)


def _not_taken() -> BusyError:
    what = Text(
        "接收进程暂未处理，请稍后重试；重复发送不会重复入库。",
        "The ingest process has not taken this up. Try again shortly: what is sent twice is stored once.",
    )
    return BusyError(what, retry_after=2)
