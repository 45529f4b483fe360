"""DuckDB: observations (hot table and closed days in Parquet) and fact tables, in one file with one owner process."""

from citybrain.engines.duckdb.carrying import Cleared, carry, clear, forget, lay
from citybrain.engines.duckdb.deleting import Due
from citybrain.engines.duckdb.deletions import Deletion
from citybrain.engines.duckdb.facts import DuckFacts
from citybrain.engines.duckdb.file import DuckFile
from citybrain.engines.duckdb.series import DuckSeries

__all__ = ["Cleared", "Deletion", "DuckFacts", "DuckFile", "DuckSeries", "Due", "carry", "clear", "forget", "lay"]
