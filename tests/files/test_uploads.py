"""How many files and bytes one person sends within a day, also of files that are refused."""

import asyncio
import math
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlmodel import col, select

from clients.database import Database
from models.tables.accounts import RateLimit
from rules.access import Actor
from rules.accounts import Limit
from rules.cases import limits
from rules.clock import now
from rules.files.categories import Category
from rules.refusals import Refusal
from services import rate_limits
from services.documents.acts import Documents
from services.documents.views import Given
from services.files.inspection.client import Inspection
from services.files.intake import Incoming
from tests.files import samples as s
from tests.shared.hospital import Hospital, sent

AT_ONCE = 8
CENTURY = timedelta(days=36_500)


def few(monkeypatch: pytest.MonkeyPatch, files: int = 100, octets: int = 20 * 1024**2) -> None:
    """Allow so much, forgiven within so long that nothing is while a test runs."""
    monkeypatch.setattr(limits, "UPLOADED_FILES", Limit("uploaded-files", files, CENTURY))
    monkeypatch.setattr(limits, "UPLOADED_OCTETS", Limit("uploaded-octets", octets, CENTURY))


async def octets_used(database: Database, actor: Actor) -> int:
    """Bytes that count against the person now."""
    limit = limits.UPLOADED_OCTETS
    async with database.work() as session:
        key = rate_limits.key_of((limit, str(actor.person_id)))
        found = await session.exec(select(col(RateLimit.whole_at)).where(col(RateLimit.key) == key))
        return math.ceil((found.one() - now()) / limit.per * limit.times)


async def several(documents: Documents, actor: Actor, files: list[Incoming]) -> list[Refusal]:
    """Give these at once; the refusals."""
    ended = await asyncio.gather(
        *(documents.give(actor, file, Category.OTHER) for file in files), return_exceptions=True
    )
    assert all(isinstance(one, Given | Refusal) for one in ended), ended
    return [one for one in ended if isinstance(one, Refusal)]


@pytest.mark.asvs("2.4.1")
async def test_of_many_at_once_as_many_pass_as_may(
    documents: Documents, hospital: Hospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three of eight, told when the next may be sent; others are not touched, later it goes on."""
    few(monkeypatch, files=3)
    doctor, other = await hospital.person(), await hospital.person()
    files = [sent(s.pdf() + b"%%%d\n" % number) for number in range(AT_ONCE)]
    refused = await several(documents, doctor, files)
    assert len(refused) == AT_ONCE - 3
    assert {(one.code, one.status) for one in refused} == {("too_many_uploads", 429)}
    wait = refused[0].facts["retry_after"]
    assert abs(CENTURY / 3 - timedelta(seconds=wait)) < timedelta(minutes=10)
    assert f"через {-(-wait // 60)} мин." in refused[0].message
    assert not await several(documents, other, [sent(s.pdf())])
    async with documents._database.work() as session:
        # As it is after the time to wait.
        await rate_limits.give_back(session, [(limits.UPLOADED_FILES, str(doctor.person_id))])
    assert not await several(documents, doctor, [sent(s.pdf() + b"%later\n")])


async def test_bytes_of_many_at_once_fit(
    documents: Documents, hospital: Hospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where bytes for two and a half files are left, two of eight pass and nothing is over."""
    body = s.pdf()
    few(monkeypatch, octets=len(body) * 5 // 2)
    doctor = await hospital.person()
    refused = await several(documents, doctor, [sent(body) for _ in range(AT_ONCE)])
    assert len(refused) == AT_ONCE - 2
    assert await octets_used(documents._database, doctor) == 2 * len(body)


@pytest.mark.parametrize("announced", [True, False], ids=["announced", "in a form"])
async def test_bytes_count_as_they_came(
    documents: Documents,
    hospital: Hospital,
    monkeypatch: pytest.MonkeyPatch,
    announced: bool,
) -> None:
    """A good file, and one of no known type that is refused by its first pieces."""
    few(monkeypatch)
    doctor = await hospital.person()
    good, odd = s.pdf(), b"MZ" + bytes(200_000)

    await several(documents, doctor, [sent(good, announced=announced)])
    assert await octets_used(documents._database, doctor) == len(good)
    await several(documents, doctor, [sent(odd, "a.exe", None, announced=announced)])
    assert await octets_used(documents._database, doctor) == len(good) + len(odd)


async def test_of_a_broken_upload_counts_what_came(
    documents: Documents, hospital: Hospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever tries again on a bad line does not pay for the whole file each time."""
    few(monkeypatch)
    doctor = await hospital.person()

    async def broken() -> AsyncIterator[bytes]:
        yield s.pdf()
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await documents.give(doctor, Incoming(broken(), "a.pdf", None, 5_000_000), Category.OTHER)
    assert await octets_used(documents._database, doctor) == len(s.pdf())


async def test_what_is_refused_for_its_number_takes_nothing(
    documents: Documents, hospital: Hospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trying again and again does not put off the moment at which it opens."""
    few(monkeypatch, octets=100_000)
    doctor = await hospital.person()
    long = sent(b"%PDF-" + bytes(200_000))
    await several(documents, doctor, [sent(s.pdf())])
    before = await octets_used(documents._database, doctor)
    for _ in range(3):
        assert await several(documents, doctor, [replace(long)])
    assert await octets_used(documents._database, doctor) == before
    assert not await several(documents, doctor, [sent(s.pdf() + b"%more\n")])


def test_a_day_is_enough_for_people(inspection: Inspection) -> None:
    """Hundreds of files, and a hundred of the largest."""
    assert limits.UPLOADED_FILES.times >= 300
    assert limits.UPLOADED_OCTETS.times >= 100 * inspection.limits.octets
