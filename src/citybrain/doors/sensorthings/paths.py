"""Resource paths (OGC 18-088 clause 9.2): ``Things('a')/Datastreams/$ref`` cut into its segments. Pure."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from citybrain.doors.sensorthings.refusals import missing

ROOT: Final = "/sta/v1.1"
_SEGMENT: Final = re.compile(r"(?P<name>[^()]+?)(?:\((?P<key>.*)\))?", re.DOTALL)
_QUOTED: Final = re.compile(r"'(?:[^']|'')*'")


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


def _segment(text: str) -> Segment:
    found = _SEGMENT.fullmatch(text)
    if found is None:
        raise missing(text)
    key = found["key"]
    if key is not None and _QUOTED.fullmatch(key):
        key = key[1:-1].replace("''", "'")
    return Segment(found["name"], key)
