"""The rows of patients: entered once, read as identities."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from crypto.key_ring import key_ring
from models.encrypted_columns import bound_row
from models.tables.patients import Patient
from rules.ids import new_id
from rules.journal.entries import JournalKind
from rules.patients.identity import (
    Identity,
    Sex,
    birth_key,
    name_key,
    policy_key,
    snils_key,
)
from services.journal import entries as journal
from services.journal.entries import FirstEntry


def identity_of(patient: Patient) -> Identity:
    """Who the patient is."""
    return Identity(
        patient.name,
        date.fromisoformat(patient.birth_date),
        Sex(patient.sex),
        snils=patient.snils,
        policy=patient.policy,
        phone=patient.phone,
        email=patient.email,
    )


async def enter(
    session: AsyncSession,
    identity: Identity,
    unit_id: UUID,
    by: UUID | None,
    now: datetime,
    patient_id: UUID | None = None,
) -> Patient | None:
    """Enter a patient; None if one has the id, the SNILS or the policy already."""
    key = patient_id or new_id()
    row = Patient(id=key, unit_id=unit_id, created_at=now, created_by=by, **columns(identity))
    entered = await session.exec(
        insert(Patient).values(bound_row(row)).on_conflict_do_nothing().returning(col(Patient.id))
    )
    if entered.first() is None:
        return None
    await journal.append(
        session,
        chain=row.id,
        kind=JournalKind.PATIENT_REGISTERED,
        at=now,
        by=by,
        system=None if by else "seed",
        facts={"unit": str(unit_id)},
        contents=dict(identity.as_text),
        lock=True,
    )
    return row


async def enter_all(
    session: AsyncSession,
    some: Sequence[tuple[Identity, UUID]],
    by: UUID,
    now: datetime,
) -> bool:
    """Enter several patients, each with a unit, in one statement beside those of the journal.

    False if one of them has a number that somebody has already: then nothing may be kept.
    """
    rows = [
        Patient(unit_id=unit_id, created_at=now, created_by=by, **columns(identity))
        for identity, unit_id in some
    ]
    entered = await session.exec(
        insert(Patient)
        .values([bound_row(row) for row in rows])
        .on_conflict_do_nothing()
        .returning(col(Patient.id))
    )
    if len(entered.all()) < len(rows):
        return False
    kind = JournalKind.PATIENT_REGISTERED
    firsts = [
        FirstEntry(row.id, kind, now, {"unit": str(unit_id)}, dict(identity.as_text))
        for row, (identity, unit_id) in zip(rows, some, strict=True)
    ]
    await journal.begin_chains(session, None, firsts, by)
    return True


def columns(identity: Identity) -> dict[str, Any]:
    """The columns of a row that say who the patient is, with their blind indexes."""
    ring, born = key_ring(), identity.birth_date.isoformat()
    return {
        "name": identity.name,
        "birth_date": born,
        "sex": identity.sex.value,
        "snils": identity.snils,
        "policy": identity.policy,
        "phone": identity.phone,
        "email": identity.email,
        "name_blind": ring.blind(name_key(identity.name)),
        "birth_blind": ring.blind(birth_key(born)),
        "snils_blind": ring.blind(snils_key(identity.snils)) if identity.snils else None,
        "policy_blind": ring.blind(policy_key(identity.policy)) if identity.policy else None,
    }


async def identities(session: AsyncSession, ids: Collection[UUID]) -> Mapping[UUID, Identity]:
    """Who these patients are, for lists that may name them; who is not there is left out."""
    found = await session.exec(select(Patient).where(col(Patient.id).in_(ids)))
    return {one.id: identity_of(one) for one in found.all()}
