"""What people report in words, with a place and perhaps a photo: the form a pack declares, and what is kept of a report."""

from typing import Literal, TypeAlias

import msgspec

from citybrain.kernel.calendar import Allowance
from citybrain.kernel.instant import Duration
from citybrain.kernel.places import Place
from citybrain.kernel.text import Text

Mark: TypeAlias = Literal["confirmed", "secondary", "memory", "local"]
RATINGS: tuple[tuple[int, Text], ...] = (
    (5, Text("非常满意", "Very satisfied")),
    (4, Text("满意", "Satisfied")),
    (3, Text("基本满意", "Fairly satisfied")),
    (2, Text("不满意", "Dissatisfied")),
    (1, Text("非常不满意", "Very dissatisfied")),
)
"""The five grades of 政务服务“好差评”, best first."""


class ReportClass(msgspec.Struct, frozen=True):
    """A class of matter: its code, words of the standard and of every day, whose duty it is, and the time promised."""

    code: str
    title: Text
    major: Text
    everyday: tuple[str, ...]
    duty: str
    allowance: Allowance


class ReportForm(msgspec.Struct, frozen=True):
    """A form by which people report; ``edition`` names the catalogue of its classes with its date and how sure its source is."""

    name: str
    title: Text
    about: Text
    flow: str
    duty: str
    """Who answers where nobody has the duty of a class."""
    edition: Text
    since: str
    mark: Mark
    classes: tuple[ReportClass, ...]
    common: tuple[str, ...]
    """Codes to offer before anybody has searched."""
    alike_within: Duration
    """How long ago a report may have been made to count as the same matter."""
    alike_metres: float
    reopen_days: int
    """Days after closing in which the reporter may say that it is not solved."""
    keep_days: int
    """Days after closing for which words, contact and photo are kept."""
    photo: bool = True
    samples: tuple["Sample", ...] = ()

    def of(self, code: str) -> ReportClass | None:
        """The class of a code."""
        return next((one for one in self.classes if one.code == code), None)


class Sample(msgspec.Struct, frozen=True):
    """An invented report for a demonstration: hours before its start, the subdistrict by its turn, how far it has come, how it was rated."""

    code: str
    words: str
    hours: float
    subdistrict: int
    reached: Literal["reported", "assigned", "handling", "closed"]
    rated: int | None = None


class Said(msgspec.Struct, frozen=True):
    """What somebody reports. ``key`` makes it once: the same key with the same content is the same report."""

    form: str
    key: str
    words: str
    code: str
    place: Place | None
    area: str | None
    spot: str = ""
    """The place in words, such as a landmark."""
    contact: str = ""
    photo: str | None = None
    """Reference of a cleaned photo."""


class Receipt(msgspec.Struct, frozen=True):
    """What the reporter takes along: the case's number, and the key that alone opens its progress to somebody without an account."""

    report: str
    number: str
    secret: str
