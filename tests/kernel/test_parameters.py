"""Dated parameters."""

from pathlib import Path

import pytest

from citybrain.kernel.errors import DeclarationError
from citybrain.kernel.pack import Parameter
from citybrain.kernel.parameters import in_force, read_parameters

GOOD = """
[[parameters.limit]]
value = 75.0
since = "2026-03-01"
source = "GB 3095-2026"
mark = "confirmed"

[[parameters.limit]]
value = 80.0
since = "2016-01-01"
source = "GB 3095-2012"
mark = "confirmed"

[own]
anything = 1
"""


def written(folder: Path, text: str) -> Path:
    file = folder / "parameters.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_values_are_read_in_order_of_their_dates(tmp_path: Path) -> None:
    read = read_parameters(written(tmp_path, GOOD))

    assert [(parameter.name, parameter.value, parameter.since) for parameter in read] == [
        ("limit", 80.0, "2016-01-01"),
        ("limit", 75.0, "2026-03-01"),
    ]


def test_the_value_in_force_changes_on_its_day(tmp_path: Path) -> None:
    read = read_parameters(written(tmp_path, GOOD))

    assert in_force(read, "2026-02-28") == {"limit": 80.0}
    assert in_force(read, "2026-03-01") == {"limit": 75.0}
    assert in_force(read, "2015-12-31") == {}


def test_the_newest_value_counts_in_whatever_order_they_are_handed_in() -> None:
    newest = Parameter("limit", 2.0, "2026-01-01", "s", "local")
    oldest = Parameter("limit", 1.0, "2020-01-01", "s", "local")

    assert in_force((newest, oldest), "2026-06-01") == {"limit": 2.0}


@pytest.mark.parametrize(
    "fault",
    [
        "[[parameters.limit",
        GOOD.replace('mark = "confirmed"', 'mark = "surely"'),
        GOOD.replace('source = "GB 3095-2026"', ""),
        GOOD.replace('"2026-03-01"', '"2026-3-1"'),
        GOOD.replace("value = 75.0", "value = 75.0\nlength = 'm'"),
    ],
)
def test_a_fault_names_the_file(tmp_path: Path, fault: str) -> None:
    with pytest.raises(DeclarationError, match=r"parameters\.toml"):
        read_parameters(written(tmp_path, fault))
