"""Server-sent events: alerts and cases from the outbox, figures and fragments from the bus; resumable, guarded, bounded.

The outbox is the truth and the bus only wakes: a slow or sleeping client loses no alert and no case, it reads on from its place.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import msgspec
from anyio import to_thread
from litestar.response import ServerSentEventMessage

from citybrain.doors.api import caller as callers
from citybrain.doors.api.parts import ApiParts, Call
from citybrain.doors.api.rows import Row, page
from citybrain.kernel.access import Ask, Query
from citybrain.kernel.errors import BusyError, ForbiddenError, UnauthenticatedError
from citybrain.kernel.events import Event
from citybrain.kernel.instant import rfc3339
from citybrain.kernel.predicate import Compare
from citybrain.kernel.text import Text

_AT_ONCE: Final = 200
_BACKLOG: Final = 2000
"""Events that a returning client may be behind; whoever is further behind is told to load the page again."""
_WAITING: Final = 64
"""Messages of the bus that wait for one client; the oldest goes first, for a newer figure replaces it anyway."""
_TOLD: Final = {"citybrain.detect.alert.": "alert", "citybrain.act.case.": "case"}
"""Beginning of an event's type → the dataset whose guarded row is sent, which is also the name on the stream."""
OUTBOX: Final = "outbox"
"""Topic of the bus that says: the outbox has grown."""
PASSED: Final = ("figure", "fragment")
"""Topics of the bus whose messages go out as they are: what stands there is for those who may read figures."""


class Seats:
    """How many live streams are open; the one after the last is asked to come back."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.taken = 0

    def look(self) -> None:
        """Raise BusyError when all places are taken."""
        if self.taken >= self._most:
            what = Text("实时连接已满，请稍后再试。", "All live connections are taken. Try again a little later.")
            raise BusyError(what, retry_after=30)

    @contextmanager
    def seat(self) -> Iterator[None]:
        """Hold a place while the stream is served."""
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1


class Client:
    """One client: its place in the outbox, a bounded queue of bus messages, and a bell that either of them rings."""

    def __init__(self, parts: ApiParts, call: Call, since: int | None, heartbeat: float) -> None:
        self._parts = parts
        self._call = call
        self._since = since
        self._heartbeat = heartbeat
        self._waiting: deque[tuple[str, object]] = deque(maxlen=_WAITING)
        self._bell = asyncio.Event()

    async def messages(self, seats: Seats) -> AsyncIterator[ServerSentEventMessage]:
        """Messages from the client's place on (None: from now), until its session ends or it goes away."""
        tasks = [asyncio.create_task(self._gather(topic)) for topic in (OUTBOX, *PASSED)]
        try:
            with seats.seat():
                async for message in self._opening():
                    yield message
                while await to_thread.run_sync(self._still_here):
                    async for message in self._round():
                        yield message
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _opening(self) -> AsyncIterator[ServerSentEventMessage]:
        newest = await to_thread.run_sync(self._parts.last_event)
        self._place = newest if self._since is None else min(self._since, newest)
        yield ServerSentEventMessage(comment="citybrain", retry=3000, data=None)
        if newest - self._place > _BACKLOG:
            self._place = newest
            yield ServerSentEventMessage(event="reload", id=newest, data="{}")

    async def _round(self) -> AsyncIterator[ServerSentEventMessage]:
        """All that has come in, then a wait for the bell, and a sign of life where it stays silent."""
        self._bell.clear()
        while events := await to_thread.run_sync(self._parts.events_after, self._place, _AT_ONCE):
            for told in await to_thread.run_sync(self._told, events):
                yield told
            self._place = events[-1][0]
        while self._waiting:
            topic, body = self._waiting.popleft()
            if not self._figures():
                continue
            yield ServerSentEventMessage(event=topic, data=_text(body))
        try:
            await asyncio.wait_for(self._bell.wait(), self._heartbeat)
        except TimeoutError:
            yield ServerSentEventMessage(comment="heartbeat", data=None)

    async def _gather(self, topic: str) -> None:
        async for message in self._parts.bus.listen(topic, _WAITING):
            if topic in PASSED:
                self._waiting.append((topic, message))
            self._bell.set()

    def _told(self, events: Sequence[tuple[int, Event]]) -> list[ServerSentEventMessage]:
        """The messages of events for this caller: each with the row as policy shows it to them now, or nothing."""
        named = [(place, event, _name(event)) for place, event in events]
        rows = {name: self._rows(name, {event.subject for _, event, of in named if of == name}) for name in _TOLD.values()}
        return [
            ServerSentEventMessage(
                event=name,
                id=place,
                data=_text({"type": event.type, "time": rfc3339(event.time), name: rows[name][event.subject]}),
            )
            for place, event, name in named
            if name is not None and event.subject in rows[name]
        ]

    def _rows(self, name: str, subjects: set[str]) -> dict[str, Row]:
        """The rows of a dataset with some keys, as far as they are for this caller; in one reading."""
        if not subjects:
            return {}
        dataset = self._parts.catalogue.describe(name)
        asked = Query(name, Compare(dataset.key, "in", tuple(sorted(subjects))), limit=_AT_ONCE)
        try:
            found = page(self._parts, self._call, dataset, asked)
        except ForbiddenError:
            return {}
        return {str(row[dataset.key]): row for row in found.items}

    def _figures(self) -> bool:
        """Whether all figures are for this caller; whoever may see some of them only, asks for those."""
        return self._parts.policy.decide(Ask(self._call.user, "figure.read", "figure")).allowed

    def _still_here(self) -> bool:
        """Whether the caller is who they were: a session that ended ends its streams."""
        try:
            now, _ = callers.identify(self._parts, self._call)
        except UnauthenticatedError:
            return False
        return now == self._call.user


def _name(event: Event) -> str | None:
    """The dataset whose row an event is told with; None for what is not told."""
    return next((name for beginning, name in _TOLD.items() if event.type.startswith(beginning)), None)


def _text(body: object) -> str:
    return body if isinstance(body, str) else msgspec.json.encode(body).decode()
