"""The watch: follow what is recorded, ask the rules, tell and clear alerts, and have their cases opened.

Series.after(cursor) → frames by kind → rules → alerts, rule states, cursor and events in ONE transaction → cases by key. A kill
loses nothing: an alert keeps the mark that it wants a case until its case is noted, and the key makes a repeat harmless.
"""

import asyncio
import threading
from collections.abc import Callable
from itertools import chain
from typing import Protocol

import numpy as np
import pyarrow as pa
import structlog
from sqlalchemy import Connection, bindparam, delete, insert, select

from citybrain.brain.detect import alerts, feeds
from citybrain.brain.detect.alerts import Alerts
from citybrain.brain.detect.frames import Moments
from citybrain.brain.detect.kindwatch import KindWatch
from citybrain.brain.detect.outside import Outside
from citybrain.brain.detect.roster import Roster, Things
from citybrain.brain.detect.rulebook import Rulebook
from citybrain.brain.detect.states import Change
from citybrain.brain.detect.store import RULE_STATE
from citybrain.brain.detect.telling import alert_for, request_for
from citybrain.brain.detect.words import filled
from citybrain.kernel.alerts import Grade
from citybrain.kernel.clock import Clock
from citybrain.kernel.errors import BusyError
from citybrain.kernel.instant import Instant
from citybrain.kernel.pack import Opens
from citybrain.kernel.ports import Bus, Cases, Series, Transactions, Tx
from citybrain.kernel.text import Text

log = structlog.get_logger()
CURSOR = "detect.watch"
LIMITS = "detect.limits"
"""The newest published limit under which all that stands was asked about again."""
COALESCE = 0.02
"""Wall seconds in which what is recorded is gathered before rules are asked; under a flood as long as the rules took, unless
more came in the meantime than they were asked about."""
FLOOD = 5_000
"""Observations at one time that are a flood: many together are judged for little more than few."""
FEWEST, MOST = 10_000, 400_000
"""Observations looked at together: more and more while they change little, for each look has its price, and fewer where they change much."""
CHANGES = 500
"""Alerts told or cleared in one transaction from which on the next looks at fewer: the others who write wait for it."""
STEP = 100_000
"""Observations without any change after which the cursor is moved all the same: after a kill they are looked at again."""

_FORGET = delete(RULE_STATE).where(RULE_STATE.c.rule == bindparam("of_rule"), RULE_STATE.c.entity == bindparam("of_entity"))


class LatestTable(Protocol):
    """What the watch needs to know of the latest values."""

    def table(self) -> pa.Table:
        """Columns stream_no, time, value, life."""
        ...


