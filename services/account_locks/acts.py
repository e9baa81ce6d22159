"""Locks by suspicion: by the person, from the profile or a notice, or by information security.

All sessions and tokens end at once. What an administrator locks, an administrator opens; this lock
opens only when an operator has met the owner, and a third person agrees.
"""

from datetime import datetime
from uuid import UUID

from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.tables.accounts import AccountLock, ProviderLink, RiskEvent
from models.tables.meetings import Meeting
from rules.access import Actor, Permission
from rules.account_locks import (
    CODES,
    LINKS,
    LockState,
    changed_meanwhile,
    demand_third,
    next_look,
    no_way_in,
    sent_too_often,
    unlock_link_over,
)
from rules.accounts import Outcome, Step
from rules.clock import now as present
from rules.journal.entries import JournalKind
from rules.meetings import Purpose
from rules.notices.kinds import NoticeKind
from rules.refusals import Refusal, not_found
from rules.risks import LINK_LIVES, SUSPICION, LockedBy, link_over
from rules.staff.people import as_it_is, demand_reason
from services import rate_limits
from services.account_locks import meeting as _registers_its_purpose  # noqa: F401
from services.account_locks import rows
from services.accounts import device_tokens, devices, login_log, password_reset
from services.accounts.account_row import locked_account
from services.accounts.risks import queue
from services.accounts.second_factor import inventory, recovery_codes
from services.accounts.sessions import Visitor, end_access, hash_token, new_link
from services.accounts.sign_in import lock as lock_account
from services.accounts.sign_in import unlock as unlock_account
from services.meetings.acts import Meetings, demand_operator
from services.meetings.purposes import hooks_of
from services.own_workflows import Wake
from services.results import looking as results


class AccountLocks:
    """The acts on locks; the workflow is woken after each, and the sweeper makes up for it."""

    def __init__(self, database: Database, meetings: Meetings, wake: Wake) -> None:
        self._database = database
        self._meetings = meetings
        self._wake = wake

    async def lock_own(self, person_id: UUID, visitor: Visitor) -> None:
        """The person locks the own account, signed in."""
        async with self._database.work() as session:
            made = await _lock(session, person_id, LockedBy.PERSON, person_id, visitor)
        await self._wake(made)

    async def lock_by_link(self, secret: str, visitor: Visitor) -> None:
        """Lock the account whose notice has this link, once. Raises Refusal 409 otherwise.

        So it does, and the link stays good, while the account is locked by an administrator.
        """
        now = present()
        async with self._database.work() as session:
            found = await session.exec(
                select(RiskEvent)
                .where(RiskEvent.secret_hash == hash_token(secret), RiskEvent.at > now - LINK_LIVES)
                .with_for_update()
            )
            event = found.first()
            if event is None:
                raise link_over()
            event.secret_hash = None
            session.add(event)
            await session.flush()
            made = await _lock(session, event.person_id, LockedBy.LINK, None, visitor)
        await self._wake(made)

    async def lock_by_security(self, actor: Actor, event_id: UUID, visitor: Visitor) -> None:
        """Information security locks the account of an event.

        Raises Refusal 404, 409 for the own account, and for one that an administrator locked.
        """
        async with self._database.work() as session:
            event = await queue.event_of(session, actor, event_id)
            how, by = LockedBy.SECURITY, actor.person_id
            made = await _lock(session, event.person_id, how, by, visitor)
        await self._wake(made)

    async def book(self, secret: str, slot_id: UUID) -> None:
        """Book a meeting by the link of the mail. Raises Refusal 409, 429."""
        await self._meetings.book(await self._owner(secret), Purpose.UNLOCK, slot_id)

    async def cancel(self, secret: str, meeting_id: UUID) -> None:
        """Cancel the meeting, to choose another time. Raises Refusal 404, 409."""
        await self._meetings.cancel(await self._owner(secret), meeting_id)

    async def _owner(self, secret: str) -> UUID:
        async with self._database.work() as session:
            row = await rows.by_secret(session, secret)
            if row is None:
                raise unlock_link_over()
            return row.person_id

    async def approve(self, actor: Actor, lock_id: UUID) -> None:
        """Agree, as the third person: the account is open. The same again changes nothing.

        Raises Refusal 404, 409 for the owner or the operator, for a lock that waits for something
        else, or if the operator has lost the right meanwhile: then another meeting is needed.
        """
        now = present()
        async with self._database.work() as session:
            row = await _watched(session, actor, lock_id, now)
            if row.state == LockState.OPENED and row.approver_id == actor.person_id:
                return
            if row.state != LockState.APPROVAL:
                raise changed_meanwhile()
            demand_third(actor.person_id, row.person_id, row.operator_id)
            holds = row.operator_id in await rows.able(session, row, Permission.MEET_PEOPLE, now)
            if holds:
                await _open(session, row, actor, now)
            else:
                await _again(session, row, None, "operator", now)
        await self._wake(lock_id)
        if not holds:
            words = "Оператор больше не вправе подтверждать личность. Нужна новая встреча."
            raise Refusal("operator_lost_right", words, 409)

    async def send_back(self, actor: Actor, lock_id: UUID, reason: str) -> None:
        """Ask for another meeting. Raises Refusal 404, 409 as `approve` does, 422 for no reason."""
        now, said = present(), demand_reason(reason)
        async with self._database.work() as session:
            row = await _watched(session, actor, lock_id, now)
            if row.state != LockState.APPROVAL:
                raise changed_meanwhile()
            demand_third(actor.person_id, row.person_id, row.operator_id)
            await _again(session, row, actor.person_id, said, now)
        await self._wake(lock_id)

    async def give_code(self, actor: Actor, meeting_id: UUID) -> str:
        """A code for the owner, whom the actor has just met and who has no factor left.

        With it and a mail the owner sets a new password once the account is open. Each code
        replaces the one before. Raises Refusal 404, 409, 429.
        """
        now, drawn = present(), await recovery_codes.draw_spoken()
        async with self._database.work() as session:
            meeting = await session.get(Meeting, meeting_id)
            if meeting is None:
                raise not_found()
            await demand_operator(session, actor, meeting)
            gives = await hooks_of(meeting.purpose).gives_code(session, meeting)
            row = await rows.open_of(session, meeting.person_id)
            if meeting.ended_by != actor.person_id or row is None or not gives:
                raise changed_meanwhile()
            wait = await rate_limits.take(session, [(CODES, str(row.id))], now)
            if not wait:
                row.code_hash = drawn.code_hash
                session.add(row)
                kind, facts = JournalKind.ACCOUNT_RECOVERY_CODES_MADE, {"meeting": str(meeting_id)}
                await rows.note(session, row, kind, now, actor.person_id, facts)
        if wait:
            raise sent_too_often(wait)
        return str(drawn.code)

    async def resend(self, actor: Actor, lock_id: UUID) -> None:
        """Send the owner a new link to choose a meeting. Raises Refusal 404, 409, 429."""
        now = present()
        async with self._database.work() as session:
            row = await _watched(session, actor, lock_id, now)
            if row.state != LockState.MEETING:
                raise changed_meanwhile()
            if wait := await rate_limits.take(session, [(LINKS, str(lock_id))], now):
                raise sent_too_often(wait)
            await rows.send_link(session, row, NoticeKind.UNLOCK_REMINDER, now)


