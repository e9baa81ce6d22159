"""The office that tests of service requests work in, and what lives through them."""

from collections.abc import AsyncIterator

import httpx
import pytest

from api.container import Container
from settings import Settings
from tests.shared.accounts import browser_of
from tests.shared.counter import Counter
from tests.shared.served import in_process
from tests.shared.servers import NOWHERE, Servers

Visit = tuple[Counter, httpx.AsyncClient]


@pytest.fixture
async def visit(
    settings: Settings, servers: Servers
) -> AsyncIterator[tuple[Counter, httpx.AsyncClient]]:
    """The application without Temporal, and who works there."""
    without = settings.model_copy(update={"temporal_address": NOWHERE, "cookie_secure": False})
    async with in_process(without, servers) as app:
        container: Container = app.state.container
        counter = await Counter.open(container.database)
        async with await browser_of(app, counter.clinician) as browser:
            yield counter, browser
