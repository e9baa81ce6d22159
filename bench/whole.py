"""Whole cases, from the draft with three uploads to the mails, by their legs.

A case here begins earlier than in P2: the draft is made, three documents of 64 KiB are uploaded,
the draft is saved, submitted, checked, approved, and both mails are sent. Medcab's applicants have
chosen mail alone.
"""

import json
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from io import BytesIO
from typing import Protocol
from urllib.parse import quote
from uuid import UUID

from PIL import Image
from sqlalchemy import delete
from sqlmodel import col

from bench.ground import Office
from bench.processes import Used, of_case, spent
from bench.wire import Wire
from models.tables.accounts import RateLimit
from ops.faults.applications import FORM
from ops.faults.people import HABITS, ApiUser
from rules.cases import limits
from rules.clock import now

KIB = 1024
PAPER = 64 * KIB
UPLOADS = 3

Started = tuple[UUID, Wire]
"""A case, with the connection of its applicant."""


def paper(dice: random.Random) -> bytes:
    """A scanned page as a PDF of about 64 KiB; each is another one."""
    size = 300, 412
    noise = Image.frombytes("L", size, dice.randbytes(size[0] * size[1]))
    body = BytesIO()
    noise.save(body, "PDF", resolution=36, quality=68)
    return body.getvalue()


class Papers:
    """Scanned pages, made before they are needed."""

    def __init__(self) -> None:
        self._dice = random.Random(20)  # noqa: S311 - repeatable, nothing secret
        self._made: list[bytes] = []

    def make(self, cases: int) -> None:
        """Have enough for so many cases."""
        while len(self._made) < cases * UPLOADS:
            self._made.append(paper(self._dice))

    def take(self) -> bytes:
        """One that nobody has had."""
        return self._made.pop()


def quiet(office: Office) -> list[ApiUser]:
    """The applicants who have chosen mail alone."""
    return [
        one
        for number, one in enumerate(office.cast.applicants)
        if not HABITS[number % len(HABITS)].chosen
    ]


def form() -> Mapping[str, str | bool]:
    """The form as it is filled in."""
    return {**FORM, "starts_on": (now() + timedelta(days=30)).date().isoformat()}


class Side(Protocol):
    """What people do with one case in one of the programs."""

    name: str
    """As `bench.processes` knows it."""
    office: Office
    papers: Papers

    async def prepare(self, count: int) -> None:
        """Have what so many cases need; never measured."""

    async def draft(self) -> Started:
        """Make a complete draft with documents of its own."""

    async def submit(self, case: Started) -> None:
        """Submit it; done when its review is open."""

    async def approve(self, case: Started) -> None:
        """Approve it; done when the act can be downloaded."""

    async def settle(self) -> None:
        """Wait until all mails are sent."""


@dataclass
class MedcabSide:
    """Cases of Medcab."""

    office: Office
    papers: Papers
    name: str = "Medcab"
    _turn: int = 0

    async def prepare(self, count: int) -> None:
        """Make papers, and forget how many were uploaded: a run takes more than a day may."""
        self.papers.make(count)
        async with self.office.database.work() as session:
            uploads = col(RateLimit.key).startswith(f"{limits.UPLOADED_FILES.name}:")
            await session.exec(delete(RateLimit).where(uploads))

    async def draft(self) -> Started:
        """Make a complete draft with documents of its own."""
        people = quiet(self.office)
        self._turn += 1
        wire = self.office.medcab[people[self._turn % len(people)].person_id]
        asked = {"programme_id": str(self.office.programme_id)}
        made = await wire.tell("POST", "/api/v1/applications", asked)
        shown = json.loads(await wire.ask("GET", f"/api/v1/applications/{made['id']}"))
        rules = [one["kind"] for one in shown["attachment_rules"] if not one["waived_reason"]]
        kept = [await self._upload(wire, kind) for kind in rules[:UPLOADS]]
        edit = {"data": form(), "attachments": kept}
        await wire.tell("PUT", f"/api/v1/applications/{made['id']}/draft", edit)
        return UUID(made["id"]), wire

    async def _upload(self, wire: Wire, kind: str) -> dict[str, str]:
        path = f"/api/v1/documents?category={kind}&title={quote('Документ')}&file_name=scan.pdf"
        told = json.loads(await wire.ask("POST", path, self.papers.take(), kind="application/pdf"))
        return {"kind": kind, "document_version_id": told["version"]["id"]}

    async def submit(self, case: Started) -> None:
        """Submit it; done when its review is open."""
        await self.office.submit(*case)
        await self.office.watches["medcab"].until(case[0], "in_review")

    async def approve(self, case: Started) -> None:
        """Approve it; done when the act can be downloaded."""
        await self.office.approve(case[0])
        await self.office.watches["medcab"].until(case[0], "closed")

    async def settle(self) -> None:
        """Wait until all mails are sent."""
        await self.office.settle()


@dataclass
class Legs:
    """The legs of some cases, each done for all cases before the next begins."""

    side: Side
    count: int
    cases: list[Started] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    """Of each case: seconds until its review was open and, after approval, until the act was."""
    cost: dict[str, tuple[Used, Used]] = field(default_factory=dict)
    """Of each leg: processor time before and after."""

    async def live(self) -> None:
        """Let the cases live, one after another."""
        await self.side.prepare(self.count)
        legs: Sequence[tuple[str, Callable[[], Awaitable[None]]]] = (
            ("draft and uploads", self._draft),
            ("submit until in_review", self._submit),
            ("approve until the act", self._approve),
        )
        before = self._used()
        for name, leg in legs:
            await leg()
            await self.side.settle()
            after = self._used()
            self.cost[name], before = (before, after), after

    @property
    def processor(self) -> float:
        """Seconds of processor time for one case."""
        (first, _), *_, (_, last) = self.cost.values()
        return (sum(last.values()) - sum(first.values())) / self.count

    def told(self) -> dict[str, str]:
        """What a case and each of its legs cost, by process."""
        (first, _), *_, (_, last) = self.cost.values()
        parts = {"whole case": (first, last), **self.cost}
        return {name: spent(*ends, self.count) for name, ends in parts.items()}

    def _used(self) -> Used:
        return of_case(self.side.name, self.side.office.ground.folder)

    async def _draft(self) -> None:
        self.cases = [await self.side.draft() for _ in range(self.count)]

    async def _submit(self) -> None:
        self.waits = [await _seconds(self.side.submit(one)) for one in self.cases]

    async def _approve(self) -> None:
        acts = [await _seconds(self.side.approve(one)) for one in self.cases]
        self.waits = [sum(both) for both in zip(self.waits, acts, strict=True)]


async def _seconds(work: Awaitable[None]) -> float:
    began = time.perf_counter()
    await work
    return time.perf_counter() - began
