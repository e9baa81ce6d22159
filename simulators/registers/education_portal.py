"""The portal of continuing education (НМФО), simulated: completed courses."""

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI

from simulators.registers.batches import Batch, answers, holder, limited_app, port_of
from simulators.registers.people import (
    Registered,
    RegisteredPeople,
    everybody,
)

BATCH = "/v1/learners/batch"


def create_app(people: RegisteredPeople | None = None) -> FastAPI:
    """The portal; `app.state.faults` is its fault switch."""
    known = people or everybody()
    app = limited_app("Портал непрерывного образования", BATCH)

    @app.post(BATCH)
    async def learners(batch: Batch) -> dict[str, Any]:
        """The completed courses of many people, with their hours."""
        return answers(batch, known, _records)

    return app


def made(options: Sequence[str]) -> tuple[FastAPI, int]:
    """The simulator, and the port on loopback that these options name."""
    return create_app(), port_of(options, 8095)


def _records(known: Registered) -> list[dict[str, Any]]:
    card = known.card
    specialty = card["accreditation"][-1]["specialty"] if card["accreditation"] else ""
    more = {"specialty": specialty, "holder": holder(card)}
    return [{"certified": one["hours"] >= 72, **one, **more} for one in card["qualifications"]]
