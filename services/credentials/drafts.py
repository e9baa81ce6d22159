"""What somebody is about to add or update: kept as it is typed, and finished as one act.

Several documents are brought in at once: each file becomes a draft, which is described afterwards.
Nothing is created by looking.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.encrypted_columns import bound_row
from models.messages import WAKE_UP, CredentialSignal
from models.tables.credentials import Credential, CredentialDraft
from models.tables.documents import DocumentVersion
from rules.access import Actor, Permission
from rules.clock import now as present
from rules.credentials.categories import MOST_FILES, CategoryDefinition
from rules.credentials.versions import changed_meanwhile, not_standing
from rules.forms.draft_edits import edit
from rules.ids import new_id
from rules.refusals import FieldError, Refusal, not_found
from services import access, turns
from services.credentials import acts, categories, rows
from services.credentials.acts import Credentials
from services.credentials.checks import Contents, file_errors, incomplete
from services.documents.views import VersionView, version_view

MOST = 50
"""How many unfinished ones a person may have."""


@dataclass(frozen=True)
class DraftSeen:
    """A draft with its category, if one is chosen, and its files."""

    id: UUID
    credential_id: UUID | None
    category: CategoryDefinition | None
    data: Mapping[str, Any]
    files: Sequence[VersionView]
    created_at: datetime
    saved_at: datetime | None
    today: date
    """The day in the zone of the owner's unit, by which dates are checked."""


class CredentialDrafts:
    """Drafts of one's own. Methods raise Refusal: 404, 409 with too many, 422 with its fields."""

    def __init__(self, database: Database, credentials: Credentials) -> None:
        self._database = database
        self._credentials = credentials

    async def begin(
        self,
        actor: Actor,
        draft_id: UUID,
        category: str | None,
        known: Mapping[str, Any] | None = None,
    ) -> UUID:
        """Begin one, with what is known; the same id again begins no other. Returns the id."""
        async with self._database.work() as session:
            await _demand_room(session, actor)
            if category is not None:
                await categories.newest(session, category)
            draft = CredentialDraft(
                id=draft_id,
                owner_id=actor.person_id,
                category=category,
                data=dict(known or {}),
                created_at=present(),
            )
            await session.exec(
                insert(CredentialDraft).values(bound_row(draft)).on_conflict_do_nothing()
            )
            await _own(session, actor, draft_id)
        return draft_id

    async def begin_update(self, actor: Actor, credential_id: UUID) -> UUID:
        """Begin a new version from what the credential says now, or go on with one begun.

        Raises Refusal 409 for a credential that does not stand.
        """
        async with self._database.work() as session:
            await _demand_room(session, actor, 1)
            row = await session.get(Credential, credential_id)
            if row is None or row.owner_id != actor.person_id:
                raise not_found()
            if not acts.stands(row):
                raise not_standing()
            current = await rows.current(session, row)
            draft = CredentialDraft(
                owner_id=actor.person_id,
                credential_id=credential_id,
                base_version=row.version,
                category=row.category,
                data=current.data,
                files=list(await rows.files_of(session, current.id)),
                created_at=present(),
            )
            await session.exec(
                insert(CredentialDraft).values(bound_row(draft)).on_conflict_do_nothing()
            )
            found = await session.exec(
                select(CredentialDraft.id).where(CredentialDraft.credential_id == credential_id)
            )
            return found.one()

    async def take_in(self, actor: Actor, document_version_id: UUID) -> UUID:
        """Make a draft of a file that was just uploaded; one that waits already stays the only one.

        Returns the id of its draft.
        """
        async with self._database.work() as session:
            # Locked, so that the same file sent twice at once waits once.
            await turns.of_person(session, actor.person_id)
            known = await session.exec(
                select(CredentialDraft.id).where(
                    CredentialDraft.owner_id == actor.person_id,
                    col(CredentialDraft.files).contains([document_version_id]),
                )
            )
            if (one := known.first()) is not None:
                return one
            await _demand_room(session, actor)
            await _demand_own_files(session, actor, [document_version_id])
            draft = CredentialDraft(
                id=new_id(),
                owner_id=actor.person_id,
                data={},
                files=[document_version_id],
                created_at=present(),
            )
            session.add(draft)
        return draft.id

    async def save(
        self,
        actor: Actor,
        draft_id: UUID,
        given: Mapping[str, Any],
        shown: Mapping[str, str],
    ) -> tuple[DraftSeen, Mapping[str, Any]]:
        """Store what was changed in a form that showed `shown` (`rules.forms.draft_edits`).

        Fields that were changed elsewhere meanwhile are not written; their stored values are
        returned.
        """
        async with self._editing(actor, draft_id) as (session, draft):
            clashes: Mapping[str, Any] = {}
            if draft.category is not None:
                fields = (await categories.newest(session, draft.category)).fields
                known = {name: value for name, value in given.items() if name in fields}
                made = edit(fields, known, shown, draft.data)
                draft.data, clashes = {**draft.data, **made.changes}, made.clashes
            seen = await _seen(session, actor, draft)
        return seen, clashes

    async def choose(self, actor: Actor, draft_id: UUID, category: str) -> None:
        """Choose the category. What was typed under another one stays, and is offered again.

        Raises Refusal 409 for a new version, whose category is known.
        """
        async with self._editing(actor, draft_id) as (session, draft):
            await categories.newest(session, category)
            if draft.credential_id is not None and category != draft.category:
                raise changed_meanwhile()
            draft.category = category

    async def attach(self, actor: Actor, draft_id: UUID, document_version_id: UUID) -> None:
        """Add one of one's own documents as a file. Raises Refusal 422."""
        async with self._editing(actor, draft_id) as (session, draft):
            await _demand_own_files(session, actor, [document_version_id])
            if document_version_id in draft.files:
                return
            if len(draft.files) >= MOST_FILES:
                raise incomplete([FieldError("files", "Оставьте не больше 10 файлов")])
            draft.files = [*draft.files, document_version_id]

    async def detach(self, actor: Actor, draft_id: UUID, document_version_id: UUID) -> None:
        """Remove a file; the document stays the person's. A missing one is no error."""
        async with self._editing(actor, draft_id) as (_, draft):
            draft.files = [one for one in draft.files if one != document_version_id]

    async def discard(self, actor: Actor, draft_id: UUID) -> None:
        """Throw it away; its files stay among the documents. Again changes nothing."""
        actor.demand(Permission.KEEP_DOCUMENTS)
        async with self._database.work() as session:
            draft = await session.get(CredentialDraft, draft_id, with_for_update=True)
            if draft is not None and draft.owner_id == actor.person_id:
                await session.delete(draft)

    async def finish(self, actor: Actor, draft_id: UUID) -> UUID:
        """Make the credential or the version. Returns the id of the credential.

        Sent again, it has the same answer. Raises Refusal 422 with all that is wrong, 409 for a
        number that is known already, and once for a new version that came in between: the draft
        then counts as written by somebody who has seen it.
        """
        actor.demand(Permission.KEEP_DOCUMENTS)
        try:
            async with self._database.work() as session:
                draft = await session.get(CredentialDraft, draft_id, with_for_update=True)
                if draft is None or draft.owner_id != actor.person_id:
                    return await _made(session, actor, draft_id)
                if draft.category is None:
                    raise incomplete([FieldError("category", "Выберите, что это за документ")])
                fields = (await categories.newest(session, draft.category)).fields
                known = {name: value for name, value in draft.data.items() if name in fields}
                contents, of = Contents(known, draft.files), draft.credential_id
                signal: str = WAKE_UP
                if of is None:
                    row = await acts.add_in(session, actor, draft.id, draft.category, contents)
                else:
                    base, signal = draft.base_version, CredentialSignal.CORRECTED
                    row, _ = await acts.update_in(session, actor, of, draft.id, base, contents)
                await session.delete(draft)
        except Refusal as refusal:
            if refusal.code == "changed_meanwhile":
                await self._rebase(actor, draft_id)
            raise
        await self._credentials.tell(row, signal)
        return row.id

    async def _rebase(self, actor: Actor, draft_id: UUID) -> None:
        async with self._editing(actor, draft_id) as (session, draft):
            row = await session.get(Credential, draft.credential_id)
            draft.base_version = row.version if row else 0

    @asynccontextmanager
    async def _editing(
        self, actor: Actor, draft_id: UUID
    ) -> AsyncIterator[tuple[AsyncSession, CredentialDraft]]:
        """One's own draft, locked; what is changed there is saved with the time."""
        async with self._database.work() as session:
            draft = await _own(session, actor, draft_id, lock=True)
            yield session, draft
            draft.saved_at = present()
            session.add(draft)


