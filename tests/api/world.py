"""One person of every role, and what belongs to each, to a colleague and to a stranger."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

import httpx
from fastapi import FastAPI
from sqlmodel import SQLModel, select
from sqlmodel.ext.asyncio.session import AsyncSession

from api.state import Medcab
from models.tables.accounts import AccessToken, Account
from models.tables.base import new_id
from models.tables.cases import Case, CaseVersion, IssuedAct
from models.tables.documents import Document, DocumentVersion
from models.tables.notices import Notice
from models.tables.people import Absence, Unit
from rules.accounts import Stage
from rules.applications import Status
from rules.clock import now
from rules.permissions import Actor, Role
from services.acts import code_hash, new_code
from services.sessions import Opened, open_session
from tests.accounts.conftest import carry, visitor_at
from tests.office import Office


class Whose(StrEnum):
    """To whom belongs what a request is about."""

    OWN = "own"
    COLLEAGUE = "colleague"
    STRANGER = "stranger"


IN_UNIT = {
    Role.HR_REVIEWER: "hr",
    Role.HR_HEAD: "hr",
    Role.DOCTOR: "cardiology",
    Role.NURSE: "cardiology",
    Role.UNIT_HEAD: "cardiology",
}
"""Where the roles are held; all others in the whole institution."""


@dataclass
class World:
    """A hospital with one of everybody."""

    app: FastAPI
    office: Office
    people: dict[Role, Actor] = field(default_factory=dict)
    clients: dict[Role, httpx.AsyncClient] = field(default_factory=dict)
    belongings: dict[UUID, Mapping[str, str]] = field(default_factory=dict)
    others: dict[Whose, Actor] = field(default_factory=dict)

    @classmethod
    async def populate(cls, app: FastAPI, base_url: str) -> "World":
        """Make the people, sign them in, and give each something of every kind."""
        medcab: Medcab = app.state.medcab
        world = cls(app, await Office.open(medcab.database))
        office = world.office
        async with medcab.database.work() as session:
            surgery = Unit(code="surgery", name="Хирургия", parent_id=office.institution)
            session.add(surgery)
        units = {"hr": office.hr, "cardiology": office.ward}
        template = await office.in_review(office.clinician)
        for role in Role:
            unit = units.get(IN_UNIT.get(role, ""), office.institution)
            world.people[role] = await office.person(f"Человек {role}", role, unit)
        world.others = {
            Whose.COLLEAGUE: await office.person("Коллега", Role.DOCTOR, office.ward),
            Whose.STRANGER: await office.person("Чужой", Role.DOCTOR, surgery.id),
        }
        for actor in (*world.people.values(), *world.others.values()):
            async with medcab.database.work() as session:
                opened, things = await _give(session, office, actor, template)
            world.belongings[actor.person_id] = things
            for role, person in world.people.items():
                if person is actor:
                    world.clients[role] = _client(app, base_url, opened)
        return world

    def anonymous(self, base_url: str) -> httpx.AsyncClient:
        """A browser in which nobody has signed in."""
        return _client(self.app, base_url, None)

    def things(self, role: Role, whose: Whose) -> Mapping[str, str]:
        """Ids of what is the person's own, or of a colleague or a stranger."""
        actor = self.people[role] if whose is Whose.OWN else self.others[whose]
        return self.belongings[actor.person_id]


def _client(app: FastAPI, base_url: str, opened: Opened | None) -> httpx.AsyncClient:
    client = httpx.AsyncClient(
        transport=httpx.ASGITransport(app, raise_app_exceptions=False),
        base_url=base_url,
        headers={"Accept": "text/html, */*"},
    )
    if opened is not None:
        carry(client, opened)
    return client


