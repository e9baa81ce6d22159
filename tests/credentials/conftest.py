"""A person's file, filled by the service."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from models.messages import WAKE_UP
from rules.access import Actor
from rules.clock import now
from services.credentials import seen
from services.credentials.acts import Credentials
from services.credentials.checks import Contents
from services.credentials.seen import CredentialSeen
from tests.shared.office import Office

ACCREDITATION: dict[str, Any] = {
    "kind": "periodic",
    "specialty": "Кардиология",
    "number": "7724 030123456",
    "issuer": "Федеральный аккредитационный центр",
    "issued_on": "25.11.2024",
    "valid_until": (now() + timedelta(days=900)).strftime("%d.%m.%Y"),
}
DIPLOMA: dict[str, Any] = {
    "level": "specialist",
    "specialty": "Лечебное дело",
    "number": "107704 0012345",
    "issuer": "Первый медицинский университет",
    "issued_on": "30.06.2012",
}


@dataclass
class Keeping:
    """The acts on credentials, with the people of an office."""

    office: Office
    acts: Credentials
    woken: list[UUID]

    async def add(
        self, category: str = "accreditation", actor: Actor | None = None, **changes: Any
    ) -> UUID:
        """A credential of a category, with a copy where one is needed."""
        actor = actor or self.office.clinician
        certificate = {name: given for name, given in ACCREDITATION.items() if name != "kind"}
        plain = {"accreditation": ACCREDITATION, "diploma": DIPLOMA}.get(category, certificate)
        files = [await self.office.document(actor, category)]
        contents = Contents({**plain, **changes}, files)
        return await self.acts.add(actor, uuid4(), category, contents)

    async def one(self, credential_id: UUID, actor: Actor | None = None) -> CredentialSeen:
        """A credential as somebody sees it."""
        async with self.office.database.work() as session:
            _, found, _ = await seen.one(
                session, actor or self.office.clinician, credential_id, now()
            )
        return found


@pytest.fixture
async def keeping(office: Office) -> Keeping:
    """The acts over the database of this process; who is woken is remembered."""
    woken: list[UUID] = []

    async def wake(row_id: UUID, *, signal: str = WAKE_UP, anew: bool = False) -> bool:
        del signal, anew
        woken.append(row_id)
        return True

    return Keeping(office, Credentials(office.database, wake), woken)
