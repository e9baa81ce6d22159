"""The registry of patients.

It knows whom it was told of by `PUT /patients`.
`PUT /answers` makes it differ in fields, know several or nobody;
`PUT /faults` makes it fail.
"""

import argparse
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict

from simulators.faults import FaultSwitch, FaultyServer


class PatientAnswers(StrEnum):
    """How the registry answers, whoever is asked about."""

    KNOWN = "known"
    DIFFERS = "differs"
    SEVERAL = "several"
    NOBODY = "nobody"


class PatientAnswerSwitch(BaseModel):
    """The position of the switch."""

    answers: PatientAnswers = PatientAnswers.KNOWN


class PatientQuestion(BaseModel):
    """Whom to look up: by a number, or by name and birth date."""

    model_config = ConfigDict(extra="forbid")

    snils: str = ""
    policy: str = ""
    name: str = ""
    birth_date: str = ""


def create_app() -> FastAPI:
    """The registry; `app.state.faults` is its fault switch."""
    app = FastAPI(title="Регистр пациентов (имитация)", version="1")
    faults, switch = FaultSwitch(), PatientAnswerSwitch()
    known: list[dict[str, Any]] = []
    app.state.faults = faults
    app.include_router(faults.router())
    app.add_middleware(FaultyServer, switch=faults)

    @app.post("/v1/patients/search")
    async def search(question: PatientQuestion) -> dict[str, Any]:
        """Everybody who fits; asked by POST, so that no log of addresses holds a number."""
        found = [one for one in known if _fits(one, question)]
        match switch.answers:
            case PatientAnswers.NOBODY:
                found = []
            case PatientAnswers.DIFFERS:
                found = [{**one, "name": "Другова Анна Сергеевна"} for one in found[:1]]
            case PatientAnswers.SEVERAL:
                found = [*found, *({**one, "policy": "9" * 16} for one in found[:1])]
        return {"patients": found}

    @app.put("/patients")
    async def learn(patient: dict[str, Any]) -> None:
        """Learn of one more patient, for tests and demonstrations."""
        known.append(patient)

    @app.put("/answers")
    async def turn(wish: PatientAnswerSwitch) -> PatientAnswerSwitch:
        """Turn the switch of answers."""
        switch.answers = wish.answers
        return switch

    return app


def _fits(one: dict[str, Any], question: PatientQuestion) -> bool:
    if question.snils:
        return _digits(str(one.get("snils", ""))) == question.snils
    if question.policy:
        return bool(one.get("policy") == question.policy)
    return (one["name"], one["birth_date"]) == (question.name, question.birth_date)


def _digits(text: str) -> str:
    return "".join(sign for sign in text if sign.isdigit())


def made(options: Sequence[str]) -> tuple[FastAPI, int]:
    """The simulator, and the port on loopback that these options name."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8099)
    return create_app(), parser.parse_args(options).port
