"""Photos from outside: judged by their header, decoded within limits, kept as our own JPEG of pixels alone (no EXIF, no GPS)."""

import io
from typing import IO, BinaryIO

from PIL import Image, ImageOps

from citybrain.kernel.errors import BadInputError, TooLargeError, UnreadableError
from citybrain.kernel.text import Text

LARGEST = 10 * 1024 * 1024
"""Bytes of the largest photo that is taken."""
SIDE = 2048
"""Pixels of the longer side that are kept."""
KIND = "image/jpeg"
_MOST = {"JPEG": 110_000_000, "MPO": 110_000_000, "PNG": 25_000_000, "WEBP": 25_000_000}
"""Pixels by format: JPEG decodes at a reduced size, the others decode whole."""
_QUALITY = 85

# Pillow would warn by its own measure, and only once the header is read: ours is stricter and always refuses.
Image.MAX_IMAGE_PIXELS = None


def cleaned(stream: IO[bytes]) -> BinaryIO:
    """A photo as a new JPEG, upright, at most SIDE pixels a side.

    Raises TooLargeError by bytes or pixels, BadInputError for a format that is not taken, UnreadableError for a broken one.
    """
    given = stream.read(LARGEST + 1)
    if len(given) > LARGEST:
        mebibytes = LARGEST // 1024 // 1024
        raise TooLargeError(
            Text(f"照片超过 {mebibytes} MB，请压缩后再传。", f"The photo is over {mebibytes} MB. Send a smaller one."),
            limit=LARGEST,
        )
    try:
        with Image.open(io.BytesIO(given), formats=("JPEG", "PNG", "WEBP")) as image:
            _within(image)
            image.draft("RGB", (SIDE, SIDE))
            small = ImageOps.exif_transpose(image).convert("RGB")
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        if given[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftyphevc"):
            raise BadInputError(
                Text("不支持 HEIC 照片，请改为 JPEG 后再传。", "HEIC is not read. Send the photo as JPEG."), field="photo"
            ) from error
        what = Text("照片无法读取。请使用 JPEG、PNG 或 WebP 格式。", "The photo cannot be read. Send JPEG, PNG or WebP.")
        raise UnreadableError(what, field="photo") from error
    small.thumbnail((SIDE, SIDE))
    kept = io.BytesIO()
    # A new picture of the pixels: nothing of the old one's notes comes along.
    Image.frombytes("RGB", small.size, small.tobytes()).save(kept, "JPEG", quality=_QUALITY, optimize=True)
    kept.seek(0)
    return kept


def _within(image: Image.Image) -> None:
    pixels = image.width * image.height
    most = _MOST.get(image.format or "", 0)
    if pixels > most:
        what = Text(
            f"照片有 {pixels // 10_000} 万像素，超过上限 {most // 10_000} 万。请压缩后再传。",
            f"The photo has {pixels / 1e6:.0f} megapixels, over the limit of {most / 1e6:.0f}. Send a smaller one.",
        )
        raise TooLargeError(what, pixels=pixels, limit=most)
