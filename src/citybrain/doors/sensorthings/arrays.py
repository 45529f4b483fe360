"""Observations as data arrays: one for each Datastream or MultiDatastream, the names of the columns said once (OGC 18-088, data array extension). Pure."""

from collections.abc import Sequence

from citybrain.doors.sensorthings import links
from citybrain.doors.sensorthings.model import SETS
from citybrain.doors.sensorthings.multi import COLUMN
from citybrain.doors.sensorthings.refusals import wrong
from citybrain.doors.sensorthings.shape import Item
from citybrain.kernel.text import Json


def arrays(items: Sequence[Item], select: frozenset[str] | None, host: str) -> list[Json]:
    """Data arrays of observations, Datastreams and rows in the order in which they come.

    What is not kept of an observation is null. Raises BadInputError where no column is left.
    """
    names = [name for name in ("id", *SETS["Observations"].properties) if select is None or name in select]
    if items and not names:
        raise wrong("$select 没有选出 dataArray 的任何列。", "$select leaves a data array without columns.", "$select")
    rows: dict[tuple[str, str], list[Json]] = {}
    for item in items:
        row: list[Json] = [item.id if name == "id" else item.body.get(name) for name in names]
        rows.setdefault(_of(item), []).append(row)
    return [
        {
            f"{nav}@iot.navigationLink": links.entity(host, f"{nav}s", key),
            "components": [*names],
            "dataArray@iot.count": len(data),
            "dataArray": [*data],
        }
        for (nav, key), data in rows.items()
    ]


def _of(item: Item) -> tuple[str, str]:
    return ("MultiDatastream", str(item.row[COLUMN])) if COLUMN in item.row else ("Datastream", str(item.row["stream"]))
