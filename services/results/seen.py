"""Results as people see them: their own, those offered to them, late ones, one as a whole."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, case
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.clinic.laboratory import LabMessage
from models.tables.patients import Patient, PatientView
from models.tables.people import Person
from models.tables.results import (
    LabCall,
    LabConfirmation,
    LabMatch,
    LabOffer,
    LabReading,
    LabResult,
    LabVersion,
)
from rules.access import Actor, Permission
from rules.clock import now as present
from rules.journal.tags import ViewCode
from rules.refusals import not_found
from rules.results.life import (
    OPEN_STATES,
    NextStep,
    OfferState,
    ResultStage,
    ResultState,
)
from rules.results.values import DANGER, Bounds, Urgency
from services.journal import entries as journal
from services.patients import links, ways
from services.results import answering, rows
from services.results.terms import reference_of

MOST = 200
TRACES_FOR = timedelta(days=30)
"""So long somebody sees that a result they had read was somebody else's."""
WAY = "result"
"""The name of the way into a record, which is stored with each view."""

_DANGER = case({one.value: n for n, one in enumerate(DANGER)}, value=col(LabResult.urgency))


@dataclass(frozen=True)
class ResultLine:
    """A result in a list. Who may not see it in the record sees neither patient nor value."""

    id: UUID
    version: int
    """The newest one when the list was read."""
    state: ResultState
    urgency: Urgency
    stage: ResultStage
    opened_at: datetime
    due_at: datetime | None
    late: bool
    answers_id: UUID | None
    answers: str
    patient: str = ""
    test: str = ""
    value: str = ""
    offer_id: UUID | None = None
    offered_by: str = ""
    offer_reason: str = ""
    offer_until: datetime | None = None


@dataclass(frozen=True)
class LabVersionSeen:
    """What the laboratory said once."""

    number: int
    stage: ResultStage
    urgency: Urgency
    heard_at: datetime
    said: LabMessage
    confirmed_by: str = ""
    confirmed_at: datetime | None = None
    next_step: NextStep | None = None
    follows: str = ""


@dataclass(frozen=True)
class CallSeen:
    """How a critical version was told."""

    version: int
    told_at: datetime | None
    words: str
    by: str
    at: datetime


@dataclass(frozen=True)
class OfferSeen:
    """An offer to answer for it instead."""

    id: UUID
    from_id: UUID
    to_id: UUID
    giver: str
    taker: str
    reason: str
    made_at: datetime
    lapses_at: datetime
    state: OfferState
    ended_at: datetime | None


@dataclass(frozen=True)
class EarlierValue:
    """A value of the same test of the same patient."""

    result_id: UUID
    at: datetime
    value: str
    unit: str
    stage: ResultStage
    urgency: Urgency


@dataclass(frozen=True)
class ResultSeen:
    """One result as a whole; `versions` are newest first."""

    line: ResultLine
    patient_id: UUID
    patient: str
    birth_date: str
    versions: Sequence[LabVersionSeen]
    calls: Sequence[CallSeen]
    offers: Sequence[OfferSeen]
    earlier: Sequence[EarlierValue]
    reference: Bounds | None
    repeats_id: UUID | None
    yours: bool
    """Whether the reader answers for it."""

    @property
    def newest(self) -> LabVersionSeen:
        """The version that counts."""
        return self.versions[0]


async def opens(
    session: AsyncSession, actor: Actor, patients: frozenset[UUID], now: datetime
) -> frozenset[UUID]:
    """Of which of these patients a result waits for the actor, or is offered to them."""
    found = await session.exec(
        select(LabResult.patient_id)
        .where(
            col(LabResult.patient_id).in_(patients),
            LabResult.state == ResultState.AWAITING.value,
            or_(col(LabResult.answers_id) == actor.person_id, _offered_to(actor.person_id)),
        )
        .distinct()
    )
    return frozenset(one for one in found.all() if one)


ways.opens(WAY, opens, "Результат анализа ждал этого сотрудника")


