"""Topics that are subscribed to (OGC 18-088 clause 14.2): a resource path below ``v1.1/``, and ``$select`` after it. Pure."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from citybrain.doors.sensorthings.messages import VERSION
from citybrain.doors.sensorthings.paths import ROOT, Segment, segments
from citybrain.doors.sensorthings.refusals import missing, wrong
from citybrain.kernel.text import Lang

_ABLE: Final = frozenset({"$select", "lang"})


@dataclass(frozen=True, slots=True)
class Topic:
    """What a topic asks for."""

    path: tuple[Segment, ...]
    pairs: tuple[tuple[str, str], ...]
    lang: Lang


def topic(text: str) -> Topic:
    """What a topic asks for; raises NotFoundError for one of another kind, BadInputError for other options."""
    where, _, words = text.partition("?")
    if not where.startswith(VERSION):
        raise missing(text)
    path = segments(f"{ROOT}/{where.removeprefix(VERSION)}")
    # What ``$ref`` and ``$value`` give is no entity that could be told.
    if not path or any(segment.name.startswith("$") for segment in path):
        raise missing(text)
    pairs = tuple(parse_qsl(words, keep_blank_values=True))
    strangers = [name for name, _ in pairs if name not in _ABLE]
    if strangers:
        raise wrong(
            f"订阅只可用 $select，不能用 {strangers[0]}。", f"A subscription takes $select, not {strangers[0]}.", strangers[0]
        )
    return Topic(path, pairs, "en" if ("lang", "en") in pairs else "zh")
