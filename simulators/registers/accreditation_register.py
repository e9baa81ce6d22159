"""The register of accreditations, simulated. It knows the people of the register of workers."""

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI

from simulators.registers.batches import Batch, answers, holder, limited_app, port_of
from simulators.registers.people import Registered, RegisteredPeople, everybody

BATCH = "/v1/accreditations/batch"
CENTRE = "Федеральный аккредитационный центр"


def create_app(people: RegisteredPeople | None = None) -> FastAPI:
    """The register; `app.state.faults` is its fault switch."""
    known = people or everybody()
    app = limited_app("Реестр аккредитаций", BATCH)

    @app.post(BATCH)
    async def accreditations(batch: Batch) -> dict[str, Any]:
        """The accreditations of many people, also those that another has replaced."""
        return answers(batch, known, _records)

    return app


def made(options: Sequence[str]) -> tuple[FastAPI, int]:
    """The simulator, and the port on loopback that these options name."""
    return create_app(), port_of(options, 8094)


def _records(known: Registered) -> list[dict[str, Any]]:
    card = known.card
    more = {"holder": holder(card), "organisation": CENTRE}
    return [{**one, **more} for one in card["accreditation"]]
