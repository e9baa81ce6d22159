"""What the owner of a locked account does, and those who open it, while servers fail."""

import asyncio
import random
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import update
from sqlmodel import col, select

from clients.database import Database
from models.tables.accounts import AccountLock
from models.tables.people import Person
from ops.faults import meetings
from ops.faults.clients import ApiClient, NoAnswer, Reply
from ops.faults.evidence import Evidence
from ops.faults.meetings import surely
from ops.faults.story import LOOKS_EVERY, PATIENCE, Story
from rules.account_locks import LockState
from rules.accounts import Limit, SignInLimits, device_of
from rules.clock import now
from rules.meetings import MeetingState
from services.accounts import password_reset
from services.accounts.sessions import Visitor

ENDINGS: Mapping[str, int] = {
    "lock_opened": 4,
    "lock_opened_with_the_app": 2,
    "lock_sent_back": 2,
    "lock_left_after_a_reminder": 2,
}
"""How stories end, by weight."""

OFTEN = SignInLimits(reset=Limit("faults_reset", 1000, timedelta(hours=1)))
"""A request whose answer is lost is sent again, and each time it counts."""


class LockStory(Story):
    """One account, locked by its owner; `_id` is the lock."""

    room = "account-locks"
    endings = ENDINGS

    def __init__(
        self,
        evidence: Evidence,
        owner: ApiClient,
        dice: random.Random,
        operators: list[ApiClient],
        guards: list[ApiClient],
        database: Database,
        sink: str,
    ) -> None:
        super().__init__(evidence, owner, dice)
        self._operators, self._guards = operators, guards
        self._database, self._sink = database, sink
        self._secret = ""
        self._email = ""
        if not evidence.locks:
            # The first one goes the whole way, however short the run is.
            self.ending = "lock_opened"

    async def _submit(self) -> None:
        person_id = self._applicant.player.person_id
        reply = await self._applicant.ask("POST", "/account/lock")
        if not reply.good and reply.status != 401:
            raise NoAnswer(f"wanted a lock, got {reply.status} {reply.body}")

        async def look() -> UUID:
            async with self._database.reading() as session:
                self._email = (await session.get_one(Person, person_id)).email
                found = select(AccountLock.id).where(AccountLock.person_id == person_id)
                return (await session.exec(found)).one()

        # Without an answer an earlier try has locked it: the session that asks is over.
        self._id = await surely(look)
        self._evidence.locks[person_id] = self._id
        self._secret = await self._link("unlock")

    async def _end(self, ending: str) -> None:
        endings: dict[str, Callable[[], Awaitable[object]]] = {
            "lock_opened": self._opened,
            "lock_opened_with_the_app": lambda: self._approved(["app"]),
            "lock_sent_back": self._sent_back,
            "lock_left_after_a_reminder": self._reminded,
        }
        await endings[ending]()

    async def _opened(self) -> None:
        """Nothing was marked: a mail and the code that was told bring a new password."""
        code = await self._approved([])
        password = secrets.token_urlsafe(24)

        async def ask() -> None:
            visitor = Visitor("127.0.0.1", device_of("medcab-faults/1"), secrets.token_urlsafe(16))
            await password_reset.ask(self._database, self._email, visitor, now(), OFTEN)

        await surely(ask)
        body = {
            "key": await self._link("sign-in/reset"),
            "method": "recovery",
            "code": code,
            "new_password": password,
        }
        await self._applicant.ask("POST", "/password-reset/confirm", body)
        # If the answer was lost the link is used up; whether the password holds shows by itself.
        said = {"email": self._email, "password": password}
        self._must(await self._applicant.ask("POST", "/sign-in", said), "to sign in")

    async def _sent_back(self) -> None:
        await self._met(MeetingState.CONFIRMED, [])
        guard, path = self._dice.choice(self._guards), f"/account-locks/{self._id}/send-back"
        reply = await guard.ask("POST", path, {"reason": "Видео прервалось."})
        if not reply.good and reply.status != 409:
            raise NoAnswer(f"send-back: {reply.status} {reply.body}")
        await self._is(LockState.MEETING)
        self._secret = await self._link("unlock")
        await self._approved(["app"])

    async def _reminded(self) -> None:
        """The owner was not confirmed, does nothing more, and is reminded by the workflow."""
        await self._met(MeetingState.NOT_CONFIRMED, [])

        async def due() -> None:
            async with self._database.work() as session:
                await session.exec(
                    update(AccountLock)
                    .where(col(AccountLock.id) == self._id, col(AccountLock.reminded) == 0)
                    .values(looks_at=now() - timedelta(minutes=2))
                )

        await surely(due)
        self._secret = await self._link("unlock")

    async def _approved(self, marked: list[str]) -> str:
        """Met, and agreed to by one of two at once. Gives the code that was told."""
        operator, meeting = await self._met(MeetingState.CONFIRMED, marked)
        code = ""
        if not marked:
            path = f"/account-locks/meetings/{meeting}/code"
            code = self._must(await operator.ask("POST", path), "a code").body["code"]
        path = f"/account-locks/{self._id}/approve"
        replies = await asyncio.gather(*(guard.ask("POST", path) for guard in self._guards))
        heard = [
            guard.player.person_id
            for guard, reply in zip(self._guards, replies, strict=True)
            if reply.good
        ]
        self._evidence.agreed[self._id] = heard
        await self._is(LockState.OPENED)
        return code

    async def _met(self, outcome: MeetingState, marked: list[str]) -> tuple[ApiClient, UUID]:
        """Choose a time by the link, and meet an operator."""
        owner = self._applicant.player.person_id

        async def times() -> Any:
            shown = await self._applicant.ask("POST", "/meetings/by-link", {"key": self._secret})
            return self._must(shown, "times").body["times"]

        async def book(slot_id: str) -> Reply:
            body = {"key": self._secret, "slot_id": slot_id}
            return await self._applicant.ask("POST", "/meetings/by-link/book", body)

        meeting = await meetings.choose(self._database, owner, self._dice, times, book)
        await meetings.let_begin(self._database, meeting, self._dice)
        operator = self._dice.choice(self._operators)
        await meetings.record(operator, meeting, outcome, marked)
        return operator, meeting

    async def _is(self, state: LockState) -> None:
        async def look() -> str:
            async with self._database.reading() as session:
                return (await session.get_one(AccountLock, self._id)).state

        end = time.monotonic() + PATIENCE
        while (known := await surely(look)) != state:
            if time.monotonic() > end:
                raise NoAnswer(f"the lock stands at {known}, not {state}")
            await asyncio.sleep(LOOKS_EVERY)

    async def _link(self, path: str) -> str:
        """The secret of a newer link of this kind, from the mail that brings it."""
        end = time.monotonic() + PATIENCE
        async with httpx.AsyncClient(base_url=self._sink, trust_env=False, timeout=10) as http:
            while time.monotonic() < end:
                try:
                    for one in (await http.get("/messages", params={"to": self._email})).json():
                        text = (await http.get(f"/messages/{one['id']}")).json()["text"]
                        found = re.search(rf"/{path}/([\w-]+)", text)
                        if found and found[1] != self._secret:
                            return found[1]
                        if found:
                            break
                except (httpx.HTTPError, ValueError):
                    pass  # The mail server is one of those that fail.
                await asyncio.sleep(LOOKS_EVERY)
        raise NoAnswer(f"no mail with a link to /{path}/")
