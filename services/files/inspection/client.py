"""Checking, drawing and reading files in a process that can be killed; this is the calling side.

`Inspection` starts one warden process (see `warden`), whose children check the files. A harmful
file only harms its child: the child is killed after `FileLimits.seconds`, cannot use more memory
than `FileLimits.memory`, and the answer is then a finding with a remedy.
"""

import asyncio
import json
import os
import socket
import sys
import tempfile
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

from rules.files.checks import LIMITS, Code, FileLimits, Finding, MediaType
from rules.staff.table import Sheet
from services.files.inspection import sheets

_ROOT = Path(__file__).resolve().parents[3]
_START_SECONDS = 30.0
_GRACE_SECONDS = 3.0
_LONGEST_ANSWER = 16 * 1024 * 1024


class InspectionDownError(RuntimeError):
    """The checking process cannot be started or does not answer. Nothing is known of the file."""


@dataclass(frozen=True)
class InspectionReport:
    """The result of checking a file. Without findings the file is good."""

    media_type: MediaType | None
    findings: tuple[Finding, ...] = ()
    pages: int | None = None
    dpi: int | None = None
    """The resolution of the coarsest scanned page; None if nothing is scanned."""
    mark: bool | None = None
    """Whether a seal or signature is on the first or last page; None if nobody could look."""

    @property
    def good(self) -> bool:
        """Whether the file may be stored and handed out."""
        return not self.findings and self.media_type is not None


class Inspection:
    """The connection to the warden, which the first check or `start` starts."""

    def __init__(self, limits: FileLimits = LIMITS, at_once: int = 4) -> None:
        self.limits = limits
        self._slots = asyncio.Semaphore(at_once)
        self._starting = asyncio.Lock()
        self._line: socket.socket | None = None
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start the warden unless it is running. Raises InspectionDownError."""
        async with self._starting:
            if self._process is not None and self._process.returncode is None:
                return
            await self._stop()
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            ours.setblocking(False)
            with theirs:
                self._process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-m",
                    "services.files.inspection.warden",
                    str(theirs.fileno()),
                    pass_fds=[theirs.fileno()],
                    cwd=_ROOT,
                    env={"PYTHONPATH": str(_ROOT), "PATH": os.defpath, "LC_ALL": "C.UTF-8"},
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.DEVNULL,
                    stderr=asyncio.subprocess.DEVNULL,
                )
            self._line = ours
            try:
                async with asyncio.timeout(_START_SECONDS):
                    ready = await asyncio.get_running_loop().sock_recv(ours, 16)
            except (TimeoutError, OSError) as error:
                await self._stop()
                raise InspectionDownError("the checking process did not start") from error
            if ready != b"ready":
                await self._stop()
                raise InspectionDownError("the checking process ended at once")

    async def close(self) -> None:
        """End the warden, and with it every check under way."""
        async with self._starting:
            await self._stop()

    def intake(self) -> BinaryIO:
        """A nameless temporary file for the contents to be checked."""
        return tempfile.TemporaryFile(buffering=0)

    async def examine(
        self,
        file: BinaryIO,
        claims: Collection[MediaType] = (),
        minimum_dpi: int | None = None,
        giver: UUID | None = None,
    ) -> InspectionReport:
        """Check a file that has a descriptor. Raises InspectionDownError.

        Files of the same giver that come one after the other may share a child; see `warden`.
        """
        request = {
            "task": "examine",
            "giver": giver.hex if giver else None,
            "claims": [claim.value for claim in claims],
            "minimum_dpi": minimum_dpi,
        }
        report, ending = await self._ask(request, file)
        if report is None and giver is not None and not ending["late"]:
            # Its child may have suffered from a file before, so this one is checked alone.
            report, ending = await self._ask({**request, "giver": None}, file)
        if report is None:
            code = Code.TOOK_TOO_LONG if ending["late"] else Code.TOO_HEAVY
            return InspectionReport(None, (Finding(code),))
        media_type = report.get("media_type")
        return InspectionReport(
            MediaType(media_type) if media_type else None,
            tuple(Finding.read(stored) for stored in report["findings"]),
            report.get("pages"),
            report.get("dpi"),
            report.get("mark"),
        )

    async def draw(
        self, file: BinaryIO, media_type: MediaType, page: int, longest: int
    ) -> tuple[BinaryIO, str] | None:
        """Draw a page (from 1) of a file that was found good; the caller closes the picture.

        Returns the picture and its media type; None if there is no such page, or if drawing it
        exceeds the limits. Raises InspectionDownError.
        """
        out = tempfile.TemporaryFile()  # noqa: SIM115
        request = {
            "task": "draw",
            "media_type": media_type.value,
            "page": page,
            "longest": longest,
        }
        try:
            report, _ = await self._ask(request, file, out)
        except BaseException:
            out.close()
            raise
        if report is None or not report.get("media_type"):
            out.close()
            return None
        return out, str(report["media_type"])

    async def sheet(self, body: bytes) -> Sheet:
        """Read a table of staff. Raises Refusal 422 and InspectionDownError."""
        with self.intake() as file:
            file.write(body)
            report, ending = await self._ask({"task": "sheet"}, file)
        return sheets.heard(report, late=ending["late"])

    async def patients(self, body: bytes) -> Sequence[sheets.PatientCells]:
        """Read a table of patients. Raises Refusal 422 and InspectionDownError."""
        with self.intake() as file:
            file.write(body)
            report, ending = await self._ask({"task": "patients"}, file)
        return sheets.heard_patients(report, late=ending["late"])

    async def _ask(
        self, request: Mapping[str, Any], file: BinaryIO, out: BinaryIO | None = None
    ) -> tuple[dict[str, Any] | None, dict[str, Any]]:
        packet = json.dumps({"giver": None, **request, "limits": asdict(self.limits)}).encode()
        async with self._slots:
            await self.start()
            # A description of its own, read-only: a file cannot change while it is checked.
            readable = os.open(f"/proc/self/fd/{file.fileno()}", os.O_RDONLY)
            hears, tells = os.pipe()
            try:
                given = [readable, tells] + ([out.fileno()] if out else [])
                if self._line is None:
                    raise InspectionDownError("the checking process is gone")
                socket.send_fds(self._line, [packet], given)
            except OSError as error:
                os.close(hears)
                raise InspectionDownError("the checking process is gone") from error
            finally:
                os.close(readable)
                os.close(tells)
            lines = await self._hear(hears)
        if not lines:
            raise InspectionDownError("the checking process died")
        return (lines[0] if len(lines) > 1 else None), lines[-1]

    async def _hear(self, descriptor: int) -> list[dict[str, Any]]:
        reader = asyncio.StreamReader()
        pipe = open(descriptor, "rb", buffering=0)  # noqa: ASYNC230, SIM115
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), pipe
        )
        try:
            async with asyncio.timeout(self.limits.seconds + _GRACE_SECONDS):
                heard = bytearray()
                while len(heard) <= _LONGEST_ANSWER and (piece := await reader.read(65536)):
                    heard += piece
        except TimeoutError as error:
            await self.close()
            raise InspectionDownError("the checking process does not answer") from error
        finally:
            transport.close()
        if len(heard) > _LONGEST_ANSWER:
            raise InspectionDownError("the checking process answers without end")
        return [json.loads(line) for line in heard.splitlines()]

    async def _stop(self) -> None:
        process, line = self._process, self._line
        self._process = self._line = None
        if line is not None:
            line.close()
        if process is not None and process.returncode is None:
            try:
                async with asyncio.timeout(_GRACE_SECONDS):
                    await process.wait()
            except TimeoutError:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
