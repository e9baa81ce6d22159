"""Erasing closed cases whose term of keeping is over, one unit of work for each.

Rows are changed first, and objects removed after the commit: objects that a crash leaves behind are
named by no row, and the nightly sweeps remove them.
"""

from collections.abc import Sequence
from uuid import UUID, uuid4

import structlog
from sqlalchemy import delete, update
from sqlalchemy.orm import load_only
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from clients.objects import Objects
from models.tables.archive import CaseRetention
from models.tables.cases import (
    Case,
    CaseAttachment,
    CaseComment,
    CaseDecision,
    CaseVersion,
    IssuedAct,
)
from models.tables.conversation import MessageFile
from models.tables.credentials import AccreditationPackage, CredentialFile
from models.tables.documents import Document, DocumentImage, DocumentVersion
from models.tables.notices import Notice
from models.tables.requests import (
    RequestAcknowledgement,
    RequestAnswer,
    RequestFile,
    RequestMessage,
)
from rules.access import Actor
from rules.archive import ERASED
from rules.clock import now
from rules.journal.entries import JournalKind
from services.cases.transitions import lock
from services.journal import entries as journal

log = structlog.get_logger(__name__)

SYSTEM = "retention"
GROUND = "retention_term"
_TOGETHER = 100


async def erase_due(database: Database, objects: Objects) -> int:
    """Erase every case whose term is over, that is not held and of which people were told.

    Returns how many. Raises ObjectsDownError if rows were erased but their objects could not be
    removed; the sweeps remove those.
    """
    erased, failed = 0, list[UUID]()
    while True:
        async with database.work() as session:
            found = await session.exec(
                select(CaseRetention.case_id)
                .join(Case, col(Case.id) == col(CaseRetention.case_id))
                .where(
                    col(CaseRetention.erased_at).is_(None),
                    col(CaseRetention.held_at).is_(None),
                    col(CaseRetention.told_days).is_not(None),
                    col(CaseRetention.retain_until) <= now(),
                    col(Case.closed_at) == col(CaseRetention.closed_at),
                    col(CaseRetention.case_id).not_in(failed),
                )
                .order_by(col(CaseRetention.retain_until))
                .limit(_TOGETHER)
            )
            due = list(found.all())
        for case_id in due:
            keys = await erase(database, case_id)
            if keys is None:
                failed.append(case_id)
                continue
            erased += 1
            if keys:
                await objects.remove(*keys)
        if len(due) < _TOGETHER:
            return erased


async def erase(database: Database, case_id: UUID, by: Actor | None = None) -> Sequence[str] | None:
    """Erase the contents of a case. Returns the keys of objects to remove; None if it must be kept.

    `by` is the keeper of the archive who did not wait for the night. All conditions are checked
    again under the lock: the case may have been held or corrected in between.
    """
    async with database.work() as session:
        case = await lock(session, case_id)
        found = await session.exec(
            select(CaseRetention).where(CaseRetention.case_id == case_id).with_for_update()
        )
        row = found.one_or_none()
        if (
            row is None
            or row.erased_at is not None
            or row.held_at is not None
            or case.closed_at != row.closed_at
            or row.retain_until > now()
        ):
            return None
        keys = [
            *await _erase_request(session, case_id),
            *await _erase_act(session, case_id),
            *await _erase_portfolios(session, case_id),
            *await _erase_documents(session, case),
        ]
        await _erase_words(session, case)
        await _erase_journal(session, case_id)
        await journal.append(
            session,
            chain=case_id,
            kind=JournalKind.CASE_ERASED,
            by=by.person_id if by else None,
            system=None if by else SYSTEM,
            facts={"ground": GROUND, "objects": len(keys)},
        )
        row.erased_at = now()
        session.add(row)
    log.info("case_erased", case=str(case_id), objects=len(keys))
    return keys


async def _erase_words(session: AsyncSession, case: Case) -> None:
    """Erase what was submitted, decided and said.

    Digests stay: nothing can be guessed without salt.
    """
    case.draft, case.draft_attachments = None, []
    session.add(case)
    for model, column, empty in (
        (CaseVersion, CaseVersion.case_id, {"data": {}, "findings": None, "salt": b""}),
        (CaseDecision, CaseDecision.case_id, {"reason": "", "remarks": {}}),
        (CaseComment, CaseComment.case_id, {"text": ""}),
        (Notice, Notice.case_id, {"contents": None}),
    ):
        # Row by row, since an encrypted value is bound to its row. The old values are not read.
        key_only = load_only(column)  # type: ignore[arg-type]
        query = select(model).where(col(column) == case.id).options(key_only)
        for row in (await session.exec(query)).all():
            for name, value in empty.items():
                setattr(row, name, value)


async def _erase_journal(session: AsyncSession, case_id: UUID) -> None:
    """Erase the contents of the case's entries. The chain stays whole, and records each erasure."""
    for entry in await journal.read(session, case_id):
        if entry.contents is not None:
            await journal.erase_contents(session, entry, system=SYSTEM, ground=GROUND)


