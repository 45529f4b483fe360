"""Forecasts: the algorithms of packs, fitted once a day on hourly history, issued each hour, held against what came.

Every issue is kept, so that its errors can be shown beside the next one.
"""

import threading
from collections.abc import Mapping, Sequence
from datetime import date

import msgspec
import numpy as np
import structlog
from numpy.typing import NDArray
from sqlalchemy import Connection, and_, delete, func, insert, select

from citybrain.brain.detect.hours import hourly, last
from citybrain.brain.detect.roster import Things
from citybrain.brain.detect.store import FORECAST, issue_of, issue_row
from citybrain.kernel.clock import Clock
from citybrain.kernel.datasets import ForecastIssue, Reliability, Skill
from citybrain.kernel.errors import BusyError
from citybrain.kernel.instant import DAY, HOUR, Instant, local_date
from citybrain.kernel.observations import SeriesQuery
from citybrain.kernel.pack import Forecast, ForecastModel, History, Nearby, Pack
from citybrain.kernel.ports import Series, Transactions
from citybrain.kernel.text import Text
from citybrain.kernel.things import Stream

log = structlog.get_logger()


class Algorithm(msgspec.Struct, frozen=True):
    """A registered algorithm with the version and skill of its present fit, which is None before the first."""

    name: str
    title: Text
    pack: str
    kind: str
    field: str
    inputs: tuple[str, ...]
    method: Text
    version: str | None
    fitted: date | None
    skill: tuple[Skill, ...]


class Came(msgspec.Struct, frozen=True):
    """What became of past forecasts of a stream at a horizon in hours: mean absolute error, share within the band, cases."""

    horizon: int
    error: float
    covered: float
    cases: int


class Outlook(msgspec.Struct, frozen=True):
    """The chance of room at an instant by entity, of what it is, and how such chances held on unseen time."""

    chances: Mapping[str, float]
    of: Text | None
    reliability: tuple[Reliability, ...]


