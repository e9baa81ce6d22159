"""The laboratory, simulated: it pushes each version of a result, lists them, takes returns.

`PUT /v1/results` stores a version and pushes it, as `PUT /behaviour` says: sent, lost, twice, or
held and then sent the newest first. `GET /v1/results` is what it says it sent; `POST /v1/returns`
takes back what belongs to nobody. `GET /` shows all, with buttons for a new, a critical, a
corrected result and one of an unknown patient.
"""

import argparse
import json
import os
import secrets
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from html import escape
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, Form, Header, HTTPException, Query, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel

from clients.clinic.laboratory import LabMessage, LabPage, SaidPatient
from rules.results.life import ResultStage
from rules.results.values import Flag
from simulators.calling import CallbackBehaviour, Callbacks, CallbackTarget
from simulators.faults import FaultSwitch, FaultyServer
from simulators.kept import KeptLines

_RESULTS = Path(__file__).with_name("laboratory.json")
_CALLBACK = "/api/v1/callbacks/laboratory"
_PAGE = """<!doctype html><html lang="ru"><meta charset="utf-8"><title>Лаборатория</title>
<meta name="viewport" content="width=device-width,initial-scale=1">
<style>body{{font:16px/1.5 sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}}
td,th{{text-align:left;padding:.3rem .8rem .3rem 0;border-bottom:1px solid #ccc}}</style>
<h1>Лаборатория (имитация)</h1>
<p>Каждая версия результата уходит в кабинет подписанным сообщением.</p>
<table><tr><th>Номер</th><th>Версия</th><th>Пациент</th><th>Анализ</th><th>Значение</th>
<th>Состояние</th><th></th></tr>{rows}</table></html>"""
_ROW = """<tr><td>{number}</td><td>{version}</td><td>{patient}</td><td>{test}</td><td>{value}</td>
<td>{state}</td><td><form method="post" action="/results/{number}">
<select name="act" aria-label="Что сделать с {number}"><option value="correct">исправить</option>
<option value="critical">новый, критический</option><option value="repeat">повторный</option>
<option value="stranger">новый, неизвестный пациент</option>
<option value="cancel">отменить</option></select>
<input name="value" size="6" value="{value}" aria-label="Значение: {number}">
<button>Отправить</button></form></td></tr>"""


class GivenBack(BaseModel):
    """A result that belongs to nobody there, and why."""

    number: str
    version: int
    reason: str


class Laboratory:
    """The results in all versions, and the pushes that follow their changes."""

    def __init__(
        self,
        results: Sequence[LabMessage],
        file: Path | None = None,
        secret: str = "",
        url: str = "",
    ) -> None:
        self.pushes = Callbacks[LabMessage]("lab", secret, url)
        self.sent: list[LabMessage] = list(results)
        self.returns: list[GivenBack] = []
        self._lines = KeptLines(file, LabMessage)
        self.sent.extend(self._lines.read())

    def newest(self) -> dict[str, LabMessage]:
        """The newest version of each result, by number."""
        return {one.number: one for one in sorted(self.sent, key=lambda one: one.version)}

    def say(self, message: LabMessage) -> LabMessage:
        """Store the next version of a result, and push it."""
        before = self.newest().get(message.number)
        message = message.model_copy(update={"version": before.version + 1 if before else 1})
        self.sent.append(message)
        self._lines.add(message)
        self.pushes.add(message)
        return message

    def page(self, since: date, after: str, limit: int) -> LabPage:
        """A part of what was sent since a day, in the order of numbers and versions."""
        named = {
            f"{one.number}|{one.version:010d}": one
            for one in self.sent
            if one.ready_at.date() >= since
        }
        names = sorted(name for name in named if name > after)
        items = tuple(named[name] for name in names[:limit])
        return LabPage(items=items, after=names[limit - 1] if len(names) > limit else None)


