"""The rows of credentials: locked for an act, given a new version, journaled.

Whoever changes what a credential says makes a version here: its owner, a register, a correction.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from crypto.key_ring import key_ring
from models.tables.credentials import Credential, CredentialFile, CredentialVersion
from models.tables.documents import DocumentVersion
from rules.credentials.categories import CategoryDefinition
from rules.credentials.versions import OWN, How, dates_of, identity_of, known_already
from rules.ids import new_id
from rules.journal.entries import JournalKind
from services.journal.rows import RowJournal
from services.subscribers import events


@dataclass(frozen=True)
class NewVersion:
    """What a version will say: checked values, and the files in their order."""

    category: CategoryDefinition
    data: Mapping[str, Any]
    files: Sequence[UUID]
    how: How
    by: UUID | None
    """None: a register."""
    source: str = OWN
    reason: str | None = None
    id: UUID | None = None
    """The id of the act that makes it."""


async def locked(session: AsyncSession, credential_id: UUID) -> Credential | None:
    """A credential, locked until the unit of work ends, as it is then."""
    return await session.get(
        Credential, credential_id, with_for_update=True, populate_existing=True
    )


async def current(session: AsyncSession, credential: Credential) -> CredentialVersion:
    """The version that counts."""
    found = await session.exec(
        select(CredentialVersion).where(
            CredentialVersion.credential_id == credential.id,
            col(CredentialVersion.replaced_at).is_(None),
        )
    )
    return found.one()


async def first(session: AsyncSession, credential: Credential) -> CredentialVersion:
    """The version with which it began."""
    found = await session.exec(
        select(CredentialVersion).where(
            CredentialVersion.credential_id == credential.id, CredentialVersion.number == 1
        )
    )
    return found.one()


async def files_of(session: AsyncSession, version_id: UUID) -> Sequence[UUID]:
    """The files of a version, in their order."""
    found = await session.exec(
        select(CredentialFile.document_version_id)
        .where(CredentialFile.version_id == version_id)
        .order_by(col(CredentialFile.position))
    )
    return found.all()


async def readable_files(
    session: AsyncSession, version_ids: Collection[UUID]
) -> Mapping[UUID, list[UUID]]:
    """The files of these versions that can be read, in their order."""
    found = await session.exec(
        select(CredentialFile)
        .join(DocumentVersion, col(DocumentVersion.id) == col(CredentialFile.document_version_id))
        .where(
            col(CredentialFile.version_id).in_(version_ids),
            DocumentVersion.verdict == "ok",
            col(DocumentVersion.object_key).is_not(None),
        )
        .order_by(col(CredentialFile.version_id), col(CredentialFile.position))
    )
    files: dict[UUID, list[UUID]] = {}
    for one in found.all():
        files.setdefault(one.version_id, []).append(one.document_version_id)
    return files


async def begin(
    session: AsyncSession, owner_id: UUID, credential_id: UUID, new: NewVersion, now: datetime
) -> tuple[Credential, CredentialVersion]:
    """Make a credential with its first version. Raises Refusal 409 for a number known already."""
    row = Credential(
        id=credential_id,
        owner_id=owner_id,
        category=new.category.key,
        version=0,
        created_at=now,
    )
    return row, await write(session, row, new, now)


async def write(
    session: AsyncSession, row: Credential, new: NewVersion, now: datetime
) -> CredentialVersion:
    """Make the next version of a locked credential, which counts from now on.

    Raises Refusal 409 for a number that another credential of the person has. The workflow is asked
    to look: the caller wakes it after the commit.
    """
    before = await current(session, row) if row.version else None
    if before is not None:
        before.replaced_at = now
        session.add(before)
    row.version += 1
    row.issued_on, row.valid_until = dates_of(new.data)
    row.identity = identity_of(row.owner_id, row.category, new.data)
    row.identity_blind = key_ring().blind(row.identity) if row.identity else None
    ask_to_look(row, now)
    session.add(row)
    try:
        # Before the insert: only one version may be current.
        await session.flush()
    except IntegrityError as error:
        if "identity_blind" not in str(error.orig):
            raise
        raise known_already() from None
    version = CredentialVersion(
        id=new.id or new_id(),
        credential_id=row.id,
        number=row.version,
        category_version=new.category.version,
        data=dict(new.data),
        issued_on=row.issued_on,
        valid_until=row.valid_until,
        source=new.source,
        how=new.how.value,
        reason=new.reason,
        made_at=now,
        made_by=new.by,
    )
    session.add(version)
    await session.flush()
    session.add_all(
        CredentialFile(version_id=version.id, position=place, document_version_id=one)
        for place, one in enumerate(new.files)
    )
    await session.flush()
    await note(
        session,
        row,
        _KINDS[new.how],
        now,
        new.by,
        {"version": version.number, "source": new.source, "files": len(new.files)},
        {"reason": new.reason} if new.reason else None,
    )
    return version


def ask_to_look(row: Credential, now: datetime) -> None:
    """Let the workflow of a credential look at it: one that ends has one, or had one before."""
    if row.valid_until is not None or row.wakes_at is not None:
        row.wakes_at = now


_KINDS: Mapping[How, JournalKind] = {
    How.ADDED: JournalKind.CREDENTIAL_ADDED,
    How.UPDATED: JournalKind.CREDENTIAL_UPDATED,
    How.CORRECTED: JournalKind.CREDENTIAL_CORRECTED,
    How.ACCEPTED: JournalKind.CREDENTIAL_ACCEPTED,
}


note = RowJournal[Credential](
    system="credentials",
    chain=lambda row: row.id,
    facts=lambda row: {"credential": str(row.id), "category": row.category},
    owns_chain=True,
    along=events.of_change,
).note
"""Journals what happened to a locked credential, in its own chain, and tells its subscribers."""


async def with_number(
    session: AsyncSession, owner_id: UUID, category: str, data: Mapping[str, Any]
) -> UUID | None:
    """The credential of a person that has the number of these values; for showing, not deciding."""
    identity = identity_of(owner_id, category, data)
    if identity is None:
        return None
    blind = key_ring().blind(identity)
    found = await session.exec(select(Credential.id).where(Credential.identity_blind == blind))
    return found.first()


async def by_version(session: AsyncSession, version_id: UUID) -> Credential | None:
    """The credential that has this version."""
    found = await session.exec(
        select(Credential)
        .join(CredentialVersion, col(CredentialVersion.credential_id) == col(Credential.id))
        .where(CredentialVersion.id == version_id)
    )
    return found.first()
