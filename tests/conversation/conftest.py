"""What people say on cases."""

import pytest

from clients.database import Database
from services.conversation import Conversations


@pytest.fixture
def talk(database: Database) -> Conversations:
    """What people say on cases."""
    return Conversations(database)
