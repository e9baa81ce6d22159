"""The package for the federal centre: portfolio and application of a version, made once."""

import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

import rfc8785
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.accreditation_centre import digest_of
from models.tables.cases import Case, CaseAttachment, CaseVersion
from models.tables.credentials import AccreditationPackage
from models.tables.documents import Document, DocumentVersion
from models.tables.people import Person, Unit
from rules.accreditations.hours import counts
from rules.cases.process import Status
from rules.clock import now as present
from rules.forms.definitions import CaseTypeDefinition, display
from services.accreditations.line import CentreLine
from services.accreditations.norms import norm_of
from services.accreditations.portfolio import PortfolioDocument, PortfolioFacts, build
from services.accreditations.training import TrainingLine, courses_of
from services.cases.drafts import rules_of
from services.cases.transitions import lock
from services.crash_points import CrashPoint, reach
from services.documents.copies import page_image

FOLDER = "accreditations"
OBJECTS = {FOLDER: (col(AccreditationPackage.portfolio_key),)}
"""The columns that name the objects of this folder."""

_NOT_IN_ROWS = frozenset({"report", "hours", "certified_hours", "data_consent"})
"""Fields that the portfolio shows elsewhere, or not at all."""


@dataclass(frozen=True)
class _Subject:
    """One version of a case, with everything that its portfolio says."""

    case_id: UUID
    step: int
    version: int
    number: str
    zone: str
    definition: CaseTypeDefinition
    submitted: CaseVersion
    person: Person
    unit: str
    cited: Sequence[tuple[str, Document, DocumentVersion]]
    courses: Sequence[TrainingLine]


def package_id_of(case_id: UUID, version: int) -> UUID:
    """The id by which the centre knows a version of a case; always the same."""
    return uuid5(case_id, f"accreditation:{version}")


def awaits_forwarding(case: Case) -> bool:
    """Whether the case has been checked here and is to be sent."""
    return case.status == Status.APPROVED and case.closed_at is None


async def package_of(line: CentreLine, case_id: UUID) -> AccreditationPackage | None:
    """The package of the newest version, made now unless it is there; None if none is needed.

    Safe to repeat. An object that was stored without its row is swept.
    """
    async with line.database.reading() as session:
        case = await session.get_one(Case, case_id)
        if not awaits_forwarding(case):
            return None
        if (kept := await session.get(AccreditationPackage, (case.id, case.version))) is not None:
            return kept
        subject = await _subject(session, case)
    signed, pages = await _portfolio(line, subject)
    application = _application(line, subject, signed)
    stored = await line.objects.put(
        line.objects.fresh_key(FOLDER), signed, len(signed), "application/pdf"
    )
    reach(CrashPoint.PORTFOLIO_FILED)
    async with line.database.work() as session:
        case = await lock(session, case_id)
        if case.step != subject.step or not awaits_forwarding(case):
            return None
        if (kept := await session.get(AccreditationPackage, (case.id, case.version))) is not None:
            # Another try was quicker: send what it made.
            return kept
        package = AccreditationPackage(
            case_id=case.id,
            version=case.version,
            package_id=package_id_of(case.id, case.version),
            formed_at=present(),
            application=application,
            portfolio_key=stored.key,
            portfolio_sha256=stored.sha256,
            portfolio_size=stored.size,
            portfolio_pages=pages,
            digest=digest_of(rfc8785.dumps(application), signed),
        )
        session.add(package)
    return package


