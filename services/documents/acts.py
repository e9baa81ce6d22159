"""What a person does with documents: give, replace, choose again, archive; and who may open them.

Source: requirements Q2, Q3, Q9, Q10. A document that was given stays; each file is a version of it.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Integer, bindparam, func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database, DirectStatement
from clients.objects import ObjectStream
from models.tables.cases import Case, CaseAttachment, CaseComment
from models.tables.conversation import MessageFile
from models.tables.credentials import Credential, CredentialFile, CredentialVersion
from models.tables.documents import Document, DocumentVersion
from models.tables.people import Person
from rules import clock
from rules.access import Actor, Permission
from rules.credentials.audience import may_see_credentials
from rules.files.categories import CATEGORIES, TITLE_LENGTH, Category, minimum_dpi
from rules.files.checks import Verdict, safe_name
from rules.journal.entries import JournalKind
from rules.journal.tags import ViewCode
from rules.refusals import FieldError, Refusal, forbidden, not_found
from services.cases.transitions import may_see
from services.conversation import may_see_message
from services.crash_points import CrashPoint, reach
from services.documents.copies import keeps, leaving, page_image
from services.documents.views import (
    DocumentView,
    Given,
    VersionView,
    document_view,
    given,
    refused,
    version_view,
)
from services.files.intake import Files, Incoming, Received
from services.files.uploads import counted
from services.journal import entries as journal

PAGE = 50
_GIVING = 1_245_662_037


@dataclass(frozen=True)
class Opening:
    """A file that is being read, with what its reader has to know."""

    file_name: str
    media_type: str
    size: int
    tag: str
    first: int
    opened: ObjectStream


class Documents:
    """Documents of persons. Methods raise Refusal: 403, 404, and 503 while a server is down."""

    def __init__(self, database: Database, files: Files) -> None:
        self._database = database
        self._files = files

    async def give(
        self,
        actor: Actor,
        incoming: Incoming,
        category: Category,
        title: str = "",
        *,
        registration: bool = False,
    ) -> Given:
        """Take in a new document. The same file in the same category is stored only once."""
        _must_keep_documents(actor)
        title = " ".join(title.split())
        if len(title) > TITLE_LENGTH:
            words = "Сократите название до 200 знаков."
            raise Refusal("incomplete", words, 422, [FieldError("title", words)])
        received = await self._receive(actor, incoming, minimum_dpi(category, registration))
        if received.sha256 is None:
            return refused(incoming, received)
        reach(CrashPoint.DOCUMENT_STORED)
        try:
            async with self._database.work() as session:
                known = None
                if received.key:
                    await _turn(session, actor, received)
                    known = await _same_file(session, actor, category, received)
                if not known:
                    document = Document(
                        owner_id=actor.person_id,
                        category=category,
                        title=title or CATEGORIES[category].title,
                        created_at=clock.now(),
                    )
                    version = _version(document, 1, incoming, received, actor)
                    await insert_given(session, document, version, actor)
        except Refusal:
            await self._discard(received)
            raise
        if known:
            await self._discard(received)
            return Given(document=await self.one(actor, known), known=True)
        return given(document, version)

    async def replace(self, actor: Actor, document_id: UUID, incoming: Incoming) -> Given:
        """Give a newer file for a document; the older one stays readable where it is cited."""
        _must_keep_documents(actor)
        async with self._database.work() as session:
            document = await _own(session, actor, document_id)
        received = await self._receive(actor, incoming, minimum_dpi(Category(document.category)))
        if received.sha256 is None:
            return refused(incoming, received)
        try:
            async with self._database.work() as session:
                document = await _own(session, actor, document_id, lock=True)
                current = await _current(session, document_id)
                if current is not None and current.sha256 == received.sha256 and received.key:
                    known = True
                else:
                    known = False
                    number = await _next_number(session, document_id)
                    version = _version(document, number, incoming, received, actor)
                    if received.key and current is not None:
                        current.replaced_at = version.uploaded_at
                        session.add(current)
                        await session.flush()  # Before the insert: only one version may be present.
                    session.add(version)
                    await session.flush()
                    kind = JournalKind.DOCUMENT_REPLACED
                    await _journal(session, document, version, kind, actor)
        except Refusal:
            await self._discard(received)
            raise
        if known:
            await self._discard(received)
            return Given(document=await self.one(actor, document_id), known=True)
        return given(document, version)

    async def _receive(self, actor: Actor, incoming: Incoming, dpi: int | None) -> Received:
        async with counted(self._database, actor, incoming, self._files.limit) as file:
            return await self._files.receive(file, dpi)

    async def _discard(self, received: Received) -> None:
        if received.key is not None:
            await self._files.discard(received.key)

    async def mine(
        self,
        actor: Actor,
        category: Category | None = None,
        *,
        before: UUID | None = None,
        limit: int = PAGE,
    ) -> Sequence[DocumentView]:
        """The person's documents that can be chosen (Q10), newest first, those before an id.

        Files sent with messages are only included if that category is asked for.
        """
        _must_keep_documents(actor)
        query = (
            select(Document, DocumentVersion)
            .join(DocumentVersion)
            .where(
                Document.owner_id == actor.person_id,
                col(Document.archived_at).is_(None),
                DocumentVersion.verdict == Verdict.OK,
                col(DocumentVersion.replaced_at).is_(None),
            )
            .order_by(col(Document.id).desc())
            .limit(limit)
        )
        if category is not None:
            query = query.where(Document.category == category)
        else:
            query = query.where(Document.category != Category.MESSAGE)
        if before is not None:
            query = query.where(Document.id < before)
        async with self._database.work() as session:
            rows = (await session.exec(query)).all()
        return [document_view(document, version) for document, version in rows]

    async def one(self, actor: Actor, document_id: UUID) -> DocumentView:
        """One of the person's documents with its older versions, archived or not."""
        _must_keep_documents(actor)
        async with self._database.work() as session:
            document = await session.get(Document, document_id)
            if document is None or document.owner_id != actor.person_id:
                raise not_found()
            found = await session.exec(
                select(DocumentVersion)
                .where(
                    DocumentVersion.document_id == document_id,
                    DocumentVersion.verdict == Verdict.OK,
                )
                .order_by(col(DocumentVersion.number).desc())
            )
            versions = found.all()
            if not versions:
                raise not_found()
            cited = await session.exec(
                select(Case.number)
                .join(CaseAttachment, col(CaseAttachment.case_id) == Case.id)
                .where(col(CaseAttachment.document_version_id).in_([v.id for v in versions]))
                .distinct()
                .order_by(col(Case.number))
            )
            cases = tuple(number for number in cited.all() if number)
        older = tuple(version_view(version) for version in versions[1:])
        return document_view(document, versions[0], older, cases)

    async def put_away(self, actor: Actor, document_id: UUID) -> None:
        """Remove a document from the list. It stays readable where it is cited."""
        _must_keep_documents(actor)
        async with self._database.work() as session:
            document = await _own(session, actor, document_id, lock=True)
            document.archived_at = clock.now()
            session.add(document)
            await journal.append(
                session,
                chain=document.id,
                kind=JournalKind.DOCUMENT_REMOVED,
                by=actor.person_id,
                facts={"document": str(document.id)},
            )

    async def version(self, actor: Actor, version_id: UUID) -> VersionView:
        """The facts about a file, for those who may open it."""
        async with self._database.work() as session:
            version, _ = await entitled(session, actor, version_id)
        return version_view(version)

    async def open(
        self, actor: Actor, version_id: UUID, first: int = 0, last: int | None = None
    ) -> Opening:
        """Open the file from byte `first` to `last`; the caller reads or closes it.

        `services.documents.copies.leaving` decides whether the original or a picture is opened. The
        view is recorded. Raises Refusal 416 for bytes beyond the end.
        """
        async with self._database.work() as session:
            version, _ = await entitled(session, actor, version_id)
            await journal.record_view(session, actor, version_id, ViewCode.DOCUMENT)
        copy = await leaving(self._database, self._files, actor, version)
        if not copy.original:
            return await self._opening(copy.key, copy.media_type, version, copy.size, 0)
        if first >= version.size:
            raise Refusal("no_such_bytes", "В файле нет таких байтов.", 416, size=version.size)
        return await self._opening(copy.key, copy.media_type, version, copy.size, first, last)

    async def page(self, actor: Actor, version_id: UUID, page: int) -> Opening:
        """Open the picture of a page (from 1); it is drawn when it is first asked for."""
        async with self._database.work() as session:
            version, own = await entitled(session, actor, version_id)
            if not own:
                await journal.record_view(session, actor, version_id, ViewCode.DOCUMENT)
        image = await page_image(self._database, self._files, version, page)
        return await self._opening(image.object_key, image.media_type, version, image.size, 0)

    async def _opening(
        self,
        key: str,
        media_type: str,
        version: DocumentVersion,
        size: int,
        first: int,
        last: int | None = None,
    ) -> Opening:
        opened = await self._files.open(key, first, last)
        tag = version.sha256[:32] if key == version.object_key else key.rpartition("/")[2]
        return Opening(version.file_name, media_type, size, tag, first, opened)


