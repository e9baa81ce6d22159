"""Record the histories that `medcab replay` replays: `python -m tests.workflows.recording`.

`applications`, `requests`, `rights`, `verifications`, `accreditations` and `standing` name the
stories that are lived through; names of files after that, only those. To be run again when a
workflow has changed on purpose; histories of the old way stay as long as cases that began with it
may be open.
"""

import asyncio
import json
import os
import re
import socket
import sys
import tempfile
from collections.abc import Awaitable, Callable, Collection
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
from pydantic import SecretStr
from temporalio.client import Client, WorkflowExecutionStatus

from clients.database import Database
from clients.gov_service import CALLBACK_PATH
from clients.temporal.client import CaseSignaller, connect
from clients.temporal.replays import KEYS_FILE
from crypto.key_ring import KeyRing, use_key_ring
from models.messages import ActRef, case_workflow_id
from ops.local.home import CHECKOUT, Home
from rules.cases.process import CaseKind, Status, Transition
from rules.clock import now
from server import create_app
from services.cases import wakeups
from services.cases.acts import Act
from services.cases.signals import CaseSignals
from settings import Settings
from tests.shared.office import Office
from tests.shared.served import Served
from tests.shared.servers import Servers, Simulators, stop_servers, worker_settings
from tests.shared.waiting import PATIENCE, until
from worker import build

HISTORIES = CHECKOUT / "tests" / "histories"
_MACHINE = re.compile(rf"\d+@{re.escape(socket.gethostname())}")


class Recorder:
    """Lives through cases with a real worker, and keeps what Temporal wrote down."""

    def __init__(
        self, settings: Settings, database: Database, client: Client, office: Office
    ) -> None:
        self.settings = settings
        self.database = database
        self.client = client
        self.office = office
        self._signaller = CaseSignaller(client, settings.task_queue)

    kind = CaseKind.APPLICATION

    async def all(self, names: Collection[str]) -> None:
        """Every story, one after another; where names are given, only those."""
        for name, story in self.stories().items():
            if not names or name in names:
                await self._keep(name, case_workflow_id(await story(), self.kind))

    def stories(self) -> dict[str, Callable[[], Awaitable[UUID]]]:
        """What is lived through, by the name of its file."""
        return {
            "approved": self.approved,
            "clarified": self.clarified,
            "rejected": self.rejected,
            "withdrawn": self.withdrawn,
            "lapsed": self.lapsed,
            "register-down": self.register_down,
            "false-signal": self.false_signal,
            "escalated": self.escalated,
            "corrected": self.corrected,
        }

    async def approved(self) -> UUID:
        """Straight to the act."""
        case_id = await self._in_review()
        await self.office.decide(case_id, Transition.APPROVE)
        return case_id

    async def clarified(self) -> UUID:
        """Sent back and answered, which begins a new run; then approved."""
        case_id = await self._in_review()
        await self._clarify(case_id)
        case = await self.office.case(case_id)
        await self.office.applications.save_draft(
            self.office.clinician, case_id, {"purpose": "Подробнее."}
        )
        await self.office.applications.resubmit(
            self.office.clinician, case_id, Act(uuid4(), case.step)
        )
        await self._stands(case_id, Status.IN_REVIEW)
        await self.office.decide(case_id, Transition.APPROVE)
        return case_id

    async def rejected(self) -> UUID:
        """Rejected."""
        case_id = await self._in_review()
        await self.office.decide(case_id, Transition.REJECT)
        return case_id

    async def withdrawn(self) -> UUID:
        """Taken back from the review."""
        case_id = await self._in_review()
        step = (await self.office.case(case_id)).step
        await self.office.applications.withdraw(
            self.office.clinician, case_id, Act(uuid4(), step), "Передумала."
        )
        return case_id

    async def lapsed(self) -> UUID:
        """Reminded twice, never answered."""
        case_id = await self._in_review()
        await self._clarify(case_id)
        past = now() - timedelta(days=40)
        await self.office.set_times(
            case_id, since=past, due_at=past + timedelta(days=14), wakes_at=past
        )
        await self._sweep()
        await self._stands(case_id, Status.LAPSED)
        return case_id

    async def register_down(self) -> UUID:
        """The check waits for the register, and goes on by itself."""
        async with httpx.AsyncClient(
            base_url=self.settings.register_url, timeout=PATIENCE
        ) as register:
            await register.put("/faults", json={"mode": "fail"})
            case_id = await self.office.submitted()
            await until(lambda: self._waits_for(case_id, "register"))
            await register.put("/faults", json={"mode": "ok"})
        await self._stands(case_id, Status.IN_REVIEW)
        await self.office.decide(case_id, Transition.REJECT)
        return case_id

    async def false_signal(self) -> UUID:
        """A signal typed by hand decides nothing."""
        case_id = await self._in_review()
        handle = self.client.get_workflow_handle(case_workflow_id(case_id))
        await handle.signal("approve", ActRef(act_id=uuid4()))
        await until(lambda: self._journaled(case_id, "case.signal_without_act"))
        await self.office.decide(case_id, Transition.REJECT)
        return case_id

    async def escalated(self) -> UUID:
        """Overdue: reminded and escalated, then decided."""
        case_id = await self._in_review()
        past = now() - timedelta(days=30)
        await self.office.set_times(
            case_id, since=past, due_at=past + timedelta(days=14), wakes_at=past
        )
        await self._sweep()
        await until(lambda: self._journaled(case_id, "case.escalated"))
        await self.office.decide(case_id, Transition.APPROVE)
        return case_id

    async def corrected(self) -> UUID:
        """Corrected while it is reviewed, checked again, rejected."""
        case_id = await self._in_review()
        applications, clinician = self.office.applications, self.office.clinician
        await applications.save_draft(clinician, case_id, {"purpose": "Подробнее."})
        step = (await self.office.case(case_id)).step
        await applications.correct(clinician, case_id, Act(uuid4(), step))

        async def checked() -> bool:
            case = await self.office.case(case_id)
            return case.status == Status.IN_REVIEW and case.step > step + 1

        await until(checked)
        await self.office.decide(case_id, Transition.REJECT)
        return case_id

    async def _in_review(self) -> UUID:
        case_id = await self.office.submitted()
        await self._stands(case_id, Status.IN_REVIEW)
        return case_id

    async def _clarify(self, case_id: UUID) -> None:
        """Ask, and wait until the workflow has heard of it."""
        await self.office.decide(case_id, Transition.CLARIFY)

        async def heard() -> bool:
            case = await self.office.case(case_id)
            return case.wakes_at is not None and case.wakes_at > now()

        await until(heard)

    async def _sweep(self) -> None:
        await wakeups.sweep(self.database, CaseSignals(self._signaller), grace=1.0)

    async def _stands(self, case_id: UUID, status: Status) -> None:
        async def there() -> bool:
            return (await self.office.case(case_id)).status == status

        await until(there)

    async def _waits_for(self, case_id: UUID, party: str) -> bool:
        return (await self.office.case(case_id)).waits_for == party

    async def _journaled(self, case_id: UUID, kind: str) -> bool:
        return any(entry.kind == kind for entry in await self.office.journal(case_id))

    async def _keep(self, name: str, workflow_id: str) -> None:
        """Write down every run of a workflow, oldest first, once the last has ended."""
        handle = self.client.get_workflow_handle(workflow_id)

        async def ended() -> bool:
            return (await handle.describe()).status is WorkflowExecutionStatus.COMPLETED

        await until(ended)
        query = f"WorkflowId = '{workflow_id}'"
        runs = [run async for run in self.client.list_workflows(query)]
        runs.sort(key=lambda run: run.start_time)
        for number, run in enumerate(runs, start=1):
            one = self.client.get_workflow_handle(workflow_id, run_id=run.run_id)
            suffix = f"-{number}" if len(runs) > 1 else ""
            write(f"{name}{suffix}", json.loads((await one.fetch_history()).to_json()))


