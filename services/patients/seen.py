"""What pages and the API show of patients: who they are, and who looked into their records why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.patients import Emergency, Patient, PatientLink, PatientView, RecordOpening
from models.tables.people import Person, Unit
from rules.access import Actor, Permission
from rules.journal.tags import ViewCode
from rules.patients.emergencies import EmergencyState
from rules.patients.identity import Identity
from rules.refusals import not_found
from rules.texts.cleaning import in_order
from services.patients import checks, duplicates, invitations, links, ways
from services.patients.checks import PatientCheckState
from services.patients.duplicates import Likely
from services.patients.entering import identities, identity_of
from services.patients.invitations import InvitationState
from services.patients.ways import Opened, RecordWay

MOST = 200
EMERGENCIES_KEPT = timedelta(days=90)


@dataclass(frozen=True)
class LinkSeen:
    """A link between two patients, proposed or made."""

    id: UUID
    from_id: UUID
    to_id: UUID
    from_who: Identity
    to_who: Identity
    reason: str
    proposed_by: UUID
    proposer: str
    proposed_at: datetime
    made_at: datetime | None


@dataclass(frozen=True)
class PatientSeen:
    """A patient, for those who register patients."""

    id: UUID
    unit_id: UUID
    unit: str
    version: int
    identity: Identity
    main: UUID
    links: Sequence[LinkSeen]
    likely: Sequence[Likely]
    check: PatientCheckState | None
    invitation: InvitationState | None


@dataclass(frozen=True)
class LookSeen:
    """One look at a record, as the patient reads it. `way` is a msgid, like `ground`."""

    at: datetime
    name: str
    position: str
    unit: str
    way: str
    ground: str | None
    words: str
    state: EmergencyState | None
    verdict: str | None


@dataclass(frozen=True)
class EmergencySeen:
    """An emergency: who opened a record, why, and what was judged. The patient is not named."""

    id: UUID
    person_id: UUID
    name: str
    position: str
    unit: str
    at: datetime
    words: str
    looks: int
    due_at: datetime
    state: EmergencyState
    judge_id: UUID | None
    judge: str | None
    judged_at: datetime | None
    verdict: str | None


async def identity_page(
    session: AsyncSession, actor: Actor, patient_id: UUID, now: datetime
) -> PatientSeen:
    """Who a patient is; that it was looked at is recorded. Raises Refusal 403, 404."""
    actor.demand(Permission.REGISTER_PATIENTS)
    row = await session.get(Patient, patient_id)
    if row is None:
        raise not_found()
    actor.demand(Permission.REGISTER_PATIENTS, row.unit_id)
    who, them = identity_of(row), await links.joined(session, patient_id)
    await ways.record(session, actor, patient_id, RecordWay(Opened.IDENTITY), ViewCode.PATIENT, now)
    about = await _links(session, them.ids)
    return PatientSeen(
        id=row.id,
        unit_id=row.unit_id,
        unit=(await session.get_one(Unit, row.unit_id)).name,
        version=row.version,
        identity=who,
        main=them.main,
        links=about,
        likely=await duplicates.likely(session, who, but=them.ids),
        check=await checks.state_of(session, row),
        invitation=await invitations.state_of(session, patient_id, now),
    )


async def units(session: AsyncSession, actor: Actor) -> Sequence[tuple[UUID, str]]:
    """The units in which the actor registers patients, by name."""
    found = await session.exec(
        select(Unit.id, Unit.name).where(
            col(Unit.id).in_(actor.units_with(Permission.REGISTER_PATIENTS))
        )
    )
    return sorted(found.all(), key=lambda unit: in_order(unit[1]))


async def waiting_links(session: AsyncSession, actor: Actor) -> Sequence[LinkSeen]:
    """What was proposed and waits for a second person. Raises Refusal 403."""
    actor.demand(Permission.REGISTER_PATIENTS)
    units = actor.units_with(Permission.REGISTER_PATIENTS)
    found = await session.exec(
        select(PatientLink.from_id)
        .join(Patient, col(Patient.id) == col(PatientLink.from_id))
        .where(
            col(PatientLink.made_at).is_(None),
            col(PatientLink.ended_at).is_(None),
            col(Patient.unit_id).in_(units),
        )
        .order_by(col(PatientLink.proposed_at))
        .limit(MOST)
    )
    return [one for one in await _links(session, frozenset(found.all())) if one.made_at is None]


async def _links(session: AsyncSession, ids: frozenset[UUID]) -> Sequence[LinkSeen]:
    """Links of these patients that have not ended, to either side."""
    found = await session.exec(
        select(PatientLink, Person.name)
        .join(Person, col(Person.id) == col(PatientLink.proposed_by))
        .where(
            col(PatientLink.ended_at).is_(None),
            col(PatientLink.from_id).in_(ids) | col(PatientLink.to_id).in_(ids),
        )
        .order_by(col(PatientLink.proposed_at))
        .limit(MOST)
    )
    rows = found.all()
    known = await identities(session, {one for row, _ in rows for one in (row.from_id, row.to_id)})
    return [
        LinkSeen(
            id=row.id,
            from_id=row.from_id,
            to_id=row.to_id,
            from_who=known[row.from_id],
            to_who=known[row.to_id],
            reason=row.reason,
            proposed_by=row.proposed_by,
            proposer=name,
            proposed_at=row.proposed_at,
            made_at=row.made_at,
        )
        for row, name in rows
    ]


async def who_looked(session: AsyncSession, patient_id: UUID) -> Sequence[LookSeen]:
    """Who looked at the record of this person, when and why, the newest first."""
    them = await links.joined(session, patient_id)
    found = await session.exec(
        select(PatientView, Person, Unit, RecordOpening)
        .join(Person, col(Person.id) == col(PatientView.person_id))
        .join(Unit, col(Unit.id) == col(Person.unit_id))
        .outerjoin(RecordOpening, col(RecordOpening.id) == col(PatientView.opening_id))
        .where(col(PatientView.patient_id).in_(them.ids))
        .order_by(col(PatientView.at).desc())
        .limit(MOST)
    )
    rows = found.all()
    asked = [view.opening_id for view, *_ in rows if view.opening_id]
    judged = await session.exec(select(Emergency).where(col(Emergency.id).in_(asked)))
    emergencies = {one.id: one for one in judged.all()}
    return [
        LookSeen(
            at=view.at,
            name=person.name,
            position=person.position,
            unit=unit.name,
            way=view.way,
            ground=opening.ground if opening else None,
            words=opening.words if opening else "",
            state=EmergencyState(emergency.state) if emergency else None,
            verdict=emergency.verdict if emergency else None,
        )
        for view, person, unit, opening in rows
        for emergency in [emergencies.get(opening.id) if opening else None]
    ]


async def to_judge(
    session: AsyncSession, actor: Actor, now: datetime, *, everything: bool
) -> Sequence[EmergencySeen]:
    """Emergencies that the actor may judge: those that wait, or all of the last ninety days."""
    actor.demand(Permission.JUDGE_EMERGENCIES)
    units = actor.units_with(Permission.JUDGE_EMERGENCIES)
    which = [
        col(Emergency.unit_id).in_(units),
        col(Emergency.person_id) != actor.person_id,
        col(RecordOpening.at) > now - EMERGENCIES_KEPT
        if everything
        else col(Emergency.state) == EmergencyState.WAITS.value,
    ]
    return await _emergencies(session, which)


async def own(session: AsyncSession, actor: Actor, now: datetime) -> Sequence[EmergencySeen]:
    """Emergencies of the actor, and those found unjustified of whoever the actor heads."""
    units = actor.units_with(Permission.CONFIRM_ACCESS)
    theirs = col(Emergency.unit_id).in_(units) & (
        (col(Emergency.state) == EmergencyState.UNJUSTIFIED.value)
        | ((col(Emergency.state) == EmergencyState.WAITS.value) & (col(Emergency.due_at) < now))
    )
    return await _emergencies(
        session,
        [
            (col(Emergency.person_id) == actor.person_id) | theirs,
            col(RecordOpening.at) > now - EMERGENCIES_KEPT,
        ],
    )


async def _emergencies(
    session: AsyncSession, which: Sequence[ColumnElement[bool]]
) -> Sequence[EmergencySeen]:
    found = await session.exec(
        select(Emergency, RecordOpening, Person, Unit)
        .join(RecordOpening, col(RecordOpening.id) == col(Emergency.id))
        .join(Person, col(Person.id) == col(Emergency.person_id))
        .join(Unit, col(Unit.id) == col(Emergency.unit_id))
        .where(*which)
        .order_by(col(Emergency.state) != EmergencyState.WAITS.value, col(RecordOpening.at).desc())
        .limit(MOST)
    )
    rows = found.all()
    counted = await session.exec(
        select(PatientView.opening_id, func.count(col(PatientView.id)))
        .where(col(PatientView.opening_id).in_([row.id for row, *_ in rows]))
        .group_by(col(PatientView.opening_id))
    )
    looks = {key: number for key, number in counted.all()}  # noqa: C416 - rows, not pairs
    by = [row.judged_by or row.judge_id for row, *_ in rows]
    named = await session.exec(select(Person).where(col(Person.id).in_([one for one in by if one])))
    judges = {one.id: one.name for one in named.all()}
    return [
        EmergencySeen(
            id=row.id,
            person_id=row.person_id,
            name=person.name,
            position=person.position,
            unit=unit.name,
            at=opening.at,
            words=opening.words,
            looks=looks.get(row.id, 0),
            due_at=row.due_at,
            state=EmergencyState(row.state),
            judge_id=row.judge_id,
            judge=judges.get(judge) if judge else None,
            judged_at=row.judged_at,
            verdict=row.verdict,
        )
        for (row, opening, person, unit), judge in zip(rows, by, strict=True)
    ]
