"""exchange (共享交换): the catalogue with quality and lineage, and rows out as files."""

from citybrain.brain.exchange.catalogue import ACCESS_WORDS, CatalogueBook, DatasetPage
from citybrain.brain.exchange.export import COORDINATES, MEDIA_TYPES, Format, Manifest, placed
from citybrain.brain.exchange.lineage import declared, down, up
from citybrain.brain.exchange.quality import Asked, Quality, asked_of, assess
from citybrain.brain.exchange.readings import MARKS, UNASKED, Readings, marked
from citybrain.brain.exchange.shelves import datasets, sources
from citybrain.brain.exchange.store import METADATA

__all__ = [
    "ACCESS_WORDS",
    "COORDINATES",
    "MARKS",
    "MEDIA_TYPES",
    "METADATA",
    "UNASKED",
    "Asked",
    "CatalogueBook",
    "DatasetPage",
    "Format",
    "Manifest",
    "Quality",
    "Readings",
    "asked_of",
    "assess",
    "datasets",
    "declared",
    "down",
    "marked",
    "placed",
    "sources",
    "up",
]