def _offered_to(person_id: UUID) -> ColumnElement[bool]:
    return col(LabResult.id).in_(
        select(LabOffer.result_id).where(
            LabOffer.to_id == person_id,
            LabOffer.state == OfferState.OFFERED.value,
            col(LabOffer.lapses_at) > present(),
        )
    )


async def mine(session: AsyncSession, actor: Actor) -> Sequence[ResultLine]:
    """What waits for the actor's confirmation: the dangerous first, then by term."""
    waits = col(LabResult.state) == ResultState.AWAITING.value
    return await _lines(session, waits & (col(LabResult.answers_id) == actor.person_id))


async def offered(session: AsyncSession, actor: Actor) -> Sequence[ResultLine]:
    """What is offered to the actor."""
    return await _lines(session, _offered_to(actor.person_id), to=actor.person_id)


async def late(session: AsyncSession, actor: Actor) -> Sequence[ResultLine]:
    """What is late in the actor's units, for their head: who answers, nothing of the patient."""
    actor.demand(Permission.OVERSEE_RESULTS)
    condition = (
        col(LabResult.unit_id).in_(actor.units_with(Permission.OVERSEE_RESULTS))
        & col(LabResult.state).in_(OPEN_STATES)
        & (col(LabResult.due_at) < present())
        & (col(LabResult.answers_id) != actor.person_id)
    )
    return await _lines(session, condition, closed=True)


async def of_patient(session: AsyncSession, patients: frozenset[UUID]) -> Sequence[ResultLine]:
    """All results in the records of these patients, who are one person, the newest first.

    The caller has shown a way into the record.
    """
    found = await _lines(session, col(LabResult.patient_id).in_(patients))
    return sorted(found, key=lambda one: one.opened_at, reverse=True)


async def _lines(
    session: AsyncSession,
    condition: ColumnElement[bool],
    *,
    to: UUID | None = None,
    closed: bool = False,
) -> list[ResultLine]:
    now = present()
    query = (
        select(LabResult, LabVersion, Person.name, Patient)
        .join(
            LabVersion,
            (col(LabVersion.result_id) == LabResult.id)
            & (col(LabVersion.number) == LabResult.version),
        )
        .join(Person, col(Person.id) == LabResult.answers_id, isouter=True)
        .join(Patient, col(Patient.id) == LabResult.patient_id, isouter=True)
        .where(condition)
        .order_by(_DANGER, col(LabResult.due_at).nulls_last(), col(LabResult.id))
        .limit(MOST)
    )
    found = (await session.exec(query)).all()
    waiting = await _offers(session, [row.id for row, *_ in found], to)
    return [
        _line(row, version, name, patient, now, waiting.get(row.id), closed=closed)
        for row, version, name, patient in found
    ]


async def _offers(
    session: AsyncSession, results: Sequence[UUID], to: UUID | None
) -> Mapping[UUID, tuple[LabOffer, str]]:
    if to is None or not results:
        return {}
    found = await session.exec(
        select(LabOffer, Person.name)
        .join(Person, col(Person.id) == LabOffer.from_id)
        .where(
            col(LabOffer.result_id).in_(results),
            LabOffer.to_id == to,
            LabOffer.state == OfferState.OFFERED.value,
        )
    )
    return {offer.result_id: (offer, name) for offer, name in found.all()}


def _line(
    row: LabResult,
    version: LabVersion,
    answers: str | None,
    patient: Patient | None,
    now: datetime,
    offer: tuple[LabOffer, str] | None = None,
    *,
    closed: bool = False,
) -> ResultLine:
    said = LabMessage.model_validate(version.said)
    waiting, by = offer or (None, "")
    return ResultLine(
        id=row.id,
        version=version.number,
        state=ResultState(row.state),
        urgency=Urgency(row.urgency),
        stage=ResultStage(version.stage),
        opened_at=row.opened_at,
        due_at=row.due_at,
        late=row.due_at is not None and row.due_at < now,
        answers_id=row.answers_id,
        answers=answers or "",
        patient="" if closed or patient is None else patient.name,
        test="" if closed else said.test.name,
        value="" if closed else shown_value(said),
        offer_id=waiting.id if waiting else None,
        offered_by=by,
        offer_reason=waiting.reason if waiting else "",
        offer_until=waiting.lapses_at if waiting else None,
    )


