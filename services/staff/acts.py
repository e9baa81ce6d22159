"""What administrators do to people's accounts: invite, lock, end sessions, dismiss, transfer.

Each act has a reason where it takes something away, is journaled in the chain of the person and of
whoever acts, and is told to the person.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import delete
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.tables.accounts import Account, KnownDevice
from models.tables.people import Person, Unit
from rules.access import Actor, Permission
from rules.account_locks import locked_by_suspicion
from rules.ids import new_id
from rules.journal.entries import JournalKind
from rules.notices.kinds import NoticeKind
from rules.refusals import not_found
from rules.risks import SUSPICION
from rules.staff.people import (
    MOST_AT_ONCE,
    LeftAlone,
    StaffActKind,
    as_it_is,
    demand_reason,
    has_left,
    leaving_at,
    no_account,
    nobody_to_invite,
    not_invited,
    same_unit,
)
from services import access
from services.accounts import sign_in as accounts
from services.accounts.sessions import end_access, end_device, end_session
from services.cases import assignment
from services.notices import outbox
from services.notices.outbox import NoticeEvent
from services.staff import departures, invitations
from services.staff.acting import (
    StaffActing,
    begin,
    demand_successor,
    keep,
    managed,
    note,
    note_own,
)


@dataclass(frozen=True)
class Invitations:
    """Who was invited, and who was left alone and why."""

    invited: Sequence[UUID]
    left_alone: Sequence[tuple[UUID, LeftAlone]]


class StaffActs:
    """What administrators do to the accounts of people; an actor of None is the command line."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def invite(
        self, actor: Actor | None, act_id: UUID, people: Sequence[UUID]
    ) -> Invitations:
        """Invite people who have no account; an earlier invitation of theirs ends.

        Raises Refusal 403, 404 for somebody whom the actor does not manage, 409 or 422 if nobody of
        them could be invited.
        """
        wanted = list(dict.fromkeys(people))
        if not 1 <= len(wanted) <= MOST_AT_ONCE:
            raise nobody_to_invite()
        kind = StaffActKind.INVITE
        body = {"people": sorted(map(str, wanted))}
        async with self._database.work() as session:
            act = await begin(session, actor, act_id, kind, body)
            if act.known is None:
                await self._invite(session, act, sorted(wanted))
            answer = act.known or act.answer
        return Invitations(
            [UUID(one) for one in answer["invited"]],
            [(UUID(one), LeftAlone(why)) for one, why in answer["left_alone"]],
        )

    async def _invite(
        self, session: AsyncSession, act: StaffActing, wanted: Sequence[UUID]
    ) -> None:
        invited, left_alone = [], []
        for person_id in wanted:
            person = await managed(session, act, person_id)
            why = await invitations.why_not(session, person, act.at)
            if why is not None:
                left_alone.append((str(person_id), why.value))
                continue
            await invitations.invite(session, person, act.by, act.at)
            await note(session, act, person_id, JournalKind.PERSON_INVITED)
            invited.append(str(person_id))
        if not invited:
            raise nobody_to_invite(LeftAlone(left_alone[0][1]))
        await note_own(
            session, act, JournalKind.PERSON_INVITED, {"count": len(invited)}, {"people": invited}
        )
        await keep(session, act, {"invited": invited, "left_alone": left_alone})

    async def invite_here(self, person_id: UUID) -> str:
        """Invite a person from the command line. Returns the secret of the link, shown only now.

        Raises Refusal 404, 409 for somebody who cannot be invited.
        """
        async with self._database.work() as session:
            act = await begin(session, None, new_id(), StaffActKind.INVITE, {})
            person = await managed(session, act, person_id)
            why = await invitations.why_not(session, person, act.at)
            if why is not None:
                raise nobody_to_invite(why)
            secret = await invitations.invite(session, person, None, act.at)
            await note(session, act, person_id, JournalKind.PERSON_INVITED)
            return secret

    async def revoke_invitation(self, actor: Actor | None, act_id: UUID, person_id: UUID) -> None:
        """End the open invitation of a person. Raises Refusal 403, 404, 409 if there is none."""
        async with self._database.work() as session:
            kind = StaffActKind.REVOKE_INVITATION
            act = await begin(session, actor, act_id, kind, {"person": str(person_id)})
            if act.known is not None:
                return
            person = await managed(session, act, person_id)
            if not await invitations.end(session, person.id, "revoked", act.at):
                raise not_invited()
            await note(session, act, person_id, JournalKind.PERSON_INVITATION_REVOKED)
            await note_own(
                session, act, JournalKind.PERSON_INVITATION_REVOKED, {"person": str(person_id)}
            )
            await keep(session, act, {})

    async def lock(self, actor: Actor | None, act_id: UUID, person_id: UUID, reason: str) -> None:
        """Lock an account: nothing of the person's is open from the next request on.

        Raises Refusal 403, 404, 409 for oneself, the last administrator, or an account that is not
        there or locked already, 422 without a reason.
        """
        async with self._database.work() as session:
            act = await _about(session, actor, act_id, StaffActKind.LOCK, person_id, reason)
            if act.known is not None:
                return
            person = await managed(session, act, person_id)
            account = await _account(session, person, act.at)
            if account.locked_at is not None:
                raise as_it_is()
            await demand_successor(session, person_id, act.at)
            await accounts.lock(session, person_id, "administrator", act.at)
            await _done(session, act, person_id, JournalKind.ACCOUNT_LOCKED, reason)
            await _tell(session, act, person_id, NoticeKind.ACCOUNT_LOCKED)

    async def unlock(self, actor: Actor | None, act_id: UUID, person_id: UUID, reason: str) -> None:
        """Let a person sign in again.

        Raises Refusal 403, 404, 409 if it is not locked, or locked by suspicion, 422.
        """
        async with self._database.work() as session:
            act = await _about(session, actor, act_id, StaffActKind.UNLOCK, person_id, reason)
            if act.known is not None:
                return
            person = await managed(session, act, person_id)
            account = await _account(session, person, act.at)
            if account.locked_at is None:
                raise as_it_is()
            if account.locked_reason == SUSPICION:
                raise locked_by_suspicion()
            await accounts.unlock(session, person_id)
            await _done(session, act, person_id, JournalKind.ACCOUNT_UNLOCKED, reason)
            await _tell(session, act, person_id, NoticeKind.ACCOUNT_UNLOCKED)

    async def end_sessions(
        self,
        actor: Actor | None,
        act_id: UUID,
        person_id: UUID,
        reason: str,
        *,
        session_id: UUID | None = None,
        device_id: UUID | None = None,
    ) -> None:
        """End one session, all of one device, which is forgotten, or everything with all tokens.

        Raises Refusal 403, 404 also for a session or device that is not there, 409, 422.
        """
        which = {
            name: str(id_) for name, id_ in (("session", session_id), ("device", device_id)) if id_
        }
        async with self._database.work() as session:
            kind = StaffActKind.END_SESSIONS
            act = await _about(session, actor, act_id, kind, person_id, reason, which)
            if act.known is not None:
                return
            person = await managed(session, act, person_id)
            await _account(session, person, act.at)
            if session_id is not None:
                await end_session(session, person_id, session_id, "administrator", act.at)
            elif device_id is not None:
                await _forget_device(session, person_id, device_id, act.at)
            else:
                await end_access(session, person_id, "administrator", act.at)
            ended = JournalKind.ACCOUNT_SESSIONS_ENDED
            await _done(session, act, person_id, ended, reason, which)
            await _tell(session, act, person_id, NoticeKind.SESSIONS_ENDED)

    async def leave(
        self,
        actor: Actor | None,
        act_id: UUID,
        person_id: UUID,
        reason: str,
        last_day: date | None = None,
        *,
        shown: datetime | None = None,
    ) -> datetime:
        """Dismiss a person at the end of a day in the zone of the unit, or at once without a day.

        `shown` is the departure that whoever acts knows of. Returns when the person leaves. Raises
        Refusal 403, 404, 409 for oneself, the last administrator, somebody who has left, or another
        departure than the one shown; 422 without a reason or for a day that will not do.
        """
        day = {"last_day": last_day.isoformat() if last_day else None}
        async with self._database.work() as session:
            kind = StaffActKind.LEAVE
            act = await _about(session, actor, act_id, kind, person_id, reason, day)
            if act.known is not None:
                return datetime.fromisoformat(act.known["left_at"])
            person = await managed(session, act, person_id)
            if not access.works(person, act.at):
                raise has_left()
            if person.left_at != shown:
                raise as_it_is()
            zone = await access.zone_of(session, person.unit_id)
            today = act.at.astimezone(zone).date()
            left_at = act.at if last_day is None else leaving_at(last_day, today, zone)
            await demand_successor(session, person_id, act.at)
            person.left_at = left_at
            session.add(person)
            await session.flush()
            facts = {"left_at": left_at.isoformat()}
            await _done(session, act, person_id, JournalKind.PERSON_LEAVING, reason, facts, facts)
            told = {"last_day": (last_day or today).isoformat()}
            await _tell(session, act, person_id, NoticeKind.LEAVING, told)
            if last_day is None:
                await departures.carry_out(session, person, act.at)
            return left_at

    async def stay(self, actor: Actor | None, act_id: UUID, person_id: UUID, reason: str) -> None:
        """Take back a departure that is still ahead. Raises Refusal 403, 404, 409, 422."""
        async with self._database.work() as session:
            act = await _about(session, actor, act_id, StaffActKind.STAY, person_id, reason)
            if act.known is not None:
                return
            person = await managed(session, act, person_id)
            if person.left_at is None:
                raise as_it_is()
            if not access.works(person, act.at):
                raise has_left()
            person.left_at = None
            session.add(person)
            await session.flush()
            await _done(session, act, person_id, JournalKind.PERSON_STAYS, reason)
            await _tell(session, act, person_id, NoticeKind.STAYS)

    async def transfer(
        self, actor: Actor | None, act_id: UUID, person_id: UUID, unit_id: UUID, reason: str
    ) -> None:
        """Move a person to another unit; what was held on account of the old one ends.

        Raises Refusal 403, 404 also for a unit in which the actor manages nobody, 409 for oneself
        or the last administrator, 422 without a reason or for the same unit.
        """
        where = {"unit": str(unit_id)}
        async with self._database.work() as session:
            kind = StaffActKind.TRANSFER
            act = await _about(session, actor, act_id, kind, person_id, reason, where)
            if act.known is not None:
                return
            person = await managed(session, act, person_id)
            unit = await session.get(Unit, unit_id)
            may = actor is None or (act.actor and act.actor.may(Permission.MANAGE_PEOPLE, unit_id))
            if unit is None or not may:
                raise not_found()
            if not access.works(person, act.at):
                raise has_left()
            if person.unit_id == unit_id:
                raise same_unit()
            facts = {"from": str(person.unit_id), "to": str(unit_id)}
            await departures.transfer(session, person, unit_id, act.at)
            await assignment.reconcile(session, act.at)
            await _done(session, act, person_id, JournalKind.PERSON_TRANSFERRED, reason, facts)


