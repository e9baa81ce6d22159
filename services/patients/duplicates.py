"""Who may be the same person: exact by number, alike by name within one birth date (W2)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from crypto.key_ring import key_ring
from models.tables.patients import Patient
from rules.patients.identity import Identity, birth_key, policy_key, snils_key
from rules.texts.cleaning import searched
from services.patients.entering import identity_of

LIKE = 85.0
"""From this likeness on, of 100, two names of one birth date are suggested."""
MOST_OF_A_DAY = 200
"""How many patients of one birth date are compared."""
MOST = 10


class Why(StrEnum):
    """Why somebody is suggested."""

    SNILS = "snils"
    POLICY = "policy"
    NAME = "name"


@dataclass(frozen=True)
class Likely:
    """Somebody who may be the same person."""

    patient_id: UUID
    identity: Identity
    why: Sequence[Why]
    likeness: float


async def likely(
    session: AsyncSession, who: Identity, but: Collection[UUID] = ()
) -> Sequence[Likely]:
    """Who may be this person, the likeliest first, without those in `but`."""
    ring, born = key_ring(), who.birth_date.isoformat()
    same = [col(Patient.birth_blind) == ring.blind(birth_key(born))]
    if who.snils:
        same.append(col(Patient.snils_blind) == ring.blind(snils_key(who.snils)))
    if who.policy:
        same.append(col(Patient.policy_blind) == ring.blind(policy_key(who.policy)))
    rows: dict[UUID, Patient] = {}
    for condition in same:
        found = await session.exec(select(Patient).where(or_(condition)).limit(MOST_OF_A_DAY))
        rows |= {one.id: one for one in found.all() if one.id not in but}
    judged = [_judged(who, row.id, identity_of(row)) for row in rows.values()]
    found_alike = [one for one in judged if one.why]
    return sorted(found_alike, key=lambda one: (-len(one.why), -one.likeness))[:MOST]


def _judged(who: Identity, patient_id: UUID, other: Identity) -> Likely:
    likeness = alike(who.name, other.name)
    why = []
    if who.snils and who.snils == other.snils:
        why.append(Why.SNILS)
    if who.policy and who.policy == other.policy:
        why.append(Why.POLICY)
    if who.birth_date == other.birth_date and likeness >= LIKE:
        why.append(Why.NAME)
    return Likely(patient_id, other, why, likeness)


def alike(one: str, other: str) -> float:
    """How alike two names are, from 0 to 100; the order of their words does not count."""
    # Imported with the first comparison: programs that compare nothing start sooner.
    from rapidfuzz import fuzz

    return float(fuzz.token_sort_ratio(searched(one), searched(other)))
