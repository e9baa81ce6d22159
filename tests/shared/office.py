"""A hospital to test in: units, people with rights, documents, and the services over real servers.

Every test gets people of its own, so that none sees the cases of another.
"""

import copy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import update
from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.messages import CaseSignal, CaseState
from models.tables.archive import RetentionTerm
from models.tables.cases import Case
from models.tables.catalogue import CalendarDay, CaseTypeVersion, Programme, Reason
from models.tables.credentials import CredentialCategory
from models.tables.documents import Document, DocumentVersion
from models.tables.journal import JournalEntry
from models.tables.people import Person, RoleGrant, Unit
from models.tables.records import EntryType
from ops.local.home import CHECKOUT
from rules.access import Actor, Right, Role
from rules.cases.process import Transition
from rules.clock import now
from rules.ids import new_id
from services import access
from services.applications import checks
from services.applications.acts import Applications
from services.cases.acts import Act
from services.cases.signals import CaseSignals
from services.cases.transitions import see
from services.catalogue import loading
from services.catalogue import lookup as catalogue
from services.reviews import alarms
from services.reviews.decisions import Decision, Reviews

CATALOGUE = CHECKOUT / "ops" / "data"
SNILS, INN = "112-233-445 95", "366220664163"

FORM: dict[str, Any] = {
    "starts_on": None,
    "specialty": "cardiology",
    "position": "врач-кардиолог",
    "snils": SNILS,
    "inn": INN,
    "phone": "+7 916 123-45-67",
    "education_level": "higher",
    "institution": "Первый медицинский университет",
    "graduation_year": "2012",
    "diploma_number": "107704 0012345",
    "purpose": "Нужны умения для работы в новом кабинете.",
    "payer": "employer",
    "data_consent": True,
    "truth_consent": True,
}


@dataclass
class Heard:
    """A signaller that remembers; `works` says whether Temporal would have accepted the signal."""

    signals: list[tuple[CaseState, CaseSignal]] = field(default_factory=list)
    works: bool = True

    async def __call__(self, case: CaseState, signal: CaseSignal) -> bool:
        """Remember the signal."""
        self.signals.append((case, signal))
        return self.works


def held(role: Right, since: datetime) -> dict[str, Any]:
    """Since when a role is held; an auditor's has an end, as the database asks for."""
    if role is Role.AUDITOR:
        return {"valid_from": now() - timedelta(days=1), "valid_until": now() + timedelta(days=80)}
    return {"valid_from": since}


