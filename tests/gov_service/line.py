"""The line to the simulated module as tests use it: a switch, sealed requests, what it kept."""

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx

from clients.gov_service import Acknowledgement, GovService
from services.gov_service.envelopes import Envelopes, OpenedEnvelope
from services.gov_service.keys import keys_of
from services.gov_service.messages import (
    GovServiceAnswer,
    GovServiceFile,
    GovServiceRequest,
    GovServiceWithdrawal,
)
from services.requests.paper import RequestAttachment, RequestFacts, RequestField, form
from settings import Settings
from tests.shared.waiting import PATIENCE

NOW = datetime(2026, 12, 4, 13, 5, tzinfo=UTC)
NOWHERE = "http://127.0.0.1:1/callbacks"


def facts(**changed: Any) -> RequestFacts:
    """An ordinary request."""
    ordinary: dict[str, Any] = {
        "number": "ЗС-2026-000123-4",
        "version": 1,
        "type_title": "Результаты лабораторных исследований",
        "type_key": "laboratory_results",
        "institution": "Городская клиническая больница № 7",
        "addressee": "Региональная лабораторная система",
        "applicant": "Соколова Анна Викторовна",
        "fields": (
            RequestField(
                "Номер полиса ОМС", "2200 0000 0000 0012", "2200000000000012", "patient_id"
            ),
            RequestField("Дата взятия материала", "1 декабря 2026 г.", "2026-12-01", "taken_on"),
        ),
        "attachments": (),
        "created_at": NOW,
    }
    return RequestFacts(**{**ordinary, **changed})


def request_of(
    told: RequestFacts, *files: GovServiceFile, service: str = "laboratory-results"
) -> GovServiceRequest:
    """The request with its document; `files` are attached and listed in it."""
    listed = [RequestAttachment(each.name, each.sha256) for each in files]
    paper = form(RequestFacts(**{**vars(told), "attachments": listed}))
    document = GovServiceFile.of("request.pdf", "application/pdf", paper.pdf)
    return GovServiceRequest(
        service=service,
        number=told.number,
        version=told.version,
        document=document,
        attachments=files,
    )


@dataclass
class Line:
    """Our end of the line, and the module's switches."""

    settings: Settings
    module: GovService

    @property
    def envelopes(self) -> Envelopes:
        """What seals for the module and opens its answers."""
        return Envelopes(keys_of(self.settings))

    def _put(self, path: str, **switch: Any) -> None:
        httpx.put(
            f"{self.settings.gov_service_url}{path}", json=switch, trust_env=False
        ).raise_for_status()

    def behave(self, **switch: Any) -> None:
        """How the module itself does its work; quickly unless told otherwise."""
        self._put("/behaviour", **{"delay": 0.2, **switch})

    def fault(self, mode: str = "ok", **more: Any) -> None:
        """How its line is spoilt."""
        self._put("/faults", mode=mode, **more)

    def forget(self) -> None:
        """Make the module lose everything."""
        httpx.delete(
            f"{self.settings.gov_service_url}/messages", trust_env=False
        ).raise_for_status()

    def page(self) -> str:
        """What people see of the module."""
        return httpx.get(self.settings.gov_service_url, trust_env=False).text

    def kept(self, id_: UUID) -> dict[str, Any]:
        """What the module knows of a message."""
        rows = httpx.get(f"{self.settings.gov_service_url}/messages", trust_env=False).json()
        return next(row for row in rows if row["id"] == str(id_))

    async def hand_over(
        self,
        request: GovServiceRequest | None = None,
        id_: UUID | None = None,
        callback: str = NOWHERE,
    ) -> tuple[UUID, Acknowledgement]:
        """Seal and hand over."""
        id_, request = id_ or uuid4(), request or request_of(facts())
        envelope = self.envelopes.wrap(request.packed(), message_id=id_)
        return id_, await self.module.hand_over(id_, request.service, envelope, callback)

    def withdrawal(self, version: int = 1) -> GovServiceWithdrawal:
        """That the ordinary request was taken back."""
        return GovServiceWithdrawal(
            withdrawn_number=facts().number, withdrawn_version=version, withdrawn_at=NOW
        )

    async def take_back(self, id_: UUID) -> Acknowledgement:
        """Seal and send the withdrawal."""
        envelope = self.envelopes.wrap(self.withdrawal().packed(), message_id=id_)
        return await self.module.withdraw(id_, envelope)

    async def answered(self, id_: UUID, within: float = PATIENCE) -> Acknowledgement:
        """Ask until there is an answer."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            receipt = await self.module.ask(id_)
            if receipt.state in ("answered", "refused"):
                return receipt
            await asyncio.sleep(0.05)
        raise AssertionError("no answer in time")

    def read(self, id_: UUID, receipt: Acknowledgement) -> tuple[OpenedEnvelope, GovServiceAnswer]:
        """Open the answer of a receipt."""
        assert receipt.envelope is not None
        opened = self.envelopes.open_(receipt.envelope, message_id=id_)
        return opened, GovServiceAnswer.read(opened.plain)
