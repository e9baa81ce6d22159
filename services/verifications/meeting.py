"""The meeting of a verification: who needs one, and what follows its outcome."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.messages import CaseState
from models.tables.accounts import Account
from models.tables.cases import Case
from models.tables.meetings import Meeting
from rules.accounts import AccountState
from rules.cases.process import CaseKind
from rules.meetings import Purpose, not_needed
from services.cases.wakeups import applicant_did_more
from services.meetings.purposes import MeetingPurpose, register
from services.verifications.settling import has_met


async def _demand(session: AsyncSession, person_id: UUID) -> None:
    """Raise Refusal 409 unless the account is not confirmed and the person has met nobody yet."""
    account = await session.get(Account, person_id)
    confirmed = account is None or account.state == AccountState.CONFIRMED
    if confirmed or await has_met(session, person_id):
        raise not_needed()


async def _ended(session: AsyncSession, meeting: Meeting, now: datetime) -> Sequence[CaseState]:
    return await applicant_did_more(session, meeting.person_id, now)


async def _case(session: AsyncSession, person_id: UUID) -> UUID | None:
    """The newest verification that was handed in, where the person's documents are."""
    found = await session.exec(
        select(Case.id)
        .where(
            Case.applicant_id == person_id,
            Case.kind == CaseKind.VERIFICATION.value,
            Case.version > 0,
        )
        .order_by(col(Case.created_at).desc())
        .limit(1)
    )
    return found.first()


register(Purpose.VERIFICATION, MeetingPurpose(_demand, _ended, _case))
