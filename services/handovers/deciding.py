"""What an officer does: release chosen credentials, or refuse with a reason."""

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.tables.credentials import Credential, CredentialFile, CredentialVersion
from models.tables.documents import DocumentVersion
from models.tables.handovers import Authority, Handover, HandoverFile
from models.tables.people import Person
from rules.access import Actor, Permission
from rules.clock import now as present
from rules.credentials.handovers import (
    MOST_BYTES,
    OPEN_STATES,
    HandoverState,
    authority_ended,
    decided_already,
    nothing_chosen,
    too_large,
)
from rules.journal.entries import JournalKind
from rules.refusals import not_found
from rules.staff.people import demand_reason
from services.handovers import rows
from services.own_workflows import Wake


class HandoverDecisions:
    """Decisions on hand-overs. The same decision again changes nothing."""

    def __init__(self, database: Database, wake: Wake) -> None:
        self._database = database
        self._wake = wake

    async def release(self, actor: Actor, handover_id: UUID, credentials: Sequence[UUID]) -> None:
        """Release the files of these credentials, as they stand now.

        Raises Refusal 404, 409 if it was decided otherwise, 422 for none or too much.
        """
        now, chosen = present(), sorted(set(credentials))
        async with self._database.work() as session:
            row = await _open(session, actor, handover_id)
            files = await _files(session, row, chosen)
            if row.state not in OPEN_STATES:
                if row.decided_by != actor.person_id or await _released(session, row) != chosen:
                    raise decided_already()
                return
            if not files:
                raise nothing_chosen()
            if (await session.get_one(Authority, row.authority_id)).ended_at is not None:
                raise authority_ended()
            row.state, row.decided_at = HandoverState.PACKING.value, now
            row.decided_by, row.looks_at = actor.person_id, now
            session.add(row)
            for position, (version_id, document_id) in enumerate(files):
                session.add(
                    HandoverFile(
                        handover_id=row.id,
                        position=position,
                        credential_version_id=version_id,
                        document_version_id=document_id,
                    )
                )
            await session.flush()
            facts = {"credentials": [str(one) for one in chosen], "files": len(files)}
            kind = JournalKind.HANDOVER_RELEASED
            await rows.note(session, row, kind, now, actor.person_id, facts)
        await self._wake(handover_id)

    async def refuse(self, actor: Actor, handover_id: UUID, reason: str) -> None:
        """Refuse, with a reason that the authority reads. Raises Refusal 404, 409, 422."""
        now, said = present(), demand_reason(reason)
        async with self._database.work() as session:
            row = await _open(session, actor, handover_id)
            if row.state not in OPEN_STATES:
                if row.decided_by != actor.person_id or row.reason != said:
                    raise decided_already()
                return
            row.state, row.decided_at = HandoverState.REFUSED.value, now
            row.decided_by, row.reason, row.looks_at = actor.person_id, said, now
            session.add(row)
            await session.flush()
            kind, contents = JournalKind.HANDOVER_REFUSED, {"reason": said}
            await rows.note(session, row, kind, now, actor.person_id, None, contents)
        await self._wake(handover_id)


async def _open(session: AsyncSession, actor: Actor, handover_id: UUID) -> Handover:
    """The hand-over, locked, if the actor decides on it. Raises Refusal 403, 404, 409."""
    actor.demand(Permission.RELEASE_CREDENTIALS)
    row = await rows.locked(session, handover_id)
    if row is None or row.person_id in (None, actor.person_id):
        raise not_found()
    person = await session.get_one(Person, row.person_id)
    if not actor.may(Permission.RELEASE_CREDENTIALS, person.unit_id):
        raise not_found()
    return row


async def _files(
    session: AsyncSession, row: Handover, chosen: Sequence[UUID]
) -> Sequence[tuple[UUID, UUID]]:
    """The files of the current versions of the person's chosen credentials, in order.

    Raises Refusal 422 for one that is not theirs or does not count, and for too much.
    """
    found = await session.exec(
        select(
            col(CredentialVersion.credential_id),
            col(CredentialVersion.id),
            col(DocumentVersion.id),
            col(DocumentVersion.size),
        )
        .join(Credential, col(Credential.id) == col(CredentialVersion.credential_id))
        .join(CredentialFile, col(CredentialFile.version_id) == col(CredentialVersion.id))
        .join(DocumentVersion, col(DocumentVersion.id) == col(CredentialFile.document_version_id))
        .where(
            col(Credential.id).in_(chosen),
            Credential.owner_id == row.person_id,
            col(Credential.withdrawn_at).is_(None),
            col(CredentialVersion.replaced_at).is_(None),
            col(DocumentVersion.object_key).is_not(None),
        )
        .order_by(col(CredentialVersion.credential_id), col(CredentialFile.position))
    )
    files = found.all()
    if row.state in OPEN_STATES:
        if {one for one, *_ in files} != set(chosen):
            raise nothing_chosen()
        if sum(size for *_, size in files) > MOST_BYTES:
            raise too_large()
    return [(version_id, document_id) for _, version_id, document_id, _ in files]


async def _released(session: AsyncSession, row: Handover) -> list[UUID]:
    """Of which credentials files were released, sorted."""
    found = await session.exec(
        select(CredentialVersion.credential_id)
        .join(HandoverFile, col(HandoverFile.credential_version_id) == col(CredentialVersion.id))
        .where(HandoverFile.handover_id == row.id)
        .distinct()
    )
    return sorted(found.all())
