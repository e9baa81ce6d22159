"""What Prometheus is told: by both processes, from one statement, without a single id."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families

from api.http.metrics import CHANNELS
from clients.database import Database
from clients.telemetry.metrics import metered_runtime
from clients.temporal.client import CaseSignaller, connect
from crypto.key_ring import KeyRing
from models.tables.cases import Outage
from ops.local.servers.medcab import Worker
from rules.clock import now
from server import create_app
from services.cases import wakeups
from services.operation import metrics
from services.operation.metrics import MetricsSource
from settings import Settings
from tests.shared.desk import Desk
from tests.shared.office import Office
from tests.shared.served import with_new_database
from tests.shared.waiting import until
from worker import build

AN_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-|ПК-\d{4}")


@dataclass
class Told:
    """One answer to Prometheus: each sample by its name and labels."""

    text: str

    def value(self, name: str, **labels: str) -> float:
        """The value of one sample. Raises KeyError where it is not told."""
        for family in text_string_to_metric_families(self.text):
            for sample in family.samples:
                if sample.name == name and labels.items() <= sample.labels.items():
                    return float(sample.value)
        raise KeyError((name, labels))

    @property
    def names(self) -> set[str]:
        """The names of all samples."""
        return {
            sample.name
            for family in text_string_to_metric_families(self.text)
            for sample in family.samples
        } | set(re.findall(r"^# TYPE (\S+) ", self.text, re.MULTILINE))


async def scrape(address: str) -> Told:
    """Ask as Prometheus does."""
    async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
        answer = await client.get(f"http://{address}/metrics")
    assert answer.status_code == 200
    return Told(answer.text)


def free_address() -> str:
    """An address of loopback that nobody has."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{one.getsockname()[1]}"


@dataclass
class Watched:
    """An application that tells Prometheus, with an office in it."""

    app: FastAPI
    desk: Desk
    address: str

    async def ask(self) -> Told:
        """What it tells."""
        return await scrape(self.address)


@asynccontextmanager
async def watched_app(settings: Settings) -> AsyncIterator[tuple[FastAPI, str]]:
    """The application over these settings, with an address for Prometheus."""
    chosen = settings.model_copy(update={"metrics_address": free_address()})
    app = create_app(chosen)
    async with app.router.lifespan_context(app):
        yield app, chosen.metrics_address


@pytest.fixture
async def watched(
    settings: Settings, new_database: Callable[[], dict[str, str]]
) -> AsyncIterator[Watched]:
    """Over a database of its own, so that its figures are known."""
    async with watched_app(with_new_database(settings, new_database())) as (app, address):
        yield Watched(app, await Desk.open(app), address)


async def test_state_of_the_installation_is_told(watched: Watched) -> None:
    """Cases by kind and status, what is stuck, unheard and overdue, outages, seals, notices."""
    office = watched.desk.office
    stuck, late = await office.in_review(), await office.in_review()
    await wakeups.report_stuck(office.database, stuck, "wake", "PermanentError")
    await office.set_times(
        late, wakes_at=now() - timedelta(minutes=10), due_at=now() - timedelta(days=1)
    )
    async with office.database.work() as session:
        session.add(Outage(system="register", since=now() - timedelta(minutes=30)))
    told = await watched.ask()
    assert told.value("medcab_cases_open", kind="application", status="in_review") == 2
    assert told.value("medcab_cases_stuck", kind="application") == 1
    assert told.value("medcab_cases_stuck", kind="request") == 0
    assert told.value("medcab_cases_unheard") == 1
    assert 600 <= told.value("medcab_unheard_seconds") < 660
    assert told.value("medcab_cases_overdue") == 1
    assert told.value("medcab_outage_seconds", system="register") >= 1800
    assert 0 < told.value("medcab_journal_unsealed_seconds") < 60
    for channel in CHANNELS:
        assert told.value("medcab_notices_failed", channel=channel) == 0
    assert told.value("medcab_database_up") == 1
    assert told.value("medcab_temporal_up") == 1
    assert told.value("medcab_workers") == 0
    assert told.value("process_resident_memory_bytes") > 0


async def test_requests_are_told_by_route_and_status(watched: Watched) -> None:
    """The template of the route stands for all cases; what no route takes has no name."""
    case_id = await watched.desk.office.submitted()
    program = await watched.desk.program(watched.desk.office.clinician)
    for _ in range(3):
        assert (await program.get(f"/applications/{case_id}")).status_code == 200
    await program.get(f"/applications/{uuid4()}")
    await program.get("/nowhere")
    told = await watched.ask()
    route, count = "/api/v1/applications/{case_id}", "medcab_request_seconds_count"
    assert told.value(count, route=route, method="GET", status="200") == 3
    assert told.value(count, route=route, method="GET", status="404") == 1
    assert told.value(count, route="none", status="404") == 1
    assert told.value("medcab_request_seconds_bucket", route=route, le="+Inf") >= 1


