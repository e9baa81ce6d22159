"""What somebody does for a periodic accreditation, while servers fail."""

import random
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID, uuid4

from sqlalchemy import update
from sqlmodel import col

from clients.database import Database
from models.tables.cases import Case
from models.tables.credentials import AccreditationPackage
from ops.faults.clients import ApiClient
from ops.faults.evidence import Evidence
from ops.faults.meetings import surely
from ops.faults.story import ReviewedStory, until
from rules.cases.process import Status, Transition
from rules.clock import now

ENDINGS: Mapping[str, int] = {"accreditation_granted": 4, "accreditation_rejected": 1}
"""How stories end, by weight."""

_ISSUED: Mapping[str, Any] = {
    "issuer": "Академия последипломного образования",
    "issued_on": "2023-06-30",
}
_DIPLOMA = {**_ISSUED, "level": "specialist", "specialty": "Лечебное дело", "number": "107704 1"}


class AccreditationStory(ReviewedStory):
    """One accreditation, from an empty file to the decision of the federal centre."""

    room = "accreditations"
    endings = ENDINGS
    remark: ClassVar[Mapping[str, str]] = {}

    def __init__(
        self,
        evidence: Evidence,
        applicant: ApiClient,
        dice: random.Random,
        reviewers: list[ApiClient],
        snils: str,
        database: Database,
    ) -> None:
        super().__init__(evidence, applicant, dice, reviewers)
        self._snils, self._database = snils, database
        if not evidence.granted:
            # The first one goes the whole way, however short the run is.
            self.ending = "accreditation_granted"

    async def _submit(self) -> None:
        await self._credential("diploma", _DIPLOMA)
        await self._credential("course", _course())
        await self._credential("accreditation", _accreditation())
        draft = self._must(await self._applicant.ask("POST", "/accreditations", {}), "a draft")
        self._id = UUID(draft.body["id"])
        edit = {
            "data": {
                "specialty": "therapy",
                "position": "врач-терапевт",
                "snils": self._snils,
                "experience": 12,
                "report": "Приём, диспансерное наблюдение, школа пациентов.",
                "data_consent": True,
            }
        }
        path = f"/accreditations/{self._id}/draft"
        self._must(await self._applicant.ask("PUT", path, edit), "a saved draft")
        await self._handed_in((await self._look())["step"])

    async def _end(self, ending: str) -> None:
        if ending == "accreditation_rejected":
            await self._decide_until(Transition.REJECT, Status.REJECTED)
            return
        await self._decide_until(Transition.APPROVE, Status.APPROVED)

        async def granted() -> bool:
            await surely(self._let_ask)
            return bool((await self._look())["status"] == Status.ACCREDITED)

        await until(f"{self._id} to be granted", granted)
        self._evidence.granted.add(self._id)

    async def _let_ask(self) -> None:
        """Let the centre be asked at once: it is asked ever more rarely."""
        moment = now() - timedelta(seconds=1)
        async with self._database.work() as session:
            asked = await session.exec(
                update(AccreditationPackage)
                .where(
                    col(AccreditationPackage.case_id) == self._id,
                    col(AccreditationPackage.ask_at) > now() + timedelta(seconds=8),
                )
                .values(ask_at=moment)
            )
            if asked.rowcount:
                await session.exec(
                    update(Case)
                    .where(col(Case.id) == self._id, col(Case.closed_at).is_(None))
                    .values(wakes_at=moment)
                )


def _accreditation() -> dict[str, Any]:
    """The accreditation that is to be renewed."""
    return {
        **_ISSUED,
        "kind": "periodic",
        "specialty": "Терапия",
        "number": f"7725 {uuid4().int % 10**9:09}",
        "valid_until": (now().date() + timedelta(days=400)).isoformat(),
    }


def _course() -> dict[str, Any]:
    """A course with all hours, which ended a month ago."""
    began, ended = (now().date() - timedelta(days) for days in (60, 30))
    return {
        **_ISSUED,
        "topic": "Терапия",
        "hours": 144,
        "certified_hours": 72,
        "began_on": began.isoformat(),
        "ended_on": ended.isoformat(),
        "issued_on": ended.isoformat(),
        "number": "УПК-1",
    }
