"""The portal of continuing education (НМФО), simulated: completed courses, and what is offered."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from fastapi import FastAPI, Query

from simulators.registers.batches import Batch, answers, holder, limited_app, port_of
from simulators.registers.people import (
    SCHOOLS,
    SPECIALTIES,
    Registered,
    RegisteredPeople,
    everybody,
)

BATCH, PROGRAMMES = "/v1/learners/batch", "/v1/programmes"
OFFERED = 240


def create_app(people: RegisteredPeople | None = None) -> FastAPI:
    """The portal; `app.state.faults` is its fault switch."""
    known = people or everybody()
    app = limited_app("Портал непрерывного образования", BATCH, PROGRAMMES)

    @app.post(BATCH)
    async def learners(batch: Batch) -> dict[str, Any]:
        """The completed courses of many people, with their hours."""
        return answers(batch, known, _records)

    @app.get(PROGRAMMES)
    async def programmes(
        specialty: str = "", after: int = 0, limit: int = Query(50, ge=1, le=100)
    ) -> dict[str, Any]:
        """Programmes that are offered, page by page: `next` is the cursor of the next page."""
        wanted = [
            one
            for one in map(_programme, range(after + 1, OFFERED + 1))
            if specialty.casefold() in ("", one["specialty"].casefold())
        ]
        page = wanted[:limit]
        return {"programmes": page, "next": page[-1]["id"] if len(wanted) > limit else None}

    return app


def made(options: Sequence[str]) -> tuple[FastAPI, int]:
    """The simulator, and the port on loopback that these options name."""
    return create_app(), port_of(options, 8095)


def _records(known: Registered) -> list[dict[str, Any]]:
    card = known.card
    specialty = card["accreditation"][-1]["specialty"] if card["accreditation"] else ""
    more = {"specialty": specialty, "holder": holder(card)}
    return [{"certified": one["hours"] >= 72, **one, **more} for one in card["qualifications"]]


def _programme(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "title": f"{SPECIALTIES[number % len(SPECIALTIES)]}: программа {number}",
        "specialty": SPECIALTIES[number % len(SPECIALTIES)],
        "hours": (18, 36, 72, 144)[number // 5 % 4],
        "certified": number % 3 != 0,
        "organisation": SCHOOLS[number % len(SCHOOLS)],
        "begins": (date(2026, 12, 7) + timedelta(days=number % 90)).isoformat(),
        "distance": number % 2 == 0,
    }
