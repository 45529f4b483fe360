"""What a photo says of itself: when and where it was taken (EXIF 2.32, CIPA DC-008). Nothing of it is kept but what follows from it."""

import io
from collections.abc import Mapping
from datetime import datetime
from fractions import Fraction
from typing import Final

import msgspec
from PIL import ExifTags, Image

from citybrain.kernel.instant import Instant, at
from citybrain.kernel.places import Place

_HERE: Final = "+08:00"
"""The offset of a photo that does not say its own: that of the district."""


class Taken(msgspec.Struct, frozen=True):
    """When a photo was taken and where (WGS 84, as phones write it); None where it does not say."""

    at: Instant | None = None
    place: Place | None = None


def taken(photo: bytes) -> Taken:
    """What a photo says of itself; nothing for one that cannot be read, which is refused elsewhere."""
    try:
        with Image.open(io.BytesIO(photo), formats=("JPEG", "PNG", "WEBP")) as image:
            noted = image.getexif()
            own, where = noted.get_ifd(ExifTags.IFD.Exif), noted.get_ifd(ExifTags.IFD.GPSInfo)
    except (OSError, SyntaxError, ValueError, EOFError, KeyError):
        return Taken()
    return Taken(_when(own), _where(where))


def _when(own: Mapping[int, object]) -> Instant | None:
    said, offset = own.get(ExifTags.Base.DateTimeOriginal), own.get(ExifTags.Base.OffsetTimeOriginal)
    if not isinstance(said, str):
        return None
    zone = offset.strip("\x00 ") if isinstance(offset, str) else ""
    try:
        return at(datetime.strptime(said.strip("\x00 ") + (zone or _HERE), "%Y:%m:%d %H:%M:%S%z"))
    except ValueError:
        return None


def _where(said: Mapping[int, object]) -> Place | None:
    lon = _degrees(said.get(ExifTags.GPS.GPSLongitude), said.get(ExifTags.GPS.GPSLongitudeRef), "W")
    lat = _degrees(said.get(ExifTags.GPS.GPSLatitude), said.get(ExifTags.GPS.GPSLatitudeRef), "S")
    if lon is None or lat is None or not (-180 <= lon <= 180 and -90 <= lat <= 90):
        return None
    # A phone that found no satellite writes zeros.
    return None if lon == lat == 0 else Place(lon, lat)


def _degrees(said: object, side: object, negative: str) -> float | None:
    """Degrees, minutes and seconds as one number."""
    if not isinstance(said, tuple) or len(said) != 3:
        return None
    try:
        degrees, minutes, seconds = (float(Fraction(part)) for part in said)
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    size = degrees + minutes / 60 + seconds / 3600
    return -size if isinstance(side, str) and side.strip("\x00 ").upper() == negative else size
