"""People, a store, a checking process and the service, over the real servers."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import pytest

from clients.database import Database
from clients.objects import Objects
from models.tables.cases import Case, CaseAttachment, CaseVersion
from models.tables.people import Person, Unit
from rules import clock
from rules.access import Actor, Grant, Role
from services.documents.acts import Documents
from services.files.inspection.client import Inspection
from services.files.intake import Files, Incoming


@pytest.fixture
def documents(database: Database, objects: Objects, inspection: Inspection) -> Documents:
    """The service."""
    return Documents(database, Files(objects, inspection))


@dataclass
class Hospital:
    """Makes people and cases as a test needs them."""

    database: Database
    units: dict[str, UUID] = field(default_factory=dict)

    async def unit(self, name: str) -> UUID:
        """A unit of this name, always the same."""
        if name not in self.units:
            unit = Unit(code=uuid4().hex, name=name)
            async with self.database.work() as session:
                session.add(unit)
            self.units[name] = unit.id
        return self.units[name]

    async def person(self, role: Role = Role.DOCTOR, unit: str = "cardiology") -> Actor:
        """Somebody with this role in this unit."""
        unit_id = await self.unit(unit)
        person = Person(
            unit_id=unit_id,
            position="врач",
            name="Анна Ильинична Ветрова",
            email=f"{uuid4().hex}@example.org",
            created_at=clock.now(),
        )
        async with self.database.work() as session:
            session.add(person)
        grants = (Grant(role, frozenset({unit_id})),)
        return Actor(person.id, "Анна Ильинична Ветрова", unit_id, grants)

    async def case_citing(self, applicant: Actor, version_id: UUID, unit: str = "hr") -> UUID:
        """A submitted case in review at a unit, which cites a version of a document."""
        case = Case(
            kind="application",
            type="qualification",
            type_version=1,
            number=f"ПК-{uuid4().hex[:12]}",
            applicant_id=applicant.person_id,
            unit_id=applicant.unit_id,
            responsible_unit_id=await self.unit(unit),
            status="in_review",
            version=1,
            created_at=clock.now(),
            since=clock.now(),
            waits_for="reviewer",
            term_zone="Europe/Moscow",
        )
        async with self.database.work() as session:
            session.add(case)
            await session.flush()
            session.add(
                CaseVersion(
                    case_id=case.id,
                    number=1,
                    data={},
                    salt=bytes(16),
                    digest="",
                    submitted_at=clock.now(),
                    submitted_by=applicant.person_id,
                )
            )
            await session.flush()
            session.add(
                CaseAttachment(
                    case_id=case.id,
                    case_version=1,
                    kind="diploma",
                    document_version_id=version_id,
                )
            )
        return case.id


@pytest.fixture
def hospital(database: Database) -> Hospital:
    """Units, people and cases."""
    return Hospital(database)


def sent(
    content: bytes,
    name: str | None = "Диплом.pdf",
    kind: str | None = "application/pdf",
    *,
    announced: bool = True,
    size: int | None = None,
) -> Incoming:
    """A file as a client sends it, in pieces; `announced` says its length beforehand."""

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(content), 60_000):
            yield content[start : start + 60_000]

    length = size if size is not None else len(content)
    return Incoming(pieces(), name, kind, length if announced else None)
