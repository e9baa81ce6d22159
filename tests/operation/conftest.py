"""The application listening on a port, before a real Temporal."""

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import uuid4

import httpx
import psycopg
import pytest
import uvicorn
from temporalio.client import Client

from api.container import Container
from clients.database import Database
from clients.temporal.client import connect
from crypto.key_ring import KeyRing
from ops.local.system import settings_from
from rules.access import Role
from server import create_app
from services.cases.signals import CaseSignals
from services.operation.remedies import OperationActs
from services.operation.temporal_health import Standings
from settings import Settings
from tests.operation.desk import Desk
from tests.shared.accounts import House, units_of
from tests.shared.office import Heard, Office
from tests.shared.servers import KEYS, Servers
from tests.shared.waiting import PATIENCE, until


@dataclass
class Door:
    """The listening application, its people, and our client of Temporal."""

    address: str
    house: House
    temporal: Client

    async def browser_of(self, role: Role) -> httpx.AsyncClient:
        """A browser over the network, in which a new person of this role has signed in."""
        inside = await self.house.signed_in(await self.house.someone(role), checked=True)
        outside = httpx.AsyncClient(base_url=self.address, trust_env=False, timeout=PATIENCE)
        outside.cookies.update({cookie.name: cookie.value or "" for cookie in inside.cookies.jar})
        outside.headers["User-Agent"] = inside.headers["User-Agent"]
        outside.headers["Sec-Fetch-Site"] = "same-origin"
        return outside


@pytest.fixture
async def door(opened: Door) -> Door:
    """The application on a free port of loopback; the journal is empty, and nobody is active."""
    opened.house.container.activity.sessions.clear()
    owner = opened.house.settings.database_owner_url
    assert owner is not None
    with psycopg.connect(owner.get_secret_value()) as connection:
        connection.execute("truncate journal_entry, journal_pending")
    return opened


@pytest.fixture(scope="module")
async def opened(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Door]:
    """The same, as the tests of a file share it."""
    name = f"medcab_door_{uuid4().hex}"
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        settings = settings_from(
            {
                **servers.environment,
                **servers.new_database(name),
                "MEDCAB_KEYS": KEYS,
                "MEDCAB_HOME": str(tmp_path_factory.mktemp("home")),
                "MEDCAB_COOKIE_SECURE": "0",
                "MEDCAB_PUBLIC_URL": address,
            }
        )
        app = create_app(settings)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        serving = asyncio.create_task(server.serve(sockets=[listening]))

        async def started() -> bool:
            return server.started

        await until(started)
        container: Container = app.state.container
        house = House(app, settings, container, *await units_of(container))
        yield Door(address, house, await connect(settings, KeyRing.parse(KEYS)))
        server.should_exit = True
        await serving
    servers.drop_database(name)


@pytest.fixture
async def desk(database: Database, temporal: Client, settings: Settings) -> Desk:
    """An office, and somebody of ops who answers for all of it."""
    office = await Office.open(database)
    heard = Heard()
    # A queue that no worker asks: what is started stays as it is.
    standings = Standings(temporal, f"desk-{uuid4().hex}")
    ops = await office.person("Дежурный", Role.OPS, office.institution)
    return Desk(
        office, heard, standings, OperationActs(database, CaseSignals(heard), standings), ops
    )
