"""What programs are told of the API, and the hospital of the access table."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from server import create_app
from settings import Settings
from tests.api.world import BASE, World, table_settings
from tests.shared.servers import Servers


@pytest.fixture(scope="session")
def description() -> dict[str, Any]:
    """OpenAPI as programs get it."""
    return create_app(Settings(cookie_secure=False)).openapi()


@pytest.fixture(scope="module")
async def world(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """The hospital of the access table."""
    name = f"medcab_access_{uuid4().hex}"
    home = str(tmp_path_factory.mktemp("home"))
    app = create_app(table_settings(servers.new_database(name), home))
    async with app.router.lifespan_context(app):
        yield await World.populate(app, BASE)
    servers.drop_database(name)
