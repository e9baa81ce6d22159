"""Comparing a patient with the registry of patients, until it has answered, for a day at most."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.clinic.patient_registry import PatientRegistry, RegistryPatient
from clients.database import Database
from clients.registers import RegisterDown, RegisterGarbled
from models.messages import WorkflowName
from models.tables.patients import Patient, PatientCheck
from rules.access import Actor, Permission
from rules.accounts import Limit, too_often
from rules.clock import now as present
from rules.journal.entries import JournalKind
from rules.notices.kinds import NoticeKind
from rules.patients.checks import GIVEN_UP_AFTER, RegistryOutcome, differences, pause
from rules.refusals import not_found
from services import rate_limits
from services.journal import entries as journal
from services.notices import outbox
from services.notices.outbox import NoticeEvent
from services.own_workflows import OwnWorkflow, Wake
from services.patients.entering import identity_of

CHECKS = Limit("patient_check", 120, timedelta(hours=1))

OWN = OwnWorkflow(
    name=WorkflowName.PATIENT_CHECK,
    table=PatientCheck,
    due="next_try_at",
    lives=lambda: col(PatientCheck.next_try_at).is_not(None),
    held=timedelta(minutes=10),
)
"""What the sweeper has to know of comparisons."""


@dataclass(frozen=True)
class PatientCheckState:
    """How far the newest comparison is. `outdated`: the identity was corrected since."""

    asked_at: datetime
    outcome: RegistryOutcome | None
    said: Mapping[str, str]
    tries: int
    next_try_at: datetime | None
    outdated: bool


class PatientChecks:
    """What those do who register patients."""

    def __init__(self, database: Database, wake: Wake) -> None:
        self._database = database
        self._wake = wake

    async def ask(self, actor: Actor, patient_id: UUID) -> None:
        """Have the patient compared; one that waits is not begun twice. Raises Refusal 403, 404,
        429.
        """
        actor.demand(Permission.REGISTER_PATIENTS)
        now = present()
        async with self._database.work() as session:
            patient = await session.get(Patient, patient_id)
            if patient is None:
                raise not_found()
            actor.demand(Permission.REGISTER_PATIENTS, patient.unit_id)
            if wait := await rate_limits.take(session, [(CHECKS, str(actor.person_id))], now):
                raise too_often(wait)
            fresh: dict[str, Any] = {
                "asked_by": actor.person_id,
                "asked_at": now,
                "version": patient.version,
                "outcome": None,
                "said": None,
                "tries": 0,
                "next_try_at": now,
                "done_at": None,
            }
            await session.exec(
                insert(PatientCheck)
                .values(id=patient_id, **fresh)
                .on_conflict_do_update(
                    index_elements=["id"],
                    set_=fresh,
                    where=col(PatientCheck.next_try_at).is_(None),
                )
            )
        await self._wake(patient_id)


async def state_of(session: AsyncSession, patient: Patient) -> PatientCheckState | None:
    """How far the newest comparison of a patient is."""
    row = await session.get(PatientCheck, patient.id)
    if row is None:
        return None
    outcome = RegistryOutcome(row.outcome) if row.outcome else None
    outdated = row.version != patient.version
    return PatientCheckState(
        row.asked_at, outcome, row.said or {}, row.tries, row.next_try_at, outdated
    )


async def look(database: Database, registry: PatientRegistry, patient_id: UUID) -> datetime | None:
    """Ask, if it is time. Returns when to ask again; None once it is over.

    Between the question and the answer no transaction is open.
    """
    now = present()
    async with database.reading() as session:
        check = await session.get(PatientCheck, patient_id)
        if check is None or check.next_try_at is None:
            return None
        if check.next_try_at > now:
            return check.next_try_at
        patient = await session.get_one(Patient, patient_id)
        who = identity_of(patient)
    found: tuple[RegistryPatient, ...] | None = None
    with suppress(RegisterDown, RegisterGarbled):
        found = await registry.look_up(who)
    now = present()
    async with database.work() as session:
        row = await session.get(PatientCheck, patient_id, with_for_update=True)
        if row is None or row.next_try_at is None:
            return None
        row.tries += 1
        if found is None and now < row.asked_at + GIVEN_UP_AFTER:
            row.next_try_at = now + pause(row.tries)
            session.add(row)
            return row.next_try_at
        row.version, row.next_try_at, row.done_at = patient.version, None, now
        said = [_as_text(one) for one in found or ()]
        row.said = said[0] if len(said) == 1 else None
        row.outcome = RegistryOutcome.GIVEN_UP.value
        if found is not None:
            differs = bool(said) and bool(differences(who, said[0]))
            row.outcome = (
                RegistryOutcome.NOBODY
                if not said
                else RegistryOutcome.SEVERAL
                if len(said) > 1
                else RegistryOutcome.DIFFERS
                if differs
                else RegistryOutcome.SAME
            ).value
        session.add(row)
        await session.flush()
        await _end(session, row, now)
    return None


async def _end(session: AsyncSession, row: PatientCheck, now: datetime) -> None:
    """Journal the outcome; who asked is told only where the registry never answered."""
    await journal.append(
        session,
        chain=row.id,
        kind=JournalKind.PATIENT_CHECKED,
        at=now,
        system="patient_check",
        facts={"outcome": row.outcome, "tries": row.tries},
        lock=True,
    )
    if row.outcome == RegistryOutcome.GIVEN_UP:
        key = f"{row.id}:{row.asked_at.isoformat()}"
        told = NoticeEvent(row.asked_by, NoticeKind.PATIENT_NOT_CHECKED, key)
        await outbox.enqueue_all(session, [told], now)


def _as_text(one: RegistryPatient) -> dict[str, str]:
    return {
        "name": one.name,
        "birth_date": one.birth_date.isoformat(),
        "sex": one.sex.value,
        "snils": one.snils,
        "policy": one.policy,
    }
