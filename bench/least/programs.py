"""The two processes of the least program, and Medcab without the inspection of files."""

import asyncio
import base64
import contextlib
import os
from collections.abc import AsyncIterator, Collection
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
from fastapi import FastAPI, Request, Response
from fastapi.routing import APIRoute
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool
from pydantic_core import to_json
from temporalio import activity
from temporalio.client import Client
from temporalio.service import GrpcCompression
from temporalio.worker import Worker

from api.container import Container
from api.http import health
from api.http.auth import CurrentActor
from api.http.token_routes import TOKEN_ROUTES
from bench.least.booking import TABLE, add_booking
from bench.least.pages import add_pages
from bench.least.requests import LeastRequestActivities
from bench.least.same import make_certificate, serve
from bench.least.workflows import LeastCase, LeastCheck, LeastRequest
from clients.objects import Objects
from crypto.key_ring import KeyRing, use_key_ring
from rules.access import Permission
from rules.cases import limits
from rules.files.checks import LIMITS, MediaType
from server import create_app
from services.documents.acts import Documents
from services.files.inspection.client import Inspection, InspectionReport
from services.files.intake import Files
from services.seal import Seal, open_seal
from settings import Settings, get_settings

QUEUE = "least"
URL = "BENCH_LEAST_URL"
WORKER_TASKS = 32
CACHED = 2000

TABLES = """
create table least_case (
    id uuid primary key, applicant uuid not null, status text not null,
    act_key text, at timestamptz not null, paper_key text, envelope_key text
);
create table least_notice (id uuid primary key, case_id uuid not null, at timestamptz not null);
create table least_receipt (
    case_id uuid primary key, envelope bytea not null, at timestamptz not null
);
create table least_file (id text primary key, sha256 text not null, size bigint not null);
grant select, insert, update on least_case, least_notice, least_receipt, least_file to medcab;
"""
TABLES += TABLE

LIST = """
select c.id, c.number, c.type, coalesce(p.title, c.type) as title, p.kind as programme_kind,
    c.status, c.step, c.version, c.created_at, c.submitted_at, c.since, c.closed_at, c.waits_for,
    c.due_at, c.term_zone,
    c.escalated_at is not null as escalated, c.stuck is not null as stuck, u.name as unit,
    r.name as responsible_unit, c.applicant_id, c.reviewer_id
from "case" c
join unit u on u.id = c.unit_id
join unit r on r.id = c.responsible_unit_id
left join programme p on p.id = c.programme_id
where c.applicant_id = %s
order by coalesce(c.submitted_at, c.created_at) desc, c.id desc
limit 50
"""
"""The rows of `GET /api/v1/applications` by SQL written by hand."""


def lines_to(url: str, size: int) -> AsyncConnectionPool[psycopg.AsyncConnection[Any]]:
    """A pool as large as Medcab's. Every statement commits by itself."""
    return AsyncConnectionPool(
        url,
        min_size=1,
        max_size=2 * size,
        open=False,
        kwargs={"autocommit": True, "row_factory": dict_row},
    )


async def temporal(settings: Settings) -> Client:
    """A client with the SDK's own data converter."""
    return await Client.connect(
        settings.temporal_address,
        namespace=settings.temporal_namespace,
        grpc_compression=GrpcCompression.NONE,
    )


def least_app(settings: Settings) -> FastAPI:
    """The routes of the least program.

    Its list reads Medcab's database, so that the rows are the same.
    """
    own = lines_to(os.environ[URL], settings.database_pool)
    medcabs = lines_to(settings.database_url.get_secret_value(), settings.database_pool)

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with own, medcabs, Container.running(settings) as container:
            app.state.container = container
            app.state.temporal = await temporal(settings)
            yield

    app = FastAPI(lifespan=lifespan, openapi_url=None)
    app.include_router(health.router)

    async def begin(actor: CurrentActor, case_id: UUID, workflow: str) -> dict[str, str]:
        async with own.connection() as line:
            await line.execute(
                "insert into least_case values (%s, %s, 'checking', null, %s)",
                (case_id, actor.person_id, datetime.now(UTC)),
            )
        await app.state.temporal.start_workflow(
            workflow, str(case_id), id=f"least-{case_id}", task_queue=QUEUE
        )
        return {"id": str(case_id), "status": "checking"}

    @app.post("/checks/{case_id}")
    async def check(case_id: UUID, actor: CurrentActor) -> dict[str, str]:
        """One insert and an awaited start of the workflow of one activity."""
        return await begin(actor, case_id, "LeastCheck")

    @app.post("/cases/{case_id}")
    async def submit(case_id: UUID, actor: CurrentActor) -> dict[str, str]:
        """One insert and an awaited start of the workflow of a whole case."""
        return await begin(actor, case_id, "LeastCase")

    @app.post("/requests/{case_id}")
    async def send(case_id: UUID, actor: CurrentActor) -> dict[str, str]:
        """One insert and an awaited start of the workflow of a whole request."""
        return await begin(actor, case_id, "LeastRequest")

    @app.post("/callback", status_code=204)
    async def called_back(request: Request) -> None:
        """One insert and an awaited signal. The caller is trusted until the envelope is opened."""
        told = await request.json()
        async with own.connection() as line:
            await line.execute(
                "insert into least_receipt values (%s, %s, %s) on conflict do nothing",
                (told["message_id"], base64.b64decode(told["envelope"]), datetime.now(UTC)),
            )
        handle = app.state.temporal.get_workflow_handle(f"least-{told['message_id']}")
        await handle.signal("answered")

    @app.post("/cases/{case_id}/approval")
    async def approve(case_id: UUID, actor: CurrentActor) -> dict[str, str]:
        """One commit and an awaited signal."""
        async with own.connection() as line:
            await line.execute(
                "update least_case set status = 'approved' where id = %s", (case_id,)
            )
        await app.state.temporal.get_workflow_handle(f"least-{case_id}").signal("approve")
        return {"id": str(case_id), "status": "approved"}

    @app.get("/cases")
    async def listed(actor: CurrentActor) -> Response:
        """Fifty rows by raw SQL, written as JSON in one go."""
        async with medcabs.connection() as line:
            rows = await (await line.execute(LIST, (actor.person_id,))).fetchall()
        return Response(to_json({"items": rows, "after": None}), media_type="application/json")

    @app.post("/files")
    async def upload(request: Request, actor: CurrentActor) -> dict[str, str]:
        """The bytes as they come, straight to the object store, and one commit."""
        container: Container = app.state.container
        size = int(request.headers["content-length"])
        key = Objects.fresh_key("least")
        stored = await container.objects.put(key, request.stream(), size, "application/pdf")
        async with own.connection() as line:
            await line.execute(
                "insert into least_file values (%s, %s, %s)", (key, stored.sha256, size)
            )
        return {"id": key}

    add_pages(app, medcabs)
    add_booking(app, own)
    # Medcab's tokens open only routes in this table, so the routes of this program are added.
    own_routes = (
        f"{method} {route.path}"
        for route in app.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    )
    TOKEN_ROUTES.update(dict.fromkeys(own_routes, frozenset(Permission)))
    return app