async def _lock(
    session: AsyncSession, person_id: UUID, how: LockedBy, by: UUID | None, visitor: Visitor
) -> UUID:
    """Lock the account; one that is locked so already stays so. Returns the id of its lock.

    Raises Refusal 409 for one that an administrator locked: only an administrator opens it.
    """
    now = present()
    account = await locked_account(session, person_id)
    before = await rows.open_of(session, person_id)
    if before is None and account.locked_at is not None:
        raise as_it_is()
    await queue.close_all(session, person_id, by, now)
    if before is not None:
        return before.id
    await lock_account(session, person_id, SUSPICION, now)
    await results.person_changed(session, person_id, now)
    session.add(account)
    # Whoever it is locked against may have linked it, and would need no password afterwards.
    await session.exec(delete(ProviderLink).where(col(ProviderLink.person_id) == person_id))
    row = AccountLock(
        person_id=person_id,
        how=how.value,
        by=by,
        at=now,
        state=LockState.MEETING.value,
        since=now,
        secret_hash=new_link()[1],
        looks_at=next_look(LockState.MEETING, now, 0),
    )
    session.add(row)
    await session.flush()
    await rows.note(session, row, JournalKind.ACCOUNT_LOCKED, now, by, {"how": how.value})
    step = Step.LOCK
    await login_log.note(session, step, Outcome.PASSED, visitor, now, person_id=person_id)
    await rows.send_link(session, row, NoticeKind.LOCKED_BY_SUSPICION, now)
    return row.id


async def _watched(
    session: AsyncSession, actor: Actor, lock_id: UUID, now: datetime
) -> AccountLock:
    """The lock, with its account, if the actor may act on it at this moment. Raises Refusal 404."""
    known = await session.get(AccountLock, lock_id)
    if known is None:
        raise not_found()
    await locked_account(session, known.person_id)
    row = await rows.by_id(session, lock_id)
    # The owner is told so by `demand_third`; of everybody else the right of this moment counts.
    if row is None or not (
        actor.person_id in await rows.able(session, row, Permission.APPROVE_UNLOCK, now)
        or (actor.person_id == row.person_id and actor.may(Permission.APPROVE_UNLOCK))
    ):
        raise not_found()
    return row


async def _open(session: AsyncSession, row: AccountLock, by: Actor, now: datetime) -> None:
    meeting = await session.get_one(Meeting, row.meeting_id)
    kept, removed = await inventory.keep_only(session, row.person_id, meeting.marked)
    if not kept:
        if row.code_hash is None:
            raise no_way_in()
        await recovery_codes.accept_spoken(session, row.person_id, row.code_hash, now)
    row.state, row.approver_id, row.ended_at = LockState.OPENED.value, by.person_id, now
    row.code_hash = None
    session.add(row)
    await session.flush()
    await _forget_what_was(session, row.person_id, now)
    await unlock_account(session, row.person_id)
    facts = {
        "operator": str(row.operator_id),
        "meeting": str(row.meeting_id),
        "kept": [one.name for one in kept],
        "removed": [one.name for one in removed],
    }
    await rows.note(session, row, JournalKind.ACCOUNT_UNLOCKED, now, by.person_id, facts)
    await login_log.tell(session, row.person_id, NoticeKind.UNLOCKED_BY_MEETING, now)


async def _forget_what_was(session: AsyncSession, person_id: UUID, now: datetime) -> None:
    """Whoever it was locked against may know the password, a link, and a device of the account."""
    account = await locked_account(session, person_id)
    account.password_hash, account.must_change_password = None, False
    session.add(account)
    await password_reset.forget_links(session, person_id)
    await end_access(session, person_id, "locked", now)
    await device_tokens.end_all(session, person_id, "locked", now)
    await devices.forget_all(session, person_id)


async def _again(
    session: AsyncSession, row: AccountLock, by: UUID | None, reason: str, now: datetime
) -> None:
    await rows.moved(session, row, LockState.MEETING, now)
    contents = {"reason": reason}
    await rows.note(session, row, JournalKind.ACCOUNT_SENT_BACK, now, by, contents=contents)
    await rows.send_link(session, row, NoticeKind.UNLOCK_SENT_BACK, now)
