"""What somebody does to have the account confirmed, while servers fail."""

import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, ClassVar
from uuid import UUID, uuid4

from clients.database import Database
from ops.faults import meetings
from ops.faults.clients import ApiClient, Reply
from ops.faults.evidence import Evidence
from ops.faults.people import INN, SNILS
from ops.faults.story import ReviewedStory
from rules.accounts import AccountState
from rules.cases.process import Status, Transition
from rules.meetings import MeetingState, Purpose

ENDINGS: Mapping[str, int] = {
    "account_confirmed": 5,
    "account_clarified_and_confirmed": 3,
    "account_left_active": 2,
    "account_rejected": 1,
    "account_withdrawn": 1,
}
"""How stories end, by weight."""


class VerificationStory(ReviewedStory):
    """One account, whose contacts and factor are there already."""

    room = "verifications"
    endings = ENDINGS
    remark: ClassVar[Mapping[str, str]] = {"inn": "Проверьте номер."}

    def __init__(
        self,
        evidence: Evidence,
        applicant: ApiClient,
        dice: random.Random,
        operators: list[ApiClient],
        database: Database,
    ) -> None:
        super().__init__(evidence, applicant, dice, operators)
        self._database = database
        if not evidence.states:
            # The first one goes the whole way, however short the run is.
            self.ending = "account_confirmed"
        evidence.states[applicant.player.person_id] = AccountState.REGISTERED

    async def _submit(self) -> None:
        draft = self._must(await self._applicant.ask("POST", "/verifications", {}), "a draft")
        self._id = UUID(draft.body["id"])
        case = await self._look()
        rules = [rule for rule in case["attachment_rules"] if rule["required"]]
        edit: dict[str, Any] = {
            "data": {
                "full_name": self._applicant.player.name,
                "birth_date": "1986-04-12",
                "snils": SNILS,
                "inn": INN,
                "data_consent": True,
            },
            "attachments": [await self._cited(rule) for rule in rules],
        }
        path = f"/verifications/{self._id}/draft"
        self._attached(self._must(await self._applicant.ask("PUT", path, edit), "a saved draft"))
        await self._handed_in(case["step"])

    async def _end(self, ending: str) -> None:
        endings: dict[str, Callable[[], Awaitable[object]]] = {
            "account_confirmed": self._confirmed,
            "account_clarified_and_confirmed": self._clarified,
            "account_left_active": self._active,
            "account_rejected": lambda: self._decide_until(Transition.REJECT, Status.REJECTED),
            "account_withdrawn": self._withdraw,
        }
        await endings[ending]()

    async def _active(self) -> None:
        await self._decide_until(Transition.APPROVE, Status.APPROVED)
        self._evidence.states[self._applicant.player.person_id] = AccountState.ACTIVE

    async def _confirmed(self) -> None:
        """Meet before or after the documents are confirmed: the order does not matter."""
        first = self._dice.random() < 0.5
        if first:
            await self._meet()
        await self._active()
        if not first:
            await self._meet()
        await self._stands(Status.CONFIRMED)
        self._evidence.states[self._applicant.player.person_id] = AccountState.CONFIRMED

    async def _clarified(self) -> None:
        case = await self._ask_for_clarification()
        data = {"data": {"personnel_number": f"ТН-{uuid4().hex[:6]}"}}
        await self._applicant.ask("PUT", f"/verifications/{self._id}/draft", data)
        step = {"step": case["step"]}
        await self._act(self._applicant, Transition.RESUBMIT, "resubmit", step, uuid4())
        await self._confirmed()

    async def _meet(self) -> None:
        async def times() -> Any:
            return await self._applicant.get("/meetings/times")

        async def book(slot_id: str) -> Reply:
            body = {"purpose": Purpose.VERIFICATION.value, "slot_id": slot_id}
            return await self._applicant.ask("POST", "/meetings", body)

        person_id = self._applicant.player.person_id
        meeting = await meetings.choose(self._database, person_id, self._dice, times, book)
        await meetings.let_begin(self._database, meeting, self._dice)
        operator = self._dice.choice(self._reviewers)
        await meetings.record(operator, meeting, MeetingState.CONFIRMED)
