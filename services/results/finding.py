"""Whose a result is: found by numbers where name and day of birth agree, suggested otherwise."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from rapidfuzz import fuzz
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.clinic.laboratory import LabMessage, SaidPatient
from crypto.key_ring import key_ring
from models.tables.patients import Patient
from models.tables.results import LabMatch, LabResult
from rules.journal.entries import JournalKind
from rules.notices.kinds import NoticeKind
from rules.patients.identity import birth_key, name_key, policy_key, snils_key
from rules.results.life import Matching
from rules.texts.cleaning import searched
from services.patients import links
from services.results import rows

ALIKE = 70
"""How alike two names are, of 100, so that the patient is suggested."""
MOST = 10
_MOST_BORN = 500
"""So many patients of one birth date are compared at most."""


@dataclass(frozen=True)
class Suggestion:
    """A patient whose result it may be, and what speaks for it."""

    id: UUID
    name: str
    birth_date: date
    by_number: bool
    alike: int
    """How alike the names are, of 100."""


async def exact(session: AsyncSession, said: SaidPatient) -> UUID | None:
    """The one patient with this SNILS or policy, if name and day of birth agree as well."""
    found = [one for one in await _by_number(session, said) if _agrees(one, said)]
    return found[0].id if len(found) == 1 else None


async def is_another(session: AsyncSession, message: LabMessage, patient_id: UUID) -> bool:
    """Whether the message clearly names somebody else than whose record it is in."""
    found = await exact(session, message.patient)
    if found is None or found == patient_id:
        return False
    return found not in (await links.joined(session, patient_id)).ids


async def suggested(session: AsyncSession, said: SaidPatient) -> Sequence[Suggestion]:
    """Whose it may be: by number, and by name within one birth date; the most alike first."""
    known = {one.id: one for one in await _by_number(session, said)}
    numbers = set(known)
    if said.birth_date is not None:
        born = await session.exec(
            select(Patient)
            .where(Patient.birth_blind == key_ring().blind(birth_key(said.birth_date.isoformat())))
            .limit(_MOST_BORN)
        )
        known |= {one.id: one for one in born.all()}
    found = [
        Suggestion(
            one.id,
            one.name,
            date.fromisoformat(one.birth_date),
            one.id in numbers,
            _alike(one, said),
        )
        for one in known.values()
    ]
    close = [one for one in found if one.by_number or one.alike >= ALIKE]
    return sorted(close, key=lambda one: (not one.by_number, -one.alike, one.id))[:MOST]


async def _by_number(session: AsyncSession, said: SaidPatient) -> Sequence[Patient]:
    ring = key_ring()
    found: dict[UUID, Patient] = {}
    if said.snils:
        by_snils = select(Patient).where(Patient.snils_blind == ring.blind(snils_key(said.snils)))
        found |= {one.id: one for one in (await session.exec(by_snils)).all()}
    if said.policy:
        blind = ring.blind(policy_key("".join(said.policy.split())))
        by_policy = select(Patient).where(Patient.policy_blind == blind)
        found |= {one.id: one for one in (await session.exec(by_policy)).all()}
    return list(found.values())


def _agrees(patient: Patient, said: SaidPatient) -> bool:
    same_name = name_key(patient.name) == name_key(said.name)
    return same_name and said.birth_date is not None and patient.birth_date == str(said.birth_date)


def _alike(patient: Patient, said: SaidPatient) -> int:
    return int(fuzz.token_sort_ratio(searched(patient.name), searched(said.name)))


async def put_into(
    session: AsyncSession,
    row: LabResult,
    patient_id: UUID,
    how: Matching,
    by: UUID | None,
    now: datetime,
) -> None:
    """Put a locked result into a record, and journal it."""
    match = LabMatch(
        result_id=row.id, patient_id=patient_id, how=how.value, made_at=now, made_by=by
    )
    session.add(match)
    await session.flush()
    facts = {"match": str(match.id), "patient": str(patient_id), "how": how.value}
    await rows.note(session, row, JournalKind.RESULT_MATCHED, now, by=by, facts=facts)


async def take_out(
    session: AsyncSession, row: LabResult, by: UUID | None, reason: str | None, now: datetime
) -> None:
    """Take a locked result out of a record: its trace stays, and all who had read it are told."""
    match = await rows.open_match(session, row.id)
    if match is None:
        return
    match.ended_at, match.ended_by, match.reason = now, by, reason
    session.add(match)
    await session.flush()
    told = await rows.readers(session, match.id)
    facts = {"match": str(match.id), "patient": str(match.patient_id), "told": len(told)}
    contents = {"reason": reason} if reason else None
    kind = JournalKind.RESULT_DETACHED
    await rows.note(session, row, kind, now, by=by, facts=facts, contents=contents)
    key = f"{match.id}:detached"
    others = {one for one in told if one != by}
    await rows.tell(session, row, others, NoticeKind.RESULT_DETACHED, now, key)
