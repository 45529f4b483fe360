"""What the standards leave open, read from parameters.toml: each number there has its source and its mark."""

from dataclasses import dataclass
from pathlib import Path

from citybrain.sdk import Parameter, read_parameters


@dataclass(frozen=True, slots=True)
class Practice:
    """Numbers that are practice or memory rather than text; the meaning of each stands in parameters.toml."""

    cap: int
    o3_windows: int
    o3_counts_above: float
    moving_hours: int
    o3_hours: int
    floor_2012: float
    area_share: float


def number(parameters: tuple[Parameter, ...], name: str) -> float:
    """The latest number of a name; raises ValueError for a missing name or for words."""
    values = [parameter.value for parameter in parameters if parameter.name == name]
    if not values or isinstance(values[-1], str):
        raise ValueError(f"parameters.toml has no number '{name}'. Add a dated entry with its source.")
    return values[-1]


def words(parameters: tuple[Parameter, ...], name: str) -> str:
    """The latest words of a name; raises ValueError for a missing name or for a number."""
    values = [parameter.value for parameter in parameters if parameter.name == name]
    if not values or not isinstance(values[-1], str):
        raise ValueError(f"parameters.toml has no words '{name}'. Add a dated entry with its source.")
    return values[-1]


def practice(parameters: tuple[Parameter, ...]) -> Practice:
    """The practice that a set of parameters describes."""
    return Practice(
        cap=round(number(parameters, "aqi_cap")),
        o3_windows=round(number(parameters, "o3_day_windows")),
        o3_counts_above=number(parameters, "o3_day_counts_above"),
        moving_hours=round(number(parameters, "moving_day_hours")),
        o3_hours=round(number(parameters, "o3_hour_of_day_hours")),
        floor_2012=number(parameters, "missing_rule_floor_2012"),
        area_share=number(parameters, "area_share"),
    )


PARAMETERS = read_parameters(Path(__file__).with_name("parameters.toml"))
PRACTICE = practice(PARAMETERS)