@dataclass
class Office:
    """The services as a test uses them, and its people."""

    database: Database
    heard: Heard
    applications: Applications
    reviews: Reviews
    institution: UUID
    ward: UUID
    hr: UUID
    programme_id: UUID
    clinician: Actor
    reviewer: Actor
    head: Actor

    @classmethod
    async def open(cls, database: Database, signaller: Heard | Any = None) -> "Office":
        """Units and catalogue of this database, and people of this test."""
        heard = signaller or Heard()
        signals = CaseSignals(heard)
        async with database.work() as session:
            root, ward, hr = await _units(session)
            if (await session.exec(select(Programme.id).limit(1))).first() is None:
                await _fill(session)
            programme = (
                await session.exec(
                    select(Programme.id)
                    .where(
                        col(Programme.attachments) == {"add": [], "waive": []},
                        # Intakes end one day, and their places with them.
                        col(Programme.starts_on) == [],
                    )
                    .order_by(col(Programme.sort_key))
                    .limit(1)
                )
            ).first() or (await catalogue.programmes(session))[0].id
        office = cls(
            database,
            heard,
            Applications(database, signals, "Europe/Moscow"),
            Reviews(database, signals),
            root,
            ward,
            hr,
            programme,
            *[Actor(uuid4(), "", ward)] * 3,
        )
        office.clinician, office.reviewer, office.head = await office._people(
            ("Соколова Анна Сергеевна", Role.DOCTOR, ward),
            ("Иванова Мария Петровна", Role.HR_REVIEWER, hr),
            ("Громова Ольга Ильинична", Role.HR_HEAD, hr),
        )
        return office

    async def person(self, name: str, role: Right, unit: UUID, **facts: Any) -> Actor:
        """Somebody who works in a unit and holds a role there."""
        return (await self._people((name, role, unit), **facts))[0]

    async def _people(self, *wanted: tuple[str, Right, UUID], **facts: Any) -> list[Actor]:
        """Several in one transaction."""
        moment = now()
        since = moment - timedelta(days=400)
        people = [
            Person(
                unit_id=unit,
                position="врач-кардиолог",
                name=name,
                email=f"{uuid4().hex}@example.org",
                phone="+79161234567",
                snils=SNILS,
                inn=INN,
                created_at=since,
                **facts,
            )
            for name, _, unit in wanted
        ]
        grants = [
            RoleGrant(person_id=person.id, role=role.value, unit_id=unit, **held(role, since))
            for person, (_, role, unit) in zip(people, wanted, strict=True)
        ]
        async with self.database.work() as session:
            session.add_all(people)
            await session.flush()
            session.add_all(grants)
            await session.flush()
            return [await access.actor_for(session, person.id, moment) for person in people]

    async def with_more(self, actor: Actor, *more: tuple[Right, UUID]) -> Actor:
        """The same person, who holds more roles or permissions, each in a unit."""
        moment = now()
        since = moment - timedelta(days=400)
        async with self.database.work() as session:
            session.add_all(
                RoleGrant(
                    person_id=actor.person_id,
                    role=right.value,
                    unit_id=unit,
                    **held(right, since),
                )
                for right, unit in more
            )
            await session.flush()
            return await access.actor_for(session, actor.person_id, moment)

    async def document(self, owner: Actor, category: str, verdict: str = "ok") -> UUID:
        """An accepted document of a person: the id of its version."""
        async with self.database.work() as session:
            return (await self._documents(session, owner, [category], verdict))[0]

    async def _documents(
        self, session: AsyncSession, owner: Actor, categories: list[str], verdict: str = "ok"
    ) -> list[UUID]:
        moment = now()
        documents = [
            Document(owner_id=owner.person_id, category=one, title="Диплом", created_at=moment)
            for one in categories
        ]
        versions = [
            DocumentVersion(
                id=new_id(),
                document_id=document.id,
                number=1,
                object_key=f"documents/{uuid4().hex}/original" if verdict == "ok" else None,
                file_name="diploma.pdf",
                media_type="application/pdf",
                size=1000,
                sha256=uuid4().hex * 2,
                verdict=verdict,
                uploaded_at=moment,
                uploaded_by=owner.person_id,
            )
            for document in documents
        ]
        session.add_all(documents)
        await session.flush()
        session.add_all(versions)
        await session.flush()
        return [version.id for version in versions]

    async def attachments(
        self, owner: Actor, programme_id: UUID | None = None
    ) -> list[dict[str, str]]:
        """One document for every kind that an application to the programme asks for."""
        from rules.forms.definitions import merged_attachments

        async with self.database.work() as session:
            definition = await catalogue.case_type(session, "qualification")
            programme = await catalogue.programme(session, programme_id or self.programme_id)
            rules = merged_attachments(definition, programme)
            kinds = [rule.kind for rule in rules if rule.required and not rule.waived_reason]
            versions = await self._documents(session, owner, kinds)
        return [
            {"kind": kind, "document_version_id": str(version)}
            for kind, version in zip(kinds, versions, strict=True)
        ]

    async def draft(self, actor: Actor | None = None, **changes: Any) -> UUID:
        """A complete draft."""
        actor = actor or self.clinician
        case = await self.applications.create_draft(actor, self.programme_id)
        data = {**FORM, "starts_on": (now() + timedelta(days=30)).date().isoformat(), **changes}
        await self.applications.save_draft(actor, case.id, data, await self.attachments(actor))
        return case.id

    async def submitted(self, actor: Actor | None = None) -> UUID:
        """An application that was just submitted."""
        actor = actor or self.clinician
        case_id = await self.draft(actor)
        await self.applications.submit(actor, case_id, Act(uuid4(), 0))
        return case_id

    async def in_review(self, actor: Actor | None = None) -> UUID:
        """An application that lies on the desk, checked by the service without a workflow."""
        case_id = await self.submitted(actor)
        await self.check(case_id)
        return case_id

    async def check(self, case_id: UUID, register: Any = None) -> CaseState:
        """Do the check as the workflow would."""
        case = await self.case(case_id)
        edge: Any = register or KnowsAll()
        return await checks.check(self.database, edge, case_id, case.step)

    async def case(self, case_id: UUID) -> Case:
        """The row as it stands."""
        async with self.database.work() as session:
            return await session.get_one(Case, case_id)

    async def decide(
        self, case_id: UUID, outcome: Transition, by: Actor | None = None, **more: Any
    ) -> CaseState:
        """Decide the present step."""
        case = await self.case(case_id)
        if outcome is Transition.APPROVE:
            more.setdefault("checklist", await self.checklist(case_id, by))
        if outcome is Transition.CLARIFY:
            more.setdefault("remarks", {"purpose": "Напишите подробнее."})
        decision = Decision(outcome, "Причина решения.", **more)
        act = Act(uuid4(), case.step)
        return await self.reviews.decide(by or self.reviewer, case_id, act, decision)

    async def take(self, case_id: UUID, by: Actor | None = None) -> CaseState:
        """Take the case, whoever has it."""
        case = await self.case(case_id)
        return await self.reviews.take(by or self.reviewer, case_id, case.step, case.reviewer_id)

    async def hand_over(self, case_id: UUID, by: Actor, to: Actor, why: str = "") -> CaseState:
        """Give the case to somebody, whoever has it."""
        case = await self.case(case_id)
        return await self.reviews.hand_over(
            by, case_id, case.step, to.person_id, why, case.reviewer_id
        )

    async def checklist(self, case_id: UUID, by: Actor | None = None) -> dict[str, bool]:
        """All questions of the case answered with yes."""
        from rules.forms.definitions import merged_checklist

        async with self.database.work() as session:
            case = await see(session, by or self.reviewer, case_id)
            definition = await catalogue.case_type(session, case.type, case.type_version)
            programme = await catalogue.programme(session, self.programme_id)
            return {item.name: True for item in merged_checklist(definition, programme)}

    async def set_times(self, case_id: UUID, **columns: Any) -> None:
        """Move the clock columns of a case."""
        async with self.database.work() as session:
            await session.exec(update(Case).where(col(Case.id) == case_id).values(**columns))

    async def wake(self, case_id: UUID) -> CaseState:
        """Let the clock ring for a case, now."""
        await self.set_times(case_id, wakes_at=now() - timedelta(seconds=1))
        return await alarms.wake(self.database, case_id)

    async def journal(self, case_id: UUID) -> list[JournalEntry]:
        """The entries of a case, oldest first."""
        async with self.database.work() as session:
            found = await session.exec(
                select(JournalEntry)
                .where(JournalEntry.chain == case_id)
                .order_by(col(JournalEntry.position))
            )
            return list(found.all())


