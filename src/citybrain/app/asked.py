"""The tables that questions of packs are answered from: what the faculties know of a kind, as Arrow tables by the name of an input."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from citybrain.brain.act import Offers
from citybrain.brain.detect import Forecasts
from citybrain.brain.detect.hours import hourly
from citybrain.brain.observe import Registry
from citybrain.kernel.clock import Clock
from citybrain.kernel.errors import NotFoundError
from citybrain.kernel.instant import DAY, HOUR, Instant
from citybrain.kernel.ports import Series
from citybrain.kernel.text import Json, Text

_ENTITY: dict[str, pa.DataType] = {
    "id": pa.string(),
    "title_zh": pa.string(),
    "title_en": pa.string(),
    "area": pa.string(),
    "lon": pa.float64(),
    "lat": pa.float64(),
    "origin": pa.string(),
}
_STREAM = ("entity", "value", "time", "life")
_FORECAST: dict[str, pa.DataType] = {
    "entity": pa.string(),
    "issued": pa.int64(),
    "time": pa.int64(),
    "mean": pa.float64(),
    "low": pa.float64(),
    "high": pa.float64(),
    "chance": pa.float64(),
}
_HOURLY: dict[str, pa.DataType] = {"entity": pa.string(), "time": pa.int64(), "value": pa.float64()}
_OFFER: dict[str, pa.DataType] = {
    "offer": pa.string(),
    "entity": pa.string(),
    "begins": pa.int64(),
    "ends": pa.int64(),
    "units": pa.int64(),
    "free": pa.int64(),
}
_BACK, _AHEAD = 14 * DAY, DAY


@dataclass(frozen=True, slots=True)
class AskedTables:
    """Makes the table of an input, ``<sort>:<kind>`` or ``<sort>:<kind>.<field>``, as things are now."""

    registry: Registry
    streams: Callable[[], pa.Table]
    forecasts: Forecasts
    series: Series
    offers: Offers
    clock: Clock

    def __call__(self, name: str) -> pa.Table:
        """The rows of an input; raises NotFoundError for a sort, kind or field that there is not."""
        sort, _, given = name.partition(":")
        kind, _, field = given.partition(".")
        makers: Mapping[str, Callable[[str, str], pa.Table]] = {
            "entity": self._entity,
            "stream": self._stream,
            "forecast": self._forecast,
            "hourly": self._hourly,
            "offer": self._offer,
        }
        if sort not in makers or (field and not self.registry.kind(kind).has(field)):
            known = ", ".join(makers)
            what = Text(f"没有输入表“{name}”。可用：{known}。", f"There is no input '{name}'. There are: {known}.")
            raise NotFoundError(what, input=name)
        return makers[sort](self.registry.kind(kind).name, field)

    def _entity(self, kind: str, _: str) -> pa.Table:
        """Every thing of a kind, with its form fields: numbers for those that have a unit, words for the others."""
        fields = [field for field in self.registry.kind(kind).fields if not field.measured]
        own: dict[str, pa.DataType] = {field.name: pa.string() if field.unit is None else pa.float64() for field in fields}
        rows = [
            {
                "id": one.id,
                "title_zh": one.title.zh,
                "title_en": one.title.en,
                "area": one.area,
                "lon": None if one.place is None else one.place.lon,
                "lat": None if one.place is None else one.place.lat,
                "origin": one.origin,
                **{field.name: _cell(one.body.get(field.name), numeric=field.unit is not None) for field in fields},
            }
            for one in self.registry.entities(kind)
        ]
        return pa.Table.from_pylist(rows, schema=pa.schema(_ENTITY | own))

    def _stream(self, kind: str, field: str) -> pa.Table:
        rows = self.streams()
        return rows.filter((pc.field("kind") == kind) & (pc.field("field") == field)).select(_STREAM)

    def _forecast(self, kind: str, field: str) -> pa.Table:
        """The points of the newest forecast of each stream."""
        rows = [
            {
                "entity": issue.stream.rpartition(".")[0],
                "issued": issue.issued,
                "time": point.time,
                "mean": point.mean,
                "low": point.low,
                "high": point.high,
                "chance": point.chance,
            }
            for issue in self.forecasts.newest([f"{one.id}.{field}" for one in self.registry.entities(kind)])
            for point in issue.points
        ]
        return pa.Table.from_pylist(rows, schema=pa.schema(_FORECAST))

    def _hourly(self, kind: str, field: str) -> pa.Table:
        """Means by hour of the last two weeks, without the hours that hold none."""
        streams = [stream for stream in self.registry.streams() if stream.kind == kind]
        until = Instant(self.clock.city() // HOUR * HOUR)
        history = hourly(self.series, streams, (field,), Instant(until - _BACK), until)
        hour, place = np.nonzero(np.isfinite(history.fields[field]))
        entities = np.array(history.entities, dtype=object)[place].tolist()
        columns = {"entity": entities, "time": history.times[hour], "value": history.fields[field][hour, place]}
        return pa.table(columns, schema=pa.schema(_HOURLY))

    def _offer(self, kind: str, _: str) -> pa.Table:
        """The slots for which owners have opened theirs in the next day: units that are offered, and of them free throughout."""
        now = self.clock.city()
        rows = [
            {
                "offer": offer.id,
                "entity": offer.entity,
                "begins": slot.begins,
                "ends": slot.ends,
                "units": offer.units,
                "free": slot.units,
            }
            for offer in self.offers.current(kind)
            for slot in self.offers.free(offer.id, now, Instant(now + _AHEAD))
        ]
        return pa.Table.from_pylist(rows, schema=pa.schema(_OFFER))


def _cell(value: Json, *, numeric: bool) -> str | float | None:
    if numeric:
        return float(value) if isinstance(value, int | float) else None
    return None if value is None else str(value)
