"""Reading a JPEG that may be harmful. Runs only inside a process that can be killed."""

import mmap
import warnings
from typing import Any, BinaryIO

from PIL import Image, ImageOps

from rules.files.checks import Code, FileLimits, Finding, photo_dpi
from services.files.inspection.endings import behind_jpeg
from services.files.inspection.marks import has_mark

_LOOK = 8
"""Decoding at an eighth of the size reads all of the data, and needs little memory."""


def examine(file: BinaryIO, limits: FileLimits) -> dict[str, Any]:
    """The findings, the number of pages (one), and the resolution."""
    report: dict[str, Any] = {"pages": 1, "dpi": None, "mark": None, "findings": []}
    Image.MAX_IMAGE_PIXELS = None
    try:
        with warnings.catch_warnings(), Image.open(file, formats=["JPEG"]) as picture:
            warnings.simplefilter("ignore")
            width, height = picture.size
            if width * height > limits.pixels:
                facts = {"limit_mp": limits.pixels // 1_000_000}
                report["findings"] = [Finding(Code.TOO_MANY_PIXELS, facts)]
                return report
            density = picture.info.get("dpi")
            report["dpi"] = photo_dpi(
                (width, height), (float(density[0]), float(density[1])) if density else None
            )
            picture.draft(None, (width // _LOOK or 1, height // _LOOK or 1))
            picture.load()
            report["mark"] = has_mark(picture)
    except (OSError, ValueError, SyntaxError, TypeError, KeyError, ArithmeticError):
        report["findings"] = [Finding(Code.DAMAGED)]
        return report
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        code = behind_jpeg(content)
    report["findings"] = [Finding(code)] if code else []
    return report


def render(file: BinaryIO, longest: int, out: BinaryIO) -> str:
    """Encode the picture again, upright, without metadata. Returns the media type."""
    Image.MAX_IMAGE_PIXELS = None
    with Image.open(file, formats=["JPEG"]) as picture:
        picture.draft("RGB", (longest, longest))
        shown = ImageOps.exif_transpose(picture).convert("RGB")
        shown.thumbnail((longest, longest))
        Image.frombytes("RGB", shown.size, shown.tobytes()).save(out, format="JPEG", quality=85)
    return "image/jpeg"
