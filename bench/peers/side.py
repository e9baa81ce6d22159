"""What people do with a case in the program of a peer."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Self
from urllib.parse import quote
from uuid import UUID

import psycopg

from bench.ground import PATIENCE, Office, RowWatch
from bench.whole import UPLOADS, Papers, Started, form, quiet
from bench.wire import Wire
from ops.faults.people import SNILS

UNSENT = {
    "dbos": """
select count(*) from application a where status in ('in_review', 'closed') and (
    select count(*) from dbos.operation_outputs o
    where o.workflow_uuid = a.id::text and o.function_name ~ 'tell$'
) < case status when 'closed' then 2 else 1 end
""",
    "spiff": """
select count(*) from application a left join workflow_instance w using (id)
where status = 'in_review' and coalesce(active, '') <> 'decision'
   or status = 'closed' and active <> 'end'
""",
}
"""How many cases have a mail that is not sent yet."""


@dataclass
class PeerSide:
    """Cases of one peer."""

    name: str
    office: Office
    papers: Papers
    applicants: list[Wire]
    reviewer: Wire
    watch: RowWatch
    _turn: int = 0

    @classmethod
    @asynccontextmanager
    async def open(cls, name: str, office: Office, papers: Papers) -> AsyncIterator[Self]:
        """Start the program of a peer, with the same people."""
        with office.ground.peer(name) as (address, url):
            people, reviewer = quiet(office), office.cast.reviewers[0]
            with psycopg.connect(url) as line:
                for one in (*people, reviewer):
                    token = hashlib.sha256(one.token.encode()).digest()
                    email = f"{one.person_id.hex[:16]}@hospital.example"
                    row = (one.person_id, token, one.name, email, SNILS)
                    line.execute("insert into person values (%s, %s, %s, %s, %s)", row)
            watch = RowWatch(url, "select id, status from application where id = any(%s)")
            task = asyncio.create_task(watch.run())
            wires = [Wire(address, one.token) for one in (*people, reviewer)]
            try:
                yield cls(name, office, papers, wires[:-1], wires[-1], watch)
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                for wire in wires:
                    wire.close()

    async def prepare(self, count: int) -> None:
        """Make papers."""
        self.papers.make(count)

    async def draft(self) -> Started:
        """Make a complete draft with documents of its own."""
        self._turn += 1
        wire = self.applicants[self._turn % len(self.applicants)]
        made = await wire.tell(
            "POST", "/applications", {"programme_id": str(self.office.programme_id)}
        )
        shown = json.loads(await wire.ask("GET", f"/applications/{made['id']}"))
        kept = [await self._upload(wire, kind) for kind in shown["kinds"][:UPLOADS]]
        edit = {"data": form(), "attachments": kept}
        await wire.tell("PUT", f"/applications/{made['id']}/draft", edit)
        return UUID(made["id"]), wire

    async def _upload(self, wire: Wire, kind: str) -> dict[str, str]:
        path = f"/documents?category={kind}&title={quote('Документ')}"
        told = json.loads(await wire.ask("POST", path, self.papers.take(), kind="application/pdf"))
        return {"kind": kind, "document_id": told["id"]}

    async def submit(self, case: Started) -> None:
        """Submit it; done when its review is open."""
        case_id, wire = case
        await wire.tell("POST", f"/applications/{case_id}/submit", {})
        await self.watch.until(case_id, "in_review")

    async def approve(self, case: Started) -> None:
        """Approve it; done when the act can be downloaded."""
        await self.reviewer.tell("POST", f"/applications/{case[0]}/decision", {})
        await self.watch.until(case[0], "closed")

    async def settle(self) -> None:
        """Wait until all mails are sent."""
        async with asyncio.timeout(PATIENCE):
            while await self.watch.one(UNSENT[self.name]):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
