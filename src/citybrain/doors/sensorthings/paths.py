"""Resource paths (OGC 18-088 clause 9.2): ``Things('a')/Datastreams/$ref`` cut into its segments. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from citybrain.doors.sensorthings.refusals import missing, not_held
from citybrain.kernel.errors import NotHeldError

ROOT: Final = "/sta/v1.1"
_SEGMENT: Final = re.compile(r"(?P<name>[^()]+?)(?:\((?P<key>.*)\))?", re.DOTALL)
_QUOTED: Final = re.compile(r"'(?:[^']|'')*'")
_ELSEWHERE: Final[Mapping[str, tuple[str, str]]] = {
    "HistoricalLocations": (
        "请发送到 HistoricalLocations 或 Things('…')/HistoricalLocations",
        "send them to HistoricalLocations or Things('…')/HistoricalLocations",
    ),
    "FeaturesOfInterest": ("请发送到 FeaturesOfInterest", "send it to FeaturesOfInterest"),
    "Observations": (
        "请以 Observations('…') 修改或删除一条观测值",
        "change or delete one Observation at Observations('…')",
    ),
}


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a path: a name, and the key in brackets where there is one."""

    name: str
    key: str | None = None


def segments(raw: str) -> tuple[Segment, ...]:
    """The segments of a path still percent-encoded, after the root; raises NotFoundError for one that is none."""
    below = raw.partition(ROOT)[2]
    return tuple(_segment(unquote(part)) for part in below.split("/") if part)


def quoted(key: str) -> str:
    """A key as it stands in a path."""
    return "'" + key.replace("'", "''") + "'"


def unwritten(path: tuple[Segment, ...]) -> NotHeldError:
    """Why nothing is written to a path, and where it would be."""
    named = "/".join(segment.name for segment in path)
    zh, en = _ELSEWHERE.get(
        path[-1].name, ("此处只能新建、修改或删除对象本身", "only entities themselves are made, changed or ended here")
    )
    return not_held(f"“{named}”不能这样写入：{zh}。", f"'{named}' is not written so: {en}.")


def _segment(text: str) -> Segment:
    found = _SEGMENT.fullmatch(text)
    if found is None:
        raise missing(text)
    key = found["key"]
    if key is not None and _QUOTED.fullmatch(key):
        key = key[1:-1].replace("''", "'")
    return Segment(found["name"], key)
