"""Observations as data arrays: one for each Datastream or MultiDatastream, the names of the columns said once (OGC 18-088, data array extension). Pure.

What is expanded stands where it is the same: a Datastream or MultiDatastream once beside its array, a FeatureOfInterest in a column of its own.
"""

from collections.abc import Callable, Sequence

from citybrain.doors.sensorthings import links
from citybrain.doors.sensorthings.model import SETS
from citybrain.doors.sensorthings.multi import COLUMN
from citybrain.doors.sensorthings.options import Options
from citybrain.doors.sensorthings.refusals import wrong
from citybrain.doors.sensorthings.shape import Item
from citybrain.doors.sensorthings.writing import FEATURE
from citybrain.kernel.text import Json


def arrays(items: Sequence[Item], asked: Options, host: str, beyond: Callable[[Item, str], Json]) -> list[Json]:
    """Data arrays of observations, Datastreams and rows in the order in which they come; ``beyond`` gives what a link leads to.

    What is not kept of an observation is null. Raises BadInputError where no column is left.
    """
    select, expand = asked.select, dict(asked.expand)
    names = [name for name in ("id", *SETS["Observations"].properties) if select is None or name in select]
    columns = [*names, *([FEATURE] if FEATURE in expand else ())]
    if items and not columns:
        raise wrong("$select 没有选出 dataArray 的任何列。", "$select leaves a data array without columns.", "$select")
    rows: dict[tuple[str, str], list[Json]] = {}
    heads: dict[tuple[str, str], dict[str, Json]] = {}
    for item in items:
        nav, key = of = _of(item)
        if of not in rows:
            heads[of] = {f"{nav}@iot.navigationLink": links.entity(host, f"{nav}s", key)}
            heads[of] |= {nav: beyond(item, nav)} if nav in expand else {}
        row: list[Json] = [item.id if name == "id" else item.body.get(name) for name in names]
        row += [beyond(item, FEATURE)] if FEATURE in expand else []
        rows.setdefault(of, []).append(row)
    return [
        {**heads[of], "components": [*columns], "dataArray@iot.count": len(data), "dataArray": [*data]} for of, data in rows.items()
    ]


def _of(item: Item) -> tuple[str, str]:
    return ("MultiDatastream", str(item.row[COLUMN])) if COLUMN in item.row else ("Datastream", str(item.row["stream"]))
