"""What confirming, approving and refusing a change of rights causes, and its clock.

Whoever decides is asked for their rights again under the lock of the case, and so is whoever has
confirmed: a confirmation counts for as long as that person could give it (I7).
"""

from datetime import datetime
from functools import partial
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.messages import CaseState
from models.tables.cases import Case
from models.tables.people import RoleChange
from rules.access import Permission
from rules.cases.deciding import permission_of
from rules.cases.process import CaseKind, Status, Transition
from rules.clock import now as present
from rules.notices.kinds import NoticeKind
from rules.refusals import Refusal, forbidden
from services import access
from services.access_changes import grants
from services.cases import assignment
from services.cases.transitions import CaseNotice, lock, move, state_of
from services.notices import outbox
from services.notices.outbox import NoticeEvent
from services.reviews import alarms
from services.reviews.effects import Decided, OvertakenError, register
from services.staff.acting import take_turn


async def take_effect(decided: Decided) -> list[CaseNotice]:
    """Keep who confirmed; make or end the grant with the approval; end what was urgent with a no.

    Raises OvertakenError if the confirmation has lapsed, Refusal 403 or 409.
    """
    session, case, now, by = decided.session, decided.case, decided.now, decided.by.person_id
    change = await change_of(session, case)
    # Rights do not change from here until the unit of work ends, except by the clock.
    await take_turn(session)
    await _demand_right(session, case, by, now)
    match decided.outcome:
        case Transition.CONFIRM_ACCESS:
            change.confirmed_by = by
        case Transition.APPROVE:
            if not await _still_confirmed(session, change, now):
                raise OvertakenError(lapsed(), partial(confirm_anew, case_id=case.id))
            if change.takes_grant_id is None:
                await grants.give(session, change, now, by=by)
            else:
                await grants.take(session, change, now, by=by)
            change.approved_by, change.open = by, False
        case Transition.REJECT:
            await grants.end_urgent(session, change, now, by=by, why="refused")
            change.open = False
        case _:
            raise forbidden()
    session.add(change)
    await session.flush()
    return []


register(CaseKind.ACCESS_CHANGE, take_effect)


async def change_of(session: AsyncSession, case: Case) -> RoleChange:
    """What the locked case asks for."""
    return await session.get_one(RoleChange, case.id, populate_existing=True)


def lapsed() -> Refusal:
    """Whoever confirmed could not do so any more: the change goes back."""
    words = (
        "Тот, кто подтвердил заявку, больше не вправе её подтверждать. Заявка вернулась на "
        "подтверждение, одобрить её можно будет после него."
    )
    return Refusal("confirmation_lapsed", words, 409)


async def _demand_right(session: AsyncSession, case: Case, person_id: UUID, now: datetime) -> None:
    """Raise Refusal 403 unless the person may decide by the rights of this very moment."""
    held = await access.people_with(session, permission_of(case), case.responsible_unit_id, now)
    if person_id not in held:
        raise forbidden()


async def _still_confirmed(session: AsyncSession, change: RoleChange, now: datetime) -> bool:
    """Whether whoever confirmed may still do so; an absence or a stand-in changes nothing."""
    held = await access.people_with(session, Permission.CONFIRM_ACCESS, change.unit_id, now)
    return change.confirmed_by in held


async def confirm_anew(database: Database, case_id: UUID) -> None:
    """Send a change back whose confirmation has lapsed."""
    async with database.work() as session:
        await _back_if_lapsed(session, await lock(session, case_id), present())


async def wake(database: Database, case_id: UUID) -> CaseState:
    """Do what is due by the clock: send a change back, remind or escalate. Returns its state."""
    async with database.work() as session:
        case, now = await lock(session, case_id), present()
        if not await _back_if_lapsed(session, case, now):
            await alarms.sound(session, case, now)
        return await state_of(session, case)


async def _back_if_lapsed(session: AsyncSession, case: Case, now: datetime) -> bool:
    if case.status != Status.IN_REVIEW:
        return False
    change = await change_of(session, case)
    if await _still_confirmed(session, change, now):
        return False
    change.confirmed_by = None
    session.add(change)
    await move(session, case, Transition.CONFIRM_ANEW, now=now)
    # Who confirmed then may do so again once they hold the right again.
    case.earlier_reviewers = []
    await assignment.appoint(session, case, now)
    return True


async def tell_skipped(
    session: AsyncSession, case: Case, change: RoleChange, now: datetime
) -> None:
    """Tell everybody who was skipped that a right is held urgently: heads and security."""
    told: dict[UUID, None] = {}
    for permission in (Permission.CONFIRM_ACCESS, Permission.APPROVE_ACCESS):
        held = await access.people_with(session, permission, change.unit_id, now)
        told.update(dict.fromkeys(held))
    events = [
        NoticeEvent(
            person_id=person,
            kind=NoticeKind.ACCESS_URGENT,
            event_key=f"{case.id}:urgent",
            case_id=case.id,
            facts={"number": case.number},
        )
        for person in told
        if person not in (change.asked_by, change.subject_id)
    ]
    await outbox.enqueue_all(session, events, now)
