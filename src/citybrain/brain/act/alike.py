"""How alike two sayings are, and which class people mean: pairs of characters for Chinese, whole words for the rest. Pure."""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

from citybrain.kernel.places import Place
from citybrain.kernel.reports import ReportClass

_RUN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]+|[a-z0-9]+")
_METRES_PER_DEGREE = 111_195.08
"""On a sphere of mean radius 6 371 008.8 m."""
_LEAST = 0.2
"""Below this a class is no answer to what was said."""


def tokens(text: str) -> frozenset[str]:
    """What a saying is compared by: every two neighbouring Chinese characters (a lone one by itself), and every other word."""
    found: set[str] = set()
    for run in _RUN.findall(unicodedata.normalize("NFKC", text).lower()):
        if run.isascii():
            found.add(run)
        else:
            found |= {run[at : at + 2] for at in range(max(1, len(run) - 1))}
    return frozenset(found)


def likeness(one: str, other: str) -> float:
    """From 0 (nothing in common) to 1: twice the common tokens by all (Dice)."""
    here, there = tokens(one), tokens(other)
    return 2 * len(here & there) / (len(here) + len(there)) if here and there else 0.0


def metres(one: Place, other: Place) -> float:
    """Between two points of one city; exact to a few centimetres there."""
    across = (one.lon - other.lon) * math.cos(math.radians((one.lat + other.lat) / 2))
    return _METRES_PER_DEGREE * math.hypot(across, one.lat - other.lat)


class ClassFinder:
    """Finds classes by everyday words: rare tokens weigh more than those that half of the catalogue has."""

    def __init__(self, classes: Sequence[ReportClass]) -> None:
        self._phrases = [
            (one, [tokens(phrase) for phrase in (one.title.zh, one.title.en, *one.everyday, one.code)]) for one in classes
        ]
        seen = Counter(token for _, phrases in self._phrases for token in frozenset[str]().union(*phrases))
        self._weights = {token: math.log(1 + len(classes) / count) for token, count in seen.items()}
        self._rare = math.log(1 + len(classes))

    def search(self, said: str, limit: int = 8) -> tuple[ReportClass, ...]:
        """The classes that fit best, best first; none where nothing fits."""
        asked = tokens(said)
        scored = [(max(self._score(asked, phrase) for phrase in phrases), one) for one, phrases in self._phrases]
        best = sorted((pair for pair in scored if pair[0] >= _LEAST), key=lambda pair: (-pair[0], pair[1].code))
        return tuple(one for _, one in best[:limit])

    def _score(self, asked: frozenset[str], phrase: frozenset[str]) -> float:
        common = self._weight(asked & phrase)
        if not common:
            return 0.0
        both = 2 * common / (self._weight(asked) + self._weight(phrase))
        # A long saying that holds a whole phrase means it, whatever else it says.
        return max(both, 0.9 * common / self._weight(phrase))

    def _weight(self, found: frozenset[str]) -> float:
        return sum(self._weights.get(token, self._rare) for token in found)
