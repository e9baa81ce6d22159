"""The federal register of medical workers (ФРМР), simulated.

The sections follow the register's own (general, cards, accreditation, certs, profs,
qualifications); the people in `register.json` are invented, the check digits are right.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

from simulators.faults import FaultSwitch, FaultyServer

_PEOPLE = Path(__file__).with_name("register.json")


class Question(BaseModel):
    """Whom to look up: a SNILS with or without punctuation."""

    snils: str


def _digits(snils: str) -> str:
    return "".join(sign for sign in snils if sign.isdigit())


def create_app(people: Path = _PEOPLE) -> FastAPI:
    """The register over the people of one file; `app.state.faults` is its fault switch."""
    workers: dict[str, dict[str, Any]] = {
        _digits(worker["snils"]): worker for worker in json.loads(people.read_text("utf-8"))
    }
    app = FastAPI(title="ФРМР (имитация)", version="1")
    switch = FaultSwitch()
    app.state.faults = switch
    app.include_router(switch.router())
    app.add_middleware(FaultyServer, switch=switch)

    @app.post("/v1/workers/search")
    async def worker(question: Question) -> dict[str, Any]:
        """All sections of one worker; asked by POST, so that no log of addresses holds a SNILS."""
        found = workers.get(_digits(question.snils))
        if found is None:
            raise HTTPException(404, "not found")
        return found

    return app


def made(options: Sequence[str]) -> tuple[FastAPI, int]:
    """The simulator that these options describe, and its port on loopback."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8090)
    parser.add_argument("--people", type=Path, default=_PEOPLE)
    chosen = parser.parse_args(options)
    return create_app(chosen.people), chosen.port
