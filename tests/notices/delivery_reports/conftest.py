"""The API behind a port of loopback, for the providers that call back what became of a message."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from standardwebhooks.webhooks import Webhook

from clients.database import Database
from models.tables.people import Person
from server import create_app
from services.notices.sender import Way, drain
from settings import Settings
from tests.notices.conftest import Staff, tell
from tests.shared.office import Office
from tests.shared.served import at_port, free_port
from tests.shared.waiting import PATIENCE


@pytest.fixture
async def staff(database: Database) -> Staff:
    """People of one unit, which earlier tests may have made."""
    return Staff(database, (await Office.open(database)).ward)


@pytest.fixture
async def api(settings: Settings) -> AsyncIterator[str]:
    """Where the API is."""
    port = free_port()
    own = {"public_url": f"http://127.0.0.1:{port}", "cookie_secure": False}
    async with at_port(create_app(settings.model_copy(update=own)), port) as address:
        yield address


async def send(database: Database, person: Person, way: Way, kind: Any) -> None:
    """Tell the person of an event, as far as this way goes."""
    await tell(database, person, kind=kind)
    await drain(database, way)


async def call_back(url: str, secret: str, body: str, **changes: Any) -> int:
    """A callback signed with the secret, or with something changed; the status of the answer."""
    at = changes.pop("at", datetime.now(UTC))
    headers = {
        "webhook-id": "receipt-1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign("receipt-1", at, body),
        **changes,
    }
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as http:
        return (await http.post(url, content=body, headers=headers)).status_code
