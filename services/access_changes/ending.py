"""Ending a right at once, and whether a unit allows rights before anybody has decided.

Taking away at once needs one person: what waits for a second must not be a danger meanwhile. The
grant stays as a row with its end; who asked, confirmed and approved stand with it.
"""

from uuid import UUID

from sqlmodel import col, select

from clients.database import Database
from models.tables.people import RoleGrant, Unit
from rules.access import Actor, Permission
from rules.journal.entries import JournalKind
from rules.refusals import Refusal, not_found
from rules.staff.people import StaffActKind, demand_reason, oneself
from services.access_changes import grants
from services.staff.acting import begin, keep, note_own
from services.staff.provenance import MAY_END, is_open


class Revocations:
    """What heads and information security do to grants that stand."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def end(
        self, actor: Actor, act_id: UUID, person_id: UUID, grant_id: UUID, reason: str
    ) -> None:
        """End a grant now, with a reason. The same act again changes nothing.

        Raises Refusal 403, 404, 409 for one's own, for one that has ended, and for the last who
        manages people; 422 without a reason.
        """
        said = demand_reason(reason)
        body = {"person": str(person_id), "grant": str(grant_id), "reason": said}
        async with self._database.work() as session:
            act = await begin(session, actor, act_id, StaffActKind.END_GRANT, body, MAY_END)
            if act.known is not None:
                return
            found = await session.exec(
                select(RoleGrant).where(col(RoleGrant.id) == grant_id).with_for_update()
            )
            grant = found.one_or_none()
            if grant is None or grant.person_id != person_id:
                raise not_found()
            held = act.actor and [act.actor.may(one, grant.unit_id) for one in MAY_END]
            if not held or not any(held):
                raise not_found()
            if person_id == act.by:
                raise oneself()
            if not is_open(grant, act.at):
                raise Refusal("ended_already", "Эта роль уже закончилась.", 409)
            await grants.end(session, grant, act.at, by=act.by, why="revoked", reason=said)
            facts = {"person": str(person_id), "grant": str(grant_id)}
            await note_own(session, act, JournalKind.ROLE_ENDED, facts, {"reason": said})
            await keep(session, act, {})

    async def set_urgent(self, actor: Actor, act_id: UUID, unit_id: UUID, *, allowed: bool) -> None:
        """Allow or forbid urgent access in a unit. Raises Refusal 403, 404."""
        body = {"unit": str(unit_id), "allowed": allowed}
        async with self._database.work() as session:
            kind = StaffActKind.SET_URGENT_ACCESS
            needs = (Permission.APPROVE_ACCESS,)
            act = await begin(session, actor, act_id, kind, body, needs)
            if act.known is not None:
                return
            unit = await session.get(Unit, unit_id, with_for_update=True)
            if (
                unit is None
                or act.actor is None
                or not act.actor.may(Permission.APPROVE_ACCESS, unit_id)
            ):
                raise not_found()
            unit.urgent_access = allowed
            session.add(unit)
            await note_own(session, act, JournalKind.URGENT_ACCESS_SET, body)
            await keep(session, act, {})
