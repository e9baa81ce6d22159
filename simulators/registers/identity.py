"""The identity register, and the rooms of video meetings.

The register knows who bears an INN or a personnel number; the people in `identity.json` are
invented. Besides the usual faults it can say of everybody that it knows nobody, or somebody else:
`PUT /answers`. The page of a room stands for a provider of video calls, which needs no faults.
"""

import argparse
import json
from collections.abc import Sequence
from enum import StrEnum
from html import escape
from pathlib import Path
from typing import Any

from fastapi import FastAPI, HTTPException
from fastapi.responses import HTMLResponse
from pydantic import BaseModel

from simulators.faults import FaultSwitch, FaultyServer

_PEOPLE = Path(__file__).with_name("identity.json")
_ROOM = """<!doctype html><html lang="ru"><meta charset="utf-8"><title>Комната</title>
<main><h1>Комната видеовстречи</h1><p>Здесь встречаются двое: комната {room}.</p></main></html>"""


class Answers(StrEnum):
    """How the register answers, whoever is asked about."""

    TRUE = "true"
    NOT_FOUND = "not_found"
    DIFFERS = "differs"


class NumberQuestion(BaseModel):
    """Whom to look up."""

    number: str


class AnswerSwitch(BaseModel):
    """The position of the switch."""

    answers: Answers = Answers.TRUE


def create_app(people: Path = _PEOPLE) -> FastAPI:
    """The register over the people of one file; `app.state.faults` is its fault switch."""
    known: dict[str, dict[str, Any]] = {}
    for one in json.loads(people.read_text("utf-8")):
        known.update({number: {**one, "number": number} for number in one["numbers"]})
    app = FastAPI(title="Реестр удостоверений личности (имитация)", version="1")
    faults, switch = FaultSwitch(), AnswerSwitch()
    app.state.faults = faults
    app.include_router(faults.router())
    app.add_middleware(FaultyServer, switch=faults)

    @app.post("/v1/people/search")
    async def person(question: NumberQuestion) -> dict[str, Any]:
        """One person; asked by POST, so that no log of addresses holds a number."""
        found = known.get(question.number)
        if found is None or switch.answers is Answers.NOT_FOUND:
            raise HTTPException(404, "not found")
        if switch.answers is Answers.DIFFERS:
            return {**found, "surname": "Другова", "birth_date": "1970-01-01"}
        return found

    @app.put("/people")
    async def learn(person: dict[str, Any]) -> None:
        """Learn of one more person, for tests and demonstrations."""
        known.update({one: {**person, "number": one} for one in person["numbers"]})

    @app.put("/answers")
    async def turn(wish: AnswerSwitch) -> AnswerSwitch:
        """Turn the switch of answers."""
        switch.answers = wish.answers
        return switch

    @app.get("/rooms/{room}", response_class=HTMLResponse)
    async def room(room: str) -> str:
        """The page of a room."""
        return _ROOM.format(room=escape(room[:40]))

    return app


def made(options: Sequence[str]) -> tuple[FastAPI, int]:
    """The simulator that these options describe, and its port on loopback."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8092)
    parser.add_argument("--people", type=Path, default=_PEOPLE)
    chosen = parser.parse_args(options)
    return create_app(chosen.people), chosen.port
