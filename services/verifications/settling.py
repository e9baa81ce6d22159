"""Which steps are done, and the state of the account that follows from them, by itself.

`settle` is asked by the workflow after every act and reminder: the steps are read anew each time,
so they can be done in any order, and nothing is counted twice.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.messages import CaseSignal, CaseState
from models.tables.accounts import Account
from models.tables.cases import Case
from models.tables.meetings import Meeting
from models.tables.people import Person
from rules.accounts import AccountState
from rules.cases.process import CaseKind, Status, Transition
from rules.clock import now as present
from rules.journal.entries import JournalKind
from rules.meetings import MeetingState, Purpose
from rules.notices.kinds import Channel, NoticeKind
from rules.verification import LAPSES_AFTER, REMINDERS, reached
from rules.verification import VerificationStep as Step
from services.accounts.account_row import locked_account
from services.accounts.proven_contacts import is_confirmed
from services.accounts.second_factor.register import has_factor, offers
from services.cases.transitions import CaseNotice, lock, move, state_of
from services.cases.wakeups import note_false_signals
from services.journal import entries as journal
from services.notices import outbox


async def steps_done(session: AsyncSession, person_id: UUID) -> frozenset[Step]:
    """The steps that a person has done by now."""
    done = set()
    person = await session.get_one(Person, person_id)
    if await is_confirmed(session, person, Channel.MAIL):
        done.add(Step.MAIL)
    if person.phone and await is_confirmed(session, person, Channel.SMS):
        done.add(Step.PHONE)
    if await _documents_stand(session, person_id):
        done.add(Step.DOCUMENTS)
    if await has_met(session, person_id):
        done.add(Step.MEETING)
    if has_factor(await offers(session, person_id)):
        done.add(Step.FACTOR)
    return frozenset(done)


async def _documents_stand(session: AsyncSession, person_id: UUID) -> bool:
    """Whether an operator has confirmed the documents of the newest verification."""
    account = await session.get(Account, person_id)
    if account is not None and account.state != AccountState.REGISTERED:
        return True
    found = await session.exec(
        select(Case.id)
        .where(
            Case.applicant_id == person_id,
            Case.kind == CaseKind.VERIFICATION.value,
            col(Case.status).in_([Status.APPROVED.value, Status.CONFIRMED.value]),
        )
        .limit(1)
    )
    return found.first() is not None


async def has_met(session: AsyncSession, person_id: UUID) -> bool:
    """Whether an operator has confirmed the person in a meeting."""
    found = await session.exec(
        select(Meeting.id)
        .where(
            Meeting.person_id == person_id,
            Meeting.purpose == Purpose.VERIFICATION.value,
            Meeting.state == MeetingState.CONFIRMED.value,
        )
        .limit(1)
    )
    return found.first() is not None


async def settle(database: Database, case_id: UUID, signals: Sequence[CaseSignal]) -> CaseState:
    """Raise the account to the state that its steps open; close the case when all are done.

    Reminds of what is left, and lets the case lapse in the end. Safe to repeat.
    """
    now = present()
    async with database.work() as session:
        case = await lock(session, case_id)
        await note_false_signals(session, case, signals)
        if case.status != Status.APPROVED or case.closed_at is not None:
            return await state_of(session, case)
        account = await locked_account(session, case.applicant_id)
        done = await steps_done(session, case.applicant_id)
        state = reached(done, AccountState(account.state))
        if state != account.state:
            await _raise(session, account, state, case, now)
        if state is AccountState.CONFIRMED:
            tell = [CaseNotice("verification_confirmed", case.applicant_id)]
            await move(session, case, Transition.CONFIRM, now=now, tell=tell)
        elif now >= case.since + LAPSES_AFTER:
            tell = [CaseNotice("verification_lapsed", case.applicant_id)]
            await move(session, case, Transition.LAPSE, now=now, tell=tell)
        else:
            await _remind(session, case, now)
        return await state_of(session, case)


async def _raise(
    session: AsyncSession, account: Account, state: AccountState, case: Case, now: datetime
) -> None:
    before, account.state = account.state, state.value
    session.add(account)
    await journal.append(
        session,
        chain=account.person_id,
        kind=JournalKind.ACCOUNT_STATE_REACHED,
        at=now,
        system="verification",
        facts={"from": before, "to": state.value, "case": str(case.id)},
        lock=True,
    )
    if state is AccountState.ACTIVE:
        await outbox.enqueue(
            session,
            person_id=account.person_id,
            kind=NoticeKind.ACCOUNT_ACTIVE,
            event_key=f"{case.id}:active",
            now=now,
        )


async def _remind(session: AsyncSession, case: Case, now: datetime) -> None:
    """Remind if it is time; note when the workflow has to look again."""
    over = sum(case.since + after <= now for after in REMINDERS)
    if over > case.alarms:
        case.alarms = over
        await outbox.enqueue(
            session,
            person_id=case.applicant_id,
            kind=NoticeKind.VERIFICATION_REMINDER,
            event_key=f"{case.id}:{case.step}:reminder:{over}",
            case_id=case.id,
            facts={"number": case.number},
            now=now,
        )
    ahead = [*REMINDERS, LAPSES_AFTER][over]
    case.wakes_at = case.since + ahead
    case.rings, case.rung_at = 0, None
    session.add(case)
