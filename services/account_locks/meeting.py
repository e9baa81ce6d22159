"""What a meeting means for a lock: confirmed, it waits for the word of a third person."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from models.messages import CaseState
from models.tables.meetings import Meeting
from rules.account_locks import FACTOR_WORDS, LockState
from rules.journal.entries import JournalKind
from rules.meetings import MeetingState, Purpose, not_needed
from rules.notices.kinds import NoticeKind
from services.account_locks import rows
from services.accounts.second_factor.inventory import factors_of
from services.meetings.purposes import MeetingPurpose, PurposeQuestion, register


async def _demand(session: AsyncSession, person_id: UUID) -> None:
    """Raise Refusal 409 unless the person's account waits for a meeting."""
    row = await rows.open_of(session, person_id)
    if row is None or row.state != LockState.MEETING:
        raise not_needed()


async def _ended(session: AsyncSession, meeting: Meeting, now: datetime) -> Sequence[CaseState]:
    """Take the operator's word. The lock's own workflow is woken by the sweeper."""
    row = await rows.open_of(session, meeting.person_id)
    if row is None or row.state != LockState.MEETING:
        return []
    if meeting.state == MeetingState.CONFIRMED:
        await rows.moved(session, row, LockState.APPROVAL, now)
        row.meeting_id, row.operator_id = meeting.id, meeting.ended_by
        session.add(row)
        await session.flush()
        facts = {"meeting": str(meeting.id), "factors": meeting.marked}
        await rows.note(session, row, JournalKind.ACCOUNT_MET, now, meeting.ended_by, facts)
        await rows.tell_approvers(session, row, NoticeKind.UNLOCK_TO_APPROVE, now)
    elif meeting.state == MeetingState.NOT_CONFIRMED:
        await rows.tell_approvers(session, row, NoticeKind.UNLOCK_NOT_CONFIRMED, now)
    return []


async def _case(session: AsyncSession, person_id: UUID) -> UUID | None:
    """There is none: the operator compares the person with the document alone."""
    del session, person_id
    return None


async def _asks(session: AsyncSession, person_id: UUID) -> Sequence[PurposeQuestion]:
    """The factors: whoever it is locked against may have set up one."""
    return [
        PurposeQuestion(one.name, FACTOR_WORDS[one.method], one.hint, one.since)
        for one in await factors_of(session, person_id)
    ]


async def _gives_code(session: AsyncSession, meeting: Meeting) -> bool:
    """Whether no factor was confirmed, so that the owner needs a code for the new password."""
    row = await rows.open_of(session, meeting.person_id)
    return (
        row is not None
        and row.state == LockState.APPROVAL
        and row.meeting_id == meeting.id
        and not meeting.marked
    )


register(Purpose.UNLOCK, MeetingPurpose(_demand, _ended, _case, _asks, _gives_code))
