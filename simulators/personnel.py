"""The institution's personnel register, played.

It has one record for each employment. Whoever changes one on its page, or by `PUT /v1/staff`, makes
a new version, which is pushed to the cabinet as a signed webhook; the list of all can be read with
a token. Beside the fault switch that all simulators have, `PUT /behaviour` says what becomes of
pushes: lost, sent twice, or held and then sent newest first. The people in `personnel.json` are
invented.
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

from clients.personnel import Leave, StaffEvent, StaffEventKind, StaffPage, StaffRecord
from simulators.calling import CallbackBehaviour, Callbacks, CallbackTarget
from simulators.faults import FaultSwitch, FaultyServer
from simulators.kept import KeptLines

_STAFF = Path(__file__).with_name("personnel.json")
_CALLBACK = "/api/v1/callbacks/personnel"
_PAGE = """<!doctype html><html lang="ru"><meta charset="utf-8"><title>Кадровый учёт</title>
<meta name="viewport" content="width=device-width,initial-scale=1">
<style>body{{font:16px/1.5 sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}}
td,th{{text-align:left;padding:.3rem .8rem .3rem 0;border-bottom:1px solid #ccc}}</style>
<h1>Кадровый учёт (имитация)</h1>
<p>Каждое изменение уходит в кабинет подписанным сообщением.</p>
<table><tr><th>Номер</th><th>Сотрудник</th><th>Подразделение</th><th>Состояние</th><th></th></tr>
{rows}</table></html>"""
_ROW = """<tr><td>{number}</td><td>{name}<br>{position}</td><td>{unit}</td><td>{state}</td><td>
<form method="post" action="/staff/{number}"><select name="kind" aria-label="Событие: {name}">
<option value="dismissed">уволен сегодня, доступ сразу</option>
<option value="leave">отпуск на 14 дней</option>
<option value="transferred">переведён в</option><option value="hired">работает</option></select>
<input name="unit" value="{unit}" aria-label="Подразделение: {name}" size="10">
<button>Записать</button></form></td></tr>"""


class Personnel:
    """The records, and the pushes that follow their changes."""

    def __init__(
        self,
        records: Sequence[StaffRecord],
        file: Path | None = None,
        secret: str = "",
        url: str = "",
    ) -> None:
        self.pushes = Callbacks[StaffEvent]("staff", secret, url)
        self.records = {one.number: one for one in records}
        self._lines = KeptLines(file, StaffRecord)
        for kept in self._lines.read():
            self.records[kept.number] = kept

    def write(self, kind: StaffEventKind, record: StaffRecord) -> StaffRecord:
        """Store the record as the next version, and push it."""
        before = self.records.get(record.number)
        record = record.model_copy(update={"version": before.version + 1 if before else 1})
        self.records[record.number] = record
        self._lines.add(record)
        self.pushes.add(StaffEvent(kind=kind, record=record))
        return record

    def page(self, after: str, limit: int) -> StaffPage:
        """A part of the list, by number."""
        numbers = sorted(one for one in self.records if one > after)
        items = tuple(self.records[one] for one in numbers[:limit])
        return StaffPage(items=items, after=items[-1].number if len(numbers) > limit else None)


def create_app(staff: Personnel, token: str = "") -> FastAPI:
    """The register and its page; `app.state.faults` is its fault switch."""
    app = FastAPI(title="Кадровый учёт (имитация)", version="1")
    faults = FaultSwitch()
    app.state.faults, app.state.staff = faults, staff
    app.include_router(faults.router())
    app.add_middleware(FaultyServer, switch=faults)

    @app.get("/v1/staff")
    async def page(
        after: str = "",
        limit: Annotated[int, Query(ge=1, le=1000)] = 200,
        authorization: Annotated[str, Header()] = "",
    ) -> StaffPage:
        """A part of the list."""
        if not token or not secrets.compare_digest(authorization, f"Bearer {token}"):
            raise HTTPException(401, "unknown token")
        return staff.page(after, limit)

    @app.put("/v1/staff")
    async def write(event: StaffEvent) -> StaffRecord:
        """Store a record as its next version, and push it: for tests and demonstrations."""
        return staff.write(event.kind, event.record)

    @app.put("/behaviour")
    async def behave(behaviour: CallbackBehaviour) -> CallbackBehaviour:
        staff.pushes.behave(behaviour)
        return behaviour

    @app.put("/subscription", status_code=204)
    async def subscribe(wish: CallbackTarget) -> None:
        staff.pushes.url = wish.url

    @app.get("/", response_class=HTMLResponse)
    async def show() -> str:
        """The page for people."""
        return _PAGE.format(rows="".join(map(_row, staff.records.values())))

    @app.post("/staff/{number}")
    async def act(
        number: str, kind: Annotated[StaffEventKind, Form()], unit: Annotated[str, Form()] = ""
    ) -> Response:
        """What somebody chose on the page."""
        if number not in staff.records:
            raise HTTPException(404, "no such record")
        today = datetime.now(UTC).date()
        staff.write(kind, _changed(staff.records[number], kind, unit, today))
        return RedirectResponse("/", 303)

    return app


def _changed(record: StaffRecord, kind: StaffEventKind, unit: str, today: date) -> StaffRecord:
    changes: dict[StaffEventKind, dict[str, object]] = {
        "hired": {"left_on": None, "at_once": False, "leave": None},
        "transferred": {"unit": unit or record.unit},
        "dismissed": {"left_on": today, "at_once": True},
        "leave": {"leave": Leave(first_day=today, last_day=today + timedelta(days=13))},
    }
    return record.model_copy(update=changes[kind])


def _row(record: StaffRecord) -> str:
    state = "работает"
    if record.left_on is not None:
        state = f"уволен {record.left_on:%d.%m.%Y}"
    elif record.leave is not None:
        state = f"отпуск до {record.leave.last_day:%d.%m.%Y}"
    told = {"number": record.number, "name": record.name, "position": record.position}
    told |= {"unit": record.unit, "state": state}
    return _ROW.format(**{name: escape(value) for name, value in told.items()})


def made(options: Sequence[str]) -> tuple[FastAPI, int]:
    """The simulator that these options describe, and its port on loopback."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8093)
    parser.add_argument("--file", type=Path, help="File that keeps changes over restarts.")
    chosen = parser.parse_args(options)
    cabinet = os.environ.get("MEDCAB_PUBLIC_URL", "")
    staff = Personnel(
        [StaffRecord.model_validate(one) for one in json.loads(_STAFF.read_text("utf-8"))],
        chosen.file,
        os.environ.get("MEDCAB_PERSONNEL_SECRET", ""),
        f"{cabinet.rstrip('/')}{_CALLBACK}" if cabinet else "",
    )
    return create_app(staff, os.environ.get("MEDCAB_PERSONNEL_TOKEN", "")), chosen.port
