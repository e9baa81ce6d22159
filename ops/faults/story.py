"""What the stories of a run share: one case, acts kept as evidence, waits that end, reviewers."""

import asyncio
import random
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from http.client import UNAUTHORIZED
from typing import Any, ClassVar
from uuid import UUID, uuid4

import typst

from ops.faults.clients import ApiClient, NoAnswer, Reply
from ops.faults.evidence import ActOutcome, Evidence
from rules.cases.process import Status, Transition

LOOKS_EVERY = 0.7
PATIENCE = 400.0
"""Seconds that a story waits for a status; by then the run has failed anyway."""


async def until(what: str, holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something holds. Raises NoAnswer after PATIENCE."""
    end = time.monotonic() + PATIENCE
    while not await holds():
        if time.monotonic() > end:
            raise NoAnswer(f"waited {PATIENCE:.0f} s for {what}")
        await asyncio.sleep(LOOKS_EVERY)


class Story(ABC):
    """One case. Everything random in it comes from its own seed."""

    room: ClassVar[str]
    """The path of cases of this kind in the API."""

    endings: ClassVar[Mapping[str, int]]
    """How stories end, by weight."""

    def __init__(self, evidence: Evidence, applicant: ApiClient, dice: random.Random) -> None:
        self._evidence = evidence
        self._applicant = applicant
        self._dice = dice
        self._id = UUID(int=0)
        self.ending = dice.choices(list(self.endings), list(self.endings.values()))[0]

    async def tell(self) -> None:
        """From the draft to the end. Raises NoAnswer when the story does not get there."""
        await self._submit()
        await self._end(self.ending)
        self._evidence.stories[self.ending] += 1

    @abstractmethod
    async def _submit(self) -> None:
        """From the draft to the number."""

    @abstractmethod
    async def _end(self, ending: str) -> None:
        """What follows the number."""

    async def _handed_in(self, step: int) -> None:
        """Submit the draft, some by a double click, and keep its number."""
        key = uuid4()
        twice = 2 if self._dice.random() < 0.2 else 1
        replies = await asyncio.gather(
            *(
                self._act(self._applicant, Transition.SUBMIT, "submit", {"step": step}, key)
                for _ in range(twice)
            )
        )
        numbers = {self._must(reply, "a number").body["number"] for reply in replies}
        if len(numbers) != 1:
            raise NoAnswer(f"a double click was answered with {numbers}")
        self._evidence.submitted[self._id] = numbers.pop()

    async def _withdraw(self) -> None:
        while True:
            case = await self._look()
            body = {"step": case["step"], "reason": "Передумал."}
            reply = await self._act(self._applicant, Transition.WITHDRAW, "withdraw", body, uuid4())
            if reply.good:
                return

    async def _act(
        self,
        by: ApiClient,
        transition: Transition,
        path: str,
        body: Any,
        key: UUID,
        *,
        at: str = "",
    ) -> Reply:
        """Act on the case at `path` below it, or at another address of the API."""
        reply = await by.ask("POST", at or f"/{self.room}/{self._id}/{path}", body, key=key)
        if reply.status == UNAUTHORIZED:
            # Locked or gone: the API no longer tells them whether an earlier try was accepted.
            return reply
        if not reply.good and reply.status not in (403, 404, 409):
            raise NoAnswer(f"{path}: {reply.status} {reply.body}")
        self._evidence.answers.append(
            ActOutcome(key, self._id, transition, by.player.person_id, reply.good)
        )
        return reply

    async def _look(self) -> Any:
        return await self._applicant.get(f"/{self.room}/{self._id}")

    async def _then(self, status: Status, do: Callable[[], Awaitable[None]]) -> None:
        await self._stands(status)
        await do()

    async def _stands(self, status: Status) -> Any:
        return await self._until(status.value, lambda case: case["status"] == status)

    async def _until(self, what: str, holds: Callable[[Any], bool]) -> Any:
        end = time.monotonic() + PATIENCE
        while True:
            case = await self._look()
            if holds(case):
                return case
            if time.monotonic() > end:
                raise NoAnswer(
                    f"{case['number']} waited {PATIENCE:.0f} s for {what},"
                    f" stands at {case['status']}, step {case['step']}"
                )
            await asyncio.sleep(LOOKS_EVERY)

    def _must(self, reply: Reply, what: str) -> Reply:
        if not reply.good:
            raise NoAnswer(f"wanted {what}, got {reply.status} {reply.body}")
        return reply


class ReviewedStory(Story):
    """One case with documents, decided by people."""

    remark: ClassVar[Mapping[str, str]]
    """What a reviewer asks back."""

    def __init__(
        self,
        evidence: Evidence,
        applicant: ApiClient,
        dice: random.Random,
        reviewers: list[ApiClient],
    ) -> None:
        super().__init__(evidence, applicant, dice)
        self._reviewers = reviewers

    async def _cited(self, rule: Any) -> dict[str, str]:
        version = await self._document(rule["kind"], rule["title"])
        return {"kind": rule["kind"], "document_version_id": version}

    def _attached(self, draft: Reply) -> None:
        """Note which documents the API answered as attached."""
        self._evidence.attached |= {
            (self._id, one["kind"], UUID(one["document_version_id"]))
            for one in draft.body["attachments"]
        }

    async def _document(self, category: str, title: str) -> str:
        """Choose a document uploaded before; sometimes upload a new one."""
        if self._dice.random() < 0.7:
            kept = await self._applicant.get(f"/documents?category={category}")
            if kept["items"]:
                return str(kept["items"][0]["version"]["id"])
        return await self._uploaded(category, title)

    async def _credential(self, category: str, data: Mapping[str, Any]) -> UUID:
        """Put a credential with a copy of its own into the file of the story's person."""
        copy = await self._uploaded(category, "Копия документа")
        body = {"category": category, "data": dict(data), "files": [copy]}
        key = uuid4()
        made = self._must(
            await self._applicant.ask("POST", "/credentials", body, key=key), "a credential"
        )
        return UUID(made.body["id"])

    async def _uploaded(self, category: str, title: str) -> str:
        """Upload a document. Returns the id of its version."""
        paper = typst.compile(
            f"#set page(width: 12cm, height: 8cm)\n= {title}\n{uuid4().hex}".encode(), format="pdf"
        )
        given = await self._applicant.ask(
            "POST",
            "/documents",
            content=paper if isinstance(paper, bytes) else b"",
            params={"category": category, "title": title, "file_name": f"{category}.pdf"},
        )
        return str(self._must(given, "a kept document").body["version"]["id"])

    async def _ask_for_clarification(self) -> Any:
        await self._decide_until(Transition.CLARIFY, Status.CLARIFICATION)
        return await self._look()

    async def _decide_until(self, outcome: Transition, wanted: Status) -> None:
        """Decide until it succeeds, with another reviewer, and again when the case has moved on."""
        while True:
            case = await self._stands(Status.IN_REVIEW)
            reply = await self._decide(self._dice.choice(self._reviewers), case, outcome)
            if reply.good and reply.body["status"] == wanted:
                return

    async def _decide(self, reviewer: ApiClient, case: Any, outcome: Transition) -> Reply:
        body: dict[str, Any] = {
            "step": case["step"],
            "outcome": outcome.value,
            "reason": "По итогам рассмотрения.",
        }
        if outcome is Transition.APPROVE:
            body["checklist"] = {item["name"]: True for item in case["checklist"]}
        if outcome is Transition.CLARIFY:
            body["remarks"] = dict(self.remark)
        path = f"/applications/{self._id}/decision"
        return await self._act(reviewer, outcome, "", body, uuid4(), at=path)
