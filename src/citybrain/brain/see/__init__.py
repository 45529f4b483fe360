"""see (呈现): facts, indicators with history, map layers, the night's account, and where every figure comes from."""

from citybrain.brain.see import chain as trace
from citybrain.brain.see import geojson as layers
from citybrain.brain.see.chain import Arrival, Lookups, Trace
from citybrain.brain.see.facts import FactFeed
from citybrain.brain.see.house import HOUSE
from citybrain.brain.see.indicators import Indicators
from citybrain.brain.see.night import Night, Nights, last_night, night
from citybrain.brain.see.shelves import datasets, sources
from citybrain.brain.see.store import METADATA
from citybrain.brain.see.tables import AREA, MOMENT, STREAM, IbisTables, StreamRows

__all__ = [
    "AREA",
    "HOUSE",
    "METADATA",
    "MOMENT",
    "STREAM",
    "Arrival",
    "FactFeed",
    "IbisTables",
    "Indicators",
    "Lookups",
    "Night",
    "Nights",
    "StreamRows",
    "Trace",
    "datasets",
    "last_night",
    "layers",
    "night",
    "sources",
    "trace",
]
