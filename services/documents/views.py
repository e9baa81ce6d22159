"""Documents and their files as pages and the API show them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from models.tables.documents import Document, DocumentVersion
from rules.files.categories import Category
from rules.files.checks import Finding, Verdict, safe_name
from services.files.intake import Incoming, Received


@dataclass(frozen=True)
class VersionView:
    """One file of a document. `pages` can be looked at; `dpi` is None if nothing is scanned."""

    id: UUID
    document_id: UUID
    number: int
    file_name: str
    media_type: str
    size: int
    sha256: str
    verdict: Verdict
    findings: tuple[Finding, ...]
    pages: int | None
    dpi: int | None
    scanned: bool
    uploaded_at: datetime
    replaced_at: datetime | None


@dataclass(frozen=True)
class DocumentView:
    """A document with its present file. `older` and `cases` are only filled for a single document.

    `cases` are the numbers of the cases that cite it.
    """

    id: UUID
    category: Category
    title: str
    created_at: datetime
    archived_at: datetime | None
    version: VersionView
    older: tuple[VersionView, ...] = ()
    cases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Given:
    """The result of giving a file: a document if it was accepted, findings if it was not.

    `known` says that this very file had been given before; the document is the one of then.
    """

    findings: tuple[Finding, ...] = ()
    document: DocumentView | None = None
    file_name: str = ""
    size: int = 0
    known: bool = False

    @property
    def good(self) -> bool:
        """Whether it was accepted."""
        return self.document is not None


def refused(incoming: Incoming, received: Received) -> Given:
    return Given(received.findings, file_name=safe_name(incoming.file_name), size=received.size)


def given(document: Document, version: DocumentVersion) -> Given:
    view = version_view(version)
    return Given(
        view.findings,
        document_view(document, version) if view.verdict is Verdict.OK else None,
        view.file_name,
        view.size,
    )


def version_view(version: DocumentVersion) -> VersionView:
    return VersionView(
        id=version.id,
        document_id=version.document_id,
        number=version.number,
        file_name=version.file_name,
        media_type=version.media_type,
        size=version.size,
        sha256=version.sha256,
        verdict=Verdict(version.verdict),
        findings=tuple(Finding.read(stored) for stored in version.findings),
        pages=version.pages,
        dpi=version.dpi,
        scanned=version.scanned,
        uploaded_at=version.uploaded_at,
        replaced_at=version.replaced_at,
    )


def document_view(
    document: Document,
    version: DocumentVersion,
    older: tuple[VersionView, ...] = (),
    cases: tuple[str, ...] = (),
) -> DocumentView:
    return DocumentView(
        id=document.id,
        category=Category(document.category),
        title=document.title,
        created_at=document.created_at,
        archived_at=document.archived_at,
        version=version_view(version),
        older=older,
        cases=cases,
    )
