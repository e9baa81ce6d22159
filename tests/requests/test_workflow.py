"""The workflow of a request on a real Temporal, with a real worker and the module's simulator."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import update
from sqlmodel import col, select
from temporalio.client import Client, WorkflowExecutionStatus

from clients.database import Database
from clients.temporal import CaseRinger, connect
from models.encryption import KeyRing
from models.messages import case_workflow_id
from models.tables.requests import RequestAnswer, RequestMessage
from rules.cases import CaseKind, Status
from rules.clock import now
from services import case_pages
from services.case_pages import CasePage
from settings import Settings
from tests.requests.counter import Counter
from tests.servers import Simulators
from worker import build


@pytest.fixture(scope="session")
async def client(settings: Settings) -> Client:
    """A client of the test run's Temporal."""
    return await connect(settings, KeyRing.parse(settings.keys.get_secret_value()))


@pytest.fixture
async def bureau(settings: Settings, database: Database, client: Client) -> Counter:
    """A counter whose acts ring real workflows."""
    return await Counter.open(database, CaseRinger(client, settings.task_queue))


@pytest.fixture
async def module(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """The simulator's switches; it answers at once, and is ordinary again afterwards."""
    async with httpx.AsyncClient(base_url=settings.gov_service_url) as switches:
        await behave(switches)
        yield switches
        await behave(switches)
        await switches.put("/faults", json={"mode": "ok"})


async def behave(module: httpx.AsyncClient, **chosen: Any) -> None:
    """How the module goes wrong, if at all."""
    reply = await module.put("/behaviour", json={"delay": 0, "callbacks": "lost", **chosen})
    assert reply.status_code == 200


@asynccontextmanager
async def working(settings: Settings, client: Client, database: Database) -> AsyncIterator[None]:
    """A worker for as long as the block lasts."""
    async with build(settings, client, database):
        yield


@pytest.fixture
async def worker(settings: Settings, client: Client, database: Database) -> AsyncIterator[None]:
    """A worker for the whole test."""
    async with working(settings, client, database):
        yield


async def until(what: Callable[[], Awaitable[bool]], seconds: float = 20.0) -> None:
    """Wait until something holds; fails after `seconds`."""
    async with asyncio.timeout(seconds):
        while not await what():  # noqa: ASYNC110 - the answer stands in a database
            await asyncio.sleep(0.05)


async def stands_at(counter: Counter, case_id: UUID, status: Status) -> None:
    """Wait until the request stands there."""

    async def check() -> bool:
        return (await counter.office.case(case_id)).status == status

    await until(check)


async def test_from_sending_to_the_verified_answer(
    bureau: Counter, client: Client, worker: None, module: httpx.AsyncClient
) -> None:
    """S3, S4: accepted, handed over, answered; the answer lies in the store with its signer."""
    case_id = await bureau.sent()
    await stands_at(bureau, case_id, Status.PROCESSING)
