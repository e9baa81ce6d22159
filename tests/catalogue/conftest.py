"""A real database with the catalogue that ships with the product, or an empty one."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from clients.database import Database
from ops.local.home import CHECKOUT
from services.catalogue.loading import load

DATA = sorted((CHECKOUT / "ops" / "data").glob("*.yaml"))


@pytest.fixture
async def empty(new_database: Callable[[], dict[str, str]]) -> AsyncIterator[Database]:
    """A migrated database without a catalogue, as the application's role."""
    database = Database(new_database()["DATABASE_URL"], pool=4)
    yield database
    await database.close()


@pytest.fixture
async def filled(empty: Database) -> Database:
    """The same with the catalogue of `ops/data`."""
    async with empty.work() as session:
        await load(session, DATA)
    return empty


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    """Write a catalogue file: its name and its text."""

    def written(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return written
