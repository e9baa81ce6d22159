"""Two patients whose records are open to a doctor, and the acts on them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest

from ops.data.seed import CATALOGUE
from rules.access import Actor, Role
from rules.clock import now
from rules.records.entries import OpenedFor
from services.patients import openings
from services.records import icd10, page
from services.records.acts import Records
from services.records.drafts import RecordDrafts
from services.records.page import EntryPage
from tests.patients.people import patient
from tests.shared.office import Office

NOTE: Mapping[str, Any] = {"subject": "Разговор о режиме", "text": "Объяснил, когда прийти снова"}
ALLERGY: Mapping[str, Any] = {
    "substance": "Пенициллин",
    "kind": "drug",
    "severity": "anaphylaxis",
    "reaction": "Отёк, удушье",
    "evidence": "seen",
}
VISIT: Mapping[str, Any] = {
    "complaints": "Кашель третий день",
    "objective": "Хрипов нет",
    "main_diagnosis": "J20.9",
    "diagnosis_words": "Острый бронхит",
    "character": "acute",
    "plan": "Обильное питьё",
    "place": "clinic",
    "purpose": "disease",
    "paid_by": "oms",
    "outcome": "continues",
}


@dataclass
class Writing:
    """The acts on records over the database of this process."""

    office: Office
    records: Records
    drafts: RecordDrafts
    doctor: Actor
    colleague: Actor
    first: UUID
    second: UUID

    async def open_to(self, actor: Actor, patient_id: UUID) -> None:
        """Open a record for a reason."""
        async with self.office.database.work() as session:
            await openings.open_for(session, actor, patient_id, "consent", "", now())

    async def draft(
        self, kind: str, data: Mapping[str, Any], patient_id: UUID | None = None
    ) -> tuple[UUID, OpenedFor]:
        """A draft of the doctor with all fields typed."""
        opened = OpenedFor(patient_id or self.first)
        draft_id = await self.drafts.begin(self.doctor, opened, uuid4(), kind)
        await self.drafts.save(self.doctor, draft_id, opened, data, {})
        return draft_id, opened

    async def signed(
        self, kind: str, data: Mapping[str, Any], patient_id: UUID | None = None
    ) -> UUID:
        """A signed entry."""
        draft_id, opened = await self.draft(kind, data, patient_id)
        return await self.records.sign(self.doctor, draft_id, opened, 0)

    async def correction(
        self, actor: Actor, entry_id: UUID, reason: str = "Опечатка", **changes: Any
    ) -> tuple[UUID, OpenedFor, int]:
        """A correction that is typed and not signed, with the version it was begun from."""
        begun = await self.drafts.begin_correction(actor, self.first, entry_id)
        opened = OpenedFor(begun.patient_id)
        await self.drafts.save(actor, begun.id, opened, changes, {}, reason)
        return begun.id, opened, begun.base_version

    async def one(self, entry_id: UUID, actor: Actor | None = None) -> EntryPage:
        """An entry as somebody sees it."""
        async with self.office.database.work() as session:
            return await page.entry(session, actor or self.doctor, self.first, entry_id, now())


@pytest.fixture
async def writing(office: Office) -> Writing:
    """A doctor and a colleague, to whom the records of two patients are open."""
    async with office.database.work() as session:
        await icd10.begin(session, (CATALOGUE / "icd10.csv").read_bytes(), now().date())
    made = Writing(
        office,
        Records(office.database),
        RecordDrafts(office.database),
        office.clinician,
        await office.person("Кузнецов Игорь Викторович", Role.DOCTOR, office.ward),
        await patient(office.database, office.ward),
        await patient(office.database, office.ward),
    )
    for actor in (made.doctor, made.colleague):
        for patient_id in (made.first, made.second):
            await made.open_to(actor, patient_id)
    return made
