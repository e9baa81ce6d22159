"""The booking of the least program: one insert, with no look at hours or at who is taken."""

from typing import Any
from uuid import uuid4

import psycopg
from fastapi import FastAPI
from psycopg_pool import AsyncConnectionPool

from api.cases.drafts import IdempotencyKey
from api.http.auth import CurrentActor
from api.schedule.appointments import AppointmentIn

TABLE = """
create table least_appointment (
    id uuid primary key, act uuid not null unique, clinician uuid not null, patient uuid not null,
    starts_at timestamptz not null, by uuid not null
);
grant select, insert on least_appointment to medcab
"""


def add_booking(app: FastAPI, own: AsyncConnectionPool[psycopg.AsyncConnection[Any]]) -> None:
    """Add `/least/appointments`."""

    @app.post("/least/appointments", status_code=201)
    async def book(
        body: AppointmentIn, actor: CurrentActor, idempotency_key: IdempotencyKey
    ) -> dict[str, str]:
        appointment_id = uuid4()
        async with own.connection() as line:
            await line.execute(
                "insert into least_appointment values (%s, %s, %s, %s, %s, %s)",
                (
                    appointment_id,
                    idempotency_key,
                    body.clinician_id,
                    body.patient_id,
                    body.starts_at,
                    actor.person_id,
                ),
            )
        return {"id": str(appointment_id), "state": "booked"}
