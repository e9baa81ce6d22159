"""The automatic check of an application: fields, attachments, hours, identifiers, the register.

A check never rejects. Its findings are shown to the reviewer and to the applicant.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, func
from sqlalchemy import select as choose
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database, DirectRows
from clients.registers import RegisterCard, RegisterClient, RegisterDown, RegisterGarbled
from models.messages import CaseState
from models.tables.cases import Case, CaseAttachment, CaseVersion, Outage
from models.tables.catalogue import Programme
from models.tables.documents import DocumentVersion
from models.tables.people import Person
from rules.cases.process import Party, Status
from rules.clock import now as present
from rules.forms.definitions import (
    CaseTypeDefinition,
    check_attachments,
    check_form,
    merged_attachments,
)
from rules.texts.names import same_person
from services import outages
from services.cases.transitions import lock, state_of
from services.catalogue import lookup as catalogue
from services.crash_points import CrashPoint, reach
from services.outages import REGISTER
from services.reviews import registers
from services.reviews.decisions import open_review


@dataclass(frozen=True)
class _Subject:
    """Everything that a check looks at."""

    definition: CaseTypeDefinition
    programme: Programme | None
    data: Mapping[str, Any]
    attachments: list[tuple[str, str]]
    person: Person
    submitted_on: date


async def check(
    database: Database, register: RegisterClient, case_id: UUID, step: int
) -> CaseState:
    """Check the newest version and open the review; if the register is down, wait for it.

    Safe to repeat: if the case is no longer at `step`, nothing changes and its state is returned.
    """
    async with database.reading() as session:
        case, version, person, cited, down = await _read(session, case_id)
        if case.step != step or case.status != Status.CHECKING:
            return await state_of(session, case)
        subject = await _subject(session, case, version, person, cited)
    snils = str(subject.data.get("snils") or subject.person.snils or "")
    try:
        card = await register.look_up(snils)
    except (RegisterDown, RegisterGarbled):
        return await registers.wait(database, case_id, step, Party.REGISTER)
    reach(CrashPoint.REGISTER_ASKED)
    findings = findings_of(subject, card)
    now = present()
    async with database.work() as session:
        case = await lock(session, case_id)
        if case.step == step and case.status == Status.CHECKING:
            if down:
                # The case that noted the outage may have been withdrawn since: any answer ends it.
                await outages.end(session, REGISTER, now)
            await open_review(session, case, findings, now)
        state = await state_of(session, case)
    reach(CrashPoint.REVIEW_OPENED)
    return state


_CITED = (
    select(
        func.json_agg(func.json_build_array(col(CaseAttachment.kind), col(DocumentVersion.verdict)))
    )
    .join(DocumentVersion)
    .where(
        col(CaseAttachment.case_id) == col(Case.id),
        col(CaseAttachment.case_version) == col(Case.version),
    )
    .correlate(Case)
    .scalar_subquery()
)
_DOWN = (
    select(Outage.id)
    .where(Outage.system == REGISTER, col(Outage.until).is_(None))
    .correlate(None)
    .exists()
)
_READ = DirectRows(
    choose(Case, CaseVersion, Person, _CITED, _DOWN)
    .outerjoin(
        CaseVersion,
        (col(CaseVersion.case_id) == col(Case.id)) & (col(CaseVersion.number) == col(Case.version)),
    )
    .join(Person, col(Person.id) == col(Case.applicant_id))
    .where(col(Case.id) == bindparam("case_id"))
)
"""Everything that a check reads, in one statement that is built once."""


async def _read(
    session: AsyncSession, case_id: UUID
) -> tuple[Case, CaseVersion, Person, list[tuple[str, str]], bool]:
    case, version, person, cited, down = await _READ.one(session, {"case_id": case_id})
    return case, version, person, [(kind, verdict) for kind, verdict in cited or ()], down


async def _subject(
    session: AsyncSession,
    case: Case,
    version: CaseVersion,
    person: Person,
    cited: list[tuple[str, str]],
) -> _Subject:
    return _Subject(
        definition=await catalogue.case_type(session, case.type, case.type_version),
        programme=(
            await catalogue.programme(session, case.programme_id) if case.programme_id else None
        ),
        data=version.data,
        attachments=cited,
        person=person,
        submitted_on=version.submitted_at.astimezone(ZoneInfo(case.term_zone)).date(),
    )


def findings_of(subject: _Subject, card: RegisterCard | None) -> list[dict[str, Any]]:
    """The findings of a check, problems first. `severity` is `problem`, `warning` or `fine`."""
    found: list[dict[str, Any]] = []

    def say(code: str, severity: str, about: str, text: str) -> None:
        found.append({"code": code, "severity": severity, "about": about, "text": text})

    _, errors = check_form(
        subject.definition, subject.data, complete=True, today=subject.submitted_on
    )
    for error in errors:
        say("field_wrong", "problem", error.path, error.message)
    if not errors:
        say("fields_fine", "fine", "form", "Все поля заполнены и верны.")

    rules = merged_attachments(subject.definition, subject.programme)
    missing = check_attachments(rules, [kind for kind, _ in subject.attachments])
    for error in missing:
        say("attachment_missing", "problem", error.path, error.message)
    for kind, verdict in subject.attachments:
        if verdict != "ok":
            say("attachment_refused", "problem", kind, "Файл не прошёл проверку.")
    if not missing:
        say("attachments_fine", "fine", "attachments", "Все обязательные документы приложены.")

    _say_hours(subject, say)
    _say_identifiers(subject, say)
    _say_register(subject, card, say)
    order = {"problem": 0, "warning": 1, "fine": 2}
    return sorted(found, key=lambda f: order[f["severity"]])


def _say_hours(subject: _Subject, say: Any) -> None:
    asked, programme = subject.data.get("hours"), subject.programme
    if programme is None or asked is None:
        return
    if int(asked) != programme.hours:
        say("hours_differ", "problem", "hours", "Число часов не совпадает с программой.")
    else:
        say("hours_fine", "fine", "hours", "Число часов соответствует программе.")


def _say_identifiers(subject: _Subject, say: Any) -> None:
    for name, known, text in (
        ("snils", subject.person.snils, "СНИЛС не совпадает с личным делом."),
        ("inn", subject.person.inn, "ИНН не совпадает с личным делом."),
    ):
        given = subject.data.get(name)
        if given and known and _digits(str(given)) != _digits(known):
            say(f"{name}_differs", "problem", name, text)
        elif given and known:
            say(f"{name}_fine", "fine", name, "Совпадает с личным делом.")


def _say_register(subject: _Subject, card: RegisterCard | None, say: Any) -> None:
    if card is None:
        say(
            "register_unknown",
            "warning",
            "snils",
            "В регистре медицинских работников нет сведений о заявителе.",
        )
    elif not same_person(subject.person.name, card.general.surname, card.general.name):
        say(
            "register_other_name",
            "problem",
            "snils",
            "В регистре под этим СНИЛС записан другой человек.",
        )
    elif not any(one.valid_until >= subject.submitted_on for one in card.accreditation):
        say(
            "register_no_accreditation",
            "warning",
            "snils",
            "В регистре нет действующей аккредитации заявителя.",
        )
    else:
        say("register_fine", "fine", "snils", "Сведения регистра подтверждены.")


def _digits(text: str) -> str:
    return "".join(c for c in text if c.isdigit())
