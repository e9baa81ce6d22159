"""Papers and answers of requests as pictures: nothing of a file itself runs in the browser.

A file is drawn when it is looked at, in the process that checks files; the picture is not stored.
"""

import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import BinaryIO

from rules.files.checks import MediaType
from rules.refusals import Refusal
from services.files.inspection.client import Inspection
from services.files.intake import IMAGE_PIXELS, unavailable_is_refusal
from services.requests.files import Download

DRAWN = frozenset({MediaType.PDF.value, MediaType.JPEG.value})
"""Types of files that have pages."""


@dataclass(frozen=True)
class PageImage:
    """One page."""

    body: bytes
    media_type: str


async def pages_of(inspection: Inspection, download: Download) -> int:
    """How many pages a file has. Raises Refusal 404 and 503."""
    async with _kept_aside(download) as file:
        report = await inspection.examine(file, [MediaType(download.media_type)])
    if report.pages is None:
        raise _cannot_be_shown()
    return report.pages


async def picture(inspection: Inspection, download: Download, page: int) -> PageImage:
    """A page (from 1) as a picture. Raises Refusal 404 and 503."""
    async with _kept_aside(download) as file:
        drawn = await inspection.draw(file, MediaType(download.media_type), page, IMAGE_PIXELS)
        if drawn is None:
            raise _cannot_be_shown()
        made, media_type = drawn
        with made:
            size = os.fstat(made.fileno()).st_size
            return PageImage(os.pread(made.fileno(), size, 0), media_type)


@asynccontextmanager
async def _kept_aside(download: Download) -> AsyncIterator[BinaryIO]:
    """The file in a nameless temporary file, for the length of the block."""
    if download.media_type not in DRAWN:
        await download.opened.close()
        raise _cannot_be_shown()
    with unavailable_is_refusal(), tempfile.TemporaryFile(buffering=0) as file:
        async for chunk in download.opened.chunks():
            file.write(chunk)
        yield file


def _cannot_be_shown() -> Refusal:
    return Refusal("cannot_be_shown", "Этот файл нельзя показать на странице. Скачайте его.", 404)
