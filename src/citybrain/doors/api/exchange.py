"""What exchange offers over HTTP: the catalogue, the rows of every dataset, exports with their manifests, and lineage."""

from collections.abc import Iterator
from typing import Final
from urllib.parse import quote

from anyio import to_thread
from litestar import get
from litestar.params import FromPath
from litestar.response import Stream

from citybrain.brain.exchange import COORDINATES, MEDIA_TYPES, Format
from citybrain.doors.api import asking
from citybrain.doors.api.caller import asks, purpose, words
from citybrain.doors.api.parts import ApiParts, Call, Parts
from citybrain.doors.api.plain import mapping
from citybrain.doors.api.rows import Rows, listed
from citybrain.kernel.datasets import Dataset, Edge
from citybrain.kernel.errors import ForbiddenError
from citybrain.kernel.text import Text

_FORMS: Final[tuple[Format, ...]] = ("csv", "json", "parquet", "geojson")


@get("/datasets", opt=asks("catalogue.read"), sync_to_thread=True)
def datasets(parts: Parts) -> tuple[Dataset, ...]:
    """Every dataset of the catalogue with its columns, owner, kind of sharing and origin."""
    return parts.catalogue.all()


@get("/datasets/{name:str}", opt=asks("catalogue.read"), sync_to_thread=True)
def dataset(parts: Parts, name: FromPath[str]) -> dict[str, object]:
    """One dataset of the catalogue with what it is made from and what is made from it."""
    return dict(mapping(parts.catalogue.page(name)))


@get("/datasets/{name:str}/rows", opt=asks("dataset.read", columns=True), sync_to_thread=True)
def rows(request: Call, parts: Parts, name: FromPath[str]) -> Rows:
    """Rows of a dataset that this caller may see, by any of its columns."""
    return listed(parts, request, name)


@get([f"/datasets/{{name:str}}/export.{form}" for form in _FORMS], opt=asks("dataset.read", columns=True))
async def export(request: Call, parts: Parts, name: FromPath[str]) -> Stream:
    """All rows that this caller may carry away as CSV, JSON, Parquet or GeoJSON; each export stands in the audit trail."""
    return await to_thread.run_sync(_file, request, parts, name)


@get("/datasets/{name:str}/export.manifest", opt=asks("dataset.read", columns=True), sync_to_thread=True)
def manifest(request: Call, parts: Parts, name: FromPath[str]) -> dict[str, object]:
    """What an export with the same words holds: columns, rows, and of readings how many of which mark and how many are left out."""
    asked = asking.query(parts.catalogue.describe(name), words(request))
    return dict(mapping(parts.catalogue.manifest(parts.guard.exporter(request.user, purpose(request)), asked)))


@get("/lineage", opt=asks("lineage.read"), sync_to_thread=True)
def lineage(parts: Parts) -> tuple[Edge, ...]:
    """What is made from what, and by which job."""
    return parts.catalogue.edges()


def _file(request: Call, parts: ApiParts, name: str) -> Stream:
    form = next(form for form in _FORMS if request.url.path.endswith(f".{form}"))
    hidden = frozenset[str]() if request.user.known or parts.map_approved else COORDINATES
    if form == "geojson" and hidden:
        what = Text(
            "地图审图号登记之前，不向未登录者提供坐标。请登录，或下载其他格式。",
            "Before a map approval number is entered, nobody who is not signed in gets coordinates. Sign in, or choose another format.",
        )
        raise ForbiddenError(what, format=form)
    asked = asking.query(parts.catalogue.describe(name), words(request))
    pieces: Iterator[bytes] = parts.catalogue.export(parts.guard.exporter(request.user, purpose(request)), asked, form, hidden)
    file = quote(parts.catalogue.file_name(name, form))
    said = f"?{request.url.query}" if request.url.query else ""
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{file}",
        "Cache-Control": "no-store",
        "Link": f'<export.manifest{said}>; rel="describedby"; type="application/json"',
    }
    return Stream(pieces, media_type=MEDIA_TYPES[form], headers=headers)


HANDLERS = (datasets, dataset, rows, export, manifest, lineage)
