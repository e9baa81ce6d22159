"""One whole case as a ZIP: its history on paper, and the originals (S7)."""

import asyncio
import hashlib
import zipfile
from io import BytesIO
from pathlib import Path
from uuid import UUID, uuid4

import pikepdf
import pypdfium2  # type: ignore[import-untyped]
import pytest
from sqlmodel import col, select

from clients.objects import Objects
from models.tables.cases import CaseAttachment
from models.tables.documents import DocumentVersion
from rules.access import Actor, Role
from rules.cases.process import Transition
from rules.refusals import Refusal
from services.cases.acts import Act
from services.conversation import Conversations
from services.dossier import archive_file
from services.exports import rendering
from services.files.inspection.client import Inspection
from services.files.intake import Files
from tests.papers.verapdf import claims
from tests.shared.office import Office


async def with_files(office: Office, objects: Objects, case_id: UUID) -> dict[str, bytes]:
    """Put true files under the rows that a case cites: bytes by SHA-256."""
    files: dict[str, bytes] = {}
    async with office.database.work() as session:
        found = await session.exec(
            select(DocumentVersion)
            .join(
                CaseAttachment,
                col(CaseAttachment.document_version_id) == col(DocumentVersion.id),
            )
            .where(CaseAttachment.case_id == case_id)
        )
        for version in found.unique().all():
            body = uuid4().bytes * 40_000
            stored = await objects.put(version.object_key or "", body, len(body), "application/pdf")
            version.sha256, version.size = stored.sha256, stored.size
            session.add(version)
            files[stored.sha256] = body
    return files


async def archive_of(
    office: Office, objects: Objects, actor: Actor, case_id: UUID
) -> zipfile.ZipFile:
    """The archive as the person gets it."""
    found = await archive_file.of_case(
        office.database, Files(objects, Inspection()), actor, case_id, "Городская больница"
    )
    return zipfile.ZipFile(BytesIO(b"".join([chunk async for chunk in found.chunks])))


def paper_of(archive: zipfile.ZipFile) -> bytes:
    """The paper in it."""
    [name] = [name for name in archive.namelist() if name.startswith("Дело-")]
    return archive.read(name)


def words(pdf: bytes) -> str:
    """All text of a PDF, as an independent reader finds it."""
    pages = pypdfium2.PdfDocument(pdf)
    return " ".join(" ".join(p.get_textpage().get_text_range() for p in pages).split())


async def a_long_story(office: Office) -> UUID:
    """A case with two versions, a clarification, comments and a refusal."""
    case_id = await office.in_review()
    say = Conversations(office.database).say
    await say(office.reviewer, case_id, "Между нами: проверить.", internal=True)
    await say(office.reviewer, case_id, "Здравствуйте.")
    await office.decide(case_id, Transition.CLARIFY)
    await office.applications.save_draft(
        office.clinician, case_id, {"purpose": "Открываем кабинет эхокардиографии."}, None
    )
    case = await office.case(case_id)
    await office.applications.resubmit(office.clinician, case_id, Act(uuid4(), case.step))
    await office.check(case_id)
    await office.decide(case_id, Transition.REJECT)
    return case_id


async def test_the_paper_tells_the_whole_story(office: Office, objects: Objects) -> None:
    """Versions with differences, decisions with reasons, the timeline with its hashes."""
    case_id = await a_long_story(office)
    await with_files(office, objects, case_id)
    text = words(paper_of(await archive_of(office, objects, office.clinician, case_id)))
    case = await office.case(case_id)
    for said in (
        case.number or "",
        "Соколова Анна Сергеевна",
        "Версия 1 от",
        "Версия 2 от",
        "Отличий от версии 1: 1",
        "Нужны умения для работы в новом кабинете.",
        "Открываем кабинет эхокардиографии.",
        "Требуется уточнение, версия 1",
        "Отклонено, версия 2",
        "Причина решения.",
        "Напишите подробнее.",
        "Здравствуйте.",
    ):
        assert said in text, said
    for entry in await office.journal(case_id):
        if entry.kind in ("case.submitted", "case.rejected"):
            assert entry.hash.hex() in text.replace(" ", "")


