"""What a run does with requests: drafts, submissions, switches and callbacks of the gov service."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from standardwebhooks.webhooks import Webhook

from bench.ground import PATIENCE, Office
from bench.wire import Wire
from clients.gov_service import CALLBACK_PATH
from ops.faults.requests import CERTIFICATE
from rules.clock import now
from services import access
from services.cases.signals import CaseSignals
from services.requests.acknowledgements import message_id_of
from services.requests.acts import Requests

TYPE = "vaccination_certificate"
NOT_YET = 3600.0
Waiting = Sequence[tuple[UUID, Wire]]


async def _no_signal(*_: object) -> bool:
    return True


@dataclass
class BenchDesk:
    """The people of a run, what they do with requests on both sides, and the gov service."""

    office: Office
    module: Wire
    medcab: Wire
    least: Wire
    _turn: int = 0

    @classmethod
    @asynccontextmanager
    async def open(cls, office: Office) -> AsyncIterator["BenchDesk"]:
        """Open connections without a token, as the gov service has them."""
        settings = office.ground.settings
        desk = cls(
            office,
            Wire(settings.gov_service_url, ""),
            Wire(settings.public_url, ""),
            Wire(office.ground.least_door.address, ""),
        )
        try:
            yield desk
        finally:
            for wire in (desk.module, desk.medcab, desk.least):
                wire.close()

    async def drafts(self, count: int) -> list[tuple[UUID, Wire]]:
        """Complete drafts, each with the connection of its applicant; never measured."""
        office = self.office
        requests = Requests(
            office.database, CaseSignals(_no_signal), office.ground.settings.time_zone
        )
        requests.most_drafts = sys.maxsize
        made = []
        for _ in range(count):
            self._turn += 1
            player = office.cast.applicants[self._turn % len(office.cast.applicants)]
            async with office.database.work() as session:
                actor = await access.actor_for(session, player.person_id, now())
            case = await requests.create_draft(actor, TYPE)
            await requests.save_draft(actor, case.id, CERTIFICATE)
            made.append((case.id, office.medcab[player.person_id]))
        return made

    async def submit(self, case_id: UUID, wire: Wire) -> None:
        """Submit a draft to Medcab."""
        await self.office.submit(case_id, wire, "requests")

    async def submit_least(self, case_id: UUID) -> None:
        """Submit a request to the least program."""
        await self.office.least.ask("POST", f"/requests/{case_id}")

    async def whole(self, case_id: UUID, wire: Wire) -> None:
        """One request of Medcab from submission to its answer."""
        await self.submit(case_id, wire)
        await self.office.watches["medcab"].until(case_id, "closed")

    async def whole_least(self, case_id: UUID) -> None:
        """One request of the least program from submission to its answer."""
        await self.submit_least(case_id)
        await self.office.watches["least"].until(case_id, "ready")

    async def behave(self, delay: float, callbacks: str = "sent") -> None:
        """Set for how many seconds the gov service works, and whether it calls back."""
        await self.module.tell("PUT", "/behaviour", {"delay": delay, "callbacks": callbacks})

    async def forget(self) -> None:
        """Make the gov service forget its messages, so that it is equally full in every block."""
        await self.module.ask("DELETE", "/messages")

    async def answer_of(self, message_id: UUID) -> bytes:
        """The body with which the gov service would call back, once it has its answer."""
        async with asyncio.timeout(PATIENCE):
            while True:
                told = json.loads(await self.module.ask("GET", f"/v1/messages/{message_id}"))
                if told["state"] == "answered":
                    return json.dumps(told | {"message_id": str(message_id)}).encode()
                await asyncio.sleep(0.02)

    def signed(self, body: bytes) -> Mapping[str, str]:
        """The headers of a callback."""
        secret = self.office.ground.settings.gov_service_callback_secret.get_secret_value()
        return headers_of(body, secret)

    async def call_back(self, body: bytes, headers: Mapping[str, str]) -> None:
        """Call Medcab back as the gov service does."""
        await self.medcab.ask("POST", CALLBACK_PATH, body, headers)

    async def call_back_least(self, body: bytes, headers: Mapping[str, str]) -> None:
        """Call the least program back."""
        await self.least.ask("POST", "/callback", body, headers)

    async def stand_at(self, waiting: Waiting, status: str) -> None:
        """Raise RuntimeError unless all these requests of Medcab have the status.

        A closed request may also be a refused one.
        """
        ids = [case_id for case_id, _ in waiting]
        query = 'select count(*) from "case" where id = any(%s) and status = %s'
        found = await self.office.watches["medcab"].one(query, (ids, status))
        if found != len(ids):
            raise RuntimeError(f"{found} of {len(ids)} requests are {status}")

    async def read_answer(self, case_id: UUID, wire: Wire) -> None:
        """Raise RuntimeError unless the applicant can download the answer."""
        answer = await wire.ask("GET", f"/api/v1/requests/{case_id}/answer/1")
        if not answer.startswith(b"%PDF-"):
            raise RuntimeError("the answer is no PDF")

    def message_of(self, case_id: UUID) -> UUID:
        """The id of the first version's message; the least program takes its own id."""
        return message_id_of(case_id, 1)


def headers_of(body: bytes, secret: str) -> dict[str, str]:
    """Headers of a callback with a new id, signed by the rules of Standard Webhooks."""
    at, id_ = datetime.now(UTC), f"msg_{uuid4().hex}"
    made: dict[str, Any] = {
        "webhook-id": id_,
        "webhook-timestamp": int(at.timestamp()),
        "webhook-signature": Webhook(secret).sign(id_, at, body.decode()),
    }
    return {name: str(value) for name, value in made.items()}