def _must_keep_documents(actor: Actor) -> None:
    if not (actor.may(Permission.KEEP_DOCUMENTS) or actor.may(Permission.CONFIRM_ACCOUNT)):
        raise forbidden()


async def _own(
    session: AsyncSession, actor: Actor, document_id: UUID, *, lock: bool = False
) -> Document:
    query = select(Document).where(
        Document.id == document_id,
        Document.owner_id == actor.person_id,
        col(Document.archived_at).is_(None),
    )
    document = (await session.exec(query.with_for_update() if lock else query)).one_or_none()
    if document is None:
        raise not_found()
    return document


async def entitled(
    session: AsyncSession, actor: Actor, version_id: UUID
) -> tuple[DocumentVersion, bool]:
    """The version, and whether it is the person's own. Raises `not_found` if they may not open it.

    Others may open it if they may see a submitted case that cites this version, or a message with
    it on such a case, or a credential whose copy it is.
    """
    row = (
        await session.exec(
            select(DocumentVersion, Document.owner_id)
            .join(Document)
            .where(DocumentVersion.id == version_id, DocumentVersion.verdict == Verdict.OK)
        )
    ).one_or_none()
    if row is None:
        raise not_found()
    version, owner_id = row
    if keeps(actor, version):
        return version, True
    citing = await session.exec(
        select(Case).where(
            col(Case.id).in_(
                select(CaseAttachment.case_id).where(
                    CaseAttachment.document_version_id == version_id
                )
            )
        )
    )
    if owner_id != actor.person_id:
        if any(may_see(actor, case) for case in citing.all()):
            return version, False
        said = await session.exec(
            select(Case, CaseComment.internal)
            .join(CaseComment, col(CaseComment.case_id) == Case.id)
            .join(MessageFile, col(MessageFile.message_id) == CaseComment.id)
            .where(MessageFile.document_version_id == version_id)
        )
        if any(may_see_message(actor, case, internal=inside) for case, inside in said.all()):
            return version, False
        copies = await session.exec(
            select(Credential.owner_id, Person.unit_id)
            .join(Person, col(Person.id) == col(Credential.owner_id))
            .join(CredentialVersion, col(CredentialVersion.credential_id) == col(Credential.id))
            .join(CredentialFile, col(CredentialFile.version_id) == col(CredentialVersion.id))
            .where(CredentialFile.document_version_id == version_id)
        )
        if any(may_see_credentials(actor, owner, unit) for owner, unit in copies.all()):
            return version, False
    raise not_found()


