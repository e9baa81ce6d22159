"""What people do with one application, from the draft to its end, while servers fail."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID, uuid4

from ops.faults.clients import ApiClient, NoAnswer, Reply
from ops.faults.evidence import Evidence
from ops.faults.story import ReviewedStory
from rules.cases.process import Status, Transition
from rules.clock import now

LOOKS_EVERY = 0.7
PATIENCE = 400.0
"""Seconds that a story waits for a status; by then the run has failed anyway."""

FORM: Mapping[str, Any] = {
    "specialty": "therapy",
    "position": "врач-терапевт",
    "education_level": "higher",
    "institution": "Первый медицинский университет",
    "graduation_year": "2012",
    "diploma_number": "107704 0012345",
    "purpose": "Нужны умения для работы в новом кабинете.",
    "payer": "employer",
    "data_consent": True,
    "truth_consent": True,
}

ENDINGS: Mapping[str, int] = {
    "approved": 30,
    "clarified_and_approved": 20,
    "corrected_and_approved": 12,
    "rejected": 8,
    "decided_by_two": 10,
    "withdrawn_at_once": 4,
    "withdrawn_from_review": 5,
    "withdrawn_unanswered": 3,
    "left_in_review": 5,
    "left_unanswered": 3,
}
"""How stories end, by weight."""


class ApplicationStory(ReviewedStory):
    """One application."""

    room = "applications"
    endings = ENDINGS
    remark: ClassVar[Mapping[str, str]] = {"purpose": "Какие умения нужны?"}

    def __init__(
        self,
        evidence: Evidence,
        applicant: ApiClient,
        dice: random.Random,
        reviewers: list[ApiClient],
        programme_id: UUID,
    ) -> None:
        super().__init__(evidence, applicant, dice, reviewers)
        self._programme_id = programme_id

    async def _end(self, ending: str) -> None:
        endings: dict[str, Callable[[], Awaitable[None]]] = {
            "approved": self._approve,
            "clarified_and_approved": self._clarified,
            "corrected_and_approved": self._corrected,
            "rejected": lambda: self._decide_until(Transition.REJECT, Status.REJECTED),
            "decided_by_two": self._decided_by_two,
            "withdrawn_at_once": self._withdraw,
            "withdrawn_from_review": lambda: self._then(Status.IN_REVIEW, self._withdraw),
            "withdrawn_unanswered": self._withdrawn_unanswered,
            "left_in_review": lambda: self._stands(Status.IN_REVIEW),
            "left_unanswered": self._ask_for_clarification,
        }
        await endings[ending]()

    async def _submit(self) -> None:
        draft = await self._applicant.ask(
            "POST", "/applications", {"programme_id": str(self._programme_id)}
        )
        self._must(draft, "a draft")
        self._id = UUID(draft.body["id"])
        case = await self._look()
        starts = (now() + timedelta(days=30)).date().isoformat()
        edit: dict[str, Any] = {"data": {**FORM, "starts_on": starts}}
        wanted = [
            rule
            for rule in case["attachment_rules"]
            if rule["required"] and not rule["waived_reason"]
        ]
        if self._dice.random() < 0.5:
            await asyncio.gather(*map(self._upload, wanted))
        else:
            edit["attachments"] = [await self._cited(rule) for rule in wanted]
        saved = await self._applicant.ask("PUT", f"/applications/{self._id}/draft", edit)
        self._attached(self._must(saved, "a saved draft"))
        await self._handed_in(case["step"])

    async def _upload(self, rule: Any) -> None:
        """Upload and attach one document, while others are uploaded and attached."""
        here = f"/applications/{self._id}/draft/attachments"
        kept = await self._applicant.ask("POST", here, await self._cited(rule))
        self._attached(self._must(kept, "an attached document"))

    async def _approve(self) -> None:
        await self._decide_until(Transition.APPROVE, Status.APPROVED)
        await self._until("the act", lambda case: bool(case["act_number"]))
        act = await self._applicant.get(f"/applications/{self._id}/act")
        if not isinstance(act, bytes) or act[:5] != b"%PDF-":
            raise NoAnswer("the act is no PDF")

    async def _clarified(self) -> None:
        case = await self._ask_for_clarification()
        await self._hand_in(Transition.RESUBMIT, "resubmit", case["step"])
        await self._approve()

    async def _corrected(self) -> None:
        """Correct unasked, during the check or the review, whichever it is by then."""
        if self._dice.random() < 0.5:
            await self._stands(Status.IN_REVIEW)
        case = await self._look()
        reply = await self._hand_in(Transition.CORRECT, "correct", case["step"])
        if not reply.good:
            case = await self._stands(Status.IN_REVIEW)
            await self._hand_in(Transition.CORRECT, "correct", case["step"])
        await self._approve()

    async def _decided_by_two(self) -> None:
        """Two reviewers at once: at most one of them decides a step."""
        case = await self._stands(Status.IN_REVIEW)
        one, other = self._dice.sample(self._reviewers, 2)
        await asyncio.gather(
            self._decide(one, case, Transition.REJECT),
            self._decide(other, case, Transition.APPROVE),
        )
        case = await self._look()
        if case["status"] == Status.IN_REVIEW:
            await self._approve()
        elif case["status"] == Status.APPROVED:
            await self._until("the act", lambda seen: bool(seen["act_number"]))

    async def _withdrawn_unanswered(self) -> None:
        await self._ask_for_clarification()
        await self._withdraw()

    async def _hand_in(self, transition: Transition, path: str, step: int) -> Reply:
        await self._applicant.ask(
            "PUT",
            f"/applications/{self._id}/draft",
            {"data": {"purpose": f"Подробнее: {uuid4().hex}."}},
        )
        return await self._act(self._applicant, transition, path, {"step": step}, uuid4())
