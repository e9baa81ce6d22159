"""What an authority asks for and gets, while servers fail."""

import hashlib
import random
from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import UUID, uuid4

from ops.faults.clients import ApiClient, NoAnswer
from ops.faults.evidence import Evidence
from ops.faults.qualification.credentials import attestation
from ops.faults.story import ReviewedStory, until
from rules.credentials.handovers import HandoverState

ENDINGS: Mapping[str, int] = {"handover_fetched": 3, "handover_refused": 1}
"""How stories end, by weight."""


class HandoverStory(ReviewedStory):
    """One request of an authority; `_id` is the hand-over."""

    room = "handovers"
    endings = ENDINGS
    remark: ClassVar[Mapping[str, str]] = {}

    def __init__(
        self,
        evidence: Evidence,
        owner: ApiClient,
        dice: random.Random,
        officers: list[ApiClient],
        authority: ApiClient,
        snils: str,
    ) -> None:
        super().__init__(evidence, owner, dice, officers)
        self._authority, self._snils = authority, snils
        self._credential_id = UUID(int=0)
        if not evidence.packages:
            # The first one goes the whole way, however short the run is.
            self.ending = "handover_fetched"

    async def _submit(self) -> None:
        self._credential_id = await self._credential("attestation", attestation())
        question = {
            "reference": uuid4().hex,
            "snils": self._snils,
            "purpose": "Проверка допуска",
            "ground": "Запрос № 7",
            "categories": ["attestation"],
        }
        asked = {(await self._ask(question))["id"] for _ in range(2)}
        if len(asked) != 1:
            raise NoAnswer(f"the same reference was answered with {asked}")
        self._id = UUID(asked.pop())

    async def _ask(self, question: Mapping[str, Any]) -> Any:
        reply = await self._authority.ask("POST", "/authority/handovers", question)
        return self._must(reply, "a hand-over").body

    async def _end(self, ending: str) -> None:
        officer = self._dice.choice(self._reviewers)
        if ending == "handover_refused":
            body: Mapping[str, Any] = {"reason": "Основание не относится к сотруднику."}
            reply = await officer.ask("POST", f"/handovers/{self._id}/refuse", body)
            self._must(reply, "a refusal")
            self._evidence.packages[self._id] = None
            return
        body = {"credentials": [str(self._credential_id)]}
        reply = await officer.ask("POST", f"/handovers/{self._id}/release", body)
        self._must(reply, "a release")

        async def ready() -> bool:
            told = await self._authority.get(f"/authority/handovers/{self._id}")
            return bool(told["state"] == HandoverState.READY)

        await until(f"{self._id} to be packed", ready)
        path = f"/authority/handovers/{self._id}/package"
        package = self._must(await self._authority.ask("GET", path), "a package").body
        self._evidence.packages[self._id] = hashlib.sha256(package).hexdigest()
