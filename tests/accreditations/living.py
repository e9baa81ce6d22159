"""Somebody with documents for an accreditation, the department, and the switches of the centre."""

import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
from sqlalchemy import update
from sqlmodel import col, select

from models.tables.cases import Case, CaseVersion
from models.tables.credentials import AccreditationPackage
from models.tables.documents import DocumentVersion
from models.tables.notices import Notice
from rules.access import Actor
from rules.cases.process import Status, Transition
from rules.clock import now
from services.cases import wakeups
from services.cases.acts import Act
from services.credentials.acts import Credentials
from services.credentials.checks import Contents
from services.reviews.decisions import Decision
from tests.files.samples import born_digital, photo
from tests.shared.desk import Desk
from tests.shared.office import SNILS
from tests.shared.waiting import PATIENCE, until

FORM: Mapping[str, Any] = {
    "specialty": "cardiology",
    "position": "врач-кардиолог",
    "snils": SNILS,
    "experience": 12,
    "report": "Приём, функциональная диагностика, школа пациентов.\nБез осложнений.",
    "data_consent": True,
}
OLD_NUMBER = "7725 000123456"
TODAY = now().date()
ISSUED = {"issuer": "Академия последипломного образования", "issued_on": "2023-06-30"}
OLD_ONE = {
    **ISSUED,
    "kind": "periodic",
    "specialty": "Кардиология",
    "number": OLD_NUMBER,
    "valid_until": (TODAY + timedelta(days=100)).isoformat(),
}
DIPLOMA = {**ISSUED, "level": "specialist", "specialty": "Лечебное дело", "number": "107704 1"}


def course(hours: int, certified: int, number: str = "1") -> dict[str, Any]:
    """A course that ended a month ago."""
    ended = (TODAY - timedelta(days=30)).isoformat()
    return {
        **ISSUED,
        "topic": f"Кардиология, часть {number}",
        "hours": hours,
        "certified_hours": certified,
        "began_on": (TODAY - timedelta(days=60)).isoformat(),
        "ended_on": ended,
        "issued_on": ended,
        "number": f"УПК-{number}",
    }


@asynccontextmanager
async def centre(url: str, **behaviour: Any) -> AsyncIterator[httpx.AsyncClient]:
    """The switches of the federal centre, which is well again afterwards."""
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=PATIENCE) as switches:
        await switches.put("/behaviour", json={"delay": 0, **behaviour})
        yield switches
        await switches.put("/faults", json={"mode": "ok"})
        await switches.put("/behaviour", json={"delay": 0})


@dataclass
class Accredited:
    """Somebody who wants an accreditation, and the acts around it."""

    desk: Desk
    person: Actor

    @property
    def acts(self) -> Any:
        """The acts of applicants."""
        return self.desk.container.accreditations

    async def has(self, category: str, data: Mapping[str, Any]) -> UUID:
        """Put a credential with its document into the file."""
        credentials = Credentials(self.desk.container.database)
        files = [UUID((await self.document(category))["document_version_id"])]
        return await credentials.add(self.person, uuid4(), category, Contents(data, files))

    async def full_file(self, *, number: str = OLD_NUMBER) -> UUID:
        """A file with all that an accreditation needs. Returns what is to be renewed."""
        await self.has("diploma", DIPLOMA)
        await self.has("course", course(144, 72))
        return await self.has("accreditation", {**OLD_ONE, "number": number})

    async def document(self, kind: str) -> dict[str, str]:
        """A document whose file is really stored; the diploma is a picture."""
        container = self.desk.container
        version_id = await self.desk.office.document(self.person, kind)
        body, media_type = (
            (photo(), "image/jpeg") if kind == "diploma" else (born_digital(), "application/pdf")
        )
        key = f"documents/{uuid4().hex}/original"
        await container.objects.put(key, body, len(body), media_type)
        async with container.database.work() as session:
            await session.exec(
                update(DocumentVersion)
                .where(col(DocumentVersion.id) == version_id)
                .values(
                    object_key=key,
                    media_type=media_type,
                    pages=1,
                    size=len(body),
                    sha256=hashlib.sha256(body).hexdigest(),
                )
            )
        return {"kind": kind, "document_version_id": str(version_id)}

    async def handed_in(self, **answers: Any) -> UUID:
        """A case that was submitted."""
        case = await self.acts.create_draft(self.person)
        await self.acts.save_draft(self.person, case.id, {**FORM, **answers})
        await self.acts.submit(self.person, case.id, Act(uuid4(), 0))
        return UUID(str(case.id))

    async def case(self, case_id: UUID) -> Case:
        """The row as it stands."""
        return await self.desk.office.case(case_id)

    async def stands(self, case_id: UUID, status: Status) -> None:
        """Wait until the case has this status, with the sweeper that wakes it when it is due."""

        async def reached() -> bool:
            case = await self.case(case_id)
            if case.status != status and case.wakes_at and case.wakes_at < now():
                await self.sweep()
            return case.status == status

        await until(reached)

    async def sweep(self) -> None:
        """Wake whatever is due."""
        container = self.desk.container
        await wakeups.sweep(container.database, container.signals, 0)

    async def decide(self, case_id: UUID, outcome: Transition, **more: Any) -> None:
        """Let the department decide, as one who has seen everything."""
        office, case = self.desk.office, await self.case(case_id)
        if outcome is Transition.APPROVE:
            more = {"checklist": await office.checklist(case_id)}
        decision = Decision(outcome, "Всё проверено.", **more)
        act = Act(uuid4(), case.step)
        await self.desk.container.reviews.decide(office.reviewer, case_id, act, decision)

    async def package(self, case_id: UUID, version: int = 1) -> AccreditationPackage | None:
        """The package of a version."""
        async with self.desk.container.database.work() as session:
            return await session.get(AccreditationPackage, (case_id, version))

    async def findings(self, case_id: UUID) -> list[str]:
        """What the check found in the newest version."""
        async with self.desk.container.database.work() as session:
            case = await session.get_one(Case, case_id)
            version = await session.get_one(CaseVersion, (case.id, case.version))
            return [one["code"] for one in version.findings or []]

    async def told(self, person: Actor | None = None) -> list[str]:
        """The notices of a cabinet, oldest first."""
        whose = person or self.person
        async with self.desk.container.database.work() as session:
            found = await session.exec(
                select(Notice.kind)
                .where(Notice.person_id == whose.person_id, Notice.channel == "cabinet")
                .order_by(col(Notice.id))
            )
            return list(found.all())

    async def ask_now(self, case_id: UUID) -> None:
        """Let the centre be asked at once, and wait until it was."""
        async with self.desk.container.database.work() as session:
            found = await session.exec(
                select(AccreditationPackage)
                .where(AccreditationPackage.case_id == case_id)
                .order_by(col(AccreditationPackage.version).desc())
            )
            package = found.first()
            assert package is not None
            package.ask_at = now() - timedelta(seconds=1)
            session.add(package)
        await self.desk.office.set_times(case_id, wakes_at=now() - timedelta(seconds=1))
        await self.sweep()

        async def asked() -> bool:
            wakes_at = (await self.case(case_id)).wakes_at
            return wakes_at is None or wakes_at > now()

        await until(asked)
