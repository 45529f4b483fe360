"""The tables of the series store. None has a primary key: it would make an append five times slower."""

import pyarrow as pa

_STORED_TYPES: dict[str, pa.DataType] = {
    "seq": pa.int64(),
    "stream_no": pa.int32(),
    "time": pa.int64(),
    "value": pa.float64(),
    "received": pa.int64(),
    "door": pa.int32(),
}
STORED = pa.schema(_STORED_TYPES)
"""An observation as it lies in the hot table and in Parquet; ``door`` is a number, times are µs UTC."""
COLUMNS = ", ".join(STORED.names)

DDL = """
CREATE SCHEMA IF NOT EXISTS series;
CREATE TABLE IF NOT EXISTS series.obs(
    seq BIGINT, stream_no INTEGER, time BIGINT, value DOUBLE, received BIGINT, door INTEGER);
CREATE TABLE IF NOT EXISTS series.hot_day(day INTEGER);
CREATE TABLE IF NOT EXISTS series.batch(
    id VARCHAR, key BIGINT, received BIGINT, door INTEGER, stored BIGINT, duplicate BIGINT, refused VARCHAR, last_seq BIGINT);
CREATE TABLE IF NOT EXISTS series.door(
    no INTEGER, name VARCHAR, received BIGINT, stored BIGINT, duplicate BIGINT, refused VARCHAR, last BIGINT);
CREATE TABLE IF NOT EXISTS series.segment(
    name VARCHAR, path VARCHAR, day INTEGER, low BIGINT, high BIGINT, rows BIGINT, first_seq BIGINT, last_seq BIGINT);
CREATE TABLE IF NOT EXISTS series.closed_latest(
    seq BIGINT, stream_no INTEGER, time BIGINT, value DOUBLE, received BIGINT, door INTEGER);
CREATE TABLE IF NOT EXISTS series.deletion(
    id VARCHAR, kind VARCHAR, days INTEGER, before BIGINT, wall BIGINT, file VARCHAR, first BIGINT, last BIGINT, rows BIGINT,
    streams BIGINT, digest VARCHAR, doors VARCHAR, erased BIGINT);
CREATE TABLE IF NOT EXISTS series.shipped(store VARCHAR, path VARCHAR, whole BOOLEAN);
CREATE TABLE IF NOT EXISTS series.journal(stored BIGINT);
INSERT INTO series.journal SELECT 0 WHERE NOT EXISTS (FROM series.journal);
CREATE TABLE IF NOT EXISTS fact_position(name VARCHAR, position BIGINT);
"""
"""hot_day: the days of which obs may hold rows. batch: the last 24 h; its counts are not yet in door. journal: the group
up to which everything is in these tables. deletion: what was deleted, for ever.
shipped: the files that an object store holds, or may hold where they are not whole."""
