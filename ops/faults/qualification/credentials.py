"""What an owner does with a credential, and what its clock does, while servers fail."""

import random
from collections.abc import Awaitable, Callable, Mapping
from datetime import date, timedelta
from typing import Any, ClassVar
from uuid import uuid4

from sqlalchemy import update
from sqlmodel import col, select

from clients.database import Database
from models.tables.credentials import Credential, CredentialReminder, CredentialVersion
from ops.faults.clients import ApiClient
from ops.faults.evidence import Evidence
from ops.faults.meetings import surely
from ops.faults.story import ReviewedStory, until
from rules.clock import now
from rules.credentials.reminders import END, ReminderState

ENDINGS: Mapping[str, int] = {
    "credential_ended": 4,
    "credential_corrected": 2,
    "credential_replaced": 1,
    "credential_withdrawn": 1,
}
"""How stories end, by weight."""

_KNOWN_FOR = timedelta(days=120)


class CredentialStory(ReviewedStory):
    """One category of qualification in somebody's file; `_id` is the credential."""

    room = "credentials"
    endings = ENDINGS
    remark: ClassVar[Mapping[str, str]] = {}

    def __init__(
        self, evidence: Evidence, owner: ApiClient, dice: random.Random, database: Database
    ) -> None:
        super().__init__(evidence, owner, dice, [])
        self._database = database
        if not evidence.ended:
            # The first one goes the whole way, however short the run is.
            self.ending = "credential_ended"

    async def _submit(self) -> None:
        self._id = await self._credential("attestation", attestation())

    async def _end(self, ending: str) -> None:
        endings: dict[str, Callable[[], Awaitable[object]]] = {
            "credential_ended": self._ended,
            "credential_corrected": self._corrected,
            "credential_replaced": self._replaced,
            "credential_withdrawn": self._taken_back,
        }
        await endings[ending]()

    async def _ended(self) -> None:
        """Its end comes near, and comes: told once each, whatever dies meanwhile."""
        soon, over = (now().date() + timedelta(days) for days in (3, -2))
        for last_day, state in ((soon, ReminderState.SENT), (over, None)):
            await self._let_end(last_day)
            await self._told(last_day, state)
        self._evidence.ended.add(self._id)

    async def _let_end(self, last_day: date) -> None:
        """Let the end be this day, as it was known for long."""

        async def change() -> None:
            async with self._database.work() as session:
                await session.exec(
                    update(CredentialVersion)
                    .where(col(CredentialVersion.credential_id) == self._id)
                    .values(made_at=now() - _KNOWN_FOR)
                )
                await session.exec(
                    update(Credential)
                    .where(col(Credential.id) == self._id)
                    .values(valid_until=last_day, wakes_at=now())
                )

        await surely(change)

    async def _told(self, last_day: date, state: ReminderState | None) -> None:
        """Wait until a reminder of this end was sent, or without a state the end was told."""
        which = (
            col(CredentialReminder.days) == END
            if state is None
            else col(CredentialReminder.state) == state.value
        )

        async def is_told() -> bool:
            async with self._database.reading() as session:
                found = await session.exec(
                    select(CredentialReminder.days).where(
                        CredentialReminder.credential_id == self._id,
                        CredentialReminder.last_day == last_day,
                        which,
                    )
                )
                return found.first() is not None

        await until(f"{self._id} to be told of its end on {last_day}", lambda: surely(is_told))

    async def _corrected(self) -> None:
        body = {
            "version": 1,
            "valid_until": (now().date() + timedelta(days=500)).isoformat(),
            "reason": "Ошибка в годе.",
        }
        reply = await self._applicant.ask(
            "POST", f"/credentials/{self._id}/dates", body, key=uuid4()
        )
        self._must(reply, "corrected days")

    async def _replaced(self) -> None:
        by = {"by": str(await self._credential("attestation", attestation()))}
        reply = await self._applicant.ask("POST", f"/credentials/{self._id}/replace", by)
        self._must(reply, "a replacement")

    async def _taken_back(self) -> None:
        body = {"reason": "Внесено по ошибке."}
        reply = await self._applicant.ask("POST", f"/credentials/{self._id}/withdraw", body)
        self._must(reply, "a withdrawal")


def attestation() -> dict[str, Any]:
    """A category of qualification with a number of its own: no role rests on it."""
    return {
        "grade": "first",
        "specialty": "Терапия",
        "number": uuid4().hex[:12],
        "issuer": "Аттестационная комиссия",
        "issued_on": "2023-06-30",
        "valid_until": (now().date() + timedelta(days=400)).isoformat(),
    }