def shown_value(said: LabMessage) -> str:
    """A value with its unit."""
    return " ".join(filter(None, (said.value, said.unit_of_value)))


async def one(session: AsyncSession, actor: Actor, result_id: UUID) -> ResultSeen:
    """One result, for whoever answers for it, is asked to, or has a way into the record.

    The view is recorded, so that the patient can read of it, and the version counts as seen. Raises
    Refusal 403 and 404.
    """
    now = present()
    row = await session.get(LabResult, result_id)
    match = await rows.open_match(session, result_id) if row is not None else None
    if row is None or match is None:
        raise not_found()
    offers = await _offers_of(session, row.id)
    asked = any(
        one.to_id == actor.person_id and one.state is OfferState.OFFERED and one.lapses_at > now
        for one in offers
    )
    theirs = actor.person_id in (row.answers_id, row.confirmed_by) or asked
    able = actor.may(Permission.TREAT) or actor.may(Permission.OVERSEE_RESULTS, row.unit_id)
    if theirs and able:
        await _look(session, actor, match.patient_id, now)
    else:
        await ways.look(session, actor, match.patient_id, now, ViewCode.RESULT)
    await read(session, actor, [(match.id, row.version)], now)
    return await _whole(session, actor, row, match, offers, now)


async def _look(session: AsyncSession, actor: Actor, patient_id: UUID, now: datetime) -> None:
    """Record that somebody saw a result that is their duty, or was."""
    view = await journal.record_view(session, actor, patient_id, ViewCode.RESULT, at=now)
    person_id = actor.person_id
    session.add(
        PatientView(id=view.id, patient_id=patient_id, person_id=person_id, at=now, way=WAY)
    )


async def read(
    session: AsyncSession, actor: Actor, seen: Sequence[tuple[UUID, int]], now: datetime
) -> None:
    """Keep that the actor saw these versions, by match and number: once each."""
    if not seen:
        return
    values = [
        {"match_id": match_id, "person_id": actor.person_id, "version": version, "at": now}
        for match_id, version in seen
    ]
    await session.exec(insert(LabReading).values(values).on_conflict_do_nothing())


async def read_of_patient(
    session: AsyncSession, actor: Actor, lines: Sequence[ResultLine], now: datetime
) -> None:
    """Keep that the actor saw these lines in a record, each in the version that it showed."""
    versions = {one.id: one.version for one in lines}
    found = await session.exec(
        select(LabMatch.id, LabMatch.result_id)
        .where(col(LabMatch.result_id).in_(versions), col(LabMatch.ended_at).is_(None))
        .order_by(col(LabMatch.id))
    )
    await read(session, actor, [(match, versions[row]) for match, row in found.all()], now)


async def _offers_of(session: AsyncSession, result_id: UUID) -> Sequence[OfferSeen]:
    found = await session.exec(
        select(LabOffer)
        .where(LabOffer.result_id == result_id)
        .order_by(col(LabOffer.made_at).desc(), col(LabOffer.id))
        .limit(MOST)
    )
    offers = found.all()
    names = await _names(session, {p for one in offers for p in (one.from_id, one.to_id)})
    return [
        OfferSeen(
            one.id,
            one.from_id,
            one.to_id,
            names[one.from_id],
            names[one.to_id],
            one.reason,
            one.made_at,
            one.lapses_at,
            OfferState(one.state),
            one.ended_at,
        )
        for one in offers
    ]


async def _names(session: AsyncSession, people: set[UUID]) -> Mapping[UUID, str]:
    found = await session.exec(select(Person.id, Person.name).where(col(Person.id).in_(people)))
    return dict(found.all())


