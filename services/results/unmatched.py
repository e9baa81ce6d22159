"""Results for nobody, as those see them who find their patients; and the traces of wrong ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import Select

from clients.clinic.laboratory import LabMessage, SaidPatient
from models.tables.patients import Patient
from models.tables.people import Person
from models.tables.results import LabMatch, LabReading, LabResult, LabVersion
from rules.access import Actor, Permission
from rules.clock import now as present
from rules.journal.tags import ViewCode
from rules.refusals import not_found
from rules.results.life import ResultState
from rules.results.values import Urgency
from services.journal import entries as journal
from services.results import finding
from services.results.finding import Suggestion
from services.results.seen import MOST, TRACES_FOR


@dataclass(frozen=True)
class UnmatchedSeen:
    """A result for nobody: who the laboratory says it is, and no value."""

    id: UUID
    number: str
    version: int
    urgency: Urgency
    patient: SaidPatient
    test: str
    specimen: str
    order: str
    taken_at: datetime | None
    due_at: datetime | None
    answers: str
    ordered_by: str
    suggestions: Sequence[Suggestion] = ()


@dataclass(frozen=True)
class TraceSeen:
    """A result that was taken out of a record."""

    result_id: UUID
    patient_id: UUID
    patient: str
    test: str
    made_at: datetime
    ended_at: datetime
    reason: str


async def waiting(session: AsyncSession, actor: Actor) -> Sequence[UnmatchedSeen]:
    """What waits in the actor's units, that which ends first before the others."""
    actor.demand(Permission.MATCH_RESULTS)
    found = await session.exec(
        _unmatched()
        .where(col(LabResult.unit_id).in_(actor.units_with(Permission.MATCH_RESULTS)))
        .order_by(col(LabResult.due_at), col(LabResult.id))
        .limit(MOST)
    )
    return [await _seen(session, *each) for each in found.all()]


async def one(session: AsyncSession, actor: Actor, result_id: UUID) -> UnmatchedSeen:
    """One of them with the patients it may be of; the view is recorded. Raises Refusal 403, 404."""
    actor.demand(Permission.MATCH_RESULTS)
    found = (await session.exec(_unmatched().where(LabResult.id == result_id))).first()
    if found is None or not actor.may(Permission.MATCH_RESULTS, found[0].unit_id):
        raise not_found()
    await journal.record_view(session, actor, result_id, ViewCode.RESULT_UNMATCHED)
    said = LabMessage.model_validate(found[1].said).patient
    return await _seen(session, *found, await finding.suggested(session, said))


def _unmatched() -> Select[LabResult, LabVersion, str]:
    return (
        select(LabResult, LabVersion, Person.name)
        .join(
            LabVersion,
            (col(LabVersion.result_id) == LabResult.id)
            & (col(LabVersion.number) == LabResult.version),
        )
        .join(Person, col(Person.id) == LabResult.answers_id)
        .where(LabResult.state == ResultState.UNMATCHED.value)
    )


async def _seen(
    session: AsyncSession,
    row: LabResult,
    version: LabVersion,
    answers: str,
    suggestions: Sequence[Suggestion] = (),
) -> UnmatchedSeen:
    said = LabMessage.model_validate(version.said)
    ordered_by = await session.get(Person, row.ordered_by) if row.ordered_by else None
    return UnmatchedSeen(
        id=row.id,
        number=row.number,
        version=row.version,
        urgency=Urgency(row.urgency),
        patient=said.patient,
        test=said.test.name,
        specimen=said.specimen,
        order=said.order,
        taken_at=said.taken_at,
        due_at=row.due_at,
        answers=answers,
        ordered_by=ordered_by.name if ordered_by else "",
        suggestions=suggestions,
    )


async def traces(session: AsyncSession, actor: Actor) -> Sequence[TraceSeen]:
    """What the actor had read in a record and was somebody else's, for thirty days."""
    read = select(LabReading.match_id).where(LabReading.person_id == actor.person_id)
    return await _traces(session, col(LabMatch.id).in_(read))


async def traces_of_patient(
    session: AsyncSession, patients: frozenset[UUID]
) -> Sequence[TraceSeen]:
    """What was in these patients' records and was somebody else's."""
    return await _traces(session, col(LabMatch.patient_id).in_(patients), ever=True)


async def _traces(
    session: AsyncSession, condition: ColumnElement[bool], *, ever: bool = False
) -> Sequence[TraceSeen]:
    query = (
        select(LabMatch, LabVersion, Patient.id, Patient.name)
        .join(LabResult, col(LabResult.id) == LabMatch.result_id)
        .join(
            LabVersion,
            (col(LabVersion.result_id) == LabResult.id)
            & (col(LabVersion.number) == LabResult.version),
        )
        .join(Patient, col(Patient.id) == LabMatch.patient_id)
        .where(condition, col(LabMatch.ended_at).is_not(None))
        .order_by(col(LabMatch.ended_at).desc())
        .limit(MOST)
    )
    if not ever:
        query = query.where(col(LabMatch.ended_at) > present() - TRACES_FOR)
    return [
        TraceSeen(
            match.result_id,
            patient_id,
            patient,
            LabMessage.model_validate(version.said).test.name,
            match.made_at,
            match.ended_at,
            match.reason or "",
        )
        for match, version, patient_id, patient in (await session.exec(query)).all()
        if match.ended_at is not None
    ]
