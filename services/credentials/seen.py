"""Credentials as people see them: with status, ends, files and who vouches for them.

Views of another person's credentials are recorded.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.credentials import Credential, CredentialFile, CredentialVersion
from models.tables.documents import DocumentVersion
from models.tables.people import Person
from rules.access import Actor
from rules.credentials.categories import ISSUER, NUMBER, CategoryDefinition
from rules.credentials.statuses import CredentialStanding, CredentialStatus
from rules.forms.fields import display
from rules.journal.tags import ViewCode
from rules.refusals import not_found
from services.credentials import categories
from services.credentials.audience import Owner, owner_for
from services.documents.views import VersionView, version_view
from services.journal import disclosure
from services.journal import entries as journal


@dataclass(frozen=True)
class VersionSeen:
    """What a credential said from one moment until another. `made_by` is None for a register."""

    number: int
    category: CategoryDefinition
    data: Mapping[str, Any]
    issued_on: date | None
    valid_until: date | None
    source: str
    how: str
    reason: str | None
    made_at: datetime
    made_by: UUID | None
    replaced_at: datetime | None
    confirmed_at: datetime | None
    confirmed_by: UUID | None
    files: Sequence[VersionView] = ()

    @property
    def about(self) -> str:
        """What tells it from others of its category, such as the specialty."""
        field = self.category.fields[self.category.about]
        return display(field, self.data.get(field.name)) or ""


@dataclass(frozen=True)
class CredentialSeen:
    """A credential with its current version and what it is worth today."""

    id: UUID
    owner_id: UUID
    version: int
    current: VersionSeen
    standing: CredentialStanding
    status: CredentialStatus
    days_left: int | None
    ends_soon: bool
    created_at: datetime
    withdrawn_at: datetime | None
    withdrawn_reason: str | None
    replaced_by: UUID | None
    renewal_case_id: UUID | None
    leads: Sequence[int] | None
    """Its own days of reminders; None: those of all others."""

    @property
    def category(self) -> CategoryDefinition:
        """The category by which its current version was written."""
        return self.current.category

    @property
    def about(self) -> str:
        """What tells it from others of its category."""
        return self.current.about

    @property
    def number(self) -> str:
        """The registration number."""
        return str(self.current.data.get(NUMBER) or "")

    @property
    def issuer(self) -> str:
        """Who issued it."""
        return str(self.current.data.get(ISSUER) or "")

    @property
    def issued_on(self) -> date | None:
        """When it was issued."""
        return self.current.issued_on

    @property
    def valid_until(self) -> date | None:
        """Its last day; None: without an end."""
        return self.current.valid_until

    @property
    def has_copy(self) -> bool:
        """Whether there is a file."""
        return bool(self.current.files)

    @property
    def vouched(self) -> bool:
        """Whether somebody has compared it with the original."""
        return self.current.confirmed_at is not None

    @property
    def stands(self) -> bool:
        """Whether it is neither withdrawn nor replaced."""
        return not (self.standing.withdrawn or self.standing.replaced)


async def of_person(
    session: AsyncSession, actor: Actor, owner_id: UUID, now: datetime
) -> tuple[Owner, Sequence[CredentialSeen]]:
    """All credentials of a person, by category and then the newest first. Raises Refusal 404."""
    owner = await owner_for(session, actor, owner_id, now)
    if not owner.own:
        await journal.record_view(session, actor, owner_id, ViewCode.CREDENTIALS)
    found = await session.exec(
        select(Credential, CredentialVersion)
        .join(CredentialVersion, col(CredentialVersion.credential_id) == col(Credential.id))
        .where(Credential.owner_id == owner_id, col(CredentialVersion.replaced_at).is_(None))
        .order_by(col(Credential.issued_on).desc().nulls_last(), col(Credential.id).desc())
    )
    pairs = found.all()
    files = await _files(session, [version.id for _, version in pairs])
    seen = [
        await _seen(session, row, version, files.get(version.id, ()), owner.today)
        for row, version in pairs
    ]
    return owner, sorted(seen, key=lambda one: one.category.order)


async def one(
    session: AsyncSession, actor: Actor, credential_id: UUID, now: datetime
) -> tuple[Owner, CredentialSeen, Sequence[VersionSeen]]:
    """One credential with all its versions, the newest first. Raises Refusal 404."""
    row = await session.get(Credential, credential_id)
    if row is None:
        raise not_found()
    owner = await owner_for(session, actor, row.owner_id, now)
    if not owner.own:
        await journal.record_view(session, actor, credential_id, ViewCode.CREDENTIAL)
    found = await session.exec(
        select(CredentialVersion)
        .where(CredentialVersion.credential_id == credential_id)
        .order_by(col(CredentialVersion.number).desc())
    )
    rows = found.all()
    files = await _files(session, [version.id for version in rows])
    versions = [await _version(session, row, one, files.get(one.id, ())) for one in rows]
    return owner, _worth(row, versions[0], owner.today), versions


async def names(session: AsyncSession, people: Collection[UUID | None]) -> Mapping[UUID, str]:
    """The names of those who made or confirmed versions."""
    wanted = {one for one in people if one is not None}
    if not wanted:
        return {}
    found = await session.exec(select(Person).where(col(Person.id).in_(wanted)))
    return {person.id: person.name for person in found.all()}


async def _files(
    session: AsyncSession, versions: Collection[UUID]
) -> Mapping[UUID, Sequence[VersionView]]:
    """The files of versions by their ids, in order."""
    if not versions:
        return {}
    found = await session.exec(
        select(CredentialFile.version_id, DocumentVersion)
        .join(DocumentVersion, col(DocumentVersion.id) == col(CredentialFile.document_version_id))
        .where(col(CredentialFile.version_id).in_(versions))
        .order_by(col(CredentialFile.position))
    )
    known: dict[UUID, list[VersionView]] = {}
    for version_id, file in found.all():
        known.setdefault(version_id, []).append(version_view(file))
    return known


async def _seen(
    session: AsyncSession,
    row: Credential,
    version: CredentialVersion,
    files: Sequence[VersionView],
    today: date,
) -> CredentialSeen:
    return _worth(row, await _version(session, row, version, files), today)


def _worth(row: Credential, current: VersionSeen, today: date) -> CredentialSeen:
    standing = standing_of(row)
    return CredentialSeen(
        id=row.id,
        owner_id=row.owner_id,
        version=row.version,
        current=current,
        standing=standing,
        status=standing.status(today),
        days_left=standing.days_left(today),
        ends_soon=standing.ends_soon(today),
        created_at=row.created_at,
        withdrawn_at=row.withdrawn_at,
        withdrawn_reason=row.withdrawn_reason,
        replaced_by=row.replaced_by,
        renewal_case_id=row.renewal_case_id,
        leads=row.leads,
    )


def standing_of(row: Credential) -> CredentialStanding:
    """What the status of a row is derived from."""
    return CredentialStanding(
        valid_until=row.valid_until,
        renewing=row.renewal_case_id is not None,
        replaced=row.replaced_by is not None,
        withdrawn=row.withdrawn_at is not None,
    )


async def _version(
    session: AsyncSession,
    row: Credential,
    version: CredentialVersion,
    files: Sequence[VersionView],
) -> VersionSeen:
    return VersionSeen(
        number=version.number,
        category=await categories.at_version(session, row.category, version.category_version),
        data=version.data,
        issued_on=version.issued_on,
        valid_until=version.valid_until,
        source=version.source,
        how=version.how,
        reason=version.reason,
        made_at=version.made_at,
        made_by=version.made_by,
        replaced_at=version.replaced_at,
        confirmed_at=version.confirmed_at,
        confirmed_by=version.confirmed_by,
        files=files,
    )


@dataclass(frozen=True)
class Happened:
    """An entry of the journal of a credential. `by` is None where the program acted."""

    kind: str
    at: datetime
    by: UUID | None
    reason: str


async def history(session: AsyncSession, credential_id: UUID) -> Sequence[Happened]:
    """What happened to a credential, oldest first. Ask it after `one`, which decides who may."""
    return [
        Happened(
            entry.kind,
            entry.at,
            entry.by_person,
            str((entry.contents or {}).get("reason") or ""),
        )
        for entry in await disclosure.of_credential(session, credential_id)
    ]