async def _whole(
    session: AsyncSession,
    actor: Actor,
    row: LabResult,
    match: LabMatch,
    offers: Sequence[OfferSeen],
    now: datetime,
) -> ResultSeen:
    patient = await session.get_one(Patient, match.patient_id)
    versions = (
        await session.exec(
            select(LabVersion)
            .where(LabVersion.result_id == row.id)
            .order_by(col(LabVersion.number).desc())
            .limit(MOST)
        )
    ).all()
    confirmed = {
        one.version: one
        for one in (
            await session.exec(select(LabConfirmation).where(LabConfirmation.match_id == match.id))
        ).all()
    }
    calls = (
        await session.exec(
            select(LabCall).where(LabCall.result_id == row.id).order_by(col(LabCall.at).desc())
        )
    ).all()
    people = {one.by for one in confirmed.values()} | {one.by for one in calls}
    if row.answers_id:
        people.add(row.answers_id)
    names = await _names(session, people)
    newest = LabMessage.model_validate(versions[0].said)
    return ResultSeen(
        line=_line(row, versions[0], names.get(row.answers_id or row.id), patient, now),
        patient_id=patient.id,
        patient=patient.name,
        birth_date=patient.birth_date,
        versions=[_version(one, confirmed.get(one.number), names) for one in versions],
        calls=[
            CallSeen(one.version, one.told_at, one.words, names[one.by], one.at) for one in calls
        ],
        offers=offers,
        earlier=await _earlier(session, patient.id, newest.test.code),
        reference=reference_of(newest),
        repeats_id=row.repeats_id,
        yours=row.answers_id == actor.person_id and row.state == ResultState.AWAITING,
    )


def _version(
    version: LabVersion, confirmed: LabConfirmation | None, names: Mapping[UUID, str]
) -> LabVersionSeen:
    return LabVersionSeen(
        number=version.number,
        stage=ResultStage(version.stage),
        urgency=Urgency(version.urgency),
        heard_at=version.heard_at,
        said=LabMessage.model_validate(version.said),
        confirmed_by=names[confirmed.by] if confirmed else "",
        confirmed_at=confirmed.at if confirmed else None,
        next_step=NextStep(confirmed.next_step) if confirmed else None,
        follows=confirmed.follows if confirmed else "",
    )


async def _earlier(session: AsyncSession, patient_id: UUID, code: str) -> Sequence[EarlierValue]:
    """The values of this test over time, the oldest first, each in its newest version."""
    them = await links.joined(session, patient_id)
    found = await session.exec(
        select(LabResult, LabVersion)
        .join(
            LabVersion,
            (col(LabVersion.result_id) == LabResult.id)
            & (col(LabVersion.number) == LabResult.version),
        )
        .where(col(LabResult.patient_id).in_(them.ids))
        .order_by(col(LabResult.opened_at).desc())
        .limit(MOST)
    )
    values = []
    for row, version in found.all():
        said = LabMessage.model_validate(version.said)
        if said.test.code == code and said.stage is not ResultStage.CANCELLED:
            values.append(
                EarlierValue(
                    row.id,
                    said.taken_at or said.ready_at,
                    said.value,
                    said.unit_of_value,
                    said.stage,
                    Urgency(version.urgency),
                )
            )
    return sorted(values, key=lambda one: one.at)


async def colleagues(
    session: AsyncSession, actor: Actor, result_id: UUID
) -> Sequence[tuple[UUID, str, str]]:
    """To whom the actor may offer it: those who treat in the unit and are here, with their post."""
    row = await session.get(LabResult, result_id)
    if row is None or row.answers_id != actor.person_id:
        return []
    ids = await answering.able_to_treat(session, row.unit_id, present())
    found = await session.exec(
        select(Person.id, Person.name, Person.position).where(
            col(Person.id).in_(ids), Person.id != actor.person_id
        )
    )
    return sorted(found.all(), key=lambda one: one[1])
