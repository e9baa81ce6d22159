"""The standing workflow that sends e-mail: quick, seen by ops, and taken over when it dies."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlmodel import select
from temporalio.client import Client
from temporalio.worker import Worker

from activities.notices import NoticeActivities
from activities.shifts import SHIFT_SECONDS
from clients.database import Database
from clients.delivery.mail import Mailer
from clients.temporal.client import StandingWorkflow, ensure_standing, ops_view
from models.tables.notices import Notice
from models.tables.people import Person
from models.visibility import OpsText
from rules.notices.kinds import NoticeState
from services.notices.channels import MailWay
from services.notices.wording import Addresses
from settings import Settings
from tests.notices.conftest import Post, Staff, tell
from tests.shared.waiting import until
from workflows.notices import NoticesMail


@pytest.fixture
def standing() -> StandingWorkflow:
    """A sender of this test alone."""
    return StandingWorkflow(
        "NoticesMail", f"notices-mail-{uuid4()}", OpsText("sends notices by e-mail")
    )


@asynccontextmanager
async def sender(
    temporal: Client,
    standing: StandingWorkflow,
    own_database: Database,
    mailer: Mailer,
    addresses: Addresses,
) -> AsyncIterator[None]:
    """A worker with a running sender."""
    activities = NoticeActivities(own_database, MailWay(mailer, addresses))
    async with Worker(
        temporal,
        task_queue=standing.id,
        workflows=[NoticesMail],
        activities=[activities.send_mail],
        graceful_shutdown_timeout=timedelta(seconds=10),
    ):
        await ensure_standing(temporal, standing.id, [standing])
        yield
        await temporal.get_workflow_handle(standing.id).terminate()


async def test_told_as_soon_as_it_is_committed(
    temporal: Client,
    standing: StandingWorkflow,
    own_database: Database,
    mailer: Mailer,
    addresses: Addresses,
    staff: Staff,
    post: Post,
) -> None:
    """A sender that has been through its rounds takes up what comes later by itself."""
    anna = await staff.person()
    async with sender(temporal, standing, own_database, mailer, addresses):
        await tell(own_database, anna, "warm")
        await until(lambda: _count(post, anna, 1))
        await tell(own_database, anna, "later")
        await until(lambda: _count(post, anna, 2))


async def test_outage_is_seen_by_ops_and_ends_by_itself(
    temporal: Client,
    standing: StandingWorkflow,
    own_database: Database,
    mailer: Mailer,
    addresses: Addresses,
    staff: Staff,
    post: Post,
) -> None:
    """The current details say since when the mail server is down and how many wait."""
    anna = await staff.person()
    post.fault("down")
    await tell(own_database, anna)
    async with sender(temporal, standing, own_database, mailer, addresses):

        async def shown(words: str) -> bool:
            return words in (await ops_view(temporal, standing.id)).details

        await until(lambda: shown("DOWN since"))
        assert await shown("1 waiting")
        post.fault()
        await until(lambda: _count(post, anna, 1))
        await until(lambda: shown("e-mail works"))


async def test_drained_worker_stops_soon(
    temporal: Client,
    standing: StandingWorkflow,
    own_database: Database,
    mailer: Mailer,
    addresses: Addresses,
    staff: Staff,
    post: Post,
) -> None:
    """A deployment does not wait for the end of a shift."""
    anna = await staff.person()
    async with sender(temporal, standing, own_database, mailer, addresses):
        await tell(own_database, anna)
        await until(lambda: _count(post, anna, 1))
        began = time.monotonic()
    assert time.monotonic() - began < SHIFT_SECONDS / 2


async def test_killed_sender_is_replaced(
    temporal: Client,
    standing: StandingWorkflow,
    own_database: Database,
    mailer: Mailer,
    addresses: Addresses,
    staff: Staff,
    post: Post,
    settings: Settings,
) -> None:
    """After kill -9 of the worker another one sends what waits, within seconds."""
    anna = await staff.person()
    program = subprocess.Popen(  # noqa: ASYNC220 - started once, never waited for in the loop
        [sys.executable, "-m", "tests.notices.sender"],
        env={
            **os.environ,
            "TEMPORAL_ADDRESS": settings.temporal_address,
            "DATABASE_URL": own_database.engine.url.set(drivername="postgresql").render_as_string(
                hide_password=False
            ),
            "SMTP_URL": settings.smtp_url,
            "MEDCAB_KEYS": settings.keys.get_secret_value(),
            "MEDCAB_TASK_QUEUE": standing.id,
        },
    )
    try:
        await ensure_standing(temporal, standing.id, [standing])
        await tell(own_database, anna, "before")
        await until(lambda: _all_told(own_database))
        program.send_signal(signal.SIGKILL)
        program.wait()
        await tell(own_database, anna, "after")
        async with sender(temporal, standing, own_database, mailer, addresses):
            await until(lambda: _count(post, anna, 2))
    finally:
        program.kill()
    await asyncio.sleep(1)
    assert len(post.to(anna)) == 2


async def _all_told(own_database: Database) -> bool:
    async with own_database.work() as session:
        found = await session.exec(select(Notice).where(Notice.channel == "mail"))
        return all(notice.state == NoticeState.TOLD for notice in found)


async def _count(post: Post, person: Person, number: int) -> bool:
    return len(post.to(person)) >= number
