"""What no case begins, worked through for its histories. See `recording`."""

import asyncio
import gzip
import json
from collections.abc import Collection
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
from sqlalchemy import update
from sqlmodel import col, select
from temporalio.common import WorkflowIDReusePolicy

from activities import notices
from clients.objects import Objects
from clients.temporal.client import (
    SCHEDULED,
    STANDING,
    CaseSignaller,
    ensure_standing,
)
from clients.temporal.rows import RowWaker
from models.messages import WAKE_UP, CredentialSignal, WorkflowName
from models.tables.accounts import Account, AccountLock
from models.tables.archive import Export
from models.tables.handovers import Handover
from models.tables.patients import Emergency, PatientCheck
from models.tables.registers import RegisterCheck
from rules.absences import AbsenceReason
from rules.access import Role
from rules.archive import ExportKind
from rules.clock import now
from rules.results.life import NextStep, OfferState
from rules.subscribers import PAUSES
from services.absences import seen as absences
from services.absences.acts import AbsenceDays, Absences
from services.account_locks.acts import AccountLocks
from services.archive.search import ArchiveFilters
from services.cases.signals import CaseSignals
from services.credentials.acts import Credentials
from services.exports.acts import Exports
from services.meetings.acts import Meetings
from services.own_workflows import Wake
from services.patients.checks import PatientChecks
from services.patients.openings import Openings
from services.registers.checks import RegisterChecks
from services.results import hearing
from services.results import rows as results
from services.results.acts import Confirmed, ResultActs
from services.subscribers import keeping
from simulators.subscriber import ReceiverBehaviour
from tests.api.handover_samples import give_handovers
from tests.credentials.conftest import Keeping
from tests.patients.people import patient
from tests.patients.test_emergencies import judgements
from tests.results.clinic import Clinic
from tests.schedule.clinic import clinic_of
from tests.shared.accounts import visitor_at
from tests.shared.waiting import PATIENCE, until
from tests.subscribers.receiving import Line, receiving
from tests.workflows.recording import Recorder, write


