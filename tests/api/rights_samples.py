"""A change of rights that belongs to somebody, as rows: for tests of who may see and do what."""

from datetime import timedelta
from uuid import uuid4

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.tables.cases import Case, CaseVersion
from models.tables.people import RoleChange, RoleGrant
from rules.access import Actor, Permission, Role
from rules.cases.access_changes import TYPE
from rules.cases.process import CaseKind, Party, Status
from rules.clock import now
from rules.ids import new_id
from rules.journal.entries import JournalKind
from services.catalogue import lookup as catalogue
from services.journal import entries as journal

DATA = {"subject": "Человек", "change": "give", "role": "Клерк", "unit": "Склад", "reason": "Надо"}


async def give_rights(session: AsyncSession, actor: Actor) -> dict[str, str]:
    """A change that waits for the head of the person's unit, and two grants of the person."""
    moment = now()
    case = Case(
        id=new_id(),
        kind=CaseKind.ACCESS_CHANGE,
        type=TYPE,
        type_version=(await catalogue.case_type(session, TYPE)).version,
        number=f"ИП-{uuid4().hex[:12]}",
        applicant_id=actor.person_id,
        unit_id=actor.unit_id,
        responsible_unit_id=actor.unit_id,
        review_permission=Permission.CONFIRM_ACCESS.value,
        status=Status.CONFIRMING.value,
        step=1,
        version=1,
        created_at=moment,
        submitted_at=moment,
        since=moment,
        waits_for=Party.REVIEWER.value,
        term_zone="Europe/Moscow",
    )
    session.add(case)
    await session.flush()
    spare = RoleGrant(
        id=new_id(),
        person_id=actor.person_id,
        role=Role.DOCTOR.value,
        unit_id=actor.unit_id,
        valid_from=moment + timedelta(days=3650),
    )
    session.add_all(
        [
            spare,
            CaseVersion(
                case_id=case.id,
                number=1,
                data=DATA,
                salt=b"salt",
                digest=uuid4().hex,
                submitted_at=moment,
                submitted_by=actor.person_id,
            ),
            RoleChange(
                case_id=case.id,
                subject_id=actor.person_id,
                asked_by=actor.person_id,
                role=Role.CLERK.value,
                unit_id=actor.unit_id,
            ),
        ]
    )
    await journal.append(
        session,
        chain=case.id,
        kind=JournalKind.CASE_SUBMITTED,
        at=moment,
        by=actor.person_id,
        step=1,
        facts={"number": case.number, "version": 1},
        lock=True,
    )
    await session.flush()
    held = await session.exec(
        select(RoleGrant.id).where(RoleGrant.person_id == actor.person_id, RoleGrant.id != spare.id)
    )
    return {
        "rights_id": str(case.id),
        "grant_id": str(held.all()[0]),
        "second_grant_id": str(spare.id),
    }
