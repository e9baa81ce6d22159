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
from models.tables.notices import Notice, NoticeAttempt
from models.tables.people import Person
from models.visibility import OpsText
from rules.notices.kinds import NoticeState
from services.notices.channels import MailWay
from services.notices.wording import Addresses
from settings import Settings
from tests.notices.conftest import Post, Staff, tell
from tests.shared.waiting import PATIENCE, until
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


@pytest.fixture
def never_looks_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sender sleeps for longer than any test waits, if nothing wakes it."""
    monkeypatch.setattr("activities.notices.LOOKS_ANYWAY", 10 * PATIENCE)


@pytest.mark.usefixtures("never_looks_by_itself")
async def test_notices_of_other_processes_wake_the_sender(
    temporal: Client,
    standing: StandingWorkflow,
    own_database: Database,
    mailer: Mailer,
    addresses: Addresses,
    staff: Staff,
    post: Post,
) -> None:
    """Both a new notice, and one that is to be sent after all, are announced at their commit."""
    anna = await staff.person()
    async with sender(temporal, standing, own_database, mailer, addresses):
        await until(lambda: _listeners(own_database))
        await tell(own_database, anna, "new")
        await until(lambda: _count(post, anna, 1))
        again = "update notice set state = 'waiting', sendings = 2 where channel = 'mail'"
        other = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            f"import psycopg; psycopg.connect({_url(own_database)!r}).execute({again!r})"
            ".connection.commit()",
        )
        assert await other.wait() == 0
        await until(lambda: _count(post, anna, 2))


@pytest.mark.usefixtures("never_looks_by_itself")
async def test_what_was_announced_to_nobody_is_made_up_for(
    temporal: Client,
    standing: StandingWorkflow,
    own_database: Database,
    mailer: Mailer,
    addresses: Addresses,
    staff: Staff,
    post: Post,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """While the connection that listens is lost, notices wait; a new one wakes the sender."""
    monkeypatch.setattr("clients.announcements.AGAIN_AFTER", 3.0)
    anna = await staff.person()
    async with sender(temporal, standing, own_database, mailer, addresses):
        [listener] = await until(lambda: _listeners(own_database))
        async with own_database.line() as line:
            await line.execute("select pg_terminate_backend(%s, 5000)", [listener])
        await tell(own_database, anna)
        await until(lambda: _count(post, anna, 1))
        assert await _listeners(own_database) not in ([], [listener])


@pytest.mark.usefixtures("never_looks_by_itself")
async def test_a_later_try_is_made_on_time(
    temporal: Client,
    standing: StandingWorkflow,
    own_database: Database,
    mailer: Mailer,
    addresses: Addresses,
    staff: Staff,
    post: Post,
) -> None:
    """A mail that is refused for now goes out later, though nothing is announced then."""
    anna = await staff.person()
    post.fault("refuse_for_now")
    async with sender(temporal, standing, own_database, mailer, addresses):
        await tell(own_database, anna)
        await until(lambda: _tried(own_database))
        post.fault()
        await until(lambda: _count(post, anna, 1))


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
            "DATABASE_URL": _url(own_database),
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


def _url(database: Database) -> str:
    return database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)


async def _listeners(own_database: Database) -> list[int]:
    """The processes of PostgreSQL whose connections listen in this database."""
    async with own_database.line() as line:
        found = await line.execute(
            "select pid from pg_stat_activity"
            " where datname = current_database() and query ilike 'listen %'"
        )
        return [row[0] for row in await found.fetchall()]


async def _tried(own_database: Database) -> bool:
    async with own_database.work() as session:
        return (await session.exec(select(NoticeAttempt))).first() is not None


async def _all_told(own_database: Database) -> bool:
    async with own_database.work() as session:
        found = await session.exec(select(Notice).where(Notice.channel == "mail"))
        return all(notice.state == NoticeState.TOLD for notice in found)


async def _count(post: Post, person: Person, number: int) -> bool:
    return len(post.to(person)) >= number
