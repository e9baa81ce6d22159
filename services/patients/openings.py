"""Opening a closed record: for a reason from the list, or at once as an emergency (W2)."""

from datetime import datetime
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.tables.patients import Emergency, RecordOpening
from models.tables.people import RoleChange
from rules.access import Actor, Permission
from rules.clock import now as present
from rules.journal.entries import JournalKind
from rules.notices.kinds import NoticeKind
from rules.patients import emergencies as rules
from rules.patients.emergencies import EmergencyState
from rules.patients.grounds import EMERGENCY_OPENS, GROUNDS, REASON_OPENS
from rules.refusals import FieldError, Refusal
from rules.texts.cleaning import clean
from services import access
from services.catalogue import lookup as catalogue
from services.journal import entries as journal
from services.own_workflows import Wake
from services.patients import judging, ways

LONGEST = 1000


class Openings:
    """What those do who treat patients."""

    def __init__(self, database: Database, wake: Wake) -> None:
        self._database = database
        self._wake = wake

    async def open_for(self, actor: Actor, patient_id: UUID, ground: str, words: str) -> None:
        """Open the record for three hours. Raises as the function does."""
        async with self._database.work() as session:
            await open_for(session, actor, patient_id, ground, words, present())

    async def open_at_once(self, actor: Actor, patient_id: UUID, words: str) -> None:
        """Open the record for two hours; the judgement begins. Raises as the function does."""
        async with self._database.work() as session:
            opening = await open_at_once(session, actor, patient_id, words, present())
        await self._wake(opening.id)


async def open_for(
    session: AsyncSession, actor: Actor, patient_id: UUID, ground: str, words: str, now: datetime
) -> RecordOpening:
    """Open the record for three hours, on a ground from the list.

    Raises Refusal 403 for who does not treat, 404 for no such patient, 422 for no such ground or
    where it needs words.
    """
    actor.demand(Permission.TREAT)
    known = GROUNDS.get(ground)
    if known is None:
        raise _wrong("ground", "Выберите основание из списка")
    said = _said(words)
    if known.needs_words and not said:
        raise _wrong("words", "Напишите, по какому документу или поручению")
    opening = RecordOpening(
        patient_id=patient_id,
        person_id=actor.person_id,
        ground=ground,
        words=said,
        at=now,
        ends_at=now + REASON_OPENS,
    )
    return await _entered(session, opening)


async def open_at_once(
    session: AsyncSession, actor: Actor, patient_id: UUID, words: str, now: datetime
) -> RecordOpening:
    """Open the record for two hours as an emergency; information security judges it afterwards.

    Raises Refusal 403 for who does not treat, 404 for no such patient, 409 while an earlier one has
    suspended this, 422 without words.
    """
    actor.demand(Permission.TREAT)
    said = _said(words)
    if not said:
        raise _wrong("words", "Напишите, что случилось: это прочтут отдел ИБ и пациент")
    if await is_suspended(session, actor.person_id):
        raise rules.suspended()
    opening = RecordOpening(
        patient_id=patient_id,
        person_id=actor.person_id,
        emergency=True,
        words=said,
        at=now,
        ends_at=now + EMERGENCY_OPENS,
    )
    await _entered(session, opening)
    zone = (await access.zone_of(session, actor.unit_id)).key
    calendar = await catalogue.calendar(session)
    due = rules.due(now, zone, calendar)
    emergency = Emergency(
        id=opening.id,
        person_id=actor.person_id,
        unit_id=actor.unit_id,
        state=EmergencyState.WAITS.value,
        due_at=due,
        looks_at=rules.next_look(now, due, zone, calendar),
    )
    session.add(emergency)
    await session.flush()
    await judging.tell_judges(session, emergency, NoticeKind.EMERGENCY_TO_JUDGE, now)
    return opening


async def is_suspended(session: AsyncSession, person_id: UUID) -> bool:
    """Whether an unjustified emergency of this person still waits for what follows from it."""
    found = await session.exec(
        select(Emergency.grants).where(
            Emergency.person_id == person_id,
            Emergency.state == EmergencyState.UNJUSTIFIED.value,
        )
    )
    proposed = [UUID(one) for grants in found.all() for one in grants]
    if not proposed:
        return False
    waiting = await session.exec(
        select(RoleChange.case_id)
        .where(col(RoleChange.takes_grant_id).in_(proposed), col(RoleChange.open))
        .limit(1)
    )
    return waiting.first() is not None


async def _entered(session: AsyncSession, opening: RecordOpening) -> RecordOpening:
    await ways.exists(session, opening.patient_id)
    session.add(opening)
    await session.flush()
    await journal.append(
        session,
        chain=opening.patient_id,
        kind=JournalKind.PATIENT_OPENED,
        at=opening.at,
        by=opening.person_id,
        facts={
            "opening": str(opening.id),
            "emergency": opening.emergency,
            "ground": opening.ground,
        },
        contents={"words": opening.words} if opening.words else None,
        lock=True,
    )
    return opening


def _said(words: str) -> str:
    said = clean(words).strip()
    if len(said) > LONGEST:
        raise _wrong("words", "Не больше 1000 знаков")
    return said


def _wrong(field: str, message: str) -> Refusal:
    return Refusal("wrong_fields", message, 422, [FieldError(field, message)])
