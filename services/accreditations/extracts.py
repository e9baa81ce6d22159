"""The extract of the federal centre: what it issued, kept as a document of the applicant."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.accreditation_centre import PackageStanding
from models.tables.credentials import AccreditationPackage
from models.tables.documents import Document, DocumentVersion
from rules.files.categories import CATEGORIES, Category
from rules.files.checks import MediaType, Verdict, safe_name
from rules.journal.entries import JournalKind
from rules.registers.sources import CENTRE
from services.accreditations.line import CentreLine
from services.files.intake import Incoming, Received
from services.journal import entries as journal

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Extract:
    """A file of the centre, checked and stored as what people upload is."""

    file_name: str
    received: Received


async def fetch(
    line: CentreLine, package: AccreditationPackage, standing: PackageStanding
) -> Extract | None:
    """The extract of an accreditation; None where there is none, or the check refuses it.

    An object that no row names in the end is swept. Raises CentreDown, CentreRefused, and Refusal
    503 while the store or the check is down.
    """
    if not standing.extract:
        return None
    body = await line.centre.extract(package.package_id, standing.extract)
    name = f"Выписка об аккредитации {standing.number}.pdf"
    incoming = Incoming(_once(body), name, MediaType.PDF.value, len(body))
    received = await line.files.receive(incoming, None)
    if received.key is None:
        # The accreditation counts all the same; its owner may add a copy.
        codes = [one.code.value for one in received.findings]
        _log.error("the centre's extract was refused", findings=codes)
        return None
    return Extract(name, received)


async def keep(session: AsyncSession, owner_id: UUID, extract: Extract, now: datetime) -> UUID:
    """Keep the extract as a document of the applicant. Returns the id of its version."""
    received = extract.received
    document = Document(
        owner_id=owner_id,
        category=Category.ACCREDITATION,
        title=CATEGORIES[Category.ACCREDITATION].title,
        created_at=now,
    )
    version = DocumentVersion(
        document_id=document.id,
        number=1,
        object_key=received.key,
        file_name=safe_name(extract.file_name, received.media_type),
        media_type=received.media_type or MediaType.PDF,
        size=received.size,
        sha256=received.sha256 or "",
        verdict=Verdict.OK,
        pages=received.pages,
        dpi=received.dpi,
        mark=received.mark,
        scanned=received.scanned,
        uploaded_at=now,
        uploaded_by=owner_id,
    )
    journal.head_is_known(session, document.id, None, None)
    await journal.append(
        session,
        chain=document.id,
        kind=JournalKind.DOCUMENT_ADDED,
        at=now,
        system=CENTRE,
        facts={
            "document": str(document.id),
            "version": str(version.id),
            "category": str(document.category),
            "sha256": version.sha256,
            "findings": [],
        },
        along=journal.Along.of(document).also(journal.Along.of(version)),
    )
    return version.id


async def _once(body: bytes) -> AsyncIterator[bytes]:
    yield body
