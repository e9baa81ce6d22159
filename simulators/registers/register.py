"""The federal register of medical workers (ФРМР), simulated.

The sections of a card follow the register's own (general, cards, accreditation, certs, profs,
qualifications). One worker may have several cards. `PUT /people` teaches this register, and those
that know the same people, all cards of somebody; `PUT /changes` changes people made by the seed.
"""

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, Field

from simulators.registers.batches import Batch, Question, answers, limited_app, port_of
from simulators.registers.people import RegisteredPeople, digits_of, everybody

BATCH = "/v1/workers/batch"


class Changes(BaseModel):
    """Whose data is to change: every so-and-so-many person made by the seed."""

    every: int = Field(ge=1)


def create_app(people: RegisteredPeople | None = None) -> FastAPI:
    """The register; `app.state.faults` is its fault switch."""
    known = people or everybody()
    app = limited_app("ФРМР", BATCH)

    @app.post("/v1/workers/search")
    async def worker(question: Question) -> dict[str, Any]:
        """All sections of one worker; asked by POST, so that no log of addresses holds a SNILS."""
        found = known.of(digits_of(question.snils))
        if found is None:
            raise HTTPException(404, "not found")
        return found.card

    @app.post(BATCH)
    async def workers(batch: Batch) -> dict[str, Any]:
        """The cards of many workers."""
        return answers(batch, known, lambda one: one.cards)

    @app.put("/people")
    async def learn(cards: list[dict[str, Any]]) -> None:
        """Teach the registers all cards of one person."""
        known.learn(*cards)

    @app.put("/changes")
    async def change(wish: Changes) -> None:
        """Change the data of people made by the seed."""
        known.change(wish.every)

    return app


def made(options: Sequence[str]) -> tuple[FastAPI, int]:
    """The simulator, and the port on loopback that these options name."""
    return create_app(), port_of(options, 8090)
