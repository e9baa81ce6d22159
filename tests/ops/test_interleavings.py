"""What several people do at once with the same rows, statement by statement, in seeded orders.

`medcab interleave` does a thousand of each family; here are a few, and proofs that they can fail.
"""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text, update
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from clients.database import Database
from models.tables.results import LabResult
from models.tables.schedule import Appointment, AppointmentAct
from ops.interleavings import bookings
from ops.interleavings.bookings import BOOKINGS
from ops.interleavings.clinic import InterleavedClinic
from ops.interleavings.confirming import CONFIRMING
from ops.interleavings.run import FAMILIES
from ops.interleavings.scenes import Family, play
from ops.interleavings.stepping import Stepper
from rules.clock import now
from rules.ids import new_id
from services.results import rows
from services.schedule import acts, claims
from services.schedule.acts import Appointments, TimeWish
from settings import Settings
from tests.shared.office import Office

SEEDS = 2
FOUND_WITHIN = 40
"""A fault that was made on purpose is found within so many seeds."""


@pytest.fixture
async def clinic(database: Database, office: Office) -> InterleavedClinic:
    """People of this test's own; the office has filled the catalogue."""
    assert office.database is database
    return await InterleavedClinic.gather(database)


@pytest.fixture
async def stepper(database: Database, clinic: InterleavedClinic) -> AsyncIterator[Stepper]:
    """Steps through acts on the database of the run."""
    del clinic
    async with Stepper(database) as made:
        yield made


async def test_whatever_the_order_nothing_is_wrong(
    clinic: InterleavedClinic, stepper: Stepper
) -> None:
    """Nobody is taken twice, nothing is lost, and whoever was told that it is done is right."""
    played = [await play(one, clinic, stepper, seed) for one in FAMILIES for seed in range(SEEDS)]
    assert [one for one in played if one.faults] == []
    assert sum(one.done for one in played) > SEEDS * len(FAMILIES)


def _whatever_version(appointment_id: UUID, *_: object) -> Any:
    """The change of an appointment, in whatever version and state it is."""
    changed = update(Appointment).where(col(Appointment.id) == appointment_id)
    return changed.returning(col(Appointment.version)).execution_options(synchronize_session=False)


async def _unlocked(session: AsyncSession, result_id: UUID) -> LabResult:
    """A result that others may change meanwhile."""
    return await session.get_one(LabResult, result_id, populate_existing=True)


@pytest.mark.parametrize(
    ("family", "where", "name", "broken"),
    [
        (BOOKINGS, acts, "_conditional", _whatever_version),
        (CONFIRMING, rows, "locked", _unlocked),
    ],
    ids=["version", "lock"],
)
async def test_what_is_broken_on_purpose_is_found(
    clinic: InterleavedClinic,
    stepper: Stepper,
    monkeypatch: pytest.MonkeyPatch,
    family: Family,
    where: Any,
    name: str,
    broken: Any,
) -> None:
    """Without the version in the statement, or without the lock, a seed finds what comes of it."""
    monkeypatch.setattr(where, name, broken)
    for seed in range(FOUND_WITHIN):
        if (await play(family, clinic, stepper, seed)).faults:
            return
    pytest.fail("nothing was found")


async def test_without_the_constraint_two_have_one_time(
    clinic: InterleavedClinic, settings: Settings
) -> None:
    """With the constraint taken away, the very statement that books lets two have one time."""
    owner_url = settings.database_owner_url
    assert owner_url is not None
    owner = Database(owner_url.get_secret_value())
    (patient,) = await clinic.patients(1)
    wish = TimeWish(clinic["doctor"].person_id, patient, clinic.slot(2))
    made = await Appointments(clinic.database).book(clinic["registrar"], uuid4(), wish)
    async with owner.work() as session:
        connection = await session.connection()
        await connection.execute(text("alter table claim drop constraint claim_taken_once"))
        first = await session.get_one(Appointment, made.id)
        twin = Appointment(**first.model_dump() | {"id": new_id()})
        booked = AppointmentAct(
            id=uuid4(), by=twin.booked_by, at=now(), body_hash="", appointment_id=twin.id
        )
        await claims.take(session, booked, twin, None)
        both = {one.id: one for one in (first, twin)}
        assert len(bookings.taken_wrongly(both, await bookings.claims_of(session, both))) == 2
        await session.rollback()
    await owner.close()