_SAME_FILE = DirectStatement(
    select(Document.id)
    .join(DocumentVersion)
    .where(
        DocumentVersion.uploaded_by == bindparam("person_id"),
        DocumentVersion.sha256 == bindparam("sha256"),
        DocumentVersion.verdict == Verdict.OK,
        col(DocumentVersion.replaced_at).is_(None),
        Document.owner_id == bindparam("person_id"),
        Document.category == bindparam("category"),
        col(Document.archived_at).is_(None),
    )
    .limit(1)
)
"""Built once: an upload of a small file costs little more than this."""


_TURN = DirectStatement(
    select(func.pg_advisory_xact_lock(_GIVING, bindparam("turn", type_=Integer())))
)


async def _turn(session: AsyncSession, actor: Actor, received: Received) -> None:
    """Wait for another upload of the same file by the same person, which this one then finds."""
    named = hashlib.sha256(f"{actor.person_id}:{received.sha256}".encode()).digest()
    await _TURN.run(session, {"turn": int.from_bytes(named[:4], signed=True)})


async def _same_file(
    session: AsyncSession, actor: Actor, category: Category, received: Received
) -> UUID | None:
    found = await _SAME_FILE.run(
        session,
        {"person_id": actor.person_id, "sha256": received.sha256, "category": category.value},
    )
    row = await found.fetchone()
    return row[0] if row else None


