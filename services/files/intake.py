"""Files: checked while they are uploaded, read from the store, drawn as pictures, and swept.

An upload passes through this process once: each piece is written to one nameless temporary file,
which is then checked, and sent on to the object store, before the next piece is taken.
"""

import os
import tempfile
import time
from collections.abc import AsyncIterable, AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import BinaryIO
from uuid import UUID

import structlog
from sqlmodel import col, select

from clients.antivirus import Antivirus, AntivirusDownError
from clients.database import Database
from clients.objects import (
    CHUNK,
    CutOffError,
    ObjectMissingError,
    Objects,
    ObjectsDownError,
    ObjectStream,
)
from models.tables.documents import DocumentVersion
from rules.files.checks import START, Code, Finding, MediaType, claimed_types, too_big, type_of
from rules.refusals import Refusal
from services.files.inspection.client import Inspection, InspectionDownError, InspectionReport

FOLDER = "documents"
ORIGINAL = "original"
SWEEP_AFTER = timedelta(days=30)
IMAGE_PIXELS = 1800
"""The longer side of a page as it is shown, in pixels: A4 at about 150 dpi."""

_SWEPT_TOGETHER = 500
_HELD_SECONDS = 1.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Incoming:
    """A file as a client sends it. `size` is the announced size in bytes, None if there is none.

    `giver` is the person whose file it is, once known.
    """

    chunks: AsyncIterable[bytes]
    file_name: str | None
    content_type: str | None
    size: int | None = None
    giver: UUID | None = None


@dataclass(frozen=True)
class Received:
    """The result of an upload. A file with findings is not stored: its key is None.

    `sha256` is None if the file was refused before it was read to its end.
    """

    key: str | None
    media_type: MediaType | None
    size: int
    sha256: str | None
    findings: tuple[Finding, ...] = ()
    pages: int | None = None
    dpi: int | None = None
    mark: bool | None = None
    scanned: bool = False


@dataclass(frozen=True)
class Drawn:
    """A picture that is not stored; it is read like an object of the store."""

    body: bytes
    media_type: str

    @property
    def length(self) -> int:
        """Its size in bytes."""
        return len(self.body)

    async def chunks(self) -> AsyncIterator[bytes]:
        """The whole picture."""
        yield self.body

    async def close(self) -> None:
        """Do nothing: no connection is open."""


class _TooBigError(ValueError):
    """The upload has more bytes than allowed."""