async def test_no_label_holds_an_id(watched: Watched) -> None:
    """Numbers and ids would make a series for each case, and say too much."""
    office = watched.desk.office
    case_id = await office.in_review()
    await wakeups.report_stuck(office.database, case_id, "wake", "PermanentError")
    program = await watched.desk.program(office.clinician)
    await program.get(f"/applications/{case_id}/state")
    assert not AN_ID.search((await watched.ask()).text)


async def test_database_is_asked_every_ten_seconds_at_most(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many ask at once, there is one statement."""
    office = watched.desk.office
    asked = 0
    ask = MetricsSource._ask

    async def counted(self: MetricsSource) -> metrics.Figures:
        nonlocal asked
        asked += 1
        return await ask(self)

    monkeypatch.setattr(MetricsSource, "_ask", counted)
    watch = MetricsSource(office.database, 60.0)
    first = await asyncio.gather(*(watch.figures() for _ in range(20)))
    assert asked == 1
    assert all(one is first[0] for one in first)
    monkeypatch.setattr(metrics, "KEPT", 0.0)
    await watch.figures()
    assert asked == 2


async def test_database_that_is_down_is_told(settings: Settings) -> None:
    """The figures of the process go on, and say that the rest is not known."""
    nowhere = "postgresql://nobody@127.0.0.1:1/none"
    down = Settings.model_validate(
        {
            **settings.model_dump(),
            "database_url": nowhere,
            "temporal_address": "127.0.0.1:1",
            "cookie_secure": False,
        }
    )
    async with watched_app(down) as (_, address):
        told = await scrape(address)
    assert told.value("medcab_database_up") == 0
    assert told.value("medcab_temporal_up") == 0
    assert "medcab_cases_overdue" not in told.names


async def test_address_that_is_taken_stops_nobody(
    settings: Settings, new_database: Callable[[], dict[str, str]]
) -> None:
    """People are served all the same."""
    chosen = with_new_database(settings, new_database())
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        app = create_app(chosen.model_copy(update={"metrics_address": address}))
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
                assert (await client.get("/health/live")).status_code == 200


@pytest.mark.asvs("13.4.5")
async def test_without_an_address_nothing_is_counted(
    settings: Settings, new_database: Callable[[], dict[str, str]]
) -> None:
    """Off by default."""
    app = create_app(with_new_database(settings, new_database()))
    async with app.router.lifespan_context(app):
        assert getattr(app.state, "request_seconds", None) is None
    assert metered_runtime(Settings()) is None


def test_every_process_of_an_installation_has_an_address_of_its_own() -> None:
    """Two API processes share a socket, so each is asked apart; what is given is kept."""
    needed = {"TEMPORAL_ADDRESS": "127.0.0.1:1"}
    own = [Worker("worker-1"), Worker("worker-2")]
    told = {one.launch(needed).environment["MEDCAB_METRICS_ADDRESS"] for one in own}
    assert len(told) == 2
    assert told == {one.metrics for one in own}
    given = {**needed, "MEDCAB_METRICS_ADDRESS": "127.0.0.1:2"}
    assert own[0].launch(given).environment["MEDCAB_METRICS_ADDRESS"] == "127.0.0.1:2"


CHECKED = "temporal_local_activity_execution_latency_seconds_count"


async def worker_told(settings: Settings, database: Database) -> Told:
    """What a worker tells that has taken an application to its review.

    The case is in review before the SDK has counted the activity that brought it there.
    """

    chosen = settings.model_copy(
        update={"metrics_address": free_address(), "task_queue": f"metered-{uuid4().hex}"}
    )
    runtime = metered_runtime(chosen)
    assert runtime is not None
    client = await connect(chosen, KeyRing.parse(chosen.keys.get_secret_value()), runtime=runtime)
    office = await Office.open(database, CaseSignaller(client, chosen.task_queue))
    async with build(chosen, client, database):
        await office.submitted()

        async def counted() -> bool:
            return CHECKED in (await scrape(chosen.metrics_address)).names

        await until(counted)
        return await scrape(chosen.metrics_address)


async def test_worker_tells_of_its_activities(
    settings: Settings, new_database: Callable[[], dict[str, str]]
) -> None:
    """Latencies by type of activity, in seconds; ids stand in no label."""
    chosen = with_new_database(settings, new_database())
    database = Database.from_settings(chosen)
    told = await worker_told(chosen, database)
    await database.close()
    assert told.value(CHECKED, activity_type="check") >= 1
    assert not AN_ID.search(re.sub(r'task_queue="[^"]*"', "", told.text))