class _Unchecked(Inspection):
    """Takes files in as usual and accepts them unread: P5 leaves the inspection out."""

    async def examine(
        self,
        file: Any,
        claims: Collection[MediaType] = (),
        minimum_dpi: int | None = None,
        giver: UUID | None = None,
    ) -> InspectionReport:
        return InspectionReport(MediaType.PDF, (), 1, None)


def unchecked_app(settings: Settings) -> FastAPI:
    """Medcab itself, without the inspection of files and without the limit on a person's
    uploads."""
    limits.UPLOADED_FILES = replace(limits.UPLOADED_FILES, times=10**6)
    limits.UPLOADED_OCTETS = replace(limits.UPLOADED_OCTETS, times=1024**4)
    app = create_app(settings)
    usual = app.router.lifespan_context

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[Any]:
        async with usual(app) as state:
            container: Container = app.state.container
            files = Files(container.objects, _Unchecked(LIMITS))
            container.__dict__["documents"] = Documents(container.database, files)
            yield state

    app.router.lifespan_context = lifespan
    return app


class Activities:
    """The two activities of a case."""

    def __init__(self, settings: Settings, objects: Objects, seal: Seal, own: Any) -> None:
        self._settings, self._objects, self._seal, self._own = settings, objects, seal, own

    @activity.defn(name="least_check")
    async def check(self, case_id: str, notify: bool) -> None:
        """One commit that marks the case as checked, and one for the notice where it is wanted."""
        async with self._own.connection() as line:
            await line.execute("update least_case set status = 'checked' where id = %s", (case_id,))
            if notify:
                await self._told(line, case_id)

    @activity.defn(name="least_act")
    async def act(self, case_id: str) -> None:
        """The same PDF, signature and PUT; one commit for the certificate, one for its notice."""
        signed = await asyncio.to_thread(make_certificate, self._settings, self._seal)
        key = Objects.fresh_key("least")
        await self._objects.put(key, signed, len(signed), "application/pdf")
        async with self._own.connection() as line:
            await line.execute(
                "update least_case set status = 'issued', act_key = %s where id = %s",
                (key, case_id),
            )
            await self._told(line, case_id)

    async def _told(self, line: Any, case_id: str) -> None:
        await line.execute(
            "insert into least_notice values (gen_random_uuid(), %s, %s)",
            (case_id, datetime.now(UTC)),
        )


async def work(settings: Settings) -> None:
    """Run the worker until the process is ended."""
    use_key_ring(KeyRing.parse(settings.keys.get_secret_value()))
    async with lines_to(os.environ[URL], settings.database_pool) as own:
        given = settings, Objects(settings), open_seal(settings), own
        activities, requests = Activities(*given), LeastRequestActivities(*given)
        worker = Worker(
            await temporal(settings),
            task_queue=QUEUE,
            workflows=[LeastCheck, LeastCase, LeastRequest],
            activities=[activities.check, activities.act, requests.hand_over, requests.take],
            max_cached_workflows=CACHED,
            max_concurrent_activities=WORKER_TASKS,
        )
        await worker.run()


def main(what: str, *options: str) -> None:
    """Run one of the processes."""
    settings = get_settings()
    if what == "worker":
        asyncio.run(work(settings))
        return
    make = {"api": least_app, "unchecked": unchecked_app}[what]
    serve(make(settings), int(options[-1]))
