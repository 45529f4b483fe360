"""The view of the nearest things with room."""

import msgspec

from citybrain.kernel.instant import Instant
from citybrain.kernel.text import Text
from citybrain.web.desk_views import FormError, Option
from citybrain.web.map_views import Level


class Spot(msgspec.Struct, frozen=True):
    """A thing on the way: metres and minutes to walk, what is free now or ``why`` that is unknown, the chance of room in per cent."""

    title: Text
    metres: int
    minutes: int
    free: Text | None
    full: bool
    why: Text | None
    at: Instant | None
    chance: int | None
    level: Level | None = None
    demo: bool = False


class Step(msgspec.Struct, frozen=True):
    """A row of the reliability table: what was said (a span, and its mean), how often it came, in how many cases."""

    title: Text
    said: float
    came: float
    cases: int


class NearbyPage(msgspec.Struct, frozen=True):
    """``/<name>``: where from and when, and the nearest first; ``arrival`` is None until a place was said."""

    title: Text
    action: str
    places: tuple[Option, ...]
    times: tuple[Option, ...]
    typed: dict[str, str]
    spots: tuple[Spot, ...]
    arrival: Instant | None
    walk: Text
    chance_of: Text | None
    steps: tuple[Step, ...]
    errors: tuple[FormError, ...] = ()