def create_app(laboratory: Laboratory, token: str = "") -> FastAPI:
    """The laboratory and its page; `app.state.faults` is its fault switch."""
    app = FastAPI(title="Лаборатория (имитация)", version="1")
    faults = FaultSwitch()
    app.state.faults, app.state.laboratory = faults, laboratory
    app.include_router(faults.router())
    app.add_middleware(FaultyServer, switch=faults)

    def known(authorization: str) -> None:
        if not token or not secrets.compare_digest(authorization, f"Bearer {token}"):
            raise HTTPException(401, "unknown token")

    @app.get("/v1/results")
    async def page(
        since: date,
        after: str = "",
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        authorization: Annotated[str, Header()] = "",
    ) -> LabPage:
        """A part of what was sent."""
        known(authorization)
        return laboratory.page(since, after, limit)

    @app.post("/v1/returns")
    async def take_back(
        given: GivenBack, authorization: Annotated[str, Header()] = ""
    ) -> dict[str, bool]:
        """Take back a result that belongs to nobody there. The same again changes nothing."""
        known(authorization)
        if given not in laboratory.returns:
            laboratory.returns.append(given)
        return {"taken": True}

    @app.get("/v1/returns")
    async def returns(authorization: Annotated[str, Header()] = "") -> list[GivenBack]:
        """What was taken back: for tests and demonstrations."""
        known(authorization)
        return laboratory.returns

    @app.put("/v1/results")
    async def say(message: LabMessage) -> LabMessage:
        """Store a version, and push it: for tests and demonstrations."""
        return laboratory.say(message)

    @app.put("/behaviour")
    async def behave(behaviour: CallbackBehaviour) -> CallbackBehaviour:
        laboratory.pushes.behave(behaviour)
        return behaviour

    @app.put("/subscription", status_code=204)
    async def subscribe(wish: CallbackTarget) -> None:
        laboratory.pushes.url = wish.url

    @app.get("/", response_class=HTMLResponse)
    async def show() -> str:
        """The page for people."""
        back = {one.number: one for one in laboratory.returns}
        lines = (_row(one, back.get(one.number)) for one in laboratory.newest().values())
        return _PAGE.format(rows="".join(lines))

    @app.post("/results/{number}")
    async def act(
        number: str, act: Annotated[str, Form()], value: Annotated[str, Form()] = ""
    ) -> Response:
        """What somebody chose on the page."""
        if number not in laboratory.newest():
            raise HTTPException(404, "no such result")
        laboratory.say(_changed(laboratory.newest()[number], act, value))
        return RedirectResponse("/", 303)

    return app


def _changed(message: LabMessage, act: str, value: str) -> LabMessage:
    now = datetime.now(UTC)
    fresh = {"number": f"L-{secrets.token_hex(4)}", "stage": ResultStage.FINAL, "ready_at": now}
    changes: dict[str, dict[str, object]] = {
        "correct": {"stage": ResultStage.CORRECTED, "value": value, "ready_at": now},
        "critical": {**fresh, "value": value, "flag": Flag.CRITICAL_HIGH},
        "repeat": {**fresh, "value": value, "repeats": message.number},
        "stranger": {**fresh, "patient": SaidPatient(name="Неизвестная Анна", sex="female")},
        "cancel": {"stage": ResultStage.CANCELLED, "value": "", "ready_at": now},
    }
    if act not in changes:
        raise HTTPException(422, "no such act")
    return message.model_copy(update=changes[act])


def _row(message: LabMessage, returned: GivenBack | None) -> str:
    state = f"возвращён: {returned.reason}" if returned else message.stage.value
    told = {"number": message.number, "version": str(message.version), "state": state}
    told |= {"patient": message.patient.name, "test": message.test.name, "value": message.value}
    return _ROW.format(**{name: escape(value) for name, value in told.items()})


def results_of(file: Path, now: datetime) -> list[LabMessage]:
    """The results of a file, whose `ready_at` are days before now."""
    found = []
    for one in json.loads(file.read_text("utf-8")):
        moment = now - timedelta(days=one.pop("days_ago"))
        found.append(LabMessage.model_validate({**one, "ready_at": moment, "taken_at": moment}))
    return found


def made(options: Sequence[str]) -> tuple[FastAPI, int]:
    """The simulator that these options describe, and its port on loopback."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8098)
    parser.add_argument("--file", type=Path, help="File that keeps what was sent over restarts.")
    chosen = parser.parse_args(options)
    cabinet = os.environ.get("MEDCAB_PUBLIC_URL", "")
    laboratory = Laboratory(
        results_of(_RESULTS, datetime.now(UTC)),
        chosen.file,
        os.environ.get("MEDCAB_LABORATORY_SECRET", ""),
        f"{cabinet.rstrip('/')}{_CALLBACK}" if cabinet else "",
    )
    return create_app(laboratory, os.environ.get("MEDCAB_LABORATORY_TOKEN", "")), chosen.port