async def one(session: AsyncSession, actor: Actor, draft_id: UUID) -> DraftSeen:
    """One draft of one's own. Raises Refusal 404."""
    return await _seen(session, actor, await _own(session, actor, draft_id))


async def mine(session: AsyncSession, actor: Actor) -> Sequence[DraftSeen]:
    """The person's drafts, the oldest first: what is left of the last import comes in turn."""
    actor.demand(Permission.KEEP_DOCUMENTS)
    found = await session.exec(
        select(CredentialDraft)
        .where(CredentialDraft.owner_id == actor.person_id)
        .order_by(col(CredentialDraft.id))
    )
    return [await _seen(session, actor, draft) for draft in found.all()]


async def _own(
    session: AsyncSession, actor: Actor, draft_id: UUID, *, lock: bool = False
) -> CredentialDraft:
    actor.demand(Permission.KEEP_DOCUMENTS)
    draft = await session.get(
        CredentialDraft, draft_id, with_for_update=lock or None, populate_existing=lock
    )
    if draft is None or draft.owner_id != actor.person_id:
        raise not_found()
    return draft


async def _made(session: AsyncSession, actor: Actor, draft_id: UUID) -> UUID:
    """The credential that was made of a draft before. Raises Refusal 404."""
    row = await session.get(Credential, draft_id)
    if row is None:
        row = await rows.by_version(session, draft_id)
    if row is None or row.owner_id != actor.person_id:
        raise not_found()
    return row.id


async def _demand_room(session: AsyncSession, actor: Actor, more: int = 0) -> None:
    actor.demand(Permission.KEEP_DOCUMENTS)
    found = await session.exec(
        select(func.count()).where(col(CredentialDraft.owner_id) == actor.person_id)
    )
    if found.one() >= MOST + more:
        words = "У вас 50 неоконченных документов. Сначала опишите их или уберите."
        raise Refusal("too_many_drafts", words, 409)


async def _demand_own_files(session: AsyncSession, actor: Actor, files: Collection[UUID]) -> None:
    if errors := await file_errors(session, actor, files):
        raise incomplete(errors)


async def _seen(session: AsyncSession, actor: Actor, draft: CredentialDraft) -> DraftSeen:
    category = None
    if draft.category is not None:
        category = await categories.newest(session, draft.category)
    found = await session.exec(
        select(DocumentVersion).where(col(DocumentVersion.id).in_(draft.files))
    )
    files = {one.id: version_view(one) for one in found.all()}
    return DraftSeen(
        id=draft.id,
        credential_id=draft.credential_id,
        category=category,
        data=draft.data,
        files=[files[one] for one in draft.files if one in files],
        created_at=draft.created_at,
        saved_at=draft.saved_at,
        today=await access.day_in(session, actor.unit_id, present()),
    )
