"""How emergencies are judged: by whom, until when, and what follows from it (W2).

The queue is that of information security. Whoever takes an emergency out of it keeps it while they
may judge and are there; then it goes to their deputy, or back into the queue. Whoever opened the
record never judges.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import update
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.encrypted_columns import bound
from models.messages import WorkflowName
from models.tables.patients import Emergency, RecordOpening
from models.tables.people import RoleGrant
from rules.access import Actor, Permission, giving
from rules.clock import now as present
from rules.journal.entries import JournalKind
from rules.notices.kinds import NoticeKind
from rules.patients import emergencies as rules
from rules.patients.emergencies import EmergencyState
from rules.refusals import not_found
from rules.staff.people import demand_reason
from services import access
from services.catalogue import lookup as catalogue
from services.journal import entries as journal
from services.notices import outbox
from services.notices.outbox import NoticeEvent
from services.own_workflows import OwnWorkflow, Wake

JUDGE = Permission.JUDGE_EMERGENCIES
Propose = Callable[[AsyncSession, RoleGrant, str, datetime], Awaitable[None]]
"""Proposes, in the caller's unit of work, that a grant ends: head and security decide on it."""

OWN = OwnWorkflow(
    name=WorkflowName.EMERGENCY_ACCESS,
    table=Emergency,
    due="looks_at",
    lives=lambda: col(Emergency.looks_at).is_not(None),
    held=timedelta(minutes=10),
)
"""What the sweeper has to know of emergencies."""


class Judgements:
    """What information security does."""

    def __init__(self, database: Database, wake: Wake, propose: Propose) -> None:
        self._database = database
        self._wake = wake
        self._propose = propose

    async def take(self, actor: Actor, emergency_id: UUID) -> None:
        """Take an emergency out of the queue, or over from somebody. Raises Refusal 403, 404, 409.

        Whoever has it already changes nothing.
        """
        now = present()
        async with self._database.work() as session:
            row = await _open(session, actor, emergency_id)
            if row.judge_id == actor.person_id:
                return
            row.judge_id = actor.person_id
            session.add(row)
            await session.flush()
            facts = {"judge": str(actor.person_id)}
            await _note(session, row, JournalKind.EMERGENCY_TAKEN, now, actor.person_id, facts)

    async def judge(
        self, actor: Actor, emergency_id: UUID, *, justified: bool, reason: str
    ) -> None:
        """Judge, with words that the person, the head and the patient read. Once, for good.

        What was not justified is told to the person and to the nearest head, and it is proposed
        that the rights end by which records can be opened: until head and security have decided on
        that, the person opens nothing as an emergency.

        Raises Refusal 403, 404, 409 where somebody has judged or it is one's own, 422.
        """
        now, said = present(), demand_reason(reason)
        state = EmergencyState.JUSTIFIED if justified else EmergencyState.UNJUSTIFIED
        async with self._database.work() as session:
            row = await _open(session, actor, emergency_id)
            grants = [] if justified else await _grants(session, row.person_id, now)
            done = await session.exec(
                update(Emergency)
                .where(
                    col(Emergency.id) == emergency_id,
                    col(Emergency.state) == EmergencyState.WAITS.value,
                )
                .values(
                    state=state.value,
                    judged_by=actor.person_id,
                    judged_at=now,
                    verdict=bound(said, emergency_id),
                    grants=[str(one.id) for one in grants],
                    looks_at=now,
                )
                .execution_options(synchronize_session=False)
            )
            if not done.rowcount:
                raise rules.judged_already()
            kind, facts = JournalKind.EMERGENCY_JUDGED, {"justified": justified}
            await _note(session, row, kind, now, actor.person_id, facts, {"reason": said})
            await _tell_outcome(session, row, now, justified=justified)
            for grant in grants:
                words = "Экстренный доступ к карте пациента признан необоснованным."
                await self._propose(session, grant, words, now)
        await self._wake(emergency_id)


async def look(database: Database, emergency_id: UUID) -> datetime | None:
    """Do what is due: give it to somebody who is there, remind, escalate.

    Returns when to look again; None once it is judged. Looking twice at one moment reminds once.
    """
    now = present()
    async with database.work() as session:
        row = await session.get(Emergency, emergency_id, with_for_update=True)
        if row is None:
            return None
        if row.state != EmergencyState.WAITS:
            row.looks_at = None
            session.add(row)
            return None
        await _keep_judge(session, row, now)
        if row.looks_at is None or row.looks_at > now:
            return row.looks_at
        row.reminded += 1
        late = now >= row.due_at
        zone = (await access.zone_of(session, row.unit_id)).key
        calendar = await catalogue.calendar(session)
        row.looks_at = rules.next_look(now, row.due_at, zone, calendar)
        session.add(row)
        await session.flush()
        if late:
            await _note(session, row, JournalKind.EMERGENCY_ESCALATED, now, None)
            await tell_judges(session, row, NoticeKind.EMERGENCY_LATE, now)
            heads = await access.nearest_heads(session, row.unit_id, row.person_id, now)
            await _tell(session, heads, row, NoticeKind.EMERGENCY_LATE_STAFF, now)
        elif row.judge_id is not None:
            await _tell(session, [row.judge_id], row, NoticeKind.EMERGENCY_WAITS, now)
        else:
            await tell_judges(session, row, NoticeKind.EMERGENCY_WAITS, now)
        return row.looks_at