class StandingRecorder(Recorder):
    """Records the standing workflows up to their second shift, a night, and exports."""

    async def all(self, names: Collection[str]) -> None:
        """Shifts side by side, then the rest one after another."""
        notices.SHIFT = 1.0
        wanted = [one.id for one in STANDING if not names or one.id in names]
        if wanted:
            await ensure_standing(self.client, self.settings.task_queue)
            await asyncio.gather(*map(self._cut, wanted))
        for name, (workflow, _) in SCHEDULED.items():
            if not names or name in names:
                await self.client.start_workflow(
                    workflow,
                    id=name,
                    task_queue=self.settings.task_queue,
                    id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                )
                await self._keep(name, name)
        if not names or "account-lock" in names:
            await self._keep("account-lock", f"account-lock-{await self.opened()}")
        if not names or "credential" in names:
            await self._keep("credential", f"credential-{await self.lived()}")
        if not names or "register-check" in names:
            await self._keep("register-check", f"register-check-{await self.checked()}")
        if not names or "result" in names:
            await self._keep("result", f"result-{await self.resulted()}")
        if not names or "absence" in names:
            await self._keep("absence", f"absence-{await self.displaced()}")
        if not names or "handover" in names:
            await self._keep("handover", f"handover-{await self.handed_over()}")
        if not names or "subscriber" in names:
            await self._keep("subscriber", f"subscriber-{await self.told()}")
        if not names or "emergency-access" in names:
            await self._keep("emergency-access", f"emergency-access-{await self.judged()}")
        if not names or "patient-check" in names:
            await self._keep("patient-check", f"patient-check-{await self.compared()}")
        for name, story in {"export": self.made, "export-given-up": self.given_up}.items():
            if not names or name in names:
                await self._keep(name, f"export-{await story()}")

    async def opened(self) -> UUID:
        """An account that is locked, reminded of, and opened while its workflow waits."""
        moment, person_id = now(), self.office.clinician.person_id
        wake = self._waker(WorkflowName.ACCOUNT_LOCK)
        signals = CaseSignals(CaseSignaller(self.client, self.settings.task_queue))
        async with self.database.work() as session:
            account = Account(
                person_id=person_id,
                login=uuid4().hex,
                password_hash="none",
                password_changed_at=moment,
                created_at=moment,
            )
            session.add(account)
        locks = AccountLocks(self.database, Meetings(self.database, signals), wake)
        await locks.lock_own(person_id, visitor_at())
        async with self.database.work() as session:
            found = await session.exec(
                select(AccountLock.id).where(AccountLock.person_id == person_id)
            )
            lock_id = found.one()
        await self._waits(f"account-lock-{lock_id}", 1)
        async with self.database.work() as session:
            await session.exec(
                update(AccountLock).where(col(AccountLock.id) == lock_id).values(ended_at=now())
            )
        await wake(lock_id)
        return lock_id

    async def lived(self) -> UUID:
        """A credential that is corrected and renewed, and was a mistake in the end."""
        wake, owner = self._waker(WorkflowName.CREDENTIAL), self.office.clinician
        acts = Credentials(self.database, wake)
        keeping = Keeping(self.office, acts, [])
        made = await keeping.add()
        await self._waits(f"credential-{made}", 1)
        days = {"valid_until": (now() + timedelta(days=800)).strftime("%d.%m.%Y")}
        await acts.correct(owner, made, uuid4(), 1, days, "Ошибка в годе")
        await self._waits(f"credential-{made}", 2)
        heard = (
            WAKE_UP,
            CredentialSignal.RENEWAL_OPENED,
            CredentialSignal.RENEWAL_CLOSED,
            CredentialSignal.REPLACED,
        )
        for n, signal in enumerate(heard, start=3):
            await wake(made, signal=signal)
            await self._waits(f"credential-{made}", n)
        await acts.withdraw(owner, made, "Внесено по ошибке")
        return made

    async def _waits(self, workflow_id: str, times: int) -> None:
        """Wait until a run has begun to wait so often."""
        run = self.client.get_workflow_handle(workflow_id)

        async def waits() -> bool:
            history = json.loads((await run.fetch_history()).to_json())
            began = ["timerStartedEventAttributes" in event for event in history["events"]]
            return sum(began) >= times

        await until(waits)

    async def checked(self) -> UUID:
        """Somebody whom a register does not answer about at once, and who asks again."""
        wake = RowWaker(self.client, self.settings.task_queue, WorkflowName.REGISTER_CHECK)
        person_id = self.office.clinician.person_id
        async with httpx.AsyncClient(
            base_url=self.settings.register_url, timeout=PATIENCE
        ) as register:
            await register.put("/faults", json={"mode": "fail"})
            checks = RegisterChecks(self.database, wake)
            checks.patience = PATIENCE
            state = await checks.ask(self.office.clinician)
            assert state.tries == 1
            await register.put("/faults", json={"mode": "ok"})
        async with self.database.work() as session:
            check = (
                await session.exec(
                    select(RegisterCheck).where(RegisterCheck.person_id == person_id)
                )
            ).one()
            check.next_try_at = now()
            session.add(check)
        await wake(check.id)
        return check.id

    async def displaced(self) -> UUID:
        """An absence whose one appointment is cancelled, and whose patient is called meanwhile."""
        clinic = await clinic_of(self.office, 1)
        await clinic.book()
        wake = self._waker(WorkflowName.ABSENCE)
        acts = Absences(self.database, clinic.appointments, wake)
        day = clinic.first.date()
        days = AbsenceDays(day, day, AbsenceReason.ILLNESS)
        plan = await acts.plan(clinic.registrar, uuid4(), clinic.doctor.person_id, days)
        await self._waits(f"absence-{plan}", 1)
        async with self.database.work() as session:
            (line,) = (await absences.page(session, clinic.registrar, plan)).waiting
        await acts.cancel(clinic.registrar, uuid4(), line.id, "Пациент попросил")
        await self._waits(f"absence-{plan}", 2)
        await acts.told(clinic.registrar, line.id)
        return plan

    async def handed_over(self) -> UUID:
        """What an authority asked for is refused while its workflow waits to remind of it."""
        moment = now()
        wake = self._waker(WorkflowName.HANDOVER)
        async with self.database.work() as session:
            handover_id = UUID(
                (await give_handovers(session, self.office.clinician))["handover_id"]
            )
        await wake(handover_id)
        await self._waits(f"handover-{handover_id}", 1)
        async with self.database.work() as session:
            await session.exec(
                update(Handover)
                .where(col(Handover.id) == handover_id)
                .values(state="refused", decided_at=moment, looks_at=moment)
            )
        await wake(handover_id)
        return handover_id

    async def judged(self) -> UUID:
        """A record that was opened at once, and is judged while its workflow waits to remind."""
        wake = self._waker(WorkflowName.EMERGENCY_ACCESS)
        judge = await self.office.person("Ершова Нина", Role.SECURITY, self.office.institution)
        key = await patient(self.database, self.office.ward)
        await Openings(self.database, wake).open_at_once(self.office.clinician, key, "Кома")
        async with self.database.work() as session:
            found = await session.exec(
                select(Emergency.id).where(Emergency.person_id == self.office.clinician.person_id)
            )
            emergency_id = found.one()
        await self._waits(f"emergency-access-{emergency_id}", 1)
        await judgements(self.office, wake).judge(
            judge, emergency_id, justified=True, reason="Жизни грозила опасность"
        )
        return emergency_id

    async def compared(self) -> UUID:
        """A patient is compared with a registry that is down at first."""
        wake = self._waker(WorkflowName.PATIENT_CHECK)
        registrar = await self.office.person(
            "Лаптева Ирина", Role.REGISTRAR, self.office.institution
        )
        key = await patient(self.database, self.office.ward)
        async with httpx.AsyncClient(base_url=self.settings.patient_registry_url) as registry:
            await registry.put("/faults", json={"mode": "fail"})
            await PatientChecks(self.database, wake).ask(registrar, key)
            await self._waits(f"patient-check-{key}", 1)
            await registry.put("/faults", json={"mode": "ok"})
        async with self.database.work() as session:
            await session.exec(
                update(PatientCheck).where(col(PatientCheck.id) == key).values(next_try_at=now())
            )
        await wake(key)
        return key

    async def told(self) -> UUID:
        """A subscriber that is down at first, and then takes what waited."""
        wake = self._waker(WorkflowName.SUBSCRIBER)
        async with receiving() as (inbox, address):
            line = Line(self.database, inbox, address)
            inbox.behaviour = ReceiverBehaviour(answer=500)
            id_, _ = await line.subscribe()
            async with self.database.work() as session:
                await keeping.test(session, id_, None, now())
            await wake(id_)
            await self._waits(f"subscriber-{id_}", 1)
            inbox.behaviour = ReceiverBehaviour()
            await line.later(id_, PAUSES[-1])
            await wake(id_)
            run = self.client.get_workflow_handle(f"subscriber-{id_}")
            await asyncio.wait_for(run.result(), PATIENCE)
        return id_

    async def resulted(self) -> UUID:
        """A result that is offered and taken back, and confirmed while its workflow waits."""
        clinic = await Clinic.open(self.office)
        wake, said = self._waker(WorkflowName.RESULT), clinic.said()
        acts = ResultActs(self.database, wake, clinic.terms)
        await hearing.take(self.database, said, clinic.terms, wake)
        result = results.id_of(said.number)
        await self._waits(f"result-{result}", 1)
        to = clinic.colleague.person_id
        offer = await acts.offer(clinic.doctor, result, to, "Прошу посмотреть")
        await self._waits(f"result-{result}", 2)
        await acts.answer_offer(clinic.doctor, result, offer, OfferState.WITHDRAWN)
        await self._waits(f"result-{result}", 3)
        await clinic.open_page(clinic.doctor, result)
        done = Confirmed(1, clinic.patient, NextStep.NOTHING, "")
        await acts.confirm(clinic.doctor, result, done)
        return result

    async def made(self) -> UUID:
        """A list that becomes a file."""
        return await self._asked(self._waker(WorkflowName.EXPORT))

    async def given_up(self) -> UUID:
        """A list whose lines cannot be set."""

        async def later(row_id: UUID, *, signal: str = "", anew: bool = False) -> bool:
            return True

        export_id = await self._asked(later)
        line = gzip.compress((json.dumps(["no moment"] * 8) + "\n").encode())
        objects = Objects(self.settings)
        async with self.database.work() as session:
            export = await session.get_one(Export, export_id)
            await objects.put(f"{export.folder}/part-00000", line, len(line), "application/gzip")
            await session.exec(
                update(Export).where(col(Export.id) == export_id).values(parts=1, done=1)
            )
        await objects.close()
        await self._waker(WorkflowName.EXPORT)(export_id)
        return export_id

    def _waker(self, name: WorkflowName) -> RowWaker:
        return RowWaker(self.client, self.settings.task_queue, name)

    async def _asked(self, start: Wake) -> UUID:
        objects = Objects(self.settings)
        await self._in_review()
        exports = Exports(self.database, objects, self.settings.institution, start)
        export = await exports.ask(self.office.clinician, ExportKind.PDF, ArchiveFilters())
        await objects.close()
        return export.id

    async def _cut(self, name: str) -> None:
        """Keep the history of a run that goes on, up to the beginning of its second shift."""
        handle = self.client.get_workflow_handle(name)
        history: dict[str, Any] = {}
        shifts: list[int] = []

        async def two() -> bool:
            history.update(json.loads((await handle.fetch_history()).to_json()))
            shifts[:] = [
                number
                for number, event in enumerate(history["events"], start=1)
                if "activityTaskScheduledEventAttributes" in event
            ]
            return len(shifts) > 1

        await until(two)
        write(name, {**history, "events": history["events"][: shifts[1]]})
