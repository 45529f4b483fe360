"""DuckDB: observations (hot table and closed days in Parquet) and fact tables, in one file with one owner process."""

from citybrain.engines.duckdb.facts import DuckFacts
from citybrain.engines.duckdb.file import DuckFile
from citybrain.engines.duckdb.series import DuckSeries

__all__ = ["DuckFacts", "DuckFile", "DuckSeries"]
