"""What somebody sends, as objects with known properties. Pure.

Links and addresses that an answer carries (``@iot.selfLink``, ``…@iot.navigationLink``) are passed over, so that what was read may be
sent back; anything else that is not known is refused by its name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from citybrain.doors.sensorthings.refusals import wrong
from citybrain.kernel.text import Json


@dataclass(frozen=True, slots=True)
class Whole:
    """A body that is an object, with the name of what it describes."""

    name: str
    body: Mapping[str, Json]

    def text(self, key: str, *, needed: bool = True) -> str:
        """A text; raises BadInputError where it is missing or no text."""
        value = self.body.get(key)
        if value is None and not needed:
            return ""
        if not isinstance(value, str) or (needed and not value.strip()):
            raise wrong(f"{self.name} 须有文字 {key}。", f"{self.name} needs the text {key}.", key)
        return value

    def object(self, key: str) -> dict[str, Json]:
        """An object, empty where there is none; raises BadInputError for anything else."""
        value = self.body.get(key)
        if value is not None and not isinstance(value, dict):
            raise wrong(f"{self.name} 的 {key} 须为对象。", f"{key} of {self.name} is an object.", key)
        return {} if value is None else value

    def list(self, key: str) -> Sequence[Json]:
        """A list, empty where there is none; raises BadInputError for anything else."""
        value = self.body.get(key)
        if value is not None and not isinstance(value, list):
            raise wrong(f"{self.name} 的 {key} 须为列表。", f"{key} of {self.name} is a list.", key)
        return () if value is None else value


def whole(name: str, value: Json, *known: str) -> Whole:
    """A value as an object that holds nothing but these properties; raises BadInputError for any other."""
    if not isinstance(value, dict):
        raise wrong(f"{name} 须为对象。", f"{name} is an object.", name)
    strangers = sorted(
        key for key in value if key not in (*known, "@iot.id", "id", "@iot.selfLink") and not key.endswith("@iot.navigationLink")
    )
    if strangers:
        listed = ", ".join(strangers)
        raise wrong(f"{name} 没有属性 {listed}。", f"{name} has no property {listed}.", strangers[0])
    return Whole(name, value)


def reference(value: Json) -> str | None:
    """The id of ``{"@iot.id": …}`` that says nothing else; None for what is described anew."""
    found = value.get("@iot.id") if isinstance(value, dict) else None
    alone = isinstance(value, dict) and all(key.startswith("@iot.") for key in value)
    return str(found) if alone and isinstance(found, str | int) else None


def asked(body: Whole) -> str:
    """The id that a maker asks for; empty for none."""
    found = body.body.get("@iot.id")
    if found is None:
        return ""
    if not isinstance(found, str):
        raise wrong("@iot.id 须为文字。", "@iot.id is a text.", "@iot.id")
    return found
