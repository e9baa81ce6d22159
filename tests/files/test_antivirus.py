"""An antivirus is asked where one is configured, and then nothing passes without its word."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from clients.antivirus import Antivirus, AntivirusDownError
from clients.database import Database
from clients.objects import Objects
from rules.files.categories import Category
from rules.files.checks import Code
from rules.refusals import Refusal
from services.documents.acts import Documents
from services.files.inspection.client import Inspection
from services.files.intake import Files
from tests.files import samples as s
from tests.shared.hospital import Hospital, sent
from tests.shared.waiting import PATIENCE

Answer = Callable[[bytes], Awaitable[bytes]]


@asynccontextmanager
async def clamd(answer: Answer, seconds: float = PATIENCE) -> AsyncIterator[Antivirus]:
    """A server that speaks clamd's INSTREAM and answers as told."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readuntil(b"\0") == b"zINSTREAM\0"
        content = b""
        while size := int.from_bytes(await reader.readexactly(4)):
            content += await reader.readexactly(size)
        writer.write(await answer(content))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield Antivirus(f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}", seconds)


async def eicar(content: bytes) -> bytes:
    """Finds one word."""
    return b"stream: Eicar-Test FOUND\0" if b"plague" in content else b"stream: OK\0"


@pytest.mark.asvs("5.4.3")
async def test_infected_file_is_refused_and_not_kept(
    database: Database, objects: Objects, inspection: Inspection, hospital: Hospital
) -> None:
    """A threat is a verdict; a clean file says that it was scanned."""
    doctor = await hospital.person()
    async with clamd(eicar) as antivirus:
        documents = Documents(database, Files(objects, inspection, antivirus))
        sick = await documents.give(doctor, sent(s.pdf() + b"%plague\n"), Category.OTHER)
        well = await documents.give(doctor, sent(s.born_digital()), Category.OTHER)
    assert [finding.code for finding in sick.findings] == [Code.INFECTED]
    assert well.document is not None
    assert well.document.version.scanned


async def test_without_antivirus_files_say_so(documents: Documents, hospital: Hospital) -> None:
    """A file that no antivirus has seen does not claim otherwise."""
    result = await documents.give(await hospital.person(), sent(s.pdf()), Category.OTHER)
    assert result.document is not None
    assert not result.document.version.scanned


@pytest.mark.asvs("16.5.3")
async def test_antivirus_that_is_down_lets_nothing_pass(
    database: Database, objects: Objects, inspection: Inspection, hospital: Hospital
) -> None:
    """Configured and not answering means closed: 503, and nothing is kept."""
    doctor = await hospital.person()
    alone = Documents(database, Files(objects, inspection, Antivirus("tcp://127.0.0.1:9")))
    with pytest.raises(Refusal) as refused:
        await alone.give(doctor, sent(s.pdf()), Category.OTHER)
    assert refused.value.status == 503
    assert await alone.mine(doctor) == []


async def test_odd_answers_are_no_clearance() -> None:
    """Silence, an error or nonsense is not the word OK."""

    async def nothing(content: bytes) -> bytes:
        return b""

    async def error(content: bytes) -> bytes:
        return b"INSTREAM size limit exceeded. ERROR\0"

    async def late(content: bytes) -> bytes:
        await asyncio.sleep(5)
        return b"stream: OK\0"

    async def file() -> AsyncIterator[bytes]:
        yield b"x"

    for answer in (nothing, error, late):
        async with clamd(answer, seconds=0.5) as antivirus:
            with pytest.raises(AntivirusDownError):
                await antivirus.scan(file())


def test_address_is_checked() -> None:
    """A wrong address is found when the process starts."""
    with pytest.raises(ValueError, match="tcp://"):
        Antivirus("http://127.0.0.1")
