"""The ways into a patient's record, and the one door through which every look at it goes.

Facts open a record without a question: that the patient is on somebody's list today, that a result
waits for them. The subjects that know such facts register them here by `opens`. Without one a
person opens the record for a while, for a reason from the list or as an emergency. `look` demands
a way, and records the view with it.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.patients import Patient, PatientView, RecordOpening
from rules.access import Actor, Permission
from rules.journal.tags import ViewCode
from rules.refusals import Refusal, not_found
from services.journal import entries as journal
from services.patients import links
from services.patients.links import Joined

Fact = Callable[[AsyncSession, Actor, frozenset[UUID], datetime], Awaitable[frozenset[UUID]]]
"""Of which of these patients a fact opens the record to the actor now."""


class Opened(StrEnum):
    """Ways that are no facts. Values are stored, as are the names of facts."""

    REASON = "reason"
    EMERGENCY = "emergency"
    IDENTITY = "identity"
    """Only who the patient is was looked at, by those who register patients."""


@dataclass(frozen=True)
class RecordWay:
    """By which way a record is open. `until` and `opening_id` only where a person opened it."""

    name: str
    until: datetime | None = None
    opening_id: UUID | None = None


@dataclass(frozen=True)
class RecordLook:
    """One look at a record: the way, and all patients whose entries belong to it."""

    way: RecordWay
    joined: Joined


_FACTS: dict[str, Fact] = {}
WAY_WORDS: dict[str, str] = {
    Opened.REASON: "Открыта на основании",
    Opened.EMERGENCY: "Открыта экстренно",
    Opened.IDENTITY: "Регистратура: данные о пациенте, без карты",
}
"""The ways in words that the patient reads (msgids)."""


def opens(name: str, fact: Fact, words: str) -> None:
    """Let a fact open records without a question. Its name is stored with each view.

    `words` say to the patient why the record was open (a msgid).
    """
    _FACTS[name] = fact
    WAY_WORDS[name] = words


async def way_in(
    session: AsyncSession, actor: Actor, patient_id: UUID, now: datetime
) -> RecordWay | None:
    """The way by which the record is open to the actor now; None if it is closed.

    Without the right to treat there is none, whatever the facts.
    """
    return await _way(session, actor, await links.joined(session, patient_id), now)


async def _way(
    session: AsyncSession, actor: Actor, them: Joined, now: datetime
) -> RecordWay | None:
    if not actor.may(Permission.TREAT):
        return None
    for name, fact in _FACTS.items():
        if await fact(session, actor, them.ids, now):
            return RecordWay(name)
    found = await session.exec(
        select(RecordOpening)
        .where(
            RecordOpening.person_id == actor.person_id,
            col(RecordOpening.patient_id).in_(them.ids),
            col(RecordOpening.ends_at) > now,
        )
        .order_by(col(RecordOpening.ends_at).desc())
        .limit(1)
    )
    opening = found.first()
    if opening is None:
        return None
    name = Opened.EMERGENCY if opening.emergency else Opened.REASON
    return RecordWay(name, opening.ends_at, opening.id)


async def open_among(
    session: AsyncSession, actor: Actor, patients: frozenset[UUID], now: datetime
) -> frozenset[UUID]:
    """Those of these patients whose record is open to the actor now, for a list of them.

    Each is asked about alone: a record that is open only because its patient is joined to another
    one is left out. One statement for openings and one for each kind of fact.
    """
    if not patients or not actor.may(Permission.TREAT):
        return frozenset()
    found = await session.exec(
        select(RecordOpening.patient_id).where(
            RecordOpening.person_id == actor.person_id,
            col(RecordOpening.patient_id).in_(patients),
            col(RecordOpening.ends_at) > now,
        )
    )
    opened = frozenset(found.all())
    for fact in _FACTS.values():
        opened |= await fact(session, actor, patients, now)
    return opened


async def look(
    session: AsyncSession,
    actor: Actor,
    patient_id: UUID,
    now: datetime,
    what: ViewCode = ViewCode.PATIENT_RECORD,
) -> RecordLook:
    """Demand a way into the record, and record the view. Whatever shows or changes it calls this.

    The session is one that writes. Raises Refusal 403 for who does not treat, 404 for no such
    patient, and 403 `patient_closed` where the actor has to give a reason first.
    """
    actor.demand(Permission.TREAT)
    await exists(session, patient_id)
    them = await links.joined(session, patient_id)
    way = await _way(session, actor, them, now)
    if way is None:
        raise closed(patient_id)
    await record(session, actor, patient_id, way, what, now)
    return RecordLook(way, them)


async def record(
    session: AsyncSession,
    actor: Actor,
    patient_id: UUID,
    way: RecordWay,
    what: ViewCode,
    now: datetime,
) -> None:
    """Record that somebody looked, and by which way: for the audit and for the patient."""
    view = await journal.record_view(session, actor, patient_id, what, at=now)
    session.add(
        PatientView(
            id=view.id,
            patient_id=patient_id,
            person_id=actor.person_id,
            at=now,
            way=way.name,
            opening_id=way.opening_id,
        )
    )


async def exists(session: AsyncSession, patient_id: UUID) -> None:
    """Raise Refusal 404 unless there is such a patient."""
    found = await session.exec(select(Patient.id).where(Patient.id == patient_id))
    if found.first() is None:
        raise not_found()


def closed(patient_id: UUID) -> Refusal:
    """The record is closed to somebody who may open it for a reason; pages then ask for one."""
    words = "Карта закрыта. Укажите, на каком основании вы её открываете."
    return Refusal("patient_closed", words, 403, patient=str(patient_id))
