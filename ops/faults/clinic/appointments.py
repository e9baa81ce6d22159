"""Several people want one time, while servers fail; then it is moved, cancelled, or both."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from ops.faults.clients import ApiClient, NoAnswer, Reply
from ops.faults.clinic.people import STEP, ClinicCast
from ops.faults.evidence import Evidence
from ops.faults.story import Story
from rules.clock import now
from rules.schedule.states import AppointmentState, VisitStep

ENDINGS: Mapping[str, int] = {
    "appointment_kept": 2,
    "appointment_moved": 3,
    "appointment_cancelled": 2,
    "appointment_moved_and_cancelled": 3,
}
"""How stories end, by weight."""

AT_ONCE = 4
"""So many want one time."""
TIMES = 48
"""Times of each doctor in a run: few enough that stories meet in them."""


class AppointmentStory(Story):
    """One time that several want; `_id` is the appointment of the one who gets it."""

    room = "schedule/appointments"
    endings = ENDINGS

    def __init__(
        self,
        evidence: Evidence,
        registrars: list[ApiClient],
        dice: random.Random,
        cast: ClinicCast,
    ) -> None:
        super().__init__(evidence, registrars[0], dice)
        self._registrars, self._cast = registrars, cast
        self._first = (now() + timedelta(days=2)).replace(hour=0, minute=0, second=0, microsecond=0)
        self._patient = UUID(int=0)

    async def _submit(self) -> None:
        """Let several book one time at once until somebody has one; at most one gets each."""
        for _ in range(TIMES):
            doctor, at = self._time()
            patients = self._dice.sample(self._cast.patients, AT_ONCE)
            replies = await asyncio.gather(
                *(
                    self._book(who, doctor, one.id, at)
                    for who, one in zip(self._registrars, patients, strict=False)
                )
            )
            got = [
                (UUID(reply.body["id"]), one.id)
                for reply, one in zip(replies, patients, strict=False)
                if reply.good
            ]
            if len(got) > 1:
                raise NoAnswer(f"{len(got)} people have one time")
            if got:
                ((self._id, self._patient),) = got
                return
        raise NoAnswer("no time is free")

    async def _end(self, ending: str) -> None:
        endings: dict[str, Callable[[], Awaitable[object]]] = {
            "appointment_kept": self._look,
            "appointment_moved": self._moved,
            "appointment_cancelled": lambda: self._cancel(1),
            "appointment_moved_and_cancelled": self._both,
        }
        await endings[ending]()

    async def _moved(self) -> None:
        """Move it to another time; to a time that is taken it does not move."""
        while not await self._move():
            pass

    async def _both(self) -> None:
        """One moves it and another cancels it, as both have seen it: one of them is refused."""
        moved, cancelled = await asyncio.gather(self._move(), self._cancel(1))
        if moved and cancelled:
            raise NoAnswer(f"{self._id} was moved and cancelled")

    async def _move(self) -> bool:
        doctor, at = self._time()
        body = {**_wish(doctor, self._patient, at), "version": 1}
        key = uuid4()
        mover = self._registrars[1]
        reply = await mover.ask("POST", f"/{self.room}/{self._id}/move", body, key=key)
        self._answered(reply)
        if reply.good:
            self._evidence.appointments[self._id] = AppointmentState.MOVED
            self._keep(reply, key)
        return reply.good

    async def _cancel(self, version: int) -> bool:
        key = uuid4()
        body = {"version": version, "step": VisitStep.CANCEL.value, "reason": "Не сможет прийти."}
        path = f"/{self.room}/{self._id}/steps"
        reply = await self._registrars[2].ask("POST", path, body, key=key)
        self._answered(reply)
        if reply.good:
            self._evidence.appointments[self._id] = AppointmentState.CANCELLED
            self._evidence.visit_acts[key] = self._id
        return reply.good

    async def _book(self, who: ApiClient, doctor: UUID, patient: UUID, at: datetime) -> Reply:
        key = uuid4()
        reply = await who.ask("POST", f"/{self.room}", _wish(doctor, patient, at), key=key)
        self._answered(reply)
        if reply.good:
            self._keep(reply, key)
        return reply

    def _keep(self, reply: Reply, key: UUID) -> None:
        appointment_id = UUID(reply.body["id"])
        self._evidence.appointments.setdefault(appointment_id, AppointmentState.BOOKED)
        self._evidence.visit_acts[key] = appointment_id

    def _answered(self, reply: Reply) -> None:
        """Raise NoAnswer unless the answer is a yes or a clear refusal."""
        if not reply.good and (reply.status != 409 or not reply.body.get("code")):
            raise NoAnswer(f"an appointment was answered by {reply.status} {reply.body}")

    def _time(self) -> tuple[UUID, datetime]:
        at = self._first + self._dice.randrange(TIMES) * timedelta(minutes=STEP)
        return self._dice.choice(self._cast.doctors).person_id, at


def _wish(doctor: UUID, patient: UUID, at: datetime) -> dict[str, Any]:
    return {
        "clinician_id": str(doctor),
        "patient_id": str(patient),
        "starts_at": at.isoformat(),
    }
