"""Stories of periodic accreditations, lived through for their histories. See `recording`."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID, uuid4

from fastapi import FastAPI

from api.container import Container
from clients.objects import Objects
from crypto.key_ring import key_ring
from rules.access import Role
from rules.cases.process import CaseKind, Party, Status, Transition
from rules.clock import now
from services.cases.acts import Act
from services.cases.signals import CaseSignals
from tests.accreditations.living import Accredited, centre
from tests.shared.desk import Desk
from tests.shared.waiting import until
from tests.workflows.recording import Recorder


class AccreditationRecorder(Recorder):
    """Lives through accreditations with a real worker and the simulated federal centre."""

    kind = CaseKind.ACCREDITATION

    def stories(self) -> dict[str, Callable[[], Awaitable[UUID]]]:
        """What is lived through, by the name of its file."""
        return {
            "accreditation-granted": self.granted,
            "accreditation-asked": self.asked,
            "accreditation-centre-down": self.centre_down,
            "accreditation-lapsed": self.lapsed,
            "accreditation-rejected": self.rejected,
            "accreditation-withdrawn": self.withdrawn,
        }

    async def granted(self) -> UUID:
        """Checked, forwarded, decided by the commission."""
        async with centre(self.settings.accreditation_centre_url):
            someone, case_id = await self._begun()
            await someone.decide(case_id, Transition.APPROVE)
            await someone.stands(case_id, Status.ACCREDITED)
        return case_id

    async def asked(self) -> UUID:
        """Asked back by the centre, answered, which begins a new run; then returned."""
        url = self.settings.accreditation_centre_url
        async with centre(url, answer="remarks") as switches:
            someone, case_id = await self._begun()
            await someone.decide(case_id, Transition.APPROVE)
            await someone.stands(case_id, Status.CLARIFICATION)
            await until(lambda: self._sleeps(case_id))
            await switches.put("/behaviour", json={"delay": 0, "answer": "returned"})
            await someone.acts.save_draft(someone.person, case_id, {"experience": 13})
            step = (await someone.case(case_id)).step
            await someone.acts.resubmit(someone.person, case_id, Act(uuid4(), step))
            await self._stands(case_id, Status.IN_REVIEW)
            await someone.decide(case_id, Transition.APPROVE)
            await someone.stands(case_id, Status.RETURNED)
        return case_id

    async def centre_down(self) -> UUID:
        """The portfolio waits for the centre, and is sent by itself; the term is over once."""
        async with centre(self.settings.accreditation_centre_url, answer="silent") as switches:
            await switches.put("/faults", json={"mode": "fail"})
            someone, case_id = await self._begun()
            await someone.decide(case_id, Transition.APPROVE)
            await until(lambda: self._waits_for(case_id, Party.FEDERAL_CENTRE))
            await switches.put("/faults", json={"mode": "ok"})
            await someone.stands(case_id, Status.FORWARDED)
            past = now() - timedelta(days=60)
            await self.office.set_times(
                case_id, since=past, due_at=past + timedelta(days=28), wakes_at=now()
            )
            await someone.sweep()
            await until(lambda: self._journaled(case_id, "case.escalated"))
            await switches.put("/behaviour", json={"delay": 0})
            await someone.ask_now(case_id)
            await someone.stands(case_id, Status.ACCREDITED)
        return case_id

    async def lapsed(self) -> UUID:
        """Sent back by the department, reminded, never answered."""
        someone, case_id = await self._begun()
        await someone.decide(case_id, Transition.CLARIFY, remarks={"report": "Подробнее."})
        await until(lambda: self._sleeps(case_id))
        past = now() - timedelta(days=40)
        await self.office.set_times(
            case_id, since=past, due_at=past + timedelta(days=14), wakes_at=past
        )
        await self._sweep()
        await self._stands(case_id, Status.LAPSED)
        return case_id

    async def rejected(self) -> UUID:
        """Rejected by the department."""
        someone, case_id = await self._begun()
        await someone.decide(case_id, Transition.REJECT)
        return case_id

    async def withdrawn(self) -> UUID:
        """Corrected unasked, checked again, and taken back."""
        someone, case_id = await self._begun()
        step = (await someone.case(case_id)).step
        await someone.acts.save_draft(someone.person, case_id, {"experience": 13})
        await someone.acts.correct(someone.person, case_id, Act(uuid4(), step))

        async def checked() -> bool:
            case = await someone.case(case_id)
            return case.status == Status.IN_REVIEW and case.step > step + 1

        await until(checked)
        step = (await someone.case(case_id)).step
        await someone.acts.withdraw(someone.person, case_id, Act(uuid4(), step), "Передумала.")
        return case_id

    async def _begun(self) -> tuple[Accredited, UUID]:
        signals = CaseSignals(self._signaller)
        app, objects = FastAPI(), Objects(self.settings)
        app.state.container = Container(
            self.settings, key_ring(), self.database, objects, self.client, signals
        )
        person = await self.office.person("Соколова Анна", Role.DOCTOR, self.office.ward)
        someone = Accredited(Desk(app, self.office), person)
        await someone.full_file()
        case_id = await someone.handed_in()
        await self._stands(case_id, Status.IN_REVIEW)
        return someone, case_id

    async def _sleeps(self, case_id: UUID) -> bool:
        case = await self.office.case(case_id)
        return case.wakes_at is not None and case.wakes_at > now()