class KnowsAll:
    """The edge of the world: a register that answers at once, for tests that are not about it."""

    async def look_up(self, snils: str) -> None:
        """Nobody is known: a warning, and the review opens."""


_filled: list[SQLModel] = []
"""The rows of the catalogue that ships, once a database of this process was filled with them."""


_TABLES = (
    CaseTypeVersion,
    Programme,
    Reason,
    CalendarDay,
    RetentionTerm,
    CredentialCategory,
    EntryType,
)


async def _fill(session: AsyncSession) -> None:
    """Load the catalogue. Reading its files takes longer than most tests: it is done once."""
    if not _filled:
        await loading.load(session, sorted(CATALOGUE.glob("*.yaml")))
        for table in _TABLES:
            _filled.extend(map(_copied, (await session.exec(select(table))).all()))
    else:
        session.add_all(map(_copied, _filled))
        await session.flush()
    catalogue.forget(session)


def _copied(row: SQLModel) -> SQLModel:
    """A row with the same values, but for those that the database computes."""
    computed = {one.name for one in type(row).__table__.columns if one.computed}  # type: ignore[attr-defined]
    return type(row)(**copy.deepcopy(row.model_dump(exclude=computed)))


async def _units(session: AsyncSession) -> tuple[UUID, UUID, UUID]:
    known = {u.code: u.id for u in (await session.exec(select(Unit))).all()}
    if "hr" not in known:
        root = Unit(code="institution", name="Городская больница")
        session.add(root)
        await session.flush()
        for code, name in (
            ("cardiology", "Кардиологическое отделение"),
            ("hr", "Отдел кадров"),
            ("supply", "Отдел снабжения"),
            ("it", "Отдел информационных технологий"),
        ):
            unit = Unit(code=code, name=name, parent_id=root.id)
            session.add(unit)
            await session.flush()
            known[code] = unit.id
        known["institution"] = root.id
    return known["institution"], known["cardiology"], known["hr"]