async def _subject(session: AsyncSession, case: Case) -> _Subject:
    definition, _ = await rules_of(session, case)
    cited = await session.exec(
        select(CaseAttachment.kind, Document, DocumentVersion)
        .join(DocumentVersion, col(DocumentVersion.id) == col(CaseAttachment.document_version_id))
        .join(Document, col(Document.id) == col(DocumentVersion.document_id))
        .where(CaseAttachment.case_id == case.id, CaseAttachment.case_version == case.version)
        .order_by(col(CaseAttachment.kind), col(DocumentVersion.id))
    )
    found = cited.all()
    submitted = await session.get_one(CaseVersion, (case.id, case.version))
    courses = await courses_of(
        session, case.applicant_id, [one.id for _, _, one in found], submitted.submitted_at
    )
    return _Subject(
        case_id=case.id,
        step=case.step,
        version=case.version,
        number=case.number or "",
        zone=case.term_zone,
        definition=definition,
        submitted=submitted,
        person=await session.get_one(Person, case.applicant_id),
        unit=(await session.get_one(Unit, case.unit_id)).name,
        cited=found,
        courses=courses,
    )


async def _portfolio(line: CentreLine, subject: _Subject) -> tuple[bytes, int]:
    """The signed portfolio, and how many pages of documents are in it."""
    with tempfile.TemporaryDirectory(prefix="medcab-portfolio-") as scratch:
        folder = Path(scratch)
        documents = [
            await _document(line, subject, folder, place) for place in range(len(subject.cited))
        ]
        made, pages = await asyncio.to_thread(build, _facts(line, subject, documents), folder)
        signed = await asyncio.to_thread(line.seal.sign_pdf, made, reason="Портфолио")
    return signed, pages


async def _document(
    line: CentreLine, subject: _Subject, folder: Path, place: int
) -> PortfolioDocument:
    """A document with its pages as pictures in the scratch folder."""
    kind, document, version = subject.cited[place]
    titles = {rule.kind: rule.title for rule in subject.definition.attachments}
    pages: list[Path] = []
    for page in range(1, (version.pages or 1) + 1):
        image = await page_image(line.database, line.files, version, page)
        file = folder / f"{place}-{page}"
        file.write_bytes(await line.objects.read(image.object_key))
        pages.append(file)
    return PortfolioDocument(
        titles.get(kind, document.title), version.file_name, version.sha256, pages
    )


def _facts(
    line: CentreLine, subject: _Subject, documents: Sequence[PortfolioDocument]
) -> PortfolioFacts:
    data = subject.submitted.data
    fields = subject.definition.fields
    rows = [
        (one.label, display(one, data.get(name)) or "—")
        for name, one in fields.items()
        if name not in _NOT_IN_ROWS
    ]
    return PortfolioFacts(
        institution=line.settings.institution,
        number=subject.number,
        version=subject.version,
        person=subject.person.name,
        specialty=display(fields["specialty"], data.get("specialty")) or "",
        submitted_at=subject.submitted.submitted_at,
        zone=subject.zone,
        rows=[("Подразделение", subject.unit), *rows],
        hours=_hours(line, subject),
        totals=(int(data.get("hours") or 0), int(data.get("certified_hours") or 0)),
        report=str(data.get("report") or ""),
        documents=documents,
    )


def _hours(line: CentreLine, subject: _Subject) -> list[tuple[str, ...]]:
    """The courses that count on the day of submission, as rows of the paper."""
    day = subject.submitted.submitted_at.astimezone(ZoneInfo(subject.zone)).date()
    norm = norm_of(line.settings, day)
    return [
        (
            one.topic,
            one.issuer,
            f"{one.course.finished_on:%d.%m.%Y}",
            str(one.course.hours),
            str(min(one.course.certified_hours, one.course.hours)),
        )
        for one in subject.courses
        if counts(one.course.finished_on, day, norm)
    ]


def _application(line: CentreLine, subject: _Subject, portfolio: bytes) -> dict[str, Any]:
    """What goes with the portfolio: the answers by name, and the names of the files."""
    data = subject.submitted.data
    return {
        "number": subject.number,
        "version": subject.version,
        "institution": line.settings.institution,
        "person": subject.person.name,
        "data": {name: data[name] for name in sorted(subject.definition.fields) if name in data},
        "submitted_at": subject.submitted.submitted_at.isoformat(),
        "documents": [version.sha256 for _, _, version in subject.cited],
        "portfolio_size": len(portfolio),
    }
