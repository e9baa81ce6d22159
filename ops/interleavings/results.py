"""What scenes about results share: a message, a page, the workflow's look, and what must be so."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import UUID, uuid4

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.clinic.laboratory import LabMessage
from models.tables.results import (
    LabConfirmation,
    LabMatch,
    LabOffer,
    LabReading,
    LabResult,
    LabVersion,
)
from ops.interleavings.clinic import InterleavedClinic, identity
from rules.clock import now
from rules.journal.entries import JournalKind
from rules.patients.identity import Identity
from rules.results.life import NextStep, OfferState, ResultState
from services.results import hearing, inspection, looking, rows, seen
from services.results.acts import Confirmed, ResultActs
from services.results.seen import ResultSeen


@dataclass
class ResultScene:
    """One result of one patient, and what was shown of it to whom."""

    clinic: InterleavedClinic
    dice: Random
    who: Identity = field(default_factory=identity)
    patient: UUID = field(default_factory=uuid4)
    number: str = field(default_factory=lambda: uuid4().hex)
    shown: set[tuple[UUID, int]] = field(default_factory=set)
    """Whose page has shown which version."""
    heard: set[int] = field(default_factory=set)

    @property
    def id(self) -> UUID:
        """The result."""
        return rows.id_of(self.number)

    @property
    def acts(self) -> ResultActs:
        """What people do."""
        return ResultActs(self.clinic.database, self.clinic.wake, self.clinic.terms)

    async def begin(self) -> None:
        """The patient is there, and the first version of the result."""
        (self.patient,) = await self.clinic.patients(1, named=self.who)
        await self.hear(1)

    async def hear(self, version: int, whose: Identity | None = None) -> None:
        """The laboratory says a version, of this patient or of another one."""
        whose = whose or self.who
        said = LabMessage.model_validate(
            {
                "number": self.number,
                "version": version,
                "stage": "corrected" if version > 1 else "final",
                "order": "З-1",
                "ordered_by": self.clinic.snils_of_doctor,
                "unit": self.clinic.code,
                "patient": {
                    "name": whose.name,
                    "birth_date": whose.birth_date,
                    "sex": whose.sex.value,
                    "snils": whose.snils,
                },
                "ready_at": "2026-11-20T08:00:00+03:00",
                "test": {"code": "2823-3", "name": "Калий", "dictionary": "LOINC"},
                "value": f"4.{version}",
                "unit_of_value": "ммоль/л",
            }
        )
        await hearing.take(self.clinic.database, said, self.clinic.terms, self.clinic.wake)
        self.heard.add(version)

    async def open(self, who: str) -> ResultSeen:
        """Open the page of the result; which version it showed is kept."""
        async with self.clinic.database.work() as session:
            page = await seen.one(session, self.clinic[who], self.id)
        self.shown |= {(self.clinic[who].person_id, one.number) for one in page.versions}
        return page

    async def confirm(self, who: str, version: int) -> int:
        """Confirm a version of this patient's result."""
        said = Confirmed(version, self.patient, NextStep.TREATMENT, "Диета")
        await self.acts.confirm(self.clinic[who], self.id, said)
        return version

    async def look(self) -> None:
        """What the workflow of the result does."""
        await looking.look(self.clinic.database, self.clinic.terms, None, self.id)

    async def troubles(self) -> list[str]:
        """What is wrong with the result once its workflow has looked."""
        await self.look()
        async with self.clinic.database.work() as session:
            row = await session.get_one(LabResult, self.id, populate_existing=True)
            found = [one.what for one in await inspection.troubles(session, now(), {self.id})]
            confirmed = await _all(session, LabConfirmation, self.id)
            matches = await _all(session, LabMatch, self.id)
            offers = await _all(session, LabOffer, self.id)
            versions = await _all(session, LabVersion, self.id)
            read = await session.exec(
                select(LabReading).where(col(LabReading.match_id).in_([one.id for one in matches]))
            )
            unshown = {(one.person_id, one.version) for one in read.all()} - self.shown
            # The next scene has nothing to do with it.
            row.looks_at = None
            session.add(row)
        if unshown:
            found.append(f"counts as read and was not shown: {len(unshown)}")
        if {one.number for one in versions} != self.heard:
            found.append("a version is lost")
        if [one.patient_id for one in matches if one.ended_at is None] != (
            [row.patient_id] if row.patient_id else []
        ):
            found.append("the row has another patient than its match")
        if row.state == ResultState.CONFIRMED and row.confirmed_version != row.version:
            found.append("confirmed in another version than the newest")
        if any((one.by, one.version) not in self.shown for one in confirmed):
            found.append("confirmed what was not shown")
        offered = [one for one in offers if one.state == OfferState.OFFERED]
        if len(offered) > 1 or any(
            row.state != ResultState.AWAITING or one.from_id != row.answers_id for one in offered
        ):
            found.append(f"{len(offered)} offers wait, of one who does not answer, or twice")
        return [*found, *await self._journaled(row)]

    async def _journaled(self, row: LabResult) -> list[str]:
        """Who answers, as the journal tells it, is who answers."""
        entries = await self.clinic.journal(self.id)
        found = []
        if [one.position for one in entries] != list(range(1, len(entries) + 1)):
            found.append("the journal has a gap")
        passed = [one.facts for one in entries if one.kind == JournalKind.RESULT_PASSED]
        if passed and row.answers_id and passed[-1]["to"] != str(row.answers_id):
            found.append("the journal names another one who answers")
        return found


async def confirmations(scene: ResultScene) -> int:
    """How many confirmations are kept."""
    async with scene.clinic.database.reading() as session:
        return len(await _all(session, LabConfirmation, scene.id))


async def _all(session: AsyncSession, table: Any, result_id: UUID) -> Sequence[Any]:
    return (await session.exec(select(table).where(table.result_id == result_id))).all()
