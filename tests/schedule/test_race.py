"""Many book one time at once over HTTP, with few connections to the database (W1)."""

import asyncio
from collections import Counter
from uuid import uuid4

import httpx

from ops.faults.people import join
from rules.access import Role
from rules.accounts import AccountState
from settings import Settings
from tests.schedule.clinic import clinic_of
from tests.shared.cabinet import serving
from tests.shared.office import Office
from tests.shared.waiting import PATIENCE

AT_ONCE, POOL = 40, 2
"""A pool has as many connections again to spare."""


async def test_of_forty_at_once_one_has_the_time_and_nobody_meets_an_error(
    office: Office, settings: Settings
) -> None:
    """All others are told what is taken, though forty share four connections."""
    clinic = await clinic_of(office)
    who = await join(
        office.database,
        "Лаптева Ирина",
        Role.REGISTRAR,
        office.institution,
        AccountState.CONFIRMED,
    )
    chosen = settings.model_copy(update={"database_pool": POOL})
    async with (
        serving(chosen) as site,
        httpx.AsyncClient(
            base_url=site.url,
            headers={"Authorization": f"Bearer {who.token}"},
            timeout=PATIENCE,
        ) as client,
    ):
        answers = await asyncio.gather(
            *(
                client.post(
                    "/api/v1/schedule/appointments",
                    json={
                        "clinician_id": str(clinic.doctor.person_id),
                        "patient_id": str(clinic.patients[number % len(clinic.patients)]),
                        "starts_at": clinic.first.isoformat(),
                    },
                    headers={"Idempotency-Key": str(uuid4())},
                )
                for number in range(AT_ONCE)
            )
        )
    assert Counter(one.status_code for one in answers) == {201: 1, 409: AT_ONCE - 1}
    refused = [one.json() for one in answers if one.status_code == 409]
    assert all(one["code"] == "taken" and "clinician" in one["taken"] for one in refused)
    assert len(await clinic.claims()) == 3