async def insert_given(
    session: AsyncSession, document: Document, version: DocumentVersion, actor: Actor
) -> None:
    """Insert both rows and the entry that begins the document's journal, in one statement."""
    journal.head_is_known(session, document.id, None, None)
    rows = journal.Along.of(document).also(journal.Along.of(version))
    await _journal(session, document, version, JournalKind.DOCUMENT_ADDED, actor, along=rows)


async def _current(session: AsyncSession, document_id: UUID) -> DocumentVersion | None:
    found = await session.exec(
        select(DocumentVersion).where(
            DocumentVersion.document_id == document_id,
            DocumentVersion.verdict == Verdict.OK,
            col(DocumentVersion.replaced_at).is_(None),
        )
    )
    return found.one_or_none()


async def _next_number(session: AsyncSession, document_id: UUID) -> int:
    found = await session.exec(
        select(func.coalesce(func.max(DocumentVersion.number), 0)).where(
            DocumentVersion.document_id == document_id, DocumentVersion.verdict == Verdict.OK
        )
    )
    return found.one() + 1


def _version(
    document: Document, number: int, incoming: Incoming, received: Received, actor: Actor
) -> DocumentVersion:
    good = received.key is not None
    return DocumentVersion(
        document_id=document.id,
        number=number,
        object_key=received.key,
        file_name=safe_name(incoming.file_name, received.media_type if good else None),
        media_type=received.media_type or "application/octet-stream",
        size=received.size,
        sha256=received.sha256 or "",
        verdict=Verdict.OK if good else Verdict.REFUSED,
        findings=[finding.stored() for finding in received.findings],
        pages=received.pages,
        dpi=received.dpi,
        mark=received.mark,
        scanned=received.scanned,
        uploaded_at=clock.now(),
        uploaded_by=actor.person_id,
    )


async def _journal(
    session: AsyncSession,
    document: Document,
    version: DocumentVersion,
    kind: JournalKind,
    actor: Actor,
    *,
    along: journal.Along | None = None,
) -> None:
    good = version.verdict == Verdict.OK
    await journal.append(
        session,
        chain=document.id,
        kind=kind if good else JournalKind.DOCUMENT_REFUSED,
        by=actor.person_id,
        facts={
            "document": str(document.id),
            "version": str(version.id),
            "category": str(document.category),
            "sha256": version.sha256,
            "findings": [finding["code"] for finding in version.findings],
        },
        along=along,
    )
