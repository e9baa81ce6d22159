"""What the least program does for a request, with Medcab's own paper, seal, envelope and client.

It forms a certificate of vaccination by `services.requests.paper`, signs it with the same seal,
encrypts it with the same keys, stores paper and envelope, hands the envelope over by the same
client, and commits. Of an answer it opens the envelope by the same code, stores its files, and
commits. A whole request is four commits: the insert, the handing over, the stored callback, the
answer.

It leaves out whatever makes a request accountable: rules, versions, numbers, journal, locks,
notices, encrypted columns, the term. It does not ask for answers whose callbacks are lost, does not
check the signature of a callback or whether it is a replay, and does not keep the envelope of the
answer as evidence.
"""

import asyncio
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from temporalio import activity

from clients.gov_service import GovService
from clients.objects import Objects
from services.gov_service.envelopes import Envelopes
from services.gov_service.keys import keys_of
from services.gov_service.messages import GovServiceAnswer, GovServiceFile, GovServiceRequest
from services.requests.paper import RequestFacts, RequestField, form
from services.seal import Seal
from settings import Settings

CALLBACK = "BENCH_LEAST_CALLBACK"
SERVICE = "vaccination-certificates"
NUMBER = "ЗС-2026-000123-4"

FIELDS = (
    ("full_name", "Фамилия, имя, отчество", "Соколова Анна Сергеевна", "Соколова Анна Сергеевна"),
    ("birth_date", "Дата рождения", "4 декабря 1985 г.", "1985-12-04"),
    ("snils", "СНИЛС", "112-233-445 95", "11223344595"),
    ("patient_id", "Номер полиса ОМС", "5400 0000 0000 0005", "5400000000000005"),
    ("vaccine", "Прививка", "Грипп", "influenza"),
    ("since", "Начало периода", "", None),
    ("purpose", "Куда предоставляется справка", "В отдел кадров", "В отдел кадров"),
    ("data_consent", "Даю согласие на передачу этих сведений адресату запроса", "да", True),
)
"""The lines of the form as Medcab's request fills them: key, label, shown value, value for
programs."""


class LeastRequestActivities:
    """The two activities of a request."""

    def __init__(self, settings: Settings, objects: Objects, seal: Seal, own: Any) -> None:
        self._settings, self._objects, self._seal, self._own = settings, objects, seal, own
        self._module = GovService(settings)
        self._envelopes = Envelopes(keys_of(settings))

    @activity.defn(name="least_hand_over")
    async def hand_over(self, case_id: str) -> None:
        """Paper, signature, envelope, two PUTs, the call to the gov service, one commit."""
        message_id = UUID(case_id)
        paper, envelope = await asyncio.to_thread(self._make, message_id)
        paper_key = await self._put(paper, "application/pdf")
        envelope_key = await self._put(envelope, "application/cms")
        await self._module.hand_over(message_id, SERVICE, envelope, os.environ[CALLBACK])
        async with self._own.connection() as line:
            await line.execute(
                "update least_case set status = 'processing', paper_key = %s, envelope_key = %s"
                " where id = %s",
                (paper_key, envelope_key, case_id),
            )

    @activity.defn(name="least_take")
    async def take(self, case_id: str) -> None:
        """Open the envelope that came by callback, store its files, one commit."""
        async with self._own.connection() as line:
            rows = await line.execute(
                "select envelope from least_receipt where case_id = %s", (case_id,)
            )
            kept = await rows.fetchone()
        files = await asyncio.to_thread(self._open, UUID(case_id), kept["envelope"])
        keys = [await self._put(one.content, one.media_type) for one in files]
        async with self._own.connection() as line:
            await line.execute(
                "update least_case set status = 'ready', act_key = %s where id = %s",
                (keys[0], case_id),
            )

    async def _put(self, body: bytes, media_type: str) -> str:
        key = Objects.fresh_key("least")
        await self._objects.put(key, body, len(body), media_type)
        return key

    def _make(self, message_id: UUID) -> tuple[bytes, bytes]:
        facts = RequestFacts(
            number=NUMBER,
            version=1,
            type_title="Справка о прививках",
            institution=self._settings.institution,
            applicant="Соколова Анна Сергеевна, врач-терапевт",
            fields=[RequestField(label, shown, value, key) for key, label, shown, value in FIELDS],
            attachments=(),
            created_at=datetime.now(UTC),
            zone=self._settings.time_zone,
            type_key="vaccination_certificate",
            addressee="Федеральный регистр вакцинированных",
        )
        paper = self._seal.sign_pdf(form(facts).pdf, reason="Запрос")
        plain = GovServiceRequest.model_construct(
            service=SERVICE,
            number=NUMBER,
            version=1,
            document=GovServiceFile.of("request.pdf", "application/pdf", paper),
        ).packed()
        return paper, self._envelopes.wrap(plain, message_id=message_id)

    def _open(self, message_id: UUID, envelope: bytes) -> Sequence[GovServiceFile]:
        opened = self._envelopes.open_(envelope, message_id=message_id)
        return GovServiceAnswer.read(opened.plain).files