class _Spool:
    """Passes a file on, and writes it to one nameless temporary file for the check."""

    def __init__(self, file: BinaryIO, limit: int) -> None:
        self.file = file
        self.size = 0
        self._limit = limit

    async def through(self, chunks: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
        """The same bytes in pieces of about CHUNK. Raises _TooBigError if there are too many.

        From a slow client they are passed on every second, so that the store does not time out.
        """
        waiting: list[bytes] = []
        held, passed_on = 0, time.monotonic()
        async for chunk in chunks:
            waiting.append(chunk)
            held += len(chunk)
            if self.size + held > self._limit:
                self.size += held
                raise _TooBigError
            if held >= CHUNK or time.monotonic() > passed_on + _HELD_SECONDS:
                yield self._keep(waiting, held)
                waiting, held, passed_on = [], 0, time.monotonic()
        if held:
            yield self._keep(waiting, held)

    def _keep(self, waiting: list[bytes], held: int) -> bytes:
        """Join the chunks since the last piece and store them: each piece costs several calls."""
        piece = waiting[0] if len(waiting) == 1 else b"".join(waiting)
        self.file.write(piece)
        self.size += held
        return piece

    async def again(self) -> AsyncIterator[bytes]:
        """The contents of the temporary file in pieces."""
        for start in range(0, self.size, CHUNK):
            yield os.pread(self.file.fileno(), CHUNK, start)


class Files:
    """The files of documents. Needs the object store, the checking process, perhaps an antivirus.

    If one of them is down, methods raise Refusal 503: nothing was stored, try again.
    """

    def __init__(
        self, objects: Objects, inspection: Inspection, antivirus: Antivirus | None = None
    ) -> None:
        self.objects = objects
        self.inspection = inspection
        self.antivirus = antivirus

    @property
    def limit(self) -> int:
        """The largest file, in bytes."""
        return self.inspection.limits.octets

    async def receive(
        self, incoming: Incoming, minimum_dpi: int | None, folder: str = FOLDER
    ) -> Received:
        """Take in one file, check it, and store it in the folder if it is good.

        Raises Refusal 503, and whatever the client's stream raises.
        """
        limit = self.limit
        early = _refused_unread(incoming, limit)
        if early is not None:
            return Received(None, None, incoming.size or 0, None, (early,))
        chunks = aiter(incoming.chunks)
        start = await _start_of(chunks)
        claims = claimed_types(incoming.content_type, incoming.file_name)
        found = type_of(start, claims) if start else Finding(Code.EMPTY)
        if isinstance(found, Finding):
            return Received(None, None, incoming.size or len(start), None, (found,))
        spool = _Spool(self.inspection.intake(), limit)
        with spool.file, unavailable_is_refusal():
            try:
                passing = spool.through(_chained(start, chunks))
                return await self._receive(passing, incoming, spool, found, minimum_dpi, folder)
            except _TooBigError:
                return Received(None, found, spool.size, None, (too_big(limit),))
            except CutOffError:
                cut = Finding(Code.CUT_OFF)
                return Received(None, found, spool.size, None, (cut,))

    async def _receive(
        self,
        passing: AsyncIterator[bytes],
        incoming: Incoming,
        spool: _Spool,
        media_type: MediaType,
        minimum_dpi: int | None,
        folder: str,
    ) -> Received:
        key = f"{Objects.fresh_key(folder)}/{ORIGINAL}"
        if incoming.size is None:
            # The store needs the length beforehand: check first, then send only good files.
            digest = await _digest(passing)
            report = await self._examine(spool, media_type, minimum_dpi, incoming.giver)
            if report.good:
                await self.objects.put(key, spool.again(), spool.size, media_type.value)
        else:
            stored = await self.objects.put(key, passing, incoming.size, media_type.value)
            digest = stored.sha256
            try:
                report = await self._examine(spool, media_type, minimum_dpi, incoming.giver)
            except BaseException:
                await self.discard(key)
                raise
            if not report.good:
                await self.discard(key)
        return Received(
            key if report.good else None,
            media_type,
            spool.size,
            digest,
            report.findings,
            report.pages,
            report.dpi,
            mark=report.mark,
            scanned=self.antivirus is not None,
        )

    async def _examine(
        self, spool: _Spool, media_type: MediaType, minimum_dpi: int | None, giver: UUID | None
    ) -> InspectionReport:
        report = await self.inspection.examine(spool.file, [media_type], minimum_dpi, giver)
        if report.good and self.antivirus is not None:
            threat = await self.antivirus.scan(spool.again())
            if threat is not None:
                _log.warning("an antivirus found a threat", threat=threat)
                return replace(report, findings=(Finding(Code.INFECTED),))
        return report

    async def discard(self, key: str) -> None:
        """Remove an object that no row names. If that fails now, it is swept later."""
        with suppress(ObjectsDownError):
            await self.objects.remove(key)

    async def open(self, key: str, first: int = 0, last: int | None = None) -> ObjectStream:
        """Open a stored file.

        Raises Refusal 503 if the store is down, 404 if it has lost the file.
        """
        with unavailable_is_refusal():
            return await self.objects.open(key, first, last)

    async def draw(self, key: str, media_type: MediaType, page: int) -> tuple[str, str, int] | None:
        """Draw a page (from 1) of a stored file, and store the picture beside it.

        Returns key, media type and size; None if there is no such page. Drawing again gives the
        same. Raises Refusal 503 or 404.
        """
        async with self._drawn(key, media_type, page) as drawn:
            if drawn is None:
                return None
            picture, size, picture_type = drawn
            at = f"{key.rpartition('/')[0]}/page-{page}"
            await self.objects.put(at, _pieces(picture, size), size, picture_type)
            return at, picture_type, size

    async def picture(self, key: str, media_type: MediaType) -> Drawn | None:
        """Draw the first page of a stored file without storing the picture.

        Raises as `draw` does.
        """
        async with self._drawn(key, media_type, 1) as drawn:
            if drawn is None:
                return None
            picture, size, picture_type = drawn
            return Drawn(os.pread(picture.fileno(), size, 0), picture_type)

    @asynccontextmanager
    async def _drawn(
        self, key: str, media_type: MediaType, page: int
    ) -> AsyncIterator[tuple[BinaryIO, int, str] | None]:
        with unavailable_is_refusal(), tempfile.TemporaryFile(buffering=0) as original:
            opened = await self.objects.open(key)
            async for chunk in opened.chunks():
                original.write(chunk)
            drawn = await self.inspection.draw(original, media_type, page, IMAGE_PIXELS)
            if drawn is None:
                yield None
                return
            picture, picture_type = drawn
            with picture:
                yield picture, os.fstat(picture.fileno()).st_size, picture_type


async def _digest(chunks: AsyncIterable[bytes]) -> str:
    digest = sha256()
    async for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()


async def _pieces(file: BinaryIO, size: int) -> AsyncIterator[bytes]:
    for start in range(0, size, CHUNK):
        yield os.pread(file.fileno(), CHUNK, start)


async def _start_of(chunks: AsyncIterator[bytes]) -> bytes:
    """The first chunks, as many as it takes to know what the file is."""
    start = b""
    async for chunk in chunks:
        start += chunk
        if len(start) >= START:
            break
    return start


async def _chained(start: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield start
    async for chunk in rest:
        yield chunk


def _refused_unread(incoming: Incoming, limit: int) -> Finding | None:
    """The finding that is certain before a byte is read."""
    if incoming.size == 0:
        return Finding(Code.EMPTY)
    if incoming.size is not None and incoming.size > limit:
        return too_big(limit)
    return None


@contextmanager
def unavailable_is_refusal() -> Iterator[None]:
    """Turn a failure of the store or the check into a Refusal with words for the person."""
    try:
        yield
    except ObjectMissingError as error:
        _log.error("a kept file is missing from the object store")
        raise Refusal(
            "file_missing", "Файл не найден в хранилище. Сообщите в службу поддержки.", 404
        ) from error
    except ObjectsDownError as error:
        _log.warning("object store is down", error=str(error))
        raise Refusal(
            "files_unavailable", "Хранилище файлов не отвечает. Попробуйте через минуту.", 503
        ) from error
    except (InspectionDownError, AntivirusDownError) as error:
        _log.error("files cannot be checked", error=str(error))
        raise Refusal(
            "check_unavailable", "Проверка файлов не отвечает. Попробуйте через минуту.", 503
        ) from error


async def sweep(
    database: Database, objects: Objects, now: datetime, older_than: timedelta = SWEEP_AFTER
) -> int:
    """Remove files of documents that no row names, such as those of uploads cut by a crash.

    Nothing younger than `older_than` is touched, so an upload under way is safe. Pictures of pages
    go with their original. Returns how many objects were removed; raises ObjectsDownError.
    """
    removed = 0
    old: dict[str, list[str]] = {}
    async for item in objects.list(f"{FOLDER}/"):
        folder = item.key.rpartition("/")[0]
        if folder not in old and len(old) >= _SWEPT_TOGETHER:
            removed += await _sweep_folders(database, objects, old)
            old = {}
        if item.modified <= now - older_than:
            old.setdefault(folder, []).append(item.key)
    return removed + await _sweep_folders(database, objects, old)


async def _sweep_folders(
    database: Database, objects: Objects, folders: Mapping[str, list[str]]
) -> int:
    originals = [f"{folder}/{ORIGINAL}" for folder in folders]
    async with database.work() as session:
        found = await session.exec(
            select(DocumentVersion.object_key).where(col(DocumentVersion.object_key).in_(originals))
        )
        named = set(found.all())
    stray = [
        key
        for folder, keys in folders.items()
        if f"{folder}/{ORIGINAL}" not in named
        for key in keys
    ]
    if stray:
        await objects.remove(*stray)
    return len(stray)