async def _about(
    session: AsyncSession,
    actor: Actor | None,
    act_id: UUID,
    kind: StaffActKind,
    person_id: UUID,
    reason: str,
    more: Mapping[str, str | None] | None = None,
) -> StaffActing:
    """Begin an act on one person, with a reason. Raises Refusal 403, 422."""
    said = demand_reason(reason)
    body = {"person": str(person_id), "reason": said, **(more or {})}
    return await begin(session, actor, act_id, kind, body)


async def _account(session: AsyncSession, person: Person, now: datetime) -> Account:
    """The account of a person, locked. Raises Refusal 409 if there is none, or nobody to use it."""
    if not access.works(person, now):
        raise has_left()
    account = await session.get(Account, person.id, with_for_update=True, populate_existing=True)
    if account is None:
        raise no_account()
    return account


async def _forget_device(
    session: AsyncSession, person_id: UUID, device_id: UUID, now: datetime
) -> None:
    """End the sessions of a device and forget it: its next sign-in is announced as a new one."""
    gone = await session.exec(
        delete(KnownDevice)
        .where(col(KnownDevice.id) == device_id, col(KnownDevice.person_id) == person_id)
        .returning(col(KnownDevice.device_hash))
    )
    device_hash = gone.scalar_one_or_none()
    if device_hash is None:
        raise not_found()
    await end_device(session, person_id, device_hash, "administrator", now)


async def _done(
    session: AsyncSession,
    act: StaffActing,
    person_id: UUID,
    kind: JournalKind,
    reason: str,
    facts: Mapping[str, str | None] | None = None,
    answer: Mapping[str, str] | None = None,
) -> None:
    """Journal what was done, with the reason, and keep the answer."""
    contents = {"reason": demand_reason(reason)}
    await note(session, act, person_id, kind, dict(facts or {}), contents)
    await note_own(session, act, kind, {"person": str(person_id), **(facts or {})}, contents)
    await keep(session, act, dict(answer or {}))


async def _tell(
    session: AsyncSession,
    act: StaffActing,
    person_id: UUID,
    kind: NoticeKind,
    facts: Mapping[str, str] | None = None,
) -> None:
    """Tell the person what was done to the account."""
    key = f"{person_id}:{kind.value}:{act.id}"
    told = NoticeEvent(person_id, kind, key, facts=facts or {})
    await outbox.enqueue_all(session, [told], act.at)
