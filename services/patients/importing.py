"""Import of patients from a file: first a dry run, then exactly what it showed (W2).

A patient is known by SNILS or policy, else by name and birth date. Whoever is known is never
changed by a file: what differs is shown for a person to judge.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import func
from sqlmodel import and_, col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from crypto.key_ring import key_ring
from models.blind_indexes import among
from models.tables.catalogue import CatalogueChange
from models.tables.patients import Patient
from models.tables.people import Unit
from rules.access import Actor, Permission
from rules.accounts import Limit, too_often
from rules.clock import now as present
from rules.ids import hash_of
from rules.journal.entries import SYSTEM_CHAIN, JournalKind
from rules.journal.tags import ViewCode
from rules.patients.identity import Identity, birth_key, name_key, policy_key, snils_key
from rules.patients.table import UNIT, PatientRow, Reading, WrongCell, differing, has_wrong_cells
from rules.refusals import act_id_reused
from rules.staff.table import meanwhile, nothing_to_do
from rules.texts.cleaning import searched
from services import access, rate_limits
from services.files.inspection.client import Inspection
from services.files.inspection.sheets import PatientCells
from services.files.intake import unavailable_is_refusal
from services.journal import entries as journal
from services.patients.entering import enter_all, identity_of

Item = TypeVar("Item")
SUBJECT = "patients"
"""The subject of an import among the changes that were made once."""
IMPORTS = Limit("patient_import", 60, timedelta(hours=1))
"""How often one person may ask what files would do: each says who is a patient here."""
AT_ONCE = 100
"""So many lines are looked up and written by one statement."""
_IMPORTING = 1_245_662_043


@dataclass(frozen=True)
class KnownPatient:
    """A line about somebody who is known otherwise; `fields` are those that differ."""

    line: int
    patient_id: UUID
    name: str
    fields: Sequence[str]


@dataclass(frozen=True)
class PatientCounts:
    """How many patients are affected; nothing personal."""

    added: int = 0
    left_alone: int = 0
    to_judge: int = 0


@dataclass
class PatientPlan:
    """What a file would do. `digest` identifies it: only what was shown is done."""

    added: list[tuple[PatientRow, UUID]] = field(default_factory=list)
    """New patients, each with the unit that enters them."""
    known: list[KnownPatient] = field(default_factory=list)
    wrong: Sequence[WrongCell] = ()
    left_alone: int = 0
    digest: str = ""

    @property
    def counts(self) -> PatientCounts:
        """How many there are of each."""
        return PatientCounts(len(self.added), self.left_alone, len(self.known))


async def dry_run(
    database: Database, inspection: Inspection, actor: Actor, body: bytes
) -> PatientPlan:
    """What the file would do; nothing is written. Raises Refusal 403, 422, 429, 503."""
    lines = await _lines(database, inspection, actor, body)
    async with database.work() as session:
        return await _planned(session, actor, lines, body, present())


async def apply(
    database: Database,
    inspection: Inspection,
    actor: Actor,
    body: bytes,
    digest: str,
    act_id: UUID,
) -> PatientCounts:
    """Do what the dry run with this digest showed, all of it or nothing. Safe to repeat.

    Raises Refusal 403, 409 if it would do something else now, 422 for a file with mistakes, without
    anybody new, or with an act id that was used for something else, 429, 503.
    """
    lines = await _lines(database, inspection, actor, body)
    body_hash = hash_of({"by": str(actor.person_id), "digest": digest, "file": _sha256(body)})
    now = present()
    async with database.work() as session:
        await session.exec(select(func.pg_advisory_xact_lock(_IMPORTING)))
        made = await session.get(CatalogueChange, act_id)
        if made is not None:
            if made.body_hash != body_hash:
                raise act_id_reused()
            return PatientCounts(**made.after)
        plan = await _planned(session, actor, lines, body, now)
        if plan.digest != digest:
            raise meanwhile()
        if plan.wrong:
            raise has_wrong_cells()
        if not plan.added:
            raise nothing_to_do()
        for some in _in_batches(plan.added):
            new = [(row.identity, unit_id) for row, unit_id in some]
            if not await enter_all(session, new, actor.person_id, now):
                # Somebody entered one of them at the same time.
                raise meanwhile()
        await _note(session, actor, plan.counts, act_id, body_hash, now)
        return plan.counts


async def _lines(
    database: Database, inspection: Inspection, actor: Actor, body: bytes
) -> Sequence[PatientCells]:
    """The cells of the file. That somebody looked patients up is recorded, and has a limit."""
    actor.demand(Permission.REGISTER_PATIENTS)
    now = present()
    async with database.work() as session:
        wait = await rate_limits.take(session, [(IMPORTS, str(actor.person_id))], now)
        if not wait:
            await journal.record_view(
                session, actor, actor.person_id, ViewCode.PATIENT_SEARCH, at=now
            )
    if wait:
        raise too_often(wait)
    with unavailable_is_refusal():
        return await inspection.patients(body)


async def _planned(
    session: AsyncSession,
    actor: Actor,
    lines: Sequence[PatientCells],
    body: bytes,
    now: datetime,
) -> PatientPlan:
    units = {one.code: one.id for one in (await session.exec(select(Unit))).all()}
    codes = {unit_id: code for code, unit_id in units.items()}
    mine = actor.units_with(Permission.REGISTER_PATIENTS)
    days: dict[UUID, date] = {}
    plan, reading = PatientPlan(), Reading()
    for some in _in_batches(lines):
        rows: list[tuple[PatientRow, UUID]] = []
        for line, cells in some:
            code = cells.get(UNIT, "").strip().lower() or codes[actor.unit_id]
            unit_id = units.get(code)
            if unit_id is None or unit_id not in mine:
                words = "Напишите код подразделения, в котором вы вносите пациентов."
                reading.wrong.append(WrongCell(line, UNIT, words))
                continue
            if unit_id not in days:
                days[unit_id] = await access.day_in(session, unit_id, now)
            if (row := reading.take(line, cells, days[unit_id])) is not None:
                rows.append((row, unit_id))
        known = await _known(session, [row.identity for row, _ in rows])
        for row, unit_id in rows:
            _compare(plan, row, unit_id, known)
    plan.wrong = sorted(reading.wrong, key=lambda one: one.line)
    said: Any = [
        _sha256(body),
        [[row.line, str(unit_id)] for row, unit_id in plan.added],
        [[one.line, str(one.patient_id), list(one.fields)] for one in plan.known],
        plan.left_alone,
    ]
    plan.digest = hash_of(said)
    return plan


async def _known(session: AsyncSession, some: Sequence[Identity]) -> Mapping[UUID, Identity]:
    """Patients who have a number of these people, or the name and birth date of one."""
    if not some:
        return {}
    ring = key_ring()
    found = await session.exec(
        select(Patient)
        .where(
            or_(
                among(
                    col(Patient.snils_blind),
                    [ring.blind(snils_key(one.snils)) for one in some if one.snils],
                ),
                among(
                    col(Patient.policy_blind),
                    [ring.blind(policy_key(one.policy)) for one in some if one.policy],
                ),
                and_(
                    among(
                        col(Patient.name_blind), [ring.blind(name_key(one.name)) for one in some]
                    ),
                    among(
                        col(Patient.birth_blind),
                        [ring.blind(birth_key(one.birth_date.isoformat())) for one in some],
                    ),
                ),
            )
        )
        .order_by(col(Patient.id))
    )
    return {one.id: identity_of(one) for one in found.all()}


def _compare(
    plan: PatientPlan, row: PatientRow, unit_id: UUID, known: Mapping[UUID, Identity]
) -> None:
    """Is this somebody new, somebody known, or for a person to judge? Numbers come first."""
    who = row.identity
    by_number = [
        key
        for key, one in known.items()
        if (who.snils and who.snils == one.snils) or (who.policy and who.policy == one.policy)
    ]
    by_name = [
        key
        for key, one in known.items()
        if searched(who.name) == searched(one.name) and who.birth_date == one.birth_date
    ]
    found = [(key, differing(who, known[key])) for key in (*by_number, *by_name)]
    if not found:
        plan.added.append((row, unit_id))
    elif not found[0][1]:
        plan.left_alone += 1
    else:
        key, fields = found[0]
        plan.known.append(KnownPatient(row.line, key, who.name, fields))


async def _note(
    session: AsyncSession,
    actor: Actor,
    counts: PatientCounts,
    act_id: UUID,
    body_hash: str,
    now: datetime,
) -> None:
    session.add(
        CatalogueChange(
            id=act_id,
            subject=SUBJECT,
            key=SUBJECT,
            at=now,
            by=actor.person_id,
            valid_from=now,
            after=dict(vars(counts)),
            body_hash=body_hash,
        )
    )
    await session.flush()
    await journal.append(
        session,
        chain=SYSTEM_CHAIN,
        kind=JournalKind.PATIENTS_IMPORTED,
        at=now,
        by=actor.person_id,
        facts={"change": str(act_id), **vars(counts)},
    )


def _in_batches(items: Iterable[Item]) -> Iterable[list[Item]]:
    """The items by hundreds."""
    left = iter(items)
    while some := list(islice(left, AT_ONCE)):
        yield some


def _sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
