"""Apache Spark through Spark Connect: the history that one machine has outgrown, over the same closed files in an object store."""

from citybrain.engines.spark.series import SparkSeries

__all__ = ["SparkSeries"]
