"""Photos from outside: bombs are refused unread, and what is kept holds pixels and nothing else."""

import io
import struct
import zlib

import pytest
from PIL import Image

from citybrain.brain.act.photos import LARGEST, SIDE, cleaned
from citybrain.kernel.errors import BadInputError, TooLargeError, UnreadableError


def picture(size: tuple[int, int] = (64, 48), kind: str = "JPEG", **more: object) -> io.BytesIO:
    """A red picture as somebody sends it."""
    made = io.BytesIO()
    Image.new("RGB", size, "red").save(made, kind, **more)
    made.seek(0)
    return made


def bomb(width: int, height: int) -> io.BytesIO:
    """A PNG whose header promises so many pixels, in a few bytes."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return io.BytesIO(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    )


def test_where_and_with_what_a_photo_was_taken_is_not_kept() -> None:
    exif = Image.Exif()
    exif[0x010F] = "Kamera GmbH"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (39.0, 6.0, 21.5)
    given = picture(exif=exif, comment=b"secret words")
    assert b"Kamera" in given.getvalue()

    kept = cleaned(given).read()

    with Image.open(io.BytesIO(kept)) as image:
        assert dict(image.getexif()) == {}
        assert image.format == "JPEG"
        assert "comment" not in image.info
    assert b"Kamera" not in kept
    assert b"secret words" not in kept


def test_a_photo_taken_sideways_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6

    with Image.open(cleaned(picture((64, 48), exif=exif))) as image:
        assert image.size == (48, 64)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_the_longer_side_is_at_most_2048_pixels(kind: str) -> None:
    with Image.open(cleaned(picture((4096, 1024), kind))) as image:
        assert image.size == (SIDE, 512)


@pytest.mark.parametrize("size", [(20_000, 20_000), (2_000_000_000, 2), (5001, 5000)])
def test_a_bomb_is_refused_by_its_header(size: tuple[int, int]) -> None:
    with pytest.raises((TooLargeError, UnreadableError)):
        cleaned(bomb(*size))


def test_bytes_over_the_limit_are_not_read_to_their_end() -> None:
    stream = io.BytesIO(b"\xff" * (LARGEST * 2))

    with pytest.raises(TooLargeError):
        cleaned(stream)
    assert stream.tell() == LARGEST + 1


@pytest.mark.parametrize("junk", [b"", b"<svg onload='alert(1)'/>", b"GIF89a" + b"\0" * 50, b"\xff\xd8\xff\xe0" + b"\0" * 99])
def test_what_is_no_photo_is_refused(junk: bytes) -> None:
    with pytest.raises(UnreadableError):
        cleaned(io.BytesIO(junk))


def test_a_photo_cut_short_is_refused() -> None:
    with pytest.raises(UnreadableError):
        cleaned(io.BytesIO(picture((800, 600)).getvalue()[:-900]))


def test_a_heic_photo_is_told_what_to_send() -> None:
    with pytest.raises(BadInputError, match="HEIC"):
        cleaned(io.BytesIO(b"\0\0\0\x18ftypheic" + b"\0" * 64))
