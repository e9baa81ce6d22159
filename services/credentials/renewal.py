"""Renewing a credential: the case that does it is begun from its page, and followed until closed.

Which kind of case renews a category stands with the category; how such a case is begun, each kind
registers where the program is put together.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import ColumnElement, and_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.messages import CredentialSignal
from models.tables.cases import Case
from models.tables.credentials import Credential
from rules.access import Actor, Permission
from rules.clock import now as present
from rules.credentials.reminders import ReminderAnswer
from rules.credentials.versions import not_standing
from rules.journal.entries import JournalKind
from rules.refusals import Refusal, not_found
from services.cases.beginning import FromFile
from services.credentials import categories, filling, reminder_rows, rows
from services.own_workflows import Wake


class Renewing(Protocol):
    """A kind of case that renews credentials."""

    renews_by_programme: bool
    """Whether the owner chooses a programme for it."""

    async def renew(self, actor: Actor, known: FromFile, choice: UUID | None, /) -> Case:
        """Begin its draft, filled in from the person's file; `choice` is the programme."""


AT_A_TIME = 100


class Renewals:
    """The acts of owners who renew, by the kinds of case that can."""

    def __init__(self, database: Database, wake: Wake, kinds: Mapping[str, Renewing]) -> None:
        self._database = database
        self._wake = wake
        self._kinds = kinds

    def by_programme(self, kind: str | None) -> bool:
        """Whether the owner chooses a programme for the kind of case that renews."""
        known = self._kinds.get(kind or "")
        return known is not None and known.renews_by_programme

    async def begin(self, actor: Actor, credential_id: UUID, choice: UUID | None) -> Case:
        """Begin the case that renews a credential; the one that is open, if there is one.

        Raises Refusal 404, 409 for one that does not stand, or that no case renews.
        """
        async with self._database.work() as session:
            row = await _own(session, actor, credential_id)
            known = await _open(session, row)
            kind = (await categories.newest(session, row.category)).renewed_by
            given = await filling.renewing(session, actor.person_id, credential_id)
        if known is not None:
            return known
        if kind not in self._kinds:
            words = "Такой документ продлевают не в кабинете. Получив новый, внесите его здесь."
            raise Refusal("not_renewed_here", words, 409)
        case = await self._kinds[kind].renew(actor, given, choice)
        now = present()
        async with self._database.work() as session:
            row = await _own(session, actor, credential_id)
            other = await _open(session, row)
            if other is not None:
                return other
            row.renewal_case_id = case.id
            rows.ask_to_look(row, now)
            session.add(row)
            await session.flush()
            kind_of_entry, facts = JournalKind.CREDENTIAL_RENEWAL_OPENED, {"case": str(case.id)}
            await rows.note(session, row, kind_of_entry, now, actor.person_id, facts)
            await reminder_rows.answered(session, row.id, ReminderAnswer.RENEWAL, now)
        await self._wake(credential_id, signal=CredentialSignal.RENEWAL_OPENED)
        return case


async def _own(session: AsyncSession, actor: Actor, credential_id: UUID) -> Credential:
    """The actor's own credential, locked, if it can be renewed. Raises Refusal 403, 404, 409."""
    actor.demand(Permission.KEEP_DOCUMENTS)
    row = await rows.locked(session, credential_id)
    if row is None or row.owner_id != actor.person_id:
        raise not_found()
    if row.withdrawn_at is not None or row.replaced_by is not None:
        raise not_standing()
    return row


async def _open(session: AsyncSession, row: Credential) -> Case | None:
    """The open case that renews it."""
    case = await session.get(Case, row.renewal_case_id) if row.renewal_case_id else None
    return case if case is not None and case.closed_at is None else None


def is_over() -> ColumnElement[bool]:
    """The condition that the case is closed which renews a credential."""
    closed = select(Case.id).where(
        col(Case.id) == col(Credential.renewal_case_id), col(Case.closed_at).is_not(None)
    )
    return and_(col(Credential.renewal_case_id).is_not(None), closed.exists())


async def close_over(database: Database, wake: Wake) -> int:
    """Let credentials go whose renewal is closed, however it ended. Returns how many there were."""
    async with database.reading() as session:
        found = await session.exec(select(Credential.id).where(is_over()).limit(AT_A_TIME))
        over = list(found.all())
    for credential_id in over:
        await _close(database, credential_id, present())
        await wake(credential_id, signal=CredentialSignal.RENEWAL_CLOSED)
    return len(over)


async def _close(database: Database, credential_id: UUID, now: datetime) -> None:
    async with database.work() as session:
        row = await rows.locked(session, credential_id)
        if row is None or row.renewal_case_id is None or await _open(session, row) is not None:
            return
        case = await session.get_one(Case, row.renewal_case_id)
        facts: dict[str, Any] = {"case": str(case.id), "status": case.status}
        row.renewal_case_id = None
        rows.ask_to_look(row, now)
        session.add(row)
        await session.flush()
        await rows.note(session, row, JournalKind.CREDENTIAL_RENEWAL_CLOSED, now, None, facts)
