"""Stories of service requests, lived through for their histories. See `recording`."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
from sqlalchemy import update
from sqlmodel import col
from temporalio.client import Client

from clients.database import Database
from clients.gov_service import GovService
from models.messages import ActRef, case_workflow_id
from models.tables.requests import RequestMessage
from rules.cases.process import CaseKind, Party, Status
from rules.clock import now
from services.cases.acts import Act
from services.requests.acknowledgements import message_id_of
from settings import Settings
from tests.gov_service.line import Line
from tests.shared.counter import Counter
from tests.shared.office import Office
from tests.shared.waiting import PATIENCE, until
from tests.workflows.recording import Recorder


class RequestRecorder(Recorder):
    """Lives through requests with a real worker and the module's simulator."""

    kind = CaseKind.REQUEST

    def __init__(
        self, settings: Settings, database: Database, client: Client, office: Office
    ) -> None:
        super().__init__(settings, database, client, office)
        self._counter: Counter | None = None

    def stories(self) -> dict[str, Callable[[], Awaitable[UUID]]]:
        """What is lived through, by the name of its file."""
        return {
            "request-answered": self.answered,
            "request-corrected": self.corrected,
            "request-sent-again": self.sent_again,
            "request-refused": self.refused,
            "request-taken-back": self.taken_back,
            "request-taken-back-later": self.taken_back_later,
            "request-module-down": self.module_down,
            "request-by-people": self.by_people,
            "request-late": self.late,
            "request-false-signal": self.false_signal,
            "request-called-back": self.called_back,
            "request-refused-by-people": self.refused_by_people,
            "request-stuck": self.stuck,
        }

    async def answered(self) -> UUID:
        """Handed over, asked for, answered."""
        case_id = await self._processing()
        await self._asked_until(case_id, Status.READY)
        return case_id

    async def corrected(self) -> UUID:
        """Corrected while the module has it, which begins a new run."""
        counter = await self._open()
        await self._behave(answer="never")
        case_id = await self._processing()
        await counter.corrected(case_id, purpose="В поликлинику")
        await self._behave()
        await self._asked_until(case_id, Status.READY)
        return case_id

    async def sent_again(self) -> UUID:
        """Corrected after its answer, which begins a new run as well."""
        counter = await self._open()
        case_id = await self.answered()
        handle = self.client.get_workflow_handle(case_workflow_id(case_id, self.kind))
        await handle.result()
        await counter.corrected(case_id, purpose="В поликлинику")
        await self._asked_until(case_id, Status.READY)
        return case_id

    async def refused(self) -> UUID:
        """Refused by the module."""
        await self._behave(answer="refused")
        case_id = await self._processing()
        await self._asked_until(case_id, Status.REFUSED)
        await self._behave()
        return case_id

    async def taken_back(self) -> UUID:
        """Withdrawn while the module has it."""
        counter = await self._open()
        await self._behave(answer="never")
        case_id = await self._processing()
        act = await counter.act(case_id)
        await counter.requests.withdraw(counter.clinician, case_id, act, "Передумала.")
        await self._behave()
        return case_id

    async def taken_back_later(self) -> UUID:
        """Withdrawn while the module is down, which hears of it later."""
        counter = await self._open()
        await self._behave(answer="never")
        case_id = await self._processing()
        await self._switch("/faults", mode="fail")
        act = await counter.act(case_id)
        await counter.requests.withdraw(counter.clinician, case_id, act, "Передумала.")

        async def waits() -> bool:
            case = await self.office.case(case_id)
            return case.wakes_at is not None and case.wakes_at > now()

        await until(waits)
        await self._switch("/faults", mode="ok")
        await self._behave()
        return case_id

    async def module_down(self) -> UUID:
        """The handing over waits for the module, and goes on by itself."""
        counter = await self._open()
        await self._switch("/faults", mode="fail")
        case_id = await counter.sent()
        await until(lambda: self._waits_for(case_id, Party.ADDRESSEE))
        await self._switch("/faults", mode="ok")
        await self._asked_until(case_id, Status.READY)
        return case_id

    async def by_people(self) -> UUID:
        """Answered by people of the unit."""
        counter = await self._open()
        case_id = await counter.sent("equipment")
        await self._stands(case_id, Status.PROCESSING)
        await counter.answered(case_id)
        return case_id

    async def late(self) -> UUID:
        """Escalated as its term is over, then answered."""
        await self._behave(answer="never")
        case_id = await self._processing()
        past = now() - timedelta(days=12)
        await self.office.set_times(case_id, since=past, due_at=past + timedelta(days=4))
        await self._due(case_id)
        await until(lambda: self._journaled(case_id, "case.escalated"))
        await self._behave()
        await self._asked_until(case_id, Status.READY)
        return case_id

    async def false_signal(self) -> UUID:
        """A signal typed by hand answers nothing."""
        counter = await self._open()
        await self._behave(answer="never")
        case_id = await self._processing()
        handle = self.client.get_workflow_handle(case_workflow_id(case_id, self.kind))
        await handle.signal("answer", ActRef(act_id=uuid4()))
        await until(lambda: self._journaled(case_id, "case.signal_without_act"))
        act = await counter.act(case_id)
        await counter.requests.withdraw(counter.clinician, case_id, act, "Передумала.")
        await self._behave()
        return case_id

    async def called_back(self) -> UUID:
        """The module calls back, and nothing is asked."""
        counter = await self._open()
        await self._behave(delay=1, callbacks="sent")
        case_id = await counter.sent()
        await self._stands(case_id, Status.READY)
        await self._behave()
        return case_id

    async def refused_by_people(self) -> UUID:
        """Refused by people of the unit."""
        counter = await self._open()
        case_id = await counter.sent("equipment")
        await self._stands(case_id, Status.PROCESSING)
        act = await counter.act(case_id)
        await counter.requests.refuse(counter.clerk, case_id, act, "На складе нет.")
        return case_id

    async def stuck(self) -> UUID:
        """The module has another message of that id: ops are told, and mend it."""
        counter = await self._open()
        case_id = await counter.draft()
        async with GovService(self.settings) as line:
            await Line(self.settings, line).hand_over(id_=message_id_of(case_id, 1))
        await counter.requests.submit(counter.clinician, case_id, Act(uuid4(), 0))

        async def told() -> bool:
            return (await self.office.case(case_id)).stuck is not None

        await until(told)
        async with httpx.AsyncClient(
            base_url=self.settings.gov_service_url, timeout=PATIENCE
        ) as module:
            (await module.delete("/messages")).raise_for_status()
        await self._asked_until(case_id, Status.READY)
        return case_id

    async def _open(self) -> Counter:
        if self._counter is None:
            await self._behave()
            self._counter = await Counter.open(self.database, self._signaller)
        return self._counter

    async def _processing(self) -> UUID:
        counter = await self._open()
        case_id = await counter.draft()
        await counter.requests.submit(counter.clinician, case_id, Act(uuid4(), 0))
        await self._stands(case_id, Status.PROCESSING)
        return case_id

    async def _due(self, case_id: UUID) -> None:
        async with self.database.work() as session:
            await session.exec(
                update(RequestMessage)
                .where(col(RequestMessage.case_id) == case_id)
                .values(ask_at=now() - timedelta(seconds=1))
            )
        past = now() - timedelta(hours=1)
        await self.office.set_times(case_id, wakes_at=past, rung_at=None)
        await self._sweep()

    async def _asked_until(self, case_id: UUID, status: Status) -> None:
        async def there() -> bool:
            if (await self.office.case(case_id)).status == status:
                return True
            await self._due(case_id)
            return False

        await until(there)

    async def _behave(self, **chosen: Any) -> None:
        await self._switch("/behaviour", **{"delay": 0, "callbacks": "lost", **chosen})

    async def _switch(self, path: str, **chosen: Any) -> None:
        async with httpx.AsyncClient(
            base_url=self.settings.gov_service_url, timeout=PATIENCE
        ) as module:
            (await module.put(path, json=chosen)).raise_for_status()
