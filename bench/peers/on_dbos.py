"""The case on DBOS, as its documentation shows it: a FastAPI program with the engine inside.

"DBOS runs entirely inside your process" is what its guide to self-hosting says, so there is one
process and no worker. The workflow is a coroutine, as for people who are waited for by the
thousand: a waiting one holds no thread. Steps ask the register, send mails and make the act; the
two moves of the case are transactions of a datasource in the same database, each committed together
with the record that it was done. `DBOS.recv` waits for the decision, which is sent after its
commit. Every step is recorded, so that a workflow goes on where it was when the process is started
again.

Besides what all peers leave out, a message that is lost between the commit of a decision and
`DBOS.send` is not made up for, nor a start that is lost after the commit of a submission.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from dbos import DBOS, AsyncSQLAlchemyDatasource, SetWorkflowID
from fastapi import FastAPI, HTTPException

from bench.peers import URL, case
from bench.peers.case import CurrentPerson, Outside
from settings import Settings

OPEN_REVIEW = """
update application set status = 'in_review', in_register = :found, changed_at = now() where id = :id
"""
CLOSE = """
update application set status = 'closed', act_key = :act_key, changed_at = now() where id = :id
"""
TERM = 10 * 24 * 3600.0
AS_OURS: Any = {"isolation_level": "READ COMMITTED"}
"""Medcab's isolation; the datasource's own default is stricter and would cost more."""


def create_app(settings: Settings) -> FastAPI:
    """The program: routes, workflow and steps."""
    outside: Outside
    rows: AsyncSQLAlchemyDatasource

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        nonlocal outside, rows
        DBOS(config={"name": "peer", "system_database_url": url, "log_level": "WARNING"})
        async with Outside.open(settings) as outside:
            rows = await AsyncSQLAlchemyDatasource.create(url)
            app.state.outside = outside
            DBOS.launch()
            yield
            DBOS.destroy()

    url = os.environ[URL]
    app = FastAPI(lifespan=lifespan, openapi_url=None)
    app.include_router(case.router)

    @DBOS.step(retries_allowed=True)
    async def in_register(snils: str) -> bool:
        return await outside.in_register(snils)

    @DBOS.step(retries_allowed=True)
    async def tell(case_id: str, person: dict[str, str], of: str) -> None:
        await outside.tell(case_id, person, of)

    @DBOS.step(retries_allowed=True)
    async def issue() -> str:
        return await outside.issue()

    async def open_review(case_id: str, found: bool) -> None:
        await rows.sql_session().execute(sa.text(OPEN_REVIEW), {"id": case_id, "found": found})

    async def close(case_id: str, key: str) -> None:
        await rows.sql_session().execute(sa.text(CLOSE), {"id": case_id, "act_key": key})

    @DBOS.workflow(name="application")
    async def live(case_id: str, person: dict[str, str]) -> None:
        found = await in_register(person["snils"])
        await rows.run_tx_step_async(AS_OURS, open_review, case_id, found)
        await tell(case_id, person, "in_review")
        if await DBOS.recv_async("decision", TERM) is None:
            return
        key = await issue()
        await rows.run_tx_step_async(AS_OURS, close, case_id, key)
        await tell(case_id, person, "approved")

    @app.post("/applications/{case_id}/submit")
    async def submit(case_id: UUID, person: CurrentPerson) -> dict[str, Any]:
        """One update, and the durable start of the workflow."""
        found = await outside.one(case.SUBMIT, case_id, person.id)
        if found is None:
            raise HTTPException(409, "no such draft")
        with SetWorkflowID(str(case_id)):
            await DBOS.start_workflow_async(live, str(case_id), person.contact())
        return {"id": str(case_id), "status": "checking", **found}

    @app.post("/applications/{case_id}/decision")
    async def approve(case_id: UUID, person: CurrentPerson) -> dict[str, Any]:
        """One update, and the message that wakes the workflow."""
        found = await outside.one(case.APPROVE, case_id)
        if found is None:
            raise HTTPException(409, "not in review")
        await DBOS.send_async(str(case_id), "approved", topic="decision")
        return {"id": str(case_id), "status": "approved", **found}

    return app
