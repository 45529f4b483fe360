"""exchange (共享交换): the catalogue with quality and lineage, and rows out as files."""

from citybrain.brain.exchange.catalogue import ACCESS_WORDS, CatalogueBook, DatasetPage
from citybrain.brain.exchange.export import COORDINATES, MEDIA_TYPES, Format, placed
from citybrain.brain.exchange.lineage import declared, down, up
from citybrain.brain.exchange.quality import Asked, Quality, asked_of, assess
from citybrain.brain.exchange.shelves import datasets, sources
from citybrain.brain.exchange.store import METADATA

__all__ = [
    "ACCESS_WORDS",
    "COORDINATES",
    "MEDIA_TYPES",
    "METADATA",
    "Asked",
    "CatalogueBook",
    "DatasetPage",
    "Format",
    "Quality",
    "asked_of",
    "assess",
    "datasets",
    "declared",
    "down",
    "placed",
    "sources",
    "up",
]
