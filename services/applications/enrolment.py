"""The enrolment certificate of an approved application: made, signed, stored, handed out (A5).

It is issued after the decision, in a step of its own: an object store that is down never delays a
decision.
"""

import asyncio
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, func
from sqlalchemy import select as choose
from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database, DirectRows
from clients.objects import Objects
from models.messages import CaseSignal, CaseState
from models.tables.cases import Case, CaseAct, CaseDecision, CaseVersion, IssuedAct
from models.tables.people import Person, Unit
from rules.access import Actor
from rules.archive import ERASED
from rules.cases.numbers import NumberKind, format_number, parse_number
from rules.cases.process import Status, Transition
from rules.catalogue.programmes import KINDS
from rules.clock import now as present
from rules.ids import new_id
from rules.journal.tags import ViewCode
from rules.refusals import not_found
from services.applications.enrolment_certificate import (
    ActFacts,
    SealFacts,
    build_act,
    code_hash,
    new_code,
)
from services.cases.transitions import CaseNotice, heard, lock, move, see, state_of
from services.cases.wakeups import note_false_signals
from services.catalogue import lookup as catalogue
from services.crash_points import CrashPoint, reach
from services.journal import entries as journal
from services.seal import Seal
from settings import Settings

FOLDER = "acts"
OBJECTS = {FOLDER: (col(IssuedAct.object_key),)}
"""The columns that name the objects of this folder."""


async def issue(
    settings: Settings,
    database: Database,
    objects: Objects,
    seal: Seal,
    case_id: UUID,
    signals: Sequence[CaseSignal] = (),
) -> CaseState:
    """Issue the certificate of a case that is approved and has none; otherwise change nothing.

    Returns the state of the case. Safe to repeat: the row of the certificate and the move are one
    transaction, at the step that was read. An object that was stored without its row is swept.
    """
    async with database.reading() as session:
        read = _Known(*await _READ.one(session, {"case_id": case_id}))
        step, code = read.case.step, new_code()
        facts = (
            await _facts(session, settings, read, seal, code) if _awaits_act(read.case) else None
        )
    if facts is None:
        return await _nothing_to_issue(database, case_id, signals)
    signed = await asyncio.to_thread(_make, facts, seal)
    key = objects.fresh_key(FOLDER)
    stored = await objects.put(key, signed, len(signed), "application/pdf")
    reach(CrashPoint.ACT_FILED)
    async with database.work() as session:
        case = await lock(session, case_id)
        await note_false_signals(session, case, signals, read.acts or ())
        if case.step == step and _awaits_act(case):
            act = IssuedAct(
                id=new_id(),
                case_id=case.id,
                number=facts.number,
                issued_at=facts.issued_at,
                outcome=Status.APPROVED.value,
                object_key=stored.key,
                sha256=stored.sha256,
                size=stored.size,
                public_code_hash=code_hash(code),
            )
            await move(
                session,
                case,
                Transition.ISSUE_ACT,
                now=facts.issued_at,
                facts={"act": facts.number, "sha256": stored.sha256},
                tell=[
                    CaseNotice(
                        "application_act_ready", case.applicant_id, {"programme": facts.programme}
                    )
                ],
                along=journal.Along.of(act),
            )
        state = await state_of(session, case)
    reach(CrashPoint.ACT_ISSUED)
    return state


def _awaits_act(case: Case) -> bool:
    return case.status == Status.APPROVED and case.closed_at is None


def _make(facts: ActFacts, seal: Seal) -> bytes:
    return seal.sign_pdf(build_act(facts), reason="Акт о зачислении")


async def _nothing_to_issue(
    database: Database, case_id: UUID, signals: Sequence[CaseSignal]
) -> CaseState:
    async with database.work() as session:
        case = await lock(session, case_id)
        await note_false_signals(session, case, signals)
        await heard(session, case, present())
        return await state_of(session, case)


class _Known(NamedTuple):
    """Everything that a certificate says, and the ids of the acts that the case has had."""

    case: Case
    version: CaseVersion | None
    applicant: Person
    unit: str
    decided_at: datetime | None
    decided_by: str
    decided_post: str
    acts: Sequence[UUID] | None


_REVIEWER = aliased(Person)
_ACTS = (
    select(func.array_agg(col(CaseAct.id)))
    .where(col(CaseAct.case_id) == col(Case.id))
    .correlate(Case)
    .scalar_subquery()
)
"""An act is committed before its signal is sent, so those of all signals heard are among them."""
_READ = DirectRows(
    choose(
        Case,
        CaseVersion,
        Person,
        col(Unit.name),
        col(CaseDecision.at),
        col(_REVIEWER.name),
        col(_REVIEWER.position),
        _ACTS,
    )
    .join(Person, col(Person.id) == col(Case.applicant_id))
    .join(Unit, col(Unit.id) == col(Case.unit_id))
    .outerjoin(
        CaseVersion,
        (col(CaseVersion.case_id) == col(Case.id)) & (col(CaseVersion.number) == col(Case.version)),
    )
    .outerjoin(
        CaseDecision,
        (col(CaseDecision.case_id) == col(Case.id))
        & (col(CaseDecision.outcome) == Transition.APPROVE.value),
    )
    .outerjoin(_REVIEWER, col(_REVIEWER.id) == col(CaseDecision.by))
    .where(col(Case.id) == bindparam("case_id"))
)
"""All of `_Known` in one statement that is built once."""


async def _facts(
    session: AsyncSession, settings: Settings, read: _Known, seal: Seal, code: str
) -> ActFacts:
    case, version, applicant = read.case, read.version, read.applicant
    if case.programme_id is None or case.number is None or read.decided_at is None:
        raise not_found()
    assert version is not None  # noqa: S101 - a case with a number has a version
    programme = await catalogue.programme(session, case.programme_id)
    number = parse_number(case.number)
    return ActFacts(
        institution=settings.institution,
        number=format_number(NumberKind.ENROLMENT_ACT, number.year, number.sequence),
        issued_at=present(),
        zone=settings.time_zone,
        case_number=case.number,
        submitted_at=case.submitted_at or version.submitted_at,
        person=applicant.name,
        position=applicant.position,
        unit=read.unit,
        programme=programme.title,
        kind=KINDS.get(programme.kind, programme.kind),
        hours=programme.hours,
        organiser=programme.organisation,
        decided_by=read.decided_by,
        decided_post=read.decided_post,
        decided_at=read.decided_at,
        public_url=settings.public_url,
        code=code,
        seal=SealFacts.of(seal),
        starts_on=_day(version.data.get("starts_on")),
    )


def _day(value: Any) -> date | None:
    return datetime.fromisoformat(value).date() if isinstance(value, str) else None


async def file_of(
    session: AsyncSession, objects: Objects, actor: Actor, case_id: UUID
) -> tuple[IssuedAct, bytes]:
    """The signed certificate, for those who may see the case.

    Raises `not_found` if there is none.
    """
    case = await see(session, actor, case_id)
    found = await session.exec(select(IssuedAct).where(IssuedAct.case_id == case.id))
    act = found.one_or_none()
    if act is None or act.object_key.startswith(ERASED):
        raise not_found()
    await journal.record_view(session, actor, case.id, ViewCode.ACT)
    return act, await objects.read(act.object_key)