async def _erase_act(session: AsyncSession, case_id: UUID) -> list[str]:
    """Erase the certificate's file.

    Its row stays: the public page goes on confirming the number.
    """
    found = await session.exec(select(IssuedAct).where(IssuedAct.case_id == case_id))
    act = found.one_or_none()
    if act is None or act.object_key.startswith(ERASED):
        return []
    key, act.object_key = act.object_key, f"{ERASED}{uuid4().hex}"
    session.add(act)
    return [key]


async def _erase_portfolios(session: AsyncSession, case_id: UUID) -> list[str]:
    """Erase the portfolios of an accreditation, and what the centre wrote of them."""
    found = await session.exec(
        select(AccreditationPackage).where(AccreditationPackage.case_id == case_id)
    )
    keys = []
    for package in found.all():
        keys.append(package.portfolio_key)
        package.portfolio_key = f"{ERASED}{uuid4().hex}"
        package.application, package.decision = {}, None
        session.add(package)
    return keys


async def _erase_request(session: AsyncSession, case_id: UUID) -> list[str]:
    """Erase papers, envelopes and answers of a request."""
    keys: list[str] = []
    messages = (
        await session.exec(select(RequestMessage).where(RequestMessage.case_id == case_id))
    ).all()
    for message in messages:
        keys += [key for key in (message.paper_key, message.envelope_key) if key]
        message.paper_key, message.envelope_key = f"{ERASED}{uuid4().hex}", None
        session.add(message)
    await session.exec(
        update(RequestAcknowledgement)
        .where(col(RequestAcknowledgement.message_id).in_([one.message_id for one in messages]))
        .values(envelope=None, reason=None)
    )
    answers = (
        await session.exec(select(RequestAnswer).where(RequestAnswer.case_id == case_id))
    ).all()
    ids = [answer.id for answer in answers]
    files = await session.exec(
        select(RequestFile.object_key).where(col(RequestFile.answer_id).in_(ids))
    )
    keys += files.all()
    await session.exec(delete(RequestFile).where(col(RequestFile.answer_id).in_(ids)))
    for answer in answers:
        keys += [answer.envelope_key] if answer.envelope_key else []
        answer.envelope_key = answer.message = answer.data = None
        session.add(answer)
    return keys


async def _erase_documents(session: AsyncSession, case: Case) -> list[str]:
    """Erase cited documents that their owner has archived and nothing else cites.

    Documents that the owner still keeps stay.
    """
    cites = select(CaseAttachment.document_version_id).where(CaseAttachment.case_id == case.id)
    said = (
        select(MessageFile.document_version_id)
        .join(CaseComment, col(CaseComment.id) == col(MessageFile.message_id))
        .where(CaseComment.case_id == case.id)
    )
    found = await session.exec(
        select(Document, DocumentVersion)
        .join(DocumentVersion, col(DocumentVersion.document_id) == col(Document.id))
        .where(
            col(DocumentVersion.id).in_(cites) | col(DocumentVersion.id).in_(said),
            col(Document.archived_at).is_not(None),
            col(DocumentVersion.object_key).is_not(None),
        )
        .order_by(col(Document.id))
        .with_for_update(of=Document)
    )
    rows = found.all()
    own_words = select(CaseComment.id).where(CaseComment.case_id == case.id)
    await session.exec(delete(MessageFile).where(col(MessageFile.message_id).in_(own_words)))
    await session.exec(delete(CaseAttachment).where(col(CaseAttachment.case_id) == case.id))
    keys: list[str] = []
    for document, version in rows:
        if await _cited(session, case, document, version.id):
            continue
        keys += await _erase_version(session, document, version)
    return keys


async def _cited(session: AsyncSession, case: Case, document: Document, version_id: UUID) -> bool:
    """Whether any other case, message or draft cites this version, or a credential has it."""
    cited = select(CaseAttachment.case_id).where(CaseAttachment.document_version_id == version_id)
    sent = select(MessageFile.message_id).where(MessageFile.document_version_id == version_id)
    drafts = select(Case.draft_attachments).where(
        Case.applicant_id == document.owner_id, Case.id != case.id
    )
    copy = select(CredentialFile.version_id).where(CredentialFile.document_version_id == version_id)
    for named in (cited, sent, copy):
        if (await session.exec(named.limit(1))).first():
            return True
    return any(
        attached.get("document_version_id") == str(version_id)
        for draft in (await session.exec(drafts)).all()
        for attached in draft
    )


async def _erase_version(
    session: AsyncSession, document: Document, version: DocumentVersion
) -> list[str]:
    keys = [version.object_key] if version.object_key else []
    images = await session.exec(
        select(DocumentImage.object_key).where(DocumentImage.version_id == version.id)
    )
    keys += images.all()
    await session.exec(delete(DocumentImage).where(col(DocumentImage.version_id) == version.id))
    version.object_key, version.file_name = None, ""
    session.add(version)
    await journal.append(
        session,
        chain=document.id,
        kind=JournalKind.DOCUMENT_REMOVED,
        system=SYSTEM,
        facts={"version": str(version.id), "ground": GROUND},
    )
    return keys