class Forecasts:
    """The register of algorithms and the store of issues."""

    def __init__(
        self, transactions: Transactions[Connection], series: Series, things: Things, clock: Clock, fit_days: int = 1100
    ) -> None:
        self._transactions = transactions
        self._series = series
        self._things = things
        self._clock = clock
        self._fit_days = fit_days
        self._registered: list[tuple[str, Forecast]] = []
        self._fits: dict[str, tuple[date, ForecastModel]] = {}
        self._lock = threading.Lock()
        self._tried: Instant | None = None

    def register(self, packs: Sequence[Pack]) -> None:
        """Enter the algorithms of packs."""
        self._registered += [(pack.name, forecast) for pack in packs for forecast in pack.forecasts]

    def algorithms(self) -> tuple[Algorithm, ...]:
        """All registered algorithms."""
        return tuple(self._algorithm(pack, forecast) for pack, forecast in self._registered)

    def run_once(self) -> int:
        """Issue forecasts when an hour of the city has begun for which there are none; returns how many. Blocks.

        An hour that had too little to forecast from is not tried again until the next begins.
        """
        hour = Instant(self._clock.city() // HOUR * HOUR)
        with self._transactions.read() as connection:
            done = connection.execute(select(FORECAST.c.issued).where(FORECAST.c.issued == hour).limit(1)).first()
        if done or hour == self._tried:
            return 0
        issued = self.issue(hour)
        self._tried = hour
        return issued

    def issue(self, at: Instant) -> int:
        """Issue the forecasts of the hour that holds an instant, from complete hours before it; returns how many. Blocks.

        A fit is made for each day of the city and kept. Issuing the same hour again replaces its issues.
        """
        hour = Instant(at // HOUR * HOUR)
        with self._lock:
            made = [issue for _, forecast in self._registered for issue in self._issues_of(forecast, hour)]
            with self._transactions.begin() as tx:
                tx.connection.execute(delete(FORECAST).where(FORECAST.c.issued == hour))
                if made:
                    tx.connection.execute(insert(FORECAST), [issue_row(issue) for issue in made])
        return len(made)

    def latest(self, stream: str) -> ForecastIssue | None:
        """The newest forecast of a stream."""
        wanted = select(FORECAST).where(FORECAST.c.stream == stream).order_by(FORECAST.c.issued.desc()).limit(1)
        with self._transactions.read() as connection:
            row = connection.execute(wanted).one_or_none()
        return None if row is None else issue_of(row)

    def issues(self, stream: str, since: Instant) -> tuple[ForecastIssue, ...]:
        """The forecasts of a stream issued at or after an instant, oldest first."""
        wanted = select(FORECAST).where(FORECAST.c.stream == stream, FORECAST.c.issued >= since).order_by(FORECAST.c.issued)
        with self._transactions.read() as connection:
            return tuple(issue_of(row) for row in connection.execute(wanted))

    def outlook(self, one: Nearby, entities: Sequence[str], at: Instant) -> Outlook:
        """The chances of room at entities at an instant, from the newest issue of each; without those that no issue reaches."""
        issues = self.newest([f"{entity}.{one.ahead}" for entity in entities]) if one.ahead else ()
        hour = at // HOUR * HOUR
        chances = {
            issue.stream.rpartition(".")[0]: point.chance
            for issue in issues
            for point in issue.points
            if point.time == hour and point.chance is not None
        }
        fitting = (each for _, each in self._registered if (each.kind, each.field) == (one.kind, one.ahead))
        said = next((each.chance for each in fitting), None)
        return Outlook(chances, said, issues[0].reliability if issues else ())

    def newest(self, streams: Sequence[str]) -> tuple[ForecastIssue, ...]:
        """The newest forecast of each of these streams, without those that have none."""
        newest = (
            select(FORECAST.c.stream, func.max(FORECAST.c.issued).label("issued"))
            .where(FORECAST.c.stream.in_(streams))
            .group_by(FORECAST.c.stream)
            .subquery()
        )
        wanted = select(FORECAST).join(newest, and_(FORECAST.c.stream == newest.c.stream, FORECAST.c.issued == newest.c.issued))
        with self._transactions.read() as connection:
            return tuple(issue_of(row) for row in connection.execute(wanted))

    def errors(self, stream: Stream, since: Instant) -> tuple[Came, ...]:
        """Forecasts issued since an instant against the hours that have come meanwhile, by horizon; empty where none has."""
        now = self._clock.city()
        query = SeriesQuery((stream.no,), since, Instant(now // HOUR * HOUR), HOUR)
        rows = self._series.scan(query) if query.since < query.until else None
        came = {} if rows is None else dict(zip(rows["time"].to_pylist(), rows["mean"].to_pylist(), strict=True))
        found: dict[int, list[tuple[float, bool]]] = {}
        for issue in self.issues(stream.id, since):
            for point in issue.points:
                actual = came.get(point.time)
                if actual is not None:
                    # The first hour ahead begins when the forecast is issued.
                    horizon = (point.time - issue.issued) // HOUR + 1
                    found.setdefault(horizon, []).append((abs(actual - point.mean), point.low <= actual <= point.high))
        return tuple(
            Came(horizon, float(np.mean([error for error, _ in each])), sum(hit for _, hit in each) / len(each), len(each))
            for horizon, each in sorted(found.items())
        )

    def _issues_of(self, forecast: Forecast, hour: Instant) -> list[ForecastIssue]:
        streams = [stream for stream in self._things.streams() if stream.kind == forecast.kind]
        targets = {stream.entity: stream for stream in streams if stream.field == forecast.field}
        if not targets:
            return []
        fields = tuple(dict.fromkeys((forecast.field, *forecast.inputs)))
        try:
            history = hourly(self._series, streams, fields, Instant(hour - self._fit_days * DAY), hour)
            model = self._model(forecast, _begun(history), hour)
            recent = last(history, 24 * 60)
            return [
                issue
                for place, entity in enumerate(recent.entities)
                if entity in targets and (issue := _issue(model, recent, place, targets[entity], hour)) is not None
            ]
        except BusyError:
            # Nobody's fault: a store is away, and it is asked again in the next turn.
            raise
        except Exception as error:
            # The fence around pack code: an algorithm that fails leaves its streams without a forecast, not the others.
            log.exception("forecast_failed", forecast=forecast.name, error=str(error))
            return []

    def _model(self, forecast: Forecast, history: History, hour: Instant) -> ForecastModel:
        day = local_date(hour)
        kept = self._fits.get(forecast.name)
        if kept is None or kept[0] != day:
            kept = (day, forecast.fit(history, hour))
            self._fits[forecast.name] = kept
        return kept[1]

    def _algorithm(self, pack: str, forecast: Forecast) -> Algorithm:
        fit = self._fits.get(forecast.name)
        version, day = (None, None) if fit is None else (fit[1].version, fit[0])
        skill = () if fit is None else fit[1].skill()
        return Algorithm(
            forecast.name,
            forecast.title,
            pack,
            forecast.kind,
            forecast.field,
            forecast.inputs,
            forecast.method,
            version,
            day,
            skill,
        )


def _begun(history: History) -> History:
    """The history from the first hour that holds anything."""
    known: NDArray[np.bool_] = np.zeros(len(history.times), np.bool_)
    for column in history.fields.values():
        known |= np.isfinite(column).any(axis=1)
    return last(history, len(known) - int(np.argmax(known))) if known.any() else last(history, 1)


def _issue(model: ForecastModel, history: History, place: int, stream: Stream, hour: Instant) -> ForecastIssue | None:
    points = model.predict(history, place, hour)
    if not points:
        return None
    note = Text("预测值，仅供参考；误差见所附检验结果。", "A forecast: see the errors on unseen time beside it.")
    return ForecastIssue(stream.id, hour, model.version, points, model.skill(), note, stream.origin, model.reliability())
