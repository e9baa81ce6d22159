"""RACE: two hundred people book one time at once, also while the API is killed."""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid4

from sqlmodel import col, func, select

from bench.clinic.hospital import enter_patients, open_hospital
from bench.ground import Office
from bench.method import Comparison, Figure, Interval
from bench.wire import Wire
from models.tables.schedule import Appointment, TimeClaim
from ops.faults.people import ApiUser, join
from rules.access import Role
from rules.accounts import AccountState

PEOPLE, CALM, KILLS = 200, 5, 5
PATIENCE = 120.0
AGAIN_AFTER = 0.2
RESTARTS_SOON = 1.0


@dataclass
class _Race:
    """One time that all want, each for a patient of their own; what each was answered at last."""

    office: Office
    clinician: UUID
    at: datetime
    kills_after: list[int] = field(default_factory=list)
    """Kill the API when so many have their answer; 0 is before the first one."""
    answers: list[tuple[int, bytes]] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    killed: int = 0

    async def run(self, people: Sequence[tuple[ApiUser, UUID]]) -> None:
        """Let all book at once, and wait until each has an answer."""
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*(self._book(who, patient) for who, patient in people))

    async def _book(self, who: ApiUser, patient: UUID) -> None:
        body = {
            "clinician_id": str(self.clinician),
            "patient_id": str(patient),
            "starts_at": self.at.isoformat(),
        }
        sent, key = json.dumps(body).encode(), {"Idempotency-Key": str(uuid4())}
        wire = Wire(self.office.ground.settings.public_url, who.token)
        while True:
            try:
                answer = await wire.answer("POST", "/api/v1/schedule/appointments", sent, key)
            except (OSError, asyncio.IncompleteReadError):
                await asyncio.sleep(AGAIN_AFTER)
                continue
            if answer[0] < 500:
                break
            self.errors[str(answer[0])] += 1
            await asyncio.sleep(AGAIN_AFTER)
        wire.close()
        self.answers.append(answer)
        while self.kills_after and len(self.answers) >= self.kills_after[0]:
            self.kills_after.pop(0)
            self.killed += 1
            self.office.ground.system.kill("api")

    @property
    def booked(self) -> int:
        """How many were told that the time is theirs."""
        return sum(1 for status, _ in self.answers if status == 201)

    @property
    def refused(self) -> int:
        """How many were told clearly that the clinician is taken."""
        return sum(1 for status, body in self.answers if status == 409 and _is_clear(body))

    async def stored(self) -> tuple[int, int]:
        """How many appointments there are at that time, and how many claims on the clinician."""
        async with self.office.database.reading() as session:
            of_time = select(func.count()).where(
                col(Appointment.clinician_id) == self.clinician,
                col(Appointment.starts_at) == self.at,
            )
            appointments = (await session.exec(of_time)).one()
            of_person = select(func.count()).where(
                col(TimeClaim.party) == self.clinician,
                func.lower(col(TimeClaim.during)) == self.at,
            )
            return appointments, (await session.exec(of_person)).one()


def _is_clear(body: bytes) -> bool:
    said = json.loads(body)
    return said["code"] == "taken" and "clinician" in said["taken"] and bool(said["title"])


async def race(office: Office, scale: float) -> list[Figure]:
    """Two hundred people and one time: some times calmly, once with five kills of the API."""
    del scale
    hospital = await open_hospital(office, clinicians=1, patients=0)
    patients = await enter_patients(office.database, hospital.unit, PEOPLE)
    people = [
        await join(office.database, f"Р {n}", Role.REGISTRAR, hospital.unit, AccountState.CONFIRMED)
        for n in range(PEOPLE)
    ]
    office.ground.system.steady_after = RESTARTS_SOON
    times = iter(hospital.times(hospital.first, 7))
    calm = [_Race(office, hospital.clinicians[0], next(times)) for _ in range(CALM)]
    kills = [n * PEOPLE // (KILLS + 1) for n in range(1, KILLS + 1)]
    rough = [_Race(office, hospital.clinicians[0], next(times), kills)]
    return [
        *await _judged("RACE", "at once", calm, list(zip(people, patients, strict=True))),
        *await _judged(
            "RACE killed",
            f"at once, with {KILLS} kills of the API",
            rough,
            list(zip(people, patients, strict=True)),
        ),
    ]


async def _judged(
    name: str, how: str, races: Sequence[_Race], people: Sequence[tuple[ApiUser, UUID]]
) -> list[Figure]:
    for one in races:
        await one.run(people)
        if (stored := await one.stored()) != (1, 1):
            raise RuntimeError(f"{name}: {stored} appointments and claims are stored")
    killed = sum(one.killed for one in races)
    errors = sum((one.errors for one in races), Counter())
    tried = len(people) * len(races)
    notes = {"kills": f"{killed}"} if killed else {}
    if errors:
        notes["server errors by status"] = f"{dict(errors)}"

    def exact(what: str, bound: Comparison, bar: float, worst: float) -> Figure:
        return Figure(
            name=f"{name} {what}",
            what=f"{what}, of {len(people)} who book one time {how}",
            bound=bound,
            bar=bar,
            ratio=Interval(worst, worst, worst),
            control=None,
            tried=tried,
            ours=worst,
            least=bar,
            unit="",
            notes=notes,
        )

    least, most = Comparison.AT_LEAST, Comparison.AT_MOST
    return [
        exact("booked", least, 1, min(one.booked for one in races)),
        exact("refused", least, len(people) - 1, min(one.refused for one in races)),
        exact("server errors", most, 0, errors.total()),
    ]
