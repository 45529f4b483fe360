"""Photos as phones write them: with the time and the place of taking, or without."""

import io
from datetime import datetime
from fractions import Fraction

from PIL import ExifTags, Image, TiffImagePlugin

from citybrain.kernel.places import Place


def photograph(at: datetime | None = None, place: Place | None = None, colour: str = "red") -> bytes:
    """A JPEG that says when (with its offset, where the time has one) and where it was taken."""
    noted = Image.Exif()
    if at is not None:
        own = noted.get_ifd(ExifTags.IFD.Exif)
        own[ExifTags.Base.DateTimeOriginal] = at.strftime("%Y:%m:%d %H:%M:%S")
        if at.tzinfo is not None:
            offset = at.strftime("%z")
            own[ExifTags.Base.OffsetTimeOriginal] = f"{offset[:3]}:{offset[3:]}"
    if place is not None:
        where = noted.get_ifd(ExifTags.IFD.GPSInfo)
        where[ExifTags.GPS.GPSLongitudeRef], where[ExifTags.GPS.GPSLongitude] = "EW"[place.lon < 0], _parts(place.lon)
        where[ExifTags.GPS.GPSLatitudeRef], where[ExifTags.GPS.GPSLatitude] = "NS"[place.lat < 0], _parts(place.lat)
    made = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(made, "JPEG", exif=noted)
    return made.getvalue()


def _parts(degrees: float) -> tuple[TiffImagePlugin.IFDRational, ...]:
    whole, rest = divmod(abs(degrees), 1)
    minutes, rest = divmod(rest * 60, 1)
    return tuple(TiffImagePlugin.IFDRational(Fraction(part).limit_denominator(10_000)) for part in (whole, minutes, rest * 60))
