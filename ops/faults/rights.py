"""What people do with one change of rights, from the wish to the last decision."""

import random
from collections.abc import Awaitable, Callable, Mapping
from uuid import UUID, uuid4

from ops.faults.clients import ApiClient, NoAnswer
from ops.faults.evidence import ActOutcome, Evidence
from ops.faults.story import Story
from rules.access import Role
from rules.cases.process import Status, Transition

ENDINGS: Mapping[str, int] = {
    "rights_given": 6,
    "rights_refused_by_head": 2,
    "rights_refused_by_security": 2,
    "rights_withdrawn": 1,
}
"""How stories end, by weight."""

ROLES = (Role.NURSE, Role.OPERATOR, Role.CLERK, Role.TECHNICIAN)
WHY = "Нужно для работы."
REPEATED = "asked_already"


class RightsStory(Story):
    """One change, asked for by whose rights they are, decided by heads and security in sessions."""

    room = "rights"
    endings = ENDINGS

    def __init__(
        self,
        evidence: Evidence,
        applicant: ApiClient,
        dice: random.Random,
        heads: list[ApiClient],
        guards: list[ApiClient],
        units: tuple[UUID, ...],
    ) -> None:
        super().__init__(evidence, applicant, dice)
        self._heads, self._guards, self._units = heads, guards, units

    async def _submit(self) -> None:
        person_id = self._applicant.player.person_id
        while True:
            key = uuid4()
            wish = {
                "person_id": str(person_id),
                "role": self._dice.choice(ROLES).value,
                "unit_id": str(self._dice.choice(self._units)),
                "reason": WHY,
            }
            reply = await self._applicant.ask("POST", "/rights", wish, key=key)
            if reply.good:
                break
            if reply.body.get("code") != REPEATED:
                raise NoAnswer(f"wanted a number, got {reply.status} {reply.body}")
        self._id = UUID(reply.body["id"])
        self._evidence.submitted[self._id] = reply.body["number"]
        self._evidence.answers.append(
            ActOutcome(key, self._id, Transition.SUBMIT, person_id, accepted=True)
        )

    async def _end(self, ending: str) -> None:
        endings: dict[str, Callable[[], Awaitable[object]]] = {
            "rights_given": lambda: self._decided(Transition.APPROVE, Status.APPROVED),
            "rights_refused_by_head": lambda: self._decide(
                self._heads, Status.CONFIRMING, Transition.REJECT
            ),
            "rights_refused_by_security": lambda: self._decided(Transition.REJECT, Status.REJECTED),
            "rights_withdrawn": self._withdraw,
        }
        await endings[ending]()

    async def _decided(self, last: Transition, wanted: Status) -> None:
        await self._decide(self._heads, Status.CONFIRMING, Transition.CONFIRM_ACCESS)
        await self._decide(self._guards, Status.IN_REVIEW, last)
        await self._stands(wanted)

    async def _decide(self, people: list[ApiClient], status: Status, outcome: Transition) -> None:
        """Two at once: at most one of them is heard."""
        case = await self._stands(status)
        body = {"step": case["step"], "outcome": outcome.value, "reason": WHY}
        path = f"/applications/{self._id}/decision"
        for one in self._dice.sample(people, len(people)):
            await self._act(one, outcome, "", body, uuid4(), at=path)
