"""The application listening on a port, before a real Temporal with its pages."""

import asyncio
import base64
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import uvicorn
from temporalio.client import Client

from api.app import create_app
from api.state import Medcab
from clients.temporal import connect
from models.encryption import KeyRing, use_key_ring
from models.tables.people import Unit
from ops.system import settings_from
from rules.permissions import Role
from tests.accounts.conftest import House
from tests.clients.waiting import until
from tests.servers import Servers

KEYS = "test:" + base64.b64encode(bytes(range(32))).decode()


@dataclass
class Door:
    """The listening application, its people, and our client of Temporal."""

    address: str
    house: House
    temporal: Client

    async def browser_of(self, role: Role) -> httpx.AsyncClient:
        """A browser over the network, in which a new person of this role has signed in."""
        inside = await self.house.signed_in(await self.house.someone(role))
        outside = httpx.AsyncClient(base_url=self.address, trust_env=False, timeout=20)
        outside.cookies.update({cookie.name: cookie.value or "" for cookie in inside.cookies.jar})
        outside.headers["User-Agent"] = inside.headers["User-Agent"]
        outside.headers["Sec-Fetch-Site"] = "same-origin"
        return outside


@pytest.fixture
async def door(
    servers: Servers, new_database: Callable[[], dict[str, str]], tmp_path: Path
) -> AsyncIterator[Door]:
    """The application on a free port of loopback."""
    use_key_ring(KeyRing.parse(KEYS))
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        settings = settings_from(
            {
                **servers.environment,
                **new_database(),
                "MEDCAB_KEYS": KEYS,
                "MEDCAB_HOME": str(tmp_path),
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
        medcab: Medcab = app.state.medcab
        async with medcab.database.work() as session:
            institution = Unit(code="hospital", name="Больница № 7")
            session.add(institution)
            await session.flush()
            ward = Unit(code="cardio", name="Кардиология", parent_id=institution.id)
            session.add(ward)
        house = House(app, settings, medcab, institution.id, ward.id)
        yield Door(address, house, await connect(settings, KeyRing.parse(KEYS)))
        server.should_exit = True
        await serving