async def test_what_the_page_hides_the_paper_hides(office: Office, objects: Objects) -> None:
    """Remarks among colleagues stand in their paper and not in the applicant's."""
    case_id = await a_long_story(office)
    await with_files(office, objects, case_id)
    theirs = words(paper_of(await archive_of(office, objects, office.reviewer, case_id)))
    own = words(paper_of(await archive_of(office, objects, office.clinician, case_id)))
    assert "Между нами" in theirs
    assert "Между нами" not in own
    missing = "Пропущенные номера"
    assert (missing in own, missing in theirs) == (True, False), "nobody wonders about a gap"


async def test_the_originals_are_inside_with_their_sums(office: Office, objects: Objects) -> None:
    """Every file as it was given, and `sha256sum --check` agrees."""
    case_id = await a_long_story(office)
    files = await with_files(office, objects, case_id)
    archive = await archive_of(office, objects, office.clinician, case_id)
    assert archive.testzip() is None
    inside = {hashlib.sha256(archive.read(name)).hexdigest() for name in archive.namelist()}
    assert set(files) <= inside
    assert len(files) >= 3
    for line in archive.read("SHA256SUMS").decode().splitlines():
        digest, _, name = line.partition("  ")
        assert hashlib.sha256(archive.read(name)).hexdigest() == digest
        assert ".." not in name


async def test_strangers_get_nothing_and_it_is_journaled(office: Office, objects: Objects) -> None:
    """Only those who see the case; each time is an entry of its journal (I9)."""
    case_id = await office.in_review()
    await with_files(office, objects, case_id)
    stranger = await office.person("Чужой", Role.DOCTOR, office.ward)
    with pytest.raises(Refusal, match="not_found"):
        await archive_of(office, objects, stranger, case_id)
    await archive_of(office, objects, office.reviewer, case_id)
    last = (await office.journal(case_id))[-1]
    assert (last.kind, last.by_person) == ("case.exported", office.reviewer.person_id)


async def test_a_changed_file_breaks_the_download_off(office: Office, objects: Objects) -> None:
    """Bytes that are not those of the row never arrive as a good archive."""
    case_id = await office.in_review()
    await with_files(office, objects, case_id)
    async with office.database.work() as session:
        cited = await session.exec(
            select(DocumentVersion.object_key)
            .join(CaseAttachment)
            .where(CaseAttachment.case_id == case_id)
        )
        key = cited.first() or ""
    await objects.put(key, b"%PDF-1.7 other", 14, "application/pdf")
    with pytest.raises(archive_file.TornError):
        await archive_of(office, objects, office.clinician, case_id)


async def test_a_lost_file_is_told_in_its_place(office: Office, objects: Objects) -> None:
    """A file that the store lost does not hide the others: the archive says what is missing."""
    case_id = await office.in_review()
    archive = await archive_of(office, objects, office.clinician, case_id)
    told = [name for name in archive.namelist() if "отсутствует" in name]
    assert len(told) >= 3
    assert "SHA-256" in archive.read(told[0]).decode()


async def test_the_paper_is_pdf_a(office: Office, objects: Objects, tmp_path: Path) -> None:
    """PDF/A-2a by its own claim, and by veraPDF where it is installed."""
    case_id = await a_long_story(office)
    paper = paper_of(await archive_of(office, objects, office.clinician, case_id))
    with pikepdf.open(BytesIO(paper)) as pdf, pdf.open_metadata() as metadata:
        assert metadata.pdfa_status == "2A"
    told = await asyncio.to_thread(claims, {"case.pdf": paper}, tmp_path)
    assert told == {"case.pdf": "2a true"}


async def test_papers_are_set_two_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many ask at once, the processors are not all taken by their papers."""
    under_way = most = 0

    async def child(job: object) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.01)
        under_way -= 1

    monkeypatch.setattr(rendering, "_done_by_child", child)
    job = rendering.PaperJob(work="paper", template="", facts={}, at=0, out="")
    await asyncio.gather(*(rendering.make(job) for _ in range(10)))
    assert most == rendering.AT_A_TIME