async def _keep_judge(session: AsyncSession, row: Emergency, now: datetime) -> None:
    """Leave it with whoever took it if they are there and still may; else deputy, or queue."""
    if row.judge_id is None:
        return
    there = await judges(session, row, now)
    if row.judge_id in there:
        return
    deputy = await access.deputy_of(session, row.judge_id, now)
    left, row.judge_id = row.judge_id, deputy if deputy in there else None
    session.add(row)
    await session.flush()
    facts = {"from": str(left), "judge": str(row.judge_id) if row.judge_id else None}
    await _note(session, row, JournalKind.EMERGENCY_TAKEN, now, None, facts)
    told = [row.judge_id] if row.judge_id else there
    await _tell(session, told, row, NoticeKind.EMERGENCY_TO_JUDGE, now)


async def judges(session: AsyncSession, row: Emergency, now: datetime) -> Sequence[UUID]:
    """Who may judge and is there; all who may if nobody is. Never whoever opened the record."""
    there = await access.present_reviewers(session, row.unit_id, now, JUDGE)
    able = there or await access.people_with(session, JUDGE, row.unit_id, now)
    return [one for one in able if one != row.person_id]


async def tell_judges(
    session: AsyncSession, row: Emergency, kind: NoticeKind, now: datetime
) -> None:
    """Tell those who may judge."""
    await _tell(session, await judges(session, row, now), row, kind, now)


async def _tell(
    session: AsyncSession,
    people: Sequence[UUID],
    row: Emergency,
    kind: NoticeKind,
    now: datetime,
) -> None:
    key = f"{row.id}:{kind}:{row.reminded}:{row.judge_id or ''}"
    await outbox.enqueue_all(session, [NoticeEvent(one, kind, key) for one in people], now)


async def _tell_outcome(
    session: AsyncSession, row: Emergency, now: datetime, *, justified: bool
) -> None:
    if justified:
        await _tell(session, [row.person_id], row, NoticeKind.EMERGENCY_JUSTIFIED, now)
        return
    await _tell(session, [row.person_id], row, NoticeKind.EMERGENCY_UNJUSTIFIED, now)
    heads = await access.nearest_heads(session, row.unit_id, row.person_id, now)
    await _tell(session, heads, row, NoticeKind.EMERGENCY_UNJUSTIFIED_STAFF, now)


async def _open(session: AsyncSession, actor: Actor, emergency_id: UUID) -> Emergency:
    """The emergency, locked, if the actor may judge it now. Raises Refusal 403, 404, 409."""
    actor.demand(JUDGE)
    row = await session.get(Emergency, emergency_id, with_for_update=True)
    if row is None or not actor.may(JUDGE, row.unit_id):
        raise not_found()
    if row.person_id == actor.person_id:
        raise rules.own_emergency()
    if row.state != EmergencyState.WAITS:
        raise rules.judged_already()
    return row


async def _grants(session: AsyncSession, person_id: UUID, now: datetime) -> Sequence[RoleGrant]:
    """What lets the person open records now."""
    found = await session.exec(
        select(RoleGrant)
        .where(
            RoleGrant.person_id == person_id,
            col(RoleGrant.role).in_(sorted(giving(Permission.TREAT))),
            access.is_valid_now(),
        )
        .order_by(col(RoleGrant.id)),
        params={"now": now},
    )
    return found.all()


async def _note(
    session: AsyncSession,
    row: Emergency,
    kind: JournalKind,
    now: datetime,
    by: UUID | None,
    facts: Mapping[str, object] | None = None,
    contents: Mapping[str, str] | None = None,
) -> None:
    """Journal it in the chain of the patient."""
    opening = await session.get_one(RecordOpening, row.id)
    await journal.append(
        session,
        chain=opening.patient_id,
        kind=kind,
        at=now,
        by=by,
        system=None if by else "emergency_access",
        facts={"opening": str(row.id), **(facts or {})},
        contents=contents,
        lock=True,
    )
