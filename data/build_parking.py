"""Build the shippable parking extract once: ``python data/build_parking.py <path to the shared folder>``."""

import gzip
import sys
from pathlib import Path

import polars as pl

SOURCE = Path("data/parking_birmingham/parking_birmingham.csv.gz")
TARGET = Path(__file__).parent / "parking" / "birmingham_2016.parquet"
LARGEST = 1_000_000


def main(shared: Path) -> int:
    """Copy every row as it is, faults included: cleaning them is the pack's work."""
    with gzip.open(shared / SOURCE) as file:
        rows = pl.read_csv(file.read(), schema_overrides={"Capacity": pl.Int32, "Occupancy": pl.Int32})
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    rows.sort("SystemCodeNumber", "LastUpdated", maintain_order=True).write_parquet(
        TARGET, compression="zstd", compression_level=19
    )
    size = TARGET.stat().st_size
    print(f"{TARGET.name}: {rows.height} rows, {rows['SystemCodeNumber'].n_unique()} car parks, {size} bytes.")
    return 0 if size < LARGEST else 1


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Say where the shared folder is: python data/build_parking.py <shared>")
    sys.exit(main(Path(sys.argv[1])))
