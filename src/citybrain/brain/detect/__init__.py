"""Detect (研判): what matters. Rules over what is observed become alerts that clear themselves; forecasts are held to account."""

from citybrain.brain.detect.alerts import Alerts
from citybrain.brain.detect.difference import Retold, Shift, Tally
from citybrain.brain.detect.forecasts import Algorithm, Came, Forecasts
from citybrain.brain.detect.limits import Limit, Limits
from citybrain.brain.detect.rulebook import Rulebook
from citybrain.brain.detect.shelves import datasets, sources
from citybrain.brain.detect.store import METADATA
from citybrain.brain.detect.studio import MONTH, Difference, Studio
from citybrain.brain.detect.versions import LimitVersion
from citybrain.brain.detect.watch import CURSOR, Watch

__all__ = [
    "CURSOR",
    "METADATA",
    "MONTH",
    "Alerts",
    "Algorithm",
    "Came",
    "Difference",
    "Forecasts",
    "Limit",
    "LimitVersion",
    "Limits",
    "Retold",
    "Rulebook",
    "Shift",
    "Studio",
    "Tally",
    "Watch",
    "datasets",
    "sources",
]
