"""The automatic check of a verification: its files, its numbers, and the identity register.

A check never rejects: its findings are shown to the operator and to the person.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from clients.registers import IdentityCard, IdentityClient, RegisterDown, RegisterGarbled
from models.messages import CaseState
from models.tables.cases import Case, CaseVersion
from models.tables.people import Person
from rules.cases.process import Party, Status
from rules.cases.terms import Alarm
from rules.clock import now as present
from rules.notices.kinds import NoticeKind
from rules.texts.names import same_person
from rules.verification import GivenFile, file_findings
from services import outages
from services.cases import assignment
from services.cases.draft_contents import attachments_of
from services.cases.transitions import lock, state_of
from services.outages import IDENTITY
from services.reviews import alarms, registers
from services.reviews.decisions import open_review
from services.verifications.acts import files_of


@dataclass(frozen=True)
class _Subject:
    data: Mapping[str, Any]
    name: str
    files: list[GivenFile]


async def check(
    database: Database, register: IdentityClient, case_id: UUID, step: int
) -> CaseState:
    """Check the newest version and hand it to an operator; if the register is down, wait for it.

    Safe to repeat: if the case is no longer at `step`, nothing changes and its state is returned.
    """
    async with database.reading() as session:
        case = await session.get_one(Case, case_id)
        if case.step != step or case.status != Status.CHECKING:
            return await state_of(session, case)
        subject = await _subject(session, case)
    number = str(subject.data.get("inn") or subject.data.get("personnel_number") or "")
    try:
        card = await register.look_up(number)
    except (RegisterDown, RegisterGarbled):
        return await registers.wait(database, case_id, step, Party.IDENTITY_REGISTER)
    now = present()
    async with database.work() as session:
        case = await lock(session, case_id)
        if case.step == step and case.status == Status.CHECKING:
            if case.waits_for == Party.IDENTITY_REGISTER:
                await outages.end(session, IDENTITY, now)
            findings = findings_of(subject, card)
            await open_review(session, case, findings, now, "verification_in_review")
        return await state_of(session, case)


async def _subject(session: AsyncSession, case: Case) -> _Subject:
    version = await session.get_one(CaseVersion, (case.id, case.version))
    person = await session.get_one(Person, case.applicant_id)
    cited = await attachments_of(session, case.id, case.version)
    return _Subject(version.data, person.name, await files_of(session, cited))


def findings_of(subject: _Subject, card: IdentityCard | None) -> list[dict[str, Any]]:
    """The findings of a check, problems first. `severity` is `problem`, `warning` or `fine`."""
    found = [*file_findings(subject.files), _of_register(subject, card)]
    order = {"problem": 0, "warning": 1, "fine": 2}
    return sorted(found, key=lambda one: order[one["severity"]])


def _of_register(subject: _Subject, card: IdentityCard | None) -> dict[str, Any]:
    about = "inn" if subject.data.get("inn") else "personnel_number"
    if card is None:
        code, text = "identity_unknown", "В реестре удостоверений личности такого номера нет."
        return {"code": code, "severity": "problem", "about": about, "text": text}
    born = subject.data.get("birth_date")
    snils = "".join(sign for sign in str(subject.data.get("snils") or "") if sign.isdigit())
    theirs = "".join(sign for sign in card.snils if sign.isdigit())
    differs = (
        not same_person(str(subject.data.get("full_name")), card.surname, card.name)
        or not same_person(subject.name, card.surname, card.name)
        or (born is not None and date.fromisoformat(str(born)) != card.birth_date)
        or (bool(theirs) and bool(snils) and theirs != snils)
    )
    if differs:
        code = "identity_differs"
        text = "Сведения реестра удостоверений личности отличаются от указанных."
        return {"code": code, "severity": "problem", "about": about, "text": text}
    code, text = "identity_fine", "Сведения подтверждены реестром удостоверений личности."
    return {"code": code, "severity": "fine", "about": about, "text": text}


async def wake(database: Database, case_id: UUID) -> CaseState:
    """Do what is due by the clock: remind the operator or the person, or let the case lapse."""
    return await alarms.wake(database, case_id, _whom, "verification_lapsed")


async def _whom(
    session: AsyncSession, case: Case, what: Alarm, now: datetime
) -> Mapping[UUID, NoticeKind]:
    """Who can act on a term that ends: the person, the operator, or all operators of the unit.

    Where there is no operator, those who watch the operation.
    """
    if case.status == Status.CLARIFICATION:
        return {case.applicant_id: NoticeKind.VERIFICATION_REMINDER}
    await assignment.keep(session, case, now)
    if what is Alarm.REMIND and case.reviewer_id is not None:
        return {case.reviewer_id: NoticeKind.VERIFICATION_WAITS}
    people = await assignment.overseers_of(session, case, now)
    return dict.fromkeys(people, NoticeKind.VERIFICATION_WAITS)
