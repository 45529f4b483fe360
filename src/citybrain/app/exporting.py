"""A dataset as a file, by whoever stands at the machine; beside a file of readings its manifest."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from citybrain.app.city import City
from citybrain.brain.exchange import MEDIA_TYPES, Format, marked
from citybrain.doors.api import asking
from citybrain.doors.api.plain import mapping
from citybrain.kernel.access import Caller
from citybrain.kernel.errors import BadInputError
from citybrain.kernel.text import Text

_PURPOSE: Final = "command line"
_OFFICER: Final = Caller("command-line", _PURPOSE, frozenset({"data_officer"}))


def form(file: Path) -> Format:
    """The form that a file's name asks for; raises BadInputError."""
    found = next((form for form in MEDIA_TYPES if file.suffix == f".{form}"), None)
    if found is None:
        ends = ", ".join(f".{form}" for form in MEDIA_TYPES)
        raise BadInputError(Text(f"文件名须以 {ends} 之一结尾。", f"The file must end in one of {ends}."))
    return found


def export(city: City, name: str, file: Path, form: Format, where: Sequence[str]) -> Iterator[Path]:
    """Write what the words (``column.op=value``) ask of a dataset; the paths that were written.

    Raises NotFoundError, BadInputError and what else the reader raises, before anything is written.
    """
    dataset, reader = city.catalogue.describe(name), city.guard.exporter(_OFFICER, _PURPOSE)
    asked = asking.query(dataset, [_word(said) for said in where])
    pieces = city.catalogue.export(reader, asked, form)
    with file.open("wb") as out:
        out.writelines(pieces)
    yield file
    if marked(dataset):
        beside = file.with_name(f"{file.name}.manifest.json")
        told = mapping(city.catalogue.manifest(reader, asked))
        beside.write_bytes(msgspec.json.format(msgspec.json.encode(told)))
        yield beside


def _word(said: str) -> tuple[str, str]:
    name, _, value = said.partition("=")
    return name, value
