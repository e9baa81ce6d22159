"""HOME: a clinician's first page and day, against pages with the same lines by one statement."""

import time
from datetime import date, timedelta
from statistics import median
from uuid import UUID

from sqlmodel import col, select

from api.http.auth import cookie_names
from bench.ground import Office
from bench.method import Block, Comparison, Costs, Figure, Promise, Series, judge
from bench.wire import Wire
from models.tables.people import Unit
from models.tables.schedule import Appointment
from ops.faults.people import ApiUser, session_holders
from rules.access import Role
from rules.accounts import AccountState
from rules.clock import now
from rules.patients.identity import Identity, Sex
from rules.schedule.states import AppointmentState
from services.patients.entering import enter

OF_A_DAY = 20
PAGES = {"home": "/", "day": "/schedule"}


async def home(office: Office, scale: float) -> list[Figure]:
    """Both pages of a clinician with twenty appointments today."""
    each, settings = 15, office.ground.settings
    async with office.database.work() as session:
        some = select(Unit.id).where(col(Unit.parent_id).is_not(None)).limit(1)
        unit = (await session.exec(some)).first()
    if unit is None:
        raise RuntimeError("there is no unit")
    names = cookie_names(settings)
    [doctor] = await session_holders(
        office.database, names, "Врач", Role.DOCTOR, unit, 1, AccountState.CONFIRMED
    )
    await _book(office, doctor, unit)

    def reading(base: str, path: str) -> Block:
        wire = Wire(base, "")

        async def block() -> Costs:
            costs = []
            for _ in range(each):
                began = time.perf_counter()
                answer = await wire.ask("GET", path, headers=doctor.session)
                costs.append(time.perf_counter() - began)
            if "Пациент".encode() not in answer:
                raise RuntimeError(f"{path} shows no patient")
            return {"page": median(costs)}

        return block

    figures: list[Figure] = []
    for name, path in PAGES.items():
        promise = Promise("page", f"HOME {name}", f"the page {path}, p50", Comparison.AT_MOST, 1.5)
        ours = reading(settings.public_url, path)
        least = reading(office.ground.least_door.address, f"/least/{name}")
        figures += await judge([promise], ours, least, Series(40).scaled(scale), each)
    return figures


async def _book(office: Office, doctor: ApiUser, unit: UUID) -> None:
    """Today's appointments, around now, so that they lie on one day wherever it is."""
    moment = now()
    async with office.database.work() as session:
        for number in range(OF_A_DAY):
            who = Identity(f"Пациент Номер {number}", date(1961, 3, 14), Sex.FEMALE)
            patient = await enter(session, who, unit, None, moment)
            if patient is None:
                raise RuntimeError("there is somebody of this identity")
            at = moment + timedelta(seconds=number)
            session.add(
                Appointment(
                    clinician_id=doctor.person_id,
                    patient_id=patient.id,
                    unit_id=unit,
                    starts_at=at,
                    ends_at=at + timedelta(minutes=15),
                    wall=at.replace(tzinfo=None),
                    zone="UTC",
                    state=AppointmentState.BOOKED.value,
                    changed_at=moment,
                    booked_by=doctor.person_id,
                )
            )
