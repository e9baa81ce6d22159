"""The office that tests of conversations talk in; the served cabinet is that of the pages."""

import pytest

from clients.database import Database
from services.conversation import Conversations
from tests.pages.conftest import database, office, site

__all__ = ["database", "office", "site"]


@pytest.fixture
def talk(database: Database) -> Conversations:
    """What people say on cases."""
    return Conversations(database)
