"""Reading bound to a caller, a purpose and a moment: over HTTP and for those who subscribe alike."""

from datetime import datetime
from functools import cache

from citybrain.doors.sensorthings.parts import SensorThingsParts
from citybrain.doors.sensorthings.reading import Reading
from citybrain.doors.sensorthings.search import Search
from citybrain.doors.sensorthings.shape import Shaper
from citybrain.doors.sensorthings.shelves import Shelves
from citybrain.kernel.access import Caller
from citybrain.kernel.instant import moment
from citybrain.kernel.text import Lang


def bound(parts: SensorThingsParts, caller: Caller, why: str, lang: Lang, host: str) -> Reading:
    """What reads as this caller, for this purpose; ``host`` begins every address in the answers."""
    shelves = Shelves(
        parts.guard.reader(caller, why),
        cache(lambda dataset: parts.guard.whole(caller, dataset, why)),
        parts.registry,
        parts.series,
        parts.featured,
        cache(parts.featured.known),
        Shaper(parts.registry, lang, host),
    )
    now: datetime = moment(parts.clock.city())
    return Reading(shelves, Search(shelves, now), host)
