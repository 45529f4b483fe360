"""Dated parameters of a pack, read from its ``parameters.toml``: each value with its source and how sure that is."""

import tomllib
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from citybrain.kernel.errors import DeclarationError
from citybrain.kernel.pack import Parameter
from citybrain.kernel.text import Text


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    value: float | str
    since: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
    source: str
    mark: Literal["confirmed", "secondary", "memory", "local"]
    title: Text | None = None
    unit: str = "1"
    range: tuple[float, float] | None = None


def read_parameters(path: Path) -> tuple[Parameter, ...]:
    """Read ``[parameters.<name>]`` tables, each a list of dated values; other tables are the pack's own.

    Raises DeclarationError with the file's name.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8")).get("parameters", {})
        entries = msgspec.convert(tables, dict[str, list[_Entry]])
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        what = Text(f"参数文件 {path.name} 有误：{error}", f"The parameters in {path.name} are wrong: {error}")
        raise DeclarationError(what, file=path.name) from error
    return tuple(
        Parameter(name, entry.value, entry.since, entry.source, entry.mark, entry.title, entry.unit, entry.range)
        for name, dated in entries.items()
        for entry in sorted(dated, key=lambda entry: entry.since)
    )


def in_force(parameters: tuple[Parameter, ...], day: str) -> dict[str, float | str]:
    """The values in force on a local date ``YYYY-MM-DD``; dates compare as text."""
    dated = sorted((parameter for parameter in parameters if parameter.since <= day), key=lambda parameter: parameter.since)
    return {parameter.name: parameter.value for parameter in dated}
