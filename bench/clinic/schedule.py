"""BOOK and WEEK: one booking, and the free times of a week among many appointments."""

import json
import time
from datetime import timedelta
from statistics import median
from urllib.parse import urlencode
from uuid import uuid4

from bench.clinic.hospital import (
    CLINICIANS,
    Hospital,
    analyze,
    book_all,
    open_hospital,
)
from bench.ground import Office
from bench.method import Block, Comparison, Costs, Figure, Promise, Series, judge
from bench.wire import Wire

FEW, MANY = 1_000, 50_000
IN_THE_WEEK = FEW // CLINICIANS
"""So many of the week's times of each clinician are taken, however many others there are."""
FARTHEST = 350
"""Days over which appointments are spread: nothing is booked more than a year ahead."""


async def book(office: Office, scale: float) -> list[Figure]:
    """A booking by a registrar, against a route with one insert."""
    each, hospital = 10, await open_hospital(office)
    await analyze(office.ground.settings)
    free = hospital.free(hospital.first, FARTHEST)
    token = hospital.registrar.token
    medcab = Wire(office.ground.settings.public_url, token)
    least = Wire(office.ground.least_door.address, token)

    def booking(wire: Wire, path: str) -> Block:
        async def block() -> Costs:
            costs = []
            for _ in range(each):
                clinician, patient, at = next(free)
                body = json.dumps(
                    {
                        "clinician_id": str(clinician),
                        "patient_id": str(patient),
                        "starts_at": at.isoformat(),
                    }
                ).encode()
                key = {"Idempotency-Key": str(uuid4())}
                began = time.perf_counter()
                await wire.ask("POST", path, body, key)
                costs.append(time.perf_counter() - began)
            await office.settle()
            return {"booking": median(costs)}

        return block

    promise = Promise("booking", "BOOK", "a booking until its answer", Comparison.AT_MOST, 1.3)
    ours = booking(medcab, "/api/v1/schedule/appointments")
    return await judge(
        [promise], ours, booking(least, "/least/appointments"), Series(60).scaled(scale), each
    )


async def week(office: Office, scale: float) -> list[Figure]:
    """The free week of fifty clinicians with many appointments, against one with few.

    Both units stand in one database and are equally busy in the week that is asked for.
    """
    each, many = 4, int(MANY * scale)
    paths: dict[int, tuple[Wire, str]] = {}
    for number in (FEW, many):
        hospital = await open_hospital(office)
        await _fill(office, hospital, number)
        query = urlencode(
            [("clinician_id", str(one)) for one in hospital.clinicians]
            + [("first", hospital.first.isoformat()), ("days", "7")]
        )
        wire = Wire(office.ground.settings.public_url, hospital.registrar.token)
        paths[number] = wire, f"/api/v1/schedule/free?{query}"
    await analyze(office.ground.settings)
    found = {number: len(json.loads(await w.ask("GET", p))) for number, (w, p) in paths.items()}
    if found[FEW] != found[many] or not found[FEW]:
        raise RuntimeError(f"the two weeks have {found} free times")

    def reading(number: int) -> Block:
        wire, path = paths[number]

        async def block() -> Costs:
            costs = []
            for _ in range(each):
                began = time.perf_counter()
                await wire.ask("GET", path)
                costs.append(time.perf_counter() - began)
            return {"week": median(costs)}

        return block

    what = f"a free week of {CLINICIANS} clinicians: {many} appointments to {FEW}"
    promise = Promise("week", "WEEK", what, Comparison.AT_MOST, 1.15)
    notes = {"free times in the answer": f"{found[FEW]}"}
    return await judge(
        [promise], reading(many), reading(FEW), Series(30).scaled(scale), each, notes
    )


async def _fill(office: Office, hospital: Hospital, number: int) -> None:
    """Book the same times of the week, and the others before and after it."""
    week = hospital.times(hospital.first, 7)
    taken = week[:: len(week) // IN_THE_WEEK][:IN_THE_WEEK]
    after = hospital.times(hospital.first + timedelta(days=7), FARTHEST)
    others = number // CLINICIANS - len(taken)
    await book_all(office.database, hospital, [*taken, *after[:others]])
