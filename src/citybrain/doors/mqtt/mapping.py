"""Topics that a district declares: whose messages they are, and where in a message its readings stand. Pure.

A filter is that of MQTT 3.1.1 (clause 4.7): ``+`` is one level, ``#`` at the end all that follow. In the entity's id ``{1}`` is
what the first ``+`` stood for. A path such as ``data.pm25`` goes down into JSON objects and lists; an empty path is the whole
message.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final, Literal

import msgspec

from citybrain.brain.observe import lenient
from citybrain.kernel.errors import DeclarationError, UnreadableError
from citybrain.kernel.instant import Instant, rfc3339
from citybrain.kernel.text import Json, Text

_MICROS: Final = {"s": 1_000_000, "ms": 1_000}
_PLACE: Final = re.compile(r"\{(\d+)\}")
_LATEST: Final = 253_402_300_799_000_000
"""The end of the year 9999 in µs: no later time can be written."""


class Topic(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A declared topic: ``fields`` says for each field of the entity where its value stands, ``time`` where its time does."""

    topic: str
    """The filter, such as ``plant/+/air``."""
    entity: str
    """The id of the thing; ``{1}`` is what the first ``+`` stood for."""
    fields: dict[str, str]
    """For each field of the thing the path of its value, such as ``{ pm25 = "data.pm2_5" }``."""
    time: str = ""
    """Empty: the readings are of the moment in which the message came."""
    time_form: Literal["rfc3339", "s", "ms"] = "rfc3339"
    """How the time is written: RFC 3339, or seconds or milliseconds since 1970."""


class Mapped:
    """A declared topic, ready to read messages. Raises DeclarationError for a filter or an id that cannot be meant."""

    def __init__(self, declared: Topic) -> None:
        levels = declared.topic.split("/")
        places = [int(place) for place in _PLACE.findall(declared.entity)]
        wild = sum(level == "+" for level in levels)
        strange = [level for level in levels[:-1] if level == "#"] or [
            level for level in levels if len(level) > 1 and set(level) & set("+#")
        ]
        if not declared.topic or strange or not declared.fields or any(not 1 <= place <= wild for place in places):
            what = Text(
                f"主题映射“{declared.topic}”有误：# 只能在最后一级，+ 单独成级，entity 中的 {{n}} 须有对应的 +，fields 不能为空。",
                f"The mapping of '{declared.topic}' is wrong: # stands last, + stands alone, each {{n}} of the entity needs its +, and "
                "fields must name some.",
            )
            raise DeclarationError(what, topic=declared.topic)
        self.declared = declared
        # What # stands for includes the level above it; it does not reach what begins with $.
        pattern = ".*" if declared.topic == "#" else "/".join(map(_level, levels)).replace("/(?:", "(?:")
        self._filter = re.compile(pattern if declared.topic.startswith("$") else f"(?!\\$){pattern}")

    def rows(self, topic: str, payload: bytes, now: str) -> list[tuple[bytes]] | None:
        """The API's rows for a message, as JSON, each by itself; None for a topic that is not this one.

        Fields that a message does not hold are left out. Raises UnreadableError for a message without any of them or without its
        time.
        """
        found = self._filter.fullmatch(topic)
        if found is None:
            return None
        said = _decoded(topic, payload)
        entity = _PLACE.sub(lambda place: found[int(place[1])], self.declared.entity)
        time = self._time(said, topic, now)
        values = {field: _at(said, path) for field, path in self.declared.fields.items()}
        held = {field: value for field, value in values.items() if value is not None}
        if not held:
            listed = ", ".join(self.declared.fields.values())
            what = Text(f"消息中没有任何一项读数（{listed}）。", f"The message holds none of the readings ({listed}).")
            raise UnreadableError(what, topic=topic)
        stated = ({"stream": f"{entity}.{field}", "time": time, "value": value} for field, value in held.items())
        return [(msgspec.json.encode(row),) for row in stated]

    def _time(self, said: Json, topic: str, now: str) -> Json:
        if not self.declared.time:
            return now
        found, scale = _at(said, self.declared.time), _MICROS.get(self.declared.time_form)
        if scale is None and isinstance(found, str):
            return found
        if scale is not None and isinstance(found, int | float) and not isinstance(found, bool) and 0 <= found * scale <= _LATEST:
            return rfc3339(Instant(round(found * scale)))
        what = Text(
            f"消息中“{self.declared.time}”不是所约定的时间（{self.declared.time_form}）。",
            f"'{self.declared.time}' of the message is no time of the form agreed on ({self.declared.time_form}).",
        )
        raise UnreadableError(what, topic=topic)


def mapped(declared: Sequence[Topic]) -> tuple[Mapped, ...]:
    """Declared topics, ready; the first that fits a message reads it."""
    return tuple(map(Mapped, declared))


def _level(level: str) -> str:
    return "([^/]+)" if level == "+" else "(?:/.*)?" if level == "#" else re.escape(level)


def _decoded(topic: str, payload: bytes) -> Json:
    try:
        value: Json = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        found = lenient(payload)
        if found is not None:
            return found
        what = Text(f"消息不是 UTF-8 编码的 JSON：{error}", f"The message is not JSON in UTF-8: {error}")
        raise UnreadableError(what, topic=topic) from error
    return value


def _at(said: Json, path: str) -> Json:
    """What stands at a path; None where nothing does."""
    found = said
    for step in path.split(".") if path else ():
        if isinstance(found, Mapping):
            found = found.get(step)
        elif isinstance(found, list) and step.isdecimal() and int(step) < len(found):
            found = found[int(step)]
        else:
            return None
    return found
