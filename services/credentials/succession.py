"""One credential takes the place of another: said by its owner, or since it is the next one (Q7).

The older one says «заменён», and its reminders end. Whoever calls has the owner's turn.
"""

from datetime import datetime
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.credentials import Credential, CredentialVersion
from rules.credentials.categories import CategoryDefinition
from rules.credentials.reminders import ReminderAnswer
from rules.credentials.succession import Admitting, may_succeed, succeeds
from rules.journal.entries import JournalKind
from services.credentials import categories, reminder_rows, rows


async def replace(
    session: AsyncSession, row: Credential, by_id: UUID, now: datetime, by: UUID | None
) -> None:
    """Let a locked credential be replaced by another; its workflow is asked to look."""
    row.replaced_by, row.renewal_case_id = by_id, None
    rows.ask_to_look(row, now)
    session.add(row)
    await session.flush()
    kind, facts = JournalKind.CREDENTIAL_REPLACED, {"by": str(by_id)}
    await rows.note(session, row, kind, now, by, facts)
    await reminder_rows.answered(session, row.id, ReminderAnswer.REPLACED, now)


async def succeed(
    session: AsyncSession,
    row: Credential,
    category: CategoryDefinition,
    version: CredentialVersion,
    now: datetime,
) -> None:
    """Let what a version says take the place of the older ones that it is the next of.

    The sweeper wakes their workflows within moments.
    """
    if row.valid_until is None or row.issued_on is None or not may_succeed(category):
        return
    known = await categories.offered(session)
    found = await session.exec(
        select(Credential)
        .where(
            Credential.owner_id == row.owner_id,
            Credential.id != row.id,
            col(Credential.category).in_([one.key for one in known.values() if may_succeed(one)]),
            col(Credential.withdrawn_at).is_(None),
            col(Credential.replaced_by).is_(None),
            col(Credential.valid_until) < row.valid_until,
            col(Credential.issued_on) <= row.issued_on,
        )
        .order_by(col(Credential.id))
        .with_for_update()
    )
    newer = Admitting(category, version.data, row.issued_on, row.valid_until)
    for older in found.all():
        says = await rows.current(session, older)
        its = known[older.category]
        if succeeds(newer, Admitting(its, says.data, older.issued_on, older.valid_until)):
            await replace(session, older, row.id, now, version.made_by)
