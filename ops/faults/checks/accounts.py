"""Whether accounts are as far as their steps, and locks were opened by three people.

Both rules are written here once more, over rows and journal, apart from the product's own code.
"""

from collections import Counter, defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from temporalio.client import Client

from clients.database import Database
from models.messages import WorkflowName
from models.tables.accounts import AccessToken, Account, AccountLock, AccountSession, DeviceToken
from models.tables.cases import Case
from models.tables.journal import JournalEntry
from models.tables.meetings import Meeting
from models.tables.people import Person
from ops.faults.evidence import Evidence
from rules.access import Permission
from rules.accounts import AccountState
from rules.cases.process import CaseKind, Status
from rules.clock import now
from rules.journal.entries import JournalKind
from services import access
from services.accounts.second_factor import inventory

if TYPE_CHECKING:
    from ops.faults.checks import CheckReport

STATES, LOCKS = 12, 13
_UNDER_WAY = timedelta(seconds=15)
_LATE = timedelta(seconds=60)


async def check_states(report: "CheckReport", database: Database, evidence: Evidence) -> None:
    """Each account has the state that its story came to, once raised to each state on the way."""
    async with database.reading() as session:
        people = (await session.exec(select(Person.id))).all()
        states = dict((await session.exec(select(Account.person_id, Account.state))).all())
        entries = await session.exec(
            select(JournalEntry).where(
                col(JournalEntry.kind) == JournalKind.ACCOUNT_STATE_REACHED.value
            )
        )
        raised: dict[UUID, Counter[str]] = defaultdict(Counter)
        for entry in entries.all():
            raised[entry.chain][str(entry.facts["to"])] += 1
        found = await session.exec(
            select(Case.applicant_id, Case.status).where(
                Case.kind == CaseKind.VERIFICATION.value, Case.version > 0
            )
        )
        cases: dict[UUID, list[str]] = defaultdict(list)
        for person_id, status in found.all():
            cases[person_id].append(status)
        held = await session.exec(select(Meeting).where(Meeting.purpose == "verification"))
        met = {
            one.person_id
            for one in held.all()
            if one.state == "confirmed" and one.ended_by not in (None, one.person_id)
        }
    for person_id in people:
        steps, wanted = raised[person_id], evidence.states.get(person_id)
        twice = [state for state, times in steps.items() if times > 1]
        report.compare(STATES, not twice, f"{person_id} was raised twice to {twice}")
        if wanted is None:
            report.compare(STATES, not steps, f"{person_id} was raised without a verification")
            continue
        state = states.get(person_id)
        report.compare(STATES, state == wanted, f"{person_id} is {state}, and not {wanted}")
        confirmed = state == AccountState.CONFIRMED
        whole = Status.CONFIRMED in cases[person_id] and person_id in met
        report.compare(STATES, not confirmed or whole, f"{person_id} is confirmed by halves")


async def check_locks(
    report: "CheckReport", database: Database, client: Client, evidence: Evidence
) -> None:
    """Nothing is open while it stands; opened by three people; nothing of before is left."""
    running: Counter[str] = Counter()
    async for run in client.list_workflows(f"WorkflowType = '{WorkflowName.ACCOUNT_LOCK}'"):
        running[run.status.name if run.status else ""] += 1
    failed = running["FAILED"] + running["TERMINATED"]
    report.compare(LOCKS, not failed, f"runs of locks: {dict(running)}")
    async with database.reading() as session:
        accounts = {one.person_id: one for one in (await session.exec(select(Account))).all()}
        locks = (await session.exec(select(AccountLock))).all()
        standing = {one.person_id: one for one in locks if one.ended_at is None}
        for person_id, account in accounts.items():
            suspected = account.locked_reason == "suspicion"
            same = suspected == (person_id in standing)
            report.compare(LOCKS, same, f"{person_id} is locked, or is not, without its row")
        known = {one.id for one in locks}
        for lock_id in evidence.locks.values():
            report.compare(LOCKS, lock_id in known, f"{lock_id} was answered and is not kept")
        for lock in locks:
            await _nothing_open(report, session, lock)
            if lock.state == "opened":
                await _three_people(report, session, lock, evidence)
                await _nothing_left(report, session, lock, accounts[lock.person_id])
            else:
                late = lock.ended_at is None and lock.looks_at < now() - _LATE
                report.compare(LOCKS, not late, f"{lock.id} sleeps past its time")


async def _nothing_open(report: "CheckReport", session: AsyncSession, lock: AccountLock) -> None:
    """No session, device or token of before the lock, or of before it was opened."""
    until = lock.ended_at or now()
    for table in (AccountSession, DeviceToken, AccessToken):
        found = await session.exec(
            select(table.id).where(
                col(table.person_id) == lock.person_id,
                col(table.ended_at).is_(None),
                col(table.created_at) <= until,
            )
        )
        left = found.all()
        report.compare(LOCKS, not left, f"{lock.id}: {len(left)} of {table.__tablename__} are open")


async def _three_people(
    report: "CheckReport", session: AsyncSession, lock: AccountLock, evidence: Evidence
) -> None:
    """The owner, an operator who met them, and another who agreed, each with the right then."""
    meeting = await session.get(Meeting, lock.meeting_id) if lock.meeting_id else None
    three = {lock.person_id, lock.operator_id, lock.approver_id} - {None}
    met = (
        meeting is not None
        and (meeting.state, meeting.purpose) == ("confirmed", "unlock")
        and (meeting.person_id, meeting.ended_by) == (lock.person_id, lock.operator_id)
    )
    report.compare(LOCKS, len(three) == 3 and met, f"{lock.id} was not opened by three people")
    unit_id = (await session.get_one(Person, lock.person_id)).unit_id
    for who, right in (
        (lock.operator_id, Permission.MEET_PEOPLE),
        (lock.approver_id, Permission.APPROVE_UNLOCK),
    ):
        able = {
            one
            for at in ((lock.ended_at or now()) - _UNDER_WAY, lock.ended_at or now())
            for one in await access.people_with(session, right, unit_id, at)
        }
        report.compare(LOCKS, who in able, f"{lock.id}: {who} had no {right}")
    said = await session.exec(
        select(JournalEntry.kind, JournalEntry.by_person)
        .where(
            JournalEntry.chain == lock.person_id,
            col(JournalEntry.kind).in_([JournalKind.ACCOUNT_MET, JournalKind.ACCOUNT_UNLOCKED]),
        )
        .order_by(col(JournalEntry.position))
    )
    last = list(said.all())[-2:]
    wanted = [
        (JournalKind.ACCOUNT_MET.value, lock.operator_id),
        (JournalKind.ACCOUNT_UNLOCKED.value, lock.approver_id),
    ]
    report.compare(LOCKS, last == wanted, f"{lock.id}: the journal says {last}")
    heard = evidence.agreed.get(lock.id, [])
    one = set(heard) <= {lock.approver_id}
    report.compare(LOCKS, one, f"{lock.id}: {len(heard)} were told that they opened it")


async def _nothing_left(
    report: "CheckReport", session: AsyncSession, lock: AccountLock, account: Account
) -> None:
    """No factor that was not gone through, and no password of before."""
    meeting = await session.get_one(Meeting, lock.meeting_id)
    factors = {one.name for one in await inventory.factors_of(session, lock.person_id)}
    odd = factors - set(meeting.marked or ["recovery"])
    report.compare(LOCKS, not odd, f"{lock.id}: nobody has vouched for {odd}")
    ended = lock.ended_at or now()
    fresh = account.password_hash is None or account.password_changed_at >= ended
    report.compare(LOCKS, fresh, f"{lock.id}: the password of before is good")