class Watch:
    """Rules over the sequence of observations, behind a durable cursor; one instance a store, its calls one at a time."""

    def __init__(
        self,
        rulebook: Rulebook,
        transactions: Transactions[Connection],
        series: Series,
        things: Things,
        latest: LatestTable,
        cases: Cases,
        clock: Clock,
        bus: Bus,
    ) -> None:
        self._rulebook = rulebook
        self._transactions = transactions
        self._series = series
        self._things = things
        self._latest = latest
        self._cases = cases
        self._clock = clock
        self._bus = bus
        self._alerts = Alerts(transactions)
        self._outside = Outside(series)
        self._woke = clock.city()
        self._lock = threading.Lock()
        self._limits = 0
        self._reach = FEWEST
        self._cursor = self._kept = transactions.cursor(CURSOR)
        """Up to where was looked, and up to where that is durable."""
        self._stale = True
        """Whether what is held in memory must be read back first: at the start, and where a commit failed."""
        self._roster = Roster(rulebook, things)
        self._told: dict[tuple[str, str], str] = {}
        self._renew: Callable[[], object] | None = None

    def renewed_by(self, renew: Callable[[], object]) -> None:
        """From now on look whether another process has entered a stream before its observations are passed over as nobody's."""
        self._renew = renew

    @property
    def behind(self) -> int:
        """Observations that are recorded and not yet looked at."""
        return self._series.last_seq() - self._cursor

    def run_once(self) -> int:
        """Look at some new observations; returns how many there were. Blocks: run in a thread."""
        with self._lock:
            return self._follow()

    def sweep(self) -> None:
        """Look at what comes about without a reading: changed forms, conditions that have lasted long enough, feeds lost and found."""
        with self._lock:
            # Up to what is recorded now: under a flood there is always more.
            recorded = self._series.last_seq()
            while self._cursor < recorded and self._follow():
                pass
            self._wait()
            self._feeds()
            self._open_cases()

    async def run(self, every: float = 1.0) -> None:
        """Follow for ever: woken by the bus, swept every so many wall seconds; in a worker thread."""
        told, loop = self._bus.listen("recorded"), asyncio.get_running_loop()
        waking = aiter(told)
        heard = asyncio.ensure_future(anext(waking))
        swept, waits = loop.time(), False
        while True:
            await asyncio.wait((heard,), timeout=every)
            if heard.done():
                heard = asyncio.ensure_future(anext(waking))
            try:
                swept = await self._catch_up(swept, every)
                if waits:
                    log.info("watch_goes_on")
                waits = False
            except BusyError as error:
                # Whoever keeps the observations is away: said once, and once that it is back.
                if not waits:
                    log.warning("watch_waits", why=str(error))
                waits = True
                await asyncio.sleep(every)
            except Exception as error:
                # The fence of this loop: what failed is read back from the store and done again.
                log.exception("watch_failed", error=str(error))
                await asyncio.sleep(every)

    async def _catch_up(self, swept: float, every: float) -> float:
        """Look at all that is new, sweeping in between where it is time; returns the loop's time of the last sweep."""
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            if began - swept >= every:
                await asyncio.to_thread(self.sweep)
                began = swept = loop.time()
            rows = await asyncio.to_thread(self.run_once)
            if not rows:
                return swept
            if self.behind < FLOOD:
                await asyncio.sleep(COALESCE)
            elif self.behind < rows:
                await asyncio.sleep(max(COALESCE, loop.time() - began))

    def _follow(self) -> int:
        if self._stale:
            self._restore()
        self._rulebook.renew()
        rows = self._series.after(self._cursor, self._reach)
        if not rows.num_rows:
            self._open_cases()
            return 0
        if self._renew is not None and self._roster.strange(rows):
            self._renew()
        self._roster.meet()
        upto = int(rows["seq"][-1].as_py())
        self._stale = True
        changes: list[tuple[KindWatch, Change, Moments]] = []
        touched: dict[str, dict[int, set[int]]] = {}
        for kind, new in self._roster.split(rows):
            watch, own = self._roster.watches[kind], touched.setdefault(kind, {})
            changes += [(watch, change, moments) for change, moments in watch.take(new, own)]
        changes += self._struck(rows, upto, touched)
        if _any(touched) or upto - self._kept >= STEP:
            self._commit(changes, touched, upto)
            self._open_cases()
        self._cursor = upto
        self._stale = False
        if len(changes) > CHANGES:
            self._reach = max(FEWEST, self._reach // 2)
        elif rows.num_rows >= self._reach:
            self._reach = min(MOST, 2 * self._reach)
        return rows.num_rows

    def _struck(
        self, rows: pa.Table, upto: int, touched: dict[str, dict[int, set[int]]]
    ) -> list[tuple[KindWatch, Change, Moments]]:
        """What changes where new rows strike out readings: the newest that stand are taken for the newest that came."""
        struck = self._roster.struck(rows)
        if not struck:
            return []
        gone = np.unique(rows["stream_no"].to_numpy()[~np.isfinite(rows["value"].to_numpy())])
        stands, now = self._roster.standing(self._series.latest(upto, tuple(gone.tolist()))), self._clock.city()
        watches = self._roster.watches
        return [
            (watches[kind], change, moments)
            for kind, new in struck
            for change, moments in watches[kind].go_back(new, stands.get(kind), now, touched.setdefault(kind, {}))
        ]

    def _wait(self) -> None:
        if self._stale:
            self._restore()
        self._roster.meet()
        newest = self._rulebook.renew()
        self._stale = True
        changes: list[tuple[KindWatch, Change, Moments]] = []
        touched: dict[str, dict[int, set[int]]] = {}
        for kind, watch in self._roster.watches.items():
            own = touched.setdefault(kind, {})
            now = self._clock.city()
            asked = chain(watch.again(now, own) if newest != self._limits else (), watch.restate(now, own), watch.wait(now, own))
            changes += [(watch, change, moments) for change, moments in asked]
        if _any(touched) or newest != self._limits:
            self._commit(changes, touched, self._cursor, newest)
        self._stale = False

    def _commit(
        self,
        changes: list[tuple[KindWatch, Change, Moments]],
        touched: dict[str, dict[int, set[int]]],
        upto: int,
        limits: int | None = None,
    ) -> None:
        written = alerts.Changes()
        for watch, change, moments in changes:
            self._change(written, watch, change, moments)
        with self._transactions.begin() as tx:
            written.write(tx)
            for kind, by_rule in touched.items():
                self._keep(tx, self._roster.watches[kind], by_rule)
            self._transactions.advance(tx.connection, CURSOR, upto)
            if limits is not None:
                self._transactions.advance(tx.connection, LIMITS, limits)
        self._cursor = self._kept = upto
        self._limits = self._limits if limits is None else limits

    def _change(self, written: alerts.Changes, watch: KindWatch, change: Change, moments: Moments) -> None:
        entity, rule = watch.entities[change.entity], change.rule
        key = (rule.key, entity.id)
        if not change.fires:
            written.clear(self._told.pop(key), Instant(int(moments.time[change.row])))
            return
        because = filled(rule.rule.because, entity.title, watch.seen(change, moments))
        began, told = Instant(change.began), self._clock.city()
        evidence = watch.evidence(change, moments)
        version = self._rulebook.version(rule)
        alert = alert_for(rule.key, version, entity, rule.rule.grade, began, told, because, rule.rule.basis, evidence)
        written.tell(alert, entity, wants_case=rule.rule.opens is not None)
        self._told[key] = alert.id

    def _keep(self, tx: Tx[Connection], watch: KindWatch, by_rule: dict[int, set[int]]) -> None:
        gone: list[dict[str, str]] = []
        kept: list[dict[str, str | int | None]] = []
        for number, entities in by_rule.items():
            state = watch.states[number]
            for place in sorted(entities):
                rule, entity = state.rule.key, watch.entities[place].id
                gone.append({"of_rule": rule, "of_entity": entity})
                if state.since[place] > 0:
                    told = self._told.get((rule, entity))
                    kept.append({"rule": rule, "entity": entity, "since": int(state.since[place]), "alert": told})
        if gone:
            tx.connection.execute(_FORGET, gone)
        if kept:
            tx.connection.execute(insert(RULE_STATE), kept)

    def _feeds(self) -> None:
        now, latest = self._clock.city(), self._latest.table()
        self._roster.doubt(feeds.contradicted(self._things.streams(), latest))
        told = {entity: alert for (rule, entity), alert in self._told.items() if rule == feeds.RULE}
        gone = self._outside.lost(feeds.outside(self._things.streams(), latest, self._rulebook), now, told)
        lost = feeds.lost(self._things.streams(), latest, self._rulebook, self._woke, now, gone)
        raised, found = sorted(lost.keys() - told.keys()), sorted(told.keys() - lost.keys())
        if not raised and not found:
            return
        self._stale = True
        written = alerts.Changes()
        for entity in raised:
            self._told[feeds.RULE, entity] = self._lose(written, lost[entity], now)
        for entity in found:
            written.clear(self._told.pop((feeds.RULE, entity)), now)
        with self._transactions.begin() as tx:
            written.write(tx)
        self._stale = False
        log.info("feeds_swept", lost=len(raised), found=len(found))

    def _lose(self, written: alerts.Changes, lost: feeds.Lost, now: Instant) -> str:
        entity = self._things.entity(lost.entity)
        rule = self._rulebook.feed_rule(entity.kind)
        because = Text(f"{entity.title.zh}数据异常：{lost.why.zh}", f"{entity.title.en}, feed lost: {lost.why.en}")
        grade, basis = (Grade.BLUE, feeds.BASIS) if rule is None else (rule.grade, rule.basis)
        alert = alert_for(feeds.RULE, feeds.VERSION, entity, grade, lost.began, now, because, basis, lost.evidence)
        written.tell(alert, entity, wants_case=rule is not None and rule.opens is not None)
        return alert.id

    def _open_cases(self) -> None:
        """Open the cases that alerts still want; the key of the episode joins a case that a killed run had opened."""
        with self._transactions.read() as connection:
            wanting = alerts.wanting_case(connection)
        for alert_id in wanting:
            alert = self._alerts.alert(alert_id)
            entity = self._things.entity(alert.entity)
            opens = self._opens(alert.rule, entity.kind)
            case = None if opens is None else self._cases.open(request_for(alert, entity, opens))
            with self._transactions.begin() as tx:
                alerts.has_case(tx, alert_id, case)

    def _opens(self, rule: str, kind: str) -> Opens | None:
        if rule == feeds.RULE:
            own = self._rulebook.feed_rule(kind)
            return None if own is None else own.opens
        return next((each.rule.opens for each in self._rulebook.rules() if each.key == rule), None)

    def _restore(self) -> None:
        """Read back where the watch stood: cursor, carried values, states of rules, open alerts."""
        self._cursor = self._kept = self._transactions.cursor(CURSOR)
        self._limits = self._transactions.cursor(LIMITS)
        self._roster = Roster(self._rulebook, self._things)
        for kind, new in self._roster.split(self._series.latest(self._cursor)):
            self._roster.watches[kind].restore(new)
        self._roster.doubt(feeds.contradicted(self._things.streams(), self._latest.table()))
        with self._transactions.read() as connection:
            states = connection.execute(select(RULE_STATE)).all()
        open_alerts = self._alerts.open()
        self._told = {(alert.rule, alert.entity): alert.id for alert in open_alerts}
        by_key = {state.rule.key: (watch, state) for watch in self._roster.watches.values() for state in watch.states}
        for row in states:
            if row.rule in by_key and row.entity in by_key[row.rule][0].places:
                watch, state = by_key[row.rule]
                state.restore(watch.places[row.entity], row.since, told=(row.rule, row.entity) in self._told)
        self._drop_orphans(frozenset(by_key))
        self._stale = False

    def _drop_orphans(self, known: frozenset[str]) -> None:
        """Clear alerts of rules that are no longer declared: nothing else ever would."""
        orphans = [key for key in self._told if key[0] != feeds.RULE and key[0] not in known]
        if orphans:
            written = alerts.Changes()
            for key in orphans:
                written.clear(self._told.pop(key), self._clock.city())
            with self._transactions.begin() as tx:
                written.write(tx)


def _any(touched: dict[str, dict[int, set[int]]]) -> bool:
    """Whether the state of any rule changed: every alert told or cleared is such a change."""
    return any(own for kinds in touched.values() for own in kinds.values())
