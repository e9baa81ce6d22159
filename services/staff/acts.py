"""What administrators do to people's accounts: invite, lock, end sessions, dismiss, transfer.

Each act has a reason where it takes something away, is journaled in the chain of the person and of
whoever acts, and is told to the person.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
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
from services.results import looking as results
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


@dataclass(frozen=True)
class _Doing:
    """An act on one person that is being done, under the lock of the person."""

    session: AsyncSession
    act: StaffActing
    person: Person
    reason: str

    @property
    def now(self) -> datetime:
        """The moment of the act."""
        return self.act.at

    async def account(self) -> Account:
        """The account of the person, locked. Raises Refusal 409 if there is none, or nobody's."""
        if not access.works(self.person, self.now):
            raise has_left()
        account = await self.session.get(
            Account, self.person.id, with_for_update=True, populate_existing=True
        )
        if account is None:
            raise no_account()
        return account

    async def done(
        self,
        kind: JournalKind,
        facts: Mapping[str, str | None] | None = None,
        answer: Mapping[str, str] | None = None,
    ) -> None:
        """Journal what was done, with the reason, and keep the answer."""
        about, contents = self.person.id, {"reason": self.reason}
        said = dict(facts or {})
        await note(self.session, self.act, about, kind, said, contents)
        await note_own(self.session, self.act, kind, {"person": str(about), **said}, contents)
        await keep(self.session, self.act, dict(answer or {}))

    async def tell(self, kind: NoticeKind, facts: Mapping[str, str] | None = None) -> None:
        """Tell the person what was done to the account."""
        key = f"{self.person.id}:{kind.value}:{self.act.id}"
        told = NoticeEvent(self.person.id, kind, key, facts=facts or {})
        await outbox.enqueue_all(self.session, [told], self.now)


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

        async def write(doing: _Doing) -> None:
            if (await doing.account()).locked_at is not None:
                raise as_it_is()
            await demand_successor(doing.session, person_id, doing.now)
            await accounts.lock(doing.session, person_id, "administrator", doing.now)
            await results.person_changed(doing.session, person_id, doing.now)
            await doing.done(JournalKind.ACCOUNT_LOCKED)
            await doing.tell(NoticeKind.ACCOUNT_LOCKED)

        await self._once(actor, act_id, StaffActKind.LOCK, person_id, reason, write)

    async def unlock(self, actor: Actor | None, act_id: UUID, person_id: UUID, reason: str) -> None:
        """Let a person sign in again.

        Raises Refusal 403, 404, 409 if it is not locked, or locked by suspicion, 422.
        """

        async def write(doing: _Doing) -> None:
            account = await doing.account()
            if account.locked_at is None:
                raise as_it_is()
            if account.locked_reason == SUSPICION:
                raise locked_by_suspicion()
            await accounts.unlock(doing.session, person_id)
            await doing.done(JournalKind.ACCOUNT_UNLOCKED)
            await doing.tell(NoticeKind.ACCOUNT_UNLOCKED)

        await self._once(actor, act_id, StaffActKind.UNLOCK, person_id, reason, write)

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
        which: dict[str, str | None] = {
            name: str(id_) for name, id_ in (("session", session_id), ("device", device_id)) if id_
        }

        async def write(doing: _Doing) -> None:
            session, now = doing.session, doing.now
            await doing.account()
            if session_id is not None:
                await end_session(session, person_id, session_id, "administrator", now)
            elif device_id is not None:
                await _forget_device(session, person_id, device_id, now)
            else:
                await end_access(session, person_id, "administrator", now)
            await doing.done(JournalKind.ACCOUNT_SESSIONS_ENDED, which)
            await doing.tell(NoticeKind.SESSIONS_ENDED)

        await self._once(actor, act_id, StaffActKind.END_SESSIONS, person_id, reason, write, which)

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

        async def write(doing: _Doing) -> None:
            session, person, now = doing.session, doing.person, doing.now
            if not access.works(person, now):
                raise has_left()
            if person.left_at != shown:
                raise as_it_is()
            zone = await access.zone_of(session, person.unit_id)
            today = now.astimezone(zone).date()
            left_at = now if last_day is None else leaving_at(last_day, today, zone)
            await demand_successor(session, person_id, now)
            person.left_at = left_at
            session.add(person)
            await session.flush()
            facts = {"left_at": left_at.isoformat()}
            await doing.done(JournalKind.PERSON_LEAVING, facts, facts)
            await doing.tell(NoticeKind.LEAVING, {"last_day": (last_day or today).isoformat()})
            if last_day is None:
                await departures.carry_out(session, person, now)

        day = {"last_day": last_day.isoformat() if last_day else None}
        kind = StaffActKind.LEAVE
        answer = await self._once(actor, act_id, kind, person_id, reason, write, day)
        return datetime.fromisoformat(answer["left_at"])

    async def stay(self, actor: Actor | None, act_id: UUID, person_id: UUID, reason: str) -> None:
        """Take back a departure that is still ahead. Raises Refusal 403, 404, 409, 422."""

        async def write(doing: _Doing) -> None:
            person = doing.person
            if person.left_at is None:
                raise as_it_is()
            if not access.works(person, doing.now):
                raise has_left()
            person.left_at = None
            doing.session.add(person)
            await doing.session.flush()
            await doing.done(JournalKind.PERSON_STAYS)
            await doing.tell(NoticeKind.STAYS)

        await self._once(actor, act_id, StaffActKind.STAY, person_id, reason, write)

    async def transfer(
        self, actor: Actor | None, act_id: UUID, person_id: UUID, unit_id: UUID, reason: str
    ) -> None:
        """Move a person to another unit; what was held on account of the old one ends.

        Raises Refusal 403, 404 also for a unit in which the actor manages nobody, 409 for oneself
        or the last administrator, 422 without a reason or for the same unit.
        """

        async def write(doing: _Doing) -> None:
            session, by, person = doing.session, doing.act.actor, doing.person
            unit = await session.get(Unit, unit_id)
            if unit is None or not (by is None or by.may(Permission.MANAGE_PEOPLE, unit_id)):
                raise not_found()
            if not access.works(person, doing.now):
                raise has_left()
            if person.unit_id == unit_id:
                raise same_unit()
            facts: dict[str, str | None] = {"from": str(person.unit_id), "to": str(unit_id)}
            await departures.transfer(session, person, unit_id, doing.now)
            await assignment.reconcile(session, doing.now)
            await doing.done(JournalKind.PERSON_TRANSFERRED, facts)

        where: dict[str, str | None] = {"unit": str(unit_id)}
        await self._once(actor, act_id, StaffActKind.TRANSFER, person_id, reason, write, where)

    async def _once(
        self,
        actor: Actor | None,
        act_id: UUID,
        kind: StaffActKind,
        person_id: UUID,
        reason: str,
        write: Callable[[_Doing], Awaitable[None]],
        more: Mapping[str, str | None] | None = None,
    ) -> Mapping[str, Any]:
        """Do an act on one person, with a reason. The same act again returns the same answer.

        `write` does it, under the lock of the person; `more` is what was asked for besides. Raises
        Refusal 403, 404 for somebody whom the actor does not manage, 409 for oneself, 422.
        """
        said = demand_reason(reason)
        body = {"person": str(person_id), "reason": said, **(more or {})}
        async with self._database.work() as session:
            act = await begin(session, actor, act_id, kind, body)
            if act.known is None:
                person = await managed(session, act, person_id)
                await write(_Doing(session, act, person, said))
            return act.known or act.answer


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
