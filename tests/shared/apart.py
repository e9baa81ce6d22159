"""A world of a folder's own: its pages list the people and cases of its own tests alone.

Every test brings people with it. After some hundreds of tests a list of who may decide, or a notice
to all of a unit, costs more than what the test is about. The `conftest.py` of a folder takes these
fixtures in by their names; all else that tests ask for then stands on them.
"""

from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pytest

from clients.database import Database
from settings import Settings
from tests.shared.cabinet import Site, serving
from tests.shared.servers import Servers

__all__ = ["database", "settings", "site"]


@pytest.fixture(scope="package")
def settings(settings: Settings, servers: Servers) -> Iterator[Settings]:
    """The settings of this process, but for a database of the folder's own."""
    name = f"medcab_apart_{uuid4().hex}"
    urls = servers.new_database(name)
    own = {"database_url": urls["DATABASE_URL"], "database_owner_url": urls["DATABASE_OWNER_URL"]}
    yield Settings.model_validate({**settings.model_dump(), **own})
    servers.drop_database(name)


@pytest.fixture(scope="package")
async def database(settings: Settings) -> AsyncIterator[Database]:
    """That database."""
    made = Database.from_settings(settings)
    yield made
    await made.close()


@pytest.fixture(scope="package")
async def site(settings: Settings) -> AsyncIterator[Site]:
    """The cabinet over it."""
    async with serving(settings) as served:
        yield served
