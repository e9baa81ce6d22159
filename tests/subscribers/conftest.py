"""Subscribers beside the people of an office and their credentials."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import update

from models.tables.subscribers import Subscriber
from rules.clock import now
from tests.credentials.conftest import Keeping, keeping
from tests.subscribers.receiving import Line, receiving

__all__ = ["keeping"]


@pytest.fixture
async def line(keeping: Keeping) -> AsyncIterator[Line]:
    """A receiver that is up; who subscribed in an earlier test has ended."""
    async with keeping.office.database.work() as session:
        await session.exec(update(Subscriber).values(ended_at=now(), looks_at=None))
    async with receiving() as (inbox, address):
        yield Line(keeping.office.database, inbox, address)
