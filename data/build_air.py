"""Build the shippable air extract once: ``python data/build_air.py <path to the shared folder>``."""

import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

SOURCE = Path("data/air_prsa_beijing/prsa_2013_2017.parquet")
TARGET = Path(__file__).parent / "air" / "beijing_2013_2016.parquet"
STATIONS, HOURS = 11, 26_304
LARGEST = 6_000_000


def main(shared: Path) -> int:
    """Copy all columns and rows, sorted by station and time, and refuse an extract that is not the one described."""
    table = pq.read_table(shared / SOURCE).replace_schema_metadata(None)
    plain = table.set_column(table.column_names.index("station"), "station", table["station"].cast(pa.string()))
    plain = plain.set_column(plain.column_names.index("wd"), "wd", plain["wd"].cast(pa.string()))
    ordered = plain.sort_by([("station", "ascending"), ("time", "ascending")])
    if ordered.num_rows != STATIONS * HOURS or len(pc.unique(ordered["station"])) != STATIONS:
        print(
            f"Expected {STATIONS} stations of {HOURS} hours, found {ordered.num_rows} rows: look at the source before shipping it."
        )
        return 1
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(ordered, TARGET, compression="zstd", compression_level=19, row_group_size=HOURS)
    size = TARGET.stat().st_size
    print(f"{TARGET.name}: {ordered.num_rows} rows, {size} bytes.")
    return 0 if size < LARGEST else 1


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Say where the shared folder is: python data/build_air.py <shared>")
    sys.exit(main(Path(sys.argv[1])))
