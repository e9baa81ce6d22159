"""What people do with one request, from the draft to its answer, while servers fail."""

import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID, uuid4

from ops.faults.clients import ApiClient, NoAnswer
from ops.faults.evidence import Evidence
from ops.faults.story import Story
from rules.cases.process import Status, Transition

CERTIFICATE: Mapping[str, Any] = {
    "birth_date": "04.12.1985",
    "patient_id": "5400 0000 0000 0005",
    "vaccine": "influenza",
    "purpose": "В отдел кадров",
    "data_consent": True,
}
EQUIPMENT: Mapping[str, Any] = {
    "equipment_kind": "device",
    "item": "Электрокардиограф",
    "quantity": "2",
    "needed_by": "04.12.2030",
    "place": "Кабинет 12",
    "purpose": "Для нового кабинета.",
}
ENDINGS: Mapping[str, int] = {
    "request_ready": 30,
    "request_corrected_at_once": 12,
    "request_sent_again": 12,
    "request_withdrawn": 6,
    "answered_by_people": 12,
    "refused_by_people": 5,
    "left_with_people": 3,
}
"""How stories end, by weight."""

BY_PEOPLE = frozenset({"answered_by_people", "refused_by_people", "left_with_people"})


class RequestStory(Story):
    """One request, answered by the gov service or by the people of a unit."""

    room = "requests"
    endings = ENDINGS

    def __init__(
        self, evidence: Evidence, applicant: ApiClient, dice: random.Random, clerks: list[ApiClient]
    ) -> None:
        super().__init__(evidence, applicant, dice)
        self._clerks = clerks

    async def _submit(self) -> None:
        people = self.ending in BY_PEOPLE
        kind = "equipment" if people else "vaccination_certificate"
        draft = self._must(
            await self._applicant.ask("POST", "/requests", {"type": kind}), "a draft"
        )
        self._id = UUID(draft.body["id"])
        await self._write(EQUIPMENT if people else CERTIFICATE)
        await self._handed_in(draft.body["step"])

    async def _write(self, data: Mapping[str, Any]) -> None:
        path = f"/requests/{self._id}/draft"
        kept = self._must(await self._applicant.ask("PUT", path, {"data": dict(data)}), "a draft")
        if kept.body["errors"]:
            raise NoAnswer(f"the draft has errors: {kept.body['errors']}")

    async def _end(self, ending: str) -> None:
        endings: dict[str, Callable[[], Awaitable[object]]] = {
            "request_ready": lambda: self._answered(1),
            "request_corrected_at_once": self._corrected_at_once,
            "request_sent_again": self._sent_again,
            "request_withdrawn": self._withdraw_if_open,
            "answered_by_people": lambda: self._by_people(Transition.ANSWER, Status.READY),
            "refused_by_people": lambda: self._by_people(Transition.REFUSE, Status.REFUSED),
            "left_with_people": lambda: self._stands(Status.PROCESSING),
        }
        await endings[ending]()

    async def _answered(self, version: int) -> None:
        """Wait until the answer to this version is there, and read it."""
        await self._until(
            f"the answer of version {version}",
            lambda case: (
                case["status"] == Status.READY
                and any(one["version"] == version for one in case["answers"])
            ),
        )
        answer = await self._applicant.get(f"/requests/{self._id}/answer/1?version={version}")
        if not isinstance(answer, bytes) or answer[:5] != b"%PDF-":
            raise NoAnswer("the answer is no PDF")

    async def _correct(self) -> None:
        """Submit a new version, whatever has become of the request meanwhile."""
        await self._write({**CERTIFICATE, "purpose": f"В отдел кадров, {uuid4().hex}"})
        while True:
            case = await self._look()
            reply = await self._act(
                self._applicant, Transition.CORRECT, "correct", {"step": case["step"]}, uuid4()
            )
            if reply.good:
                return

    async def _corrected_at_once(self) -> None:
        await self._correct()
        await self._answered(2)

    async def _sent_again(self) -> None:
        await self._answered(1)
        await self._correct()
        await self._answered(2)

    async def _withdraw_if_open(self) -> None:
        """Withdraw it, unless the answer was quicker."""
        while (case := await self._look())["status"] in (Status.ACCEPTED, Status.PROCESSING):
            body = {"step": case["step"], "reason": "Передумал."}
            await self._act(self._applicant, Transition.WITHDRAW, "withdraw", body, uuid4())

    async def _by_people(self, transition: Transition, wanted: Status) -> None:
        while True:
            case = await self._stands(Status.PROCESSING)
            body: dict[str, Any] = {"step": case["step"]}
            if transition is Transition.ANSWER:
                body["message"] = "Выдадим со склада."
            else:
                body["reason"] = "На складе такого нет."
            clerk = self._dice.choice(self._clerks)
            reply = await self._act(clerk, transition, transition.value, body, uuid4())
            if reply.good and reply.body["status"] == wanted:
                return
