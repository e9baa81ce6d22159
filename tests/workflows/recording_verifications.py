"""Stories of verifications of accounts, lived through for their histories. See `recording`."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID, uuid4

from fastapi import FastAPI

from api.container import Container
from clients.objects import Objects
from crypto.key_ring import key_ring
from models.messages import ActRef, case_workflow_id
from rules.access import Role
from rules.accounts import AccountState
from rules.cases.process import CaseKind, Party, Status, Transition
from rules.clock import now
from rules.notices.kinds import Channel
from services.cases.acts import Act
from services.cases.signals import CaseSignals
from services.cases.wakeups import applicant_did_more
from tests.shared.desk import Desk
from tests.shared.waiting import until
from tests.verifications.living import Verified, identity
from tests.workflows.recording import Recorder


class VerificationRecorder(Recorder):
    """Lives through verifications with a real worker and the identity register's simulator."""

    kind = CaseKind.VERIFICATION

    def stories(self) -> dict[str, Callable[[], Awaitable[UUID]]]:
        """What is lived through, by the name of its file."""
        return {
            "verification-confirmed": self.confirmed,
            "verification-clarified": self.sent_back,
            "verification-corrected": self.corrected,
            "verification-lapsed": self.lapsed,
            "verification-register-down": self.register_down,
            "verification-false-signal": self.false_signal,
        }

    async def confirmed(self) -> UUID:
        """Documents, contacts, a second factor and the meeting: confirmed by itself."""
        someone, case_id = await self._begun()
        await someone.decide(case_id, Transition.APPROVE)
        await someone.confirms(Channel.MAIL)
        await someone.confirms(Channel.SMS)
        async with self.database.work() as session:
            past = now() - timedelta(minutes=1)
            await applicant_did_more(session, someone.person.person_id, past)
        await self._sweep()

        async def active() -> bool:
            return await someone.state() is AccountState.ACTIVE

        await until(active)
        await someone.enrols()
        await someone.meets()
        await self._stands(case_id, Status.CONFIRMED)
        return case_id

    async def sent_back(self) -> UUID:
        """Sent back and answered, which begins a new run; then rejected."""
        someone, case_id = await self._begun()
        await someone.decide(case_id, Transition.CLARIFY, remarks={"inn": "Проверьте номер."})
        await until(lambda: self._sleeps(someone, case_id))
        acts = someone.desk.container.verifications
        await acts.save_draft(someone.person, case_id, {"personnel_number": "ТН-1"})
        step = (await someone.case(case_id)).step
        await acts.resubmit(someone.person, case_id, Act(uuid4(), step))
        await self._stands(case_id, Status.IN_REVIEW)
        await someone.decide(case_id, Transition.REJECT)
        return case_id

    async def corrected(self) -> UUID:
        """Corrected unasked, checked again, and taken back."""
        someone, case_id = await self._begun()
        acts, step = someone.desk.container.verifications, (await someone.case(case_id)).step
        await acts.save_draft(someone.person, case_id, {"personnel_number": "ТН-1"})
        await acts.correct(someone.person, case_id, Act(uuid4(), step))

        async def checked() -> bool:
            case = await someone.case(case_id)
            return case.status == Status.IN_REVIEW and case.step > step + 1

        await until(checked)
        step = (await someone.case(case_id)).step
        await acts.withdraw(someone.person, case_id, Act(uuid4(), step), "Передумала.")
        return case_id

    async def lapsed(self) -> UUID:
        """Sent back, reminded, never answered."""
        someone, case_id = await self._begun()
        await someone.decide(case_id, Transition.CLARIFY, remarks={"inn": "Проверьте номер."})
        await until(lambda: self._sleeps(someone, case_id))
        past = now() - timedelta(days=40)
        await self.office.set_times(
            case_id, since=past, due_at=past + timedelta(days=14), wakes_at=past
        )
        await self._sweep()
        await self._stands(case_id, Status.LAPSED)
        return case_id

    async def register_down(self) -> UUID:
        """The check waits for the register, and goes on by itself."""
        someone = await self._someone()
        async with identity(self.settings.identity_url) as switches:
            await switches.put("/faults", json={"mode": "fail"})
            case_id = await someone.handed_in()
            await until(lambda: self._waits_for(case_id, Party.IDENTITY_REGISTER))
        await self._stands(case_id, Status.IN_REVIEW)
        await someone.decide(case_id, Transition.REJECT)
        return case_id

    async def false_signal(self) -> UUID:
        """A signal typed by hand decides nothing."""
        someone, case_id = await self._begun()
        handle = self.client.get_workflow_handle(case_workflow_id(case_id, self.kind))
        await handle.signal("approve", ActRef(act_id=uuid4()))
        await until(lambda: self._journaled(case_id, "case.signal_without_act"))
        await someone.decide(case_id, Transition.REJECT)
        return case_id

    async def _someone(self) -> Verified:
        signals = CaseSignals(self._signaller)
        app, objects = FastAPI(), Objects(self.settings)
        app.state.container = Container(
            self.settings, key_ring(), self.database, objects, self.client, signals
        )
        operator = await self.office.person("Орлова Вера", Role.OPERATOR, self.office.institution)
        return await Verified.open(Desk(app, self.office), operator)

    async def _begun(self) -> tuple[Verified, UUID]:
        someone = await self._someone()
        case_id = await someone.handed_in()
        await self._stands(case_id, Status.IN_REVIEW)
        return someone, case_id

    async def _sleeps(self, someone: Verified, case_id: UUID) -> bool:
        case = await someone.case(case_id)
        return case.wakes_at is not None and case.wakes_at > now()
