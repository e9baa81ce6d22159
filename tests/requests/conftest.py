"""The office that tests of service requests work in, and what lives through them."""

from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pyotp
import pytest

from api.container import Container
from models.tables.accounts import Account
from rules.accounts import Stage
from rules.clock import now
from services.accounts.sessions import open_session
from settings import Settings
from tests.shared.accounts import carry, visitor_at
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
        base_url = container.settings.public_url
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=base_url) as browser:
            person_id, moment = counter.clinician.person_id, now()
            async with container.database.work() as session:
                account = Account(
                    person_id=person_id,
                    login=uuid4().hex,
                    password_hash="none",
                    password_changed_at=moment,
                    totp_secret=pyotp.random_base32(),
                    totp_confirmed_at=moment,
                    created_at=moment,
                )
                session.add(account)
                await session.flush()
                opened = await open_session(
                    session, person_id, Stage.OPEN, visitor_at(), moment, second_factor_at=moment
                )
            carry(browser, opened)
            yield counter, browser
