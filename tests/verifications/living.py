"""People under verification, their operator and the switches of the identity register."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
from sqlalchemy import update
from sqlmodel import col, select

from models.tables.accounts import Account
from models.tables.cases import Case, CaseVersion
from models.tables.documents import DocumentVersion
from models.tables.meetings import MeetingSlot
from models.tables.notices import Notice
from models.tables.people import Person
from rules.access import Actor, Role
from rules.accounts import AccountState
from rules.cases.process import Transition
from rules.clock import now
from rules.meetings import CHECKLIST, MeetingState, Purpose
from rules.notices.kinds import Channel
from rules.verification import DOCUMENTS
from services import access
from services.accounts.proven_contacts import proven
from services.cases.acts import Act
from services.reviews.decisions import Decision
from tests.shared.accounts import account_with_password
from tests.shared.desk import Desk
from tests.shared.office import INN, SNILS
from tests.shared.waiting import PATIENCE

NAME = "Соколова Анна Сергеевна"
FORM: Mapping[str, Any] = {
    "full_name": NAME,
    "birth_date": "1986-04-12",
    "snils": SNILS,
    "inn": INN,
    "state_institution": True,
    "data_consent": True,
}
NEEDED = [rule.kind for rule in DOCUMENTS if rule.when in ("", "state_institution")]


@asynccontextmanager
async def identity(url: str) -> AsyncIterator[httpx.AsyncClient]:
    """The switches of the identity register, which is well again afterwards."""
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=PATIENCE) as switches:
        yield switches
        await switches.put("/faults", json={"mode": "ok"})
        await switches.put("/answers", json={"answers": "true"})


@dataclass
class Verified:
    """Somebody whose account is to be confirmed, and the acts around it."""

    desk: Desk
    person: Actor
    operator: Actor

    @classmethod
    async def open(cls, desk: Desk, operator: Actor) -> "Verified":
        """A doctor with an account that was just registered; no contact is confirmed."""
        person = await desk.office.person(NAME, Role.DOCTOR, desk.office.ward)
        async with desk.container.database.work() as session:
            row = await session.get_one(Person, person.person_id)
            account = account_with_password(row, now())
            account.state = AccountState.REGISTERED.value
            session.add(account)
        made = cls(desk, person, operator)
        await made.reread()
        return made

    async def reread(self) -> Actor:
        """The person with the state of now."""
        async with self.desk.container.database.work() as session:
            self.person = await access.actor_for(session, self.person.person_id, now())
        return self.person

    async def draft(self, **answers: Any) -> UUID:
        """A draft with all documents that these answers make necessary."""
        acts, office = self.desk.container.verifications, self.desk.office
        case = await acts.create_draft(self.person)
        given = [
            {"kind": kind, "document_version_id": str(await office.document(self.person, kind))}
            for kind in NEEDED
        ]
        await acts.save_draft(self.person, case.id, {**FORM, **answers}, given)
        return case.id

    async def handed_in(self, **answers: Any) -> UUID:
        """A verification that was submitted."""
        case_id = await self.draft(**answers)
        await self.desk.container.verifications.submit(self.person, case_id, Act(uuid4(), 0))
        return case_id

    async def case(self, case_id: UUID) -> Case:
        """The row as it stands."""
        async with self.desk.container.database.work() as session:
            return await session.get_one(Case, case_id)

    async def findings(self, case_id: UUID) -> list[str]:
        """What the check found in the newest version."""
        async with self.desk.container.database.work() as session:
            case = await session.get_one(Case, case_id)
            version = await session.get_one(CaseVersion, (case.id, case.version))
            return [one["code"] for one in version.findings or []]

    async def decide(self, case_id: UUID, outcome: Transition, **more: Any) -> None:
        """Let the operator decide, as one who has seen everything."""
        case = await self.case(case_id)
        if outcome is Transition.APPROVE:
            more = {"checklist": await self.desk.office.checklist(case_id, self.operator)}
        decision = Decision(outcome, "Всё проверено.", **more)
        await self.desk.container.reviews.decide(
            self.operator, case_id, Act(uuid4(), case.step), decision
        )

    async def confirms(self, channel: Channel) -> None:
        """Confirm an address, as a code that was entered does."""
        async with self.desk.container.database.work() as session:
            row = await session.get_one(Person, self.person.person_id)
            value = row.email if channel is Channel.MAIL else row.phone
            session.add(proven(row, channel, value or "", now()))

    async def enrols(self) -> None:
        """Set up an app with codes."""
        async with self.desk.container.database.work() as session:
            await session.exec(
                update(Account)
                .where(col(Account.person_id) == self.person.person_id)
                .values(totp_confirmed_at=now())
            )

    async def meets(self, outcome: MeetingState = MeetingState.CONFIRMED) -> None:
        """Book a time of the operator's, let it begin, and record the outcome."""
        acts = self.desk.container.meetings
        slot = MeetingSlot(
            operator_id=self.operator.person_id, starts_at=now() + timedelta(days=2, seconds=1)
        )
        async with self.desk.container.database.work() as session:
            session.add(slot)
        meeting = await acts.book(self.person.person_id, Purpose.VERIFICATION, slot.id)
        async with self.desk.container.database.work() as session:
            row = await session.get_one(MeetingSlot, slot.id)
            row.starts_at = now() - timedelta(minutes=1)
            session.add(row)
        await acts.record(self.operator, meeting, outcome, list(CHECKLIST), "Причина.")

    async def state(self) -> AccountState:
        """The state of the account."""
        async with self.desk.container.database.work() as session:
            return AccountState((await session.get_one(Account, self.person.person_id)).state)

    async def told(self) -> list[str]:
        """The notices of the person's cabinet, oldest first."""
        async with self.desk.container.database.work() as session:
            found = await session.exec(
                select(Notice.kind)
                .where(Notice.person_id == self.person.person_id, Notice.channel == "cabinet")
                .order_by(col(Notice.id))
            )
            return list(found.all())

    async def file(self, kind: str, **facts: Any) -> dict[str, str]:
        """A document of the person's with these facts."""
        version_id = await self.desk.office.document(self.person, kind)
        async with self.desk.container.database.work() as session:
            await session.exec(
                update(DocumentVersion).where(col(DocumentVersion.id) == version_id).values(**facts)
            )
        return {"kind": kind, "document_version_id": str(version_id)}
