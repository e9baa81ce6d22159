"""What the simulated state registers share: they answer about many people at once, to a limit.

A question names the revision that is known of each person already: what has not changed since is
not repeated.
"""

import argparse
from collections.abc import Callable, Sequence
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel, Field

from simulators.faults import FaultSwitch, FaultyServer
from simulators.registers.limits import LimitedServer, RateWindow
from simulators.registers.people import Registered, RegisteredPeople, digits_of

MOST_AT_ONCE = 50

Records = Callable[[Registered], list[dict[str, Any]]]
"""What a register holds of one person."""


class Question(BaseModel):
    """Whom to look up: a SNILS with or without punctuation."""

    snils: str


class PersonAsked(Question):
    """Somebody among many, and the revision that is known already."""

    since: int = 0


class Batch(BaseModel):
    """Many people at once."""

    people: list[PersonAsked] = Field(min_length=1, max_length=MOST_AT_ONCE)


def limited_app(title: str, *limited: str) -> FastAPI:
    """A server with fault switches, and a rate limit on these paths."""
    app = FastAPI(title=f"{title} (имитация)", version="1")
    switch, window = FaultSwitch(), RateWindow()
    app.state.faults = switch
    app.include_router(switch.router())
    app.include_router(window.router())
    app.add_middleware(FaultyServer, switch=switch)
    # The outer one: what a fault spoils has been asked as well.
    app.add_middleware(LimitedServer, window=window, counted=limited)
    return app


def answers(batch: Batch, people: RegisteredPeople, records: Records) -> dict[str, Any]:
    """What a register says of many people, in the order of the question."""
    return {"people": [_answer(asked, people, records) for asked in batch.people]}


def _answer(asked: PersonAsked, people: RegisteredPeople, records: Records) -> dict[str, Any]:
    digits = digits_of(asked.snils)
    known = people.of(digits)
    if known is None:
        return {"snils": digits, "revision": 0, "records": []}
    return {
        "snils": digits,
        "revision": known.revision,
        "changed": known.card["general"].get("updated"),
        "records": records(known) if known.revision > asked.since else None,
    }


def holder(card: dict[str, Any]) -> str:
    """The full name on a card."""
    general = card["general"]
    return " ".join(filter(None, (general["surname"], general["name"], general.get("patronymic"))))


def port_of(options: Sequence[str], usual: int) -> int:
    """The port among the options of a register."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=usual)
    return int(parser.parse_args(options).port)
