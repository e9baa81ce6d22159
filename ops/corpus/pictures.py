"""Good and bad JPEGs."""

import io
import struct
from collections.abc import Callable, Mapping
from functools import cache
from random import Random

from PIL import Image

_ZIP = b"PK\x03\x04" + bytes(26) + b"PK\x05\x06" + bytes(18)
_BEHIND = (
    _ZIP, b"MZ" + bytes(400), b"<script>hidden</script>", b"%PDF-1.7\n1 0 obj", b"#!/bin/sh\n",
    bytes(90) + _ZIP, b"GIF89a" + bytes(40), b"\x7fELF" + bytes(60), b"x",
)  # fmt: skip


def picture(size: tuple[int, int], mode: str = "RGB") -> Image.Image:
    """A picture of a sheet: shades, so that it packs like one."""
    return Image.linear_gradient("L").resize(size).convert(mode)


@cache
def sheet(size: tuple[int, int], mode: str) -> bytes:
    """The picture as JPEG; the same ones are needed again and again."""
    out = io.BytesIO()
    picture(size, mode).save(out, "JPEG", quality=40, dpi=(300, 300))
    return out.getvalue()


def _small(rng: Random) -> tuple[int, int]:
    return rng.randint(1, 900), rng.randint(1, 900)


def photograph(rng: Random, size: tuple[int, int] | None = None) -> bytes:
    """As cameras write it: in steps, turned by its notes, with a preview or padding behind."""
    out, exif = io.BytesIO(), Image.Exif()
    exif[0x0112], exif[0x010F] = rng.randint(1, 8), "Camera"
    picture(size or _small(rng), rng.choice(("L", "RGB", "CMYK"))).save(
        out,
        "JPEG",
        quality=rng.randint(20, 95),
        progressive=rng.random() < 0.5,
        optimize=rng.random() < 0.5,
        exif=exif if rng.random() < 0.8 else b"",
        dpi=rng.choice(((72, 72), (300, 300), (96, 96))),
        comment=rng.choice((b"", b"at home", "дома".encode())),
    )
    behind = (b"", b"", bytes(rng.randint(1, 4000)), b"\r\n", sheet((160, 120), "RGB"))
    return out.getvalue() + rng.choice(behind)


def scanned(rng: Random) -> bytes:
    """A sheet of 300 dpi, which is enough where a resolution is required."""
    return sheet((2480, 3508), rng.choice(("L", "RGB")))


def coarse(rng: Random) -> bytes:
    """A sheet of less than 300 dpi, which says so."""
    side = rng.randint(100, 299)
    return sheet((round(2480 * side / 300), round(3508 * side / 300)), "L").replace(
        struct.pack(">HH", 300, 300), struct.pack(">HH", side, side), 1
    )


def _plain(rng: Random) -> bytes:
    out = io.BytesIO()
    size = rng.randint(60, 400), rng.randint(60, 400)
    picture(size).save(out, "JPEG", progressive=rng.random() < 0.5)
    return out.getvalue()


def _cut(rng: Random) -> bytes:
    made = _plain(rng)
    return made[: rng.randint(4, len(made) - 2)]


def _wrong_marker(rng: Random) -> bytes:
    """One of the tables that no decoder can do without has another name, or its length is wrong."""
    made = bytearray(_plain(rng))
    at = next(made.find(b"\xff" + mark) for mark in (b"\xc0", b"\xc2") if b"\xff" + mark in made)
    if rng.random() < 0.5:
        made[at + 1] = rng.choice((0xC3, 0xC5, 0xC7, 0xCB, 0xCD, 0x02, 0xFD))
    else:
        made[at + 2 : at + 4] = struct.pack(">H", rng.choice((0, 1, 2, 7, 65535)))
    return bytes(made)


def _huge(rng: Random) -> bytes:
    """A head that says more than 60 megapixels, with little behind it."""
    made = _plain(rng)
    at = next(made.find(b"\xff" + mark) for mark in (b"\xc0", b"\xc2") if b"\xff" + mark in made)
    height, width = rng.randint(9000, 65535), rng.randint(9000, 65535)
    return made[: at + 5] + struct.pack(">HH", height, width) + made[at + 9 :]


def _behind(rng: Random) -> bytes:
    return _plain(rng) + rng.choice(_BEHIND)


def _in_comment(rng: Random) -> bytes:
    """An archive in the head of the picture, complete up to the last byte of the file."""
    made = _plain(rng)
    inside = _ZIP[:-2] + struct.pack("<H", len(made) - 2)
    return made[:2] + b"\xff\xfe" + struct.pack(">H", len(inside) + 2) + inside + made[2:]


def many_scans(rng: Random) -> bytes:
    """Progressive, with its last scan over and over again: little to send, long to decode."""
    out = io.BytesIO()
    picture((3000, 3000), "L").save(out, "JPEG", progressive=True, quality=30)
    made = out.getvalue()
    scan = made[made.rindex(b"\xff\xda") : -2]
    return made[:-2] + scan * min(rng.randint(20, 400), 8_000_000 // len(scan)) + b"\xff\xd9"


GOOD_PICTURES: Mapping[str, Callable[[Random], bytes]] = {
    "photograph": photograph,
    "photograph of a telephone": lambda rng: photograph(rng, (4032, 3024)),
}
BAD_PICTURES: Mapping[str, Callable[[Random], bytes]] = {
    "JPEG cut off": _cut,
    "JPEG with wrong markers": _wrong_marker,
    "JPEG of huge dimensions": _huge,
    "JPEG with something behind it": _behind,
    "JPEG that is an archive too": _in_comment,
}
