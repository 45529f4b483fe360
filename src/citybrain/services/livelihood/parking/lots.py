"""The kind parking_lot: berths in one pool whatever their type, with what is free and how full it is derived from the counts."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from citybrain.sdk import By, Derived, Field, Kind, Text

LOT = "parking_lot"
HOURS = ("08:00", "16:30")
"""When the replayed source reports; outside it a lot is closed, which is neither full nor empty."""
_EVERY, _SILENT = "PT30M", "PT90M"
Column = NDArray[np.float64]


def _counted(name: str, title: Text, by: By, unit: str, top: float | None) -> Field:
    return Field(name, title, by, unit=unit, every=_EVERY, silent_after=_SILENT, range=(0, top), hours=HOURS)


KIND = Kind(
    name=LOT,
    title=Text("停车场", "Parking lot"),
    owner="traffic",
    place="point",
    access="unconditional",
    fields=(
        Field(
            "type",
            Text("类型", "Type"),
            By.FORM,
            choices=(
                ("roadside", Text("路侧", "Roadside")),
                ("under_bridge", Text("桥下", "Under a bridge")),
                ("public", Text("公共", "Public")),
                ("stacked", Text("立体", "Multi-storey")),
            ),
            required=True,
        ),
        Field("shared", Text("可共享泊位", "Berths to share"), By.FORM, unit="{space}", range=(0, None)),
        Field("price", Text("现行价格", "Price now"), By.FORM, unit="{fen}/h", range=(0, None)),
        _counted("capacity", Text("总泊位", "Capacity"), By.SENSOR, "{space}", None),
        _counted("occupied", Text("已占用泊位", "Berths taken"), By.SENSOR, "{space}", None),
        _counted("free", Text("空余泊位", "Berths free"), By.DERIVED, "{space}", None),
        _counted("occupancy", Text("泊位占用率", "Occupancy"), By.DERIVED, "%", 100),
        Field("origin_note", Text("数据来源说明", "Where its readings are from"), By.FORM),
    ),
)


def free(_: NDArray[np.int64], inputs: Mapping[str, Column]) -> Column:
    """Free berths (n,): capacity less berths taken; NaN where the counts contradict one another, which is a fault and no fact."""
    taken, capacity = inputs["occupied"], inputs["capacity"]
    sound = (taken >= 0) & (capacity > 0) & (taken <= capacity)
    return np.where(sound, capacity - taken, np.nan)


def occupancy(times: NDArray[np.int64], inputs: Mapping[str, Column]) -> Column:
    """Berths taken in % of the capacity (n,); NaN where ``free`` is."""
    return np.where(
        np.isnan(free(times, inputs)), np.nan, 100 * inputs["occupied"] / np.where(inputs["capacity"] > 0, inputs["capacity"], 1)
    )


DERIVED = (Derived(LOT, "free", ("occupied", "capacity"), free), Derived(LOT, "occupancy", ("occupied", "capacity"), occupancy))