def write(name: str, content: dict[str, Any]) -> None:
    """Keep a history, without the name of this machine."""
    file = HISTORIES / f"{name}.json"
    text = _MACHINE.sub("0@recorded", json.dumps(content, indent=1, ensure_ascii=False))
    file.write_text(text + "\n", "utf-8")
    sys.stdout.write(f"{file.name}: {len(content['events'])} events\n")


async def _record(settings: Settings, recorder: type[Recorder], names: Collection[str]) -> None:
    keys = KeyRing.parse(settings.keys.get_secret_value())
    use_key_ring(keys)
    called = Served(create_app(settings))
    called.start()
    settings = settings.model_copy(update={"gov_service_callback_url": called.url + CALLBACK_PATH})
    database = Database.from_settings(settings)
    client = await connect(settings, keys)
    office = await Office.open(database, CaseSignaller(client, settings.task_queue))
    async with build(settings, client, database):
        await recorder(settings, database, client, office).all(names)
    called.stop()
    await database.close()


def main() -> None:
    """Start servers, record, stop them."""
    from tests.workflows.recording_accreditations import AccreditationRecorder
    from tests.workflows.recording_requests import RequestRecorder
    from tests.workflows.recording_rights import RightsRecorder
    from tests.workflows.recording_standing import StandingRecorder
    from tests.workflows.recording_verifications import VerificationRecorder

    recorders = {
        "applications": Recorder,
        "requests": RequestRecorder,
        "accreditations": AccreditationRecorder,
        "rights": RightsRecorder,
        "standing": StandingRecorder,
        "verifications": VerificationRecorder,
    }
    recorder, names = recorders[sys.argv[1]], sys.argv[2:]
    folder = Path(tempfile.mkdtemp(prefix="medcab-recording-"))
    folder.chmod(0o711)
    home = Home(folder / "main")
    home.make()
    servers = Servers.of_run(folder, os.getpid())
    simulators = Simulators.start(home)
    try:
        settings = worker_settings(servers, simulators, "recording", home)
        ring = (HISTORIES / KEYS_FILE).read_text().strip()
        settings = settings.model_copy(update={"keys": SecretStr(ring)})
        asyncio.run(_record(settings, recorder, names))
    finally:
        simulators.stop()
        stop_servers(folder)
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