async def _give(
    session: AsyncSession, office: Office, actor: Actor, template: UUID
) -> tuple[Opened, Mapping[str, str]]:
    """An account with a session, cases in three states, a document, notices, an absence."""
    moment, person_id = now(), actor.person_id
    session.add(
        Account(
            person_id=person_id,
            login=uuid4().hex,
            password_hash="none",
            password_changed_at=moment,
            totp_secret="JBSWY3DPEHPK3PXP",
            totp_confirmed_at=moment,
            created_at=moment,
        )
    )
    await session.flush()
    opened = await open_session(
        session, person_id, Stage.OPEN, visitor_at(), moment, second_factor_at=moment
    )
    spare = await open_session(session, person_id, Stage.OPEN, visitor_at(), moment)
    case = {
        status: await _copy_case(session, template, actor, status)
        for status in (Status.DRAFT, Status.IN_REVIEW, Status.APPROVED)
    }
    token = AccessToken(
        person_id=person_id,
        name="отчёт",
        token_hash=uuid4().hex,
        hint="abcd",
        scope=["apply"],
        created_at=moment,
        ends_at=moment + timedelta(days=30),
    )
    document = Document(
        id=new_id(), owner_id=person_id, category="diploma", title="Диплом", created_at=moment
    )
    away = Absence(
        id=new_id(),
        person_id=person_id,
        first_day=(moment + timedelta(days=100)).date(),
        last_day=(moment + timedelta(days=101)).date(),
    )
    told = {
        channel: Notice(
            id=new_id(),
            event_key=f"{person_id}:test",
            person_id=person_id,
            kind="security",
            channel=channel,
            language="ru",
            facts={},
            created_at=moment,
            due_at=moment,
            state="told" if channel == "cabinet" else "failed",
            next_try_at=moment,
        )
        for channel in ("cabinet", "mail")
    }
    await _add(session, token, document, away, *told.values())
    version = DocumentVersion(
        id=new_id(),
        document_id=document.id,
        number=1,
        object_key=f"documents/{uuid4().hex}/original",
        file_name="diploma.pdf",
        media_type="application/pdf",
        size=1000,
        pages=1,
        sha256=uuid4().hex * 2,
        verdict="ok",
        uploaded_at=moment,
        uploaded_by=person_id,
    )
    await _add(session, version)
    return opened, {
        "person_id": str(person_id),
        "case_id": str(case[Status.IN_REVIEW]),
        "draft_id": str(case[Status.DRAFT]),
        "approved_id": str(case[Status.APPROVED]),
        "session_id": str(spare.session_id),
        "token_id": str(token.id),
        "document_id": str(document.id),
        "version_id": str(version.id),
        "notice_id": str(told["cabinet"].id),
        "mail_id": str(told["mail"].id),
        "absence_id": str(away.id),
        "programme_id": str(office.programme_id),
    }


async def _add(session: AsyncSession, *rows: SQLModel) -> None:
    session.add_all(rows)
    await session.flush()


async def _copy_case(session: AsyncSession, template: UUID, actor: Actor, status: Status) -> UUID:
    """A case of this person that looks like the template, which a workflow once checked."""
    moment, id_ = now(), new_id()
    row: dict[str, Any] = (await session.get_one(Case, template)).model_dump()
    is_draft = status is Status.DRAFT
    row |= {
        "id": id_,
        "number": None if is_draft else f"ПК-2026-{uuid4().int % 10**6:06}-{uuid4().int % 10**4}",
        "applicant_id": actor.person_id,
        "unit_id": actor.unit_id,
        "reviewer_id": None,
        "status": status.value,
        "version": 0 if is_draft else 1,
        "closed_at": moment if status is Status.APPROVED else None,
        "wakes_at": None,
    }
    versions = await session.exec(select(CaseVersion).where(CaseVersion.case_id == template))
    version = versions.one().model_dump()
    row["draft"] = version["data"]
    await _add(session, Case(**row))
    if not is_draft:
        await _add(
            session,
            CaseVersion(**version | {"case_id": id_, "submitted_by": actor.person_id}),
        )
    if status is Status.APPROVED:
        act = IssuedAct(
            id=new_id(),
            case_id=id_,
            number=uuid4().hex,
            issued_at=moment,
            outcome="approved",
            object_key=f"acts/{uuid4().hex}",
            sha256=uuid4().hex * 2,
            size=1000,
            public_code_hash=code_hash(new_code()),
        )
        await _add(session, act)
    return id_
