"""Opening a closed record: for a reason from the list, or at once as an emergency (W2)."""

from datetime import datetime
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.patients import Opening
from rules.access import Actor, Permission
from rules.journal.entries import JournalKind
from rules.patients.grounds import EMERGENCY_OPENS, GROUNDS, REASON_OPENS
from rules.refusals import FieldError, Refusal
from rules.texts.cleaning import clean
from services.journal import entries as journal
from services.patients import ways

LONGEST = 1000


async def open_for(
    session: AsyncSession, actor: Actor, patient_id: UUID, ground: str, words: str, now: datetime
) -> Opening:
    """Open the record for three hours, on a ground from the list.

    Raises Refusal 403 for who does not treat, 404 for no such patient, 422 for no such ground or
    where it needs words.
    """
    known = GROUNDS.get(ground)
    if known is None:
        raise _wrong("ground", "Выберите основание из списка")
    said = _said(words)
    if known.needs_words and not said:
        raise _wrong("words", "Напишите, по какому документу или поручению")
    opening = Opening(
        patient_id=patient_id,
        person_id=actor.person_id,
        ground=ground,
        words=said,
        at=now,
        ends_at=now + REASON_OPENS,
    )
    return await _entered(session, actor, opening)


async def open_at_once(
    session: AsyncSession, actor: Actor, patient_id: UUID, words: str, now: datetime
) -> Opening:
    """Open the record for two hours as an emergency; information security judges it afterwards.

    Raises Refusal 403 for who does not treat, 404 for no such patient, 422 without words.
    """
    said = _said(words)
    if not said:
        raise _wrong("words", "Напишите, что случилось: это прочтут отдел ИБ и пациент")
    opening = Opening(
        patient_id=patient_id,
        person_id=actor.person_id,
        emergency=True,
        words=said,
        at=now,
        ends_at=now + EMERGENCY_OPENS,
    )
    return await _entered(session, actor, opening)


async def _entered(session: AsyncSession, actor: Actor, opening: Opening) -> Opening:
    actor.demand(Permission.TREAT)
    await ways.exists(session, opening.patient_id)
    session.add(opening)
    await session.flush()
    await journal.append(
        session,
        chain=opening.patient_id,
        kind=JournalKind.PATIENT_OPENED,
        at=opening.at,
        by=actor.person_id,
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
