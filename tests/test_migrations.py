"""The migrations make exactly the tables that the code describes, and can be undone."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect
from sqlmodel import SQLModel

import models.tables  # noqa: F401  (completes the metadata)
from clients.database import driver_url
from ops.home import CHECKOUT
from tests.servers import Servers


@pytest.fixture
def owner_url(servers: Servers) -> Iterator[str]:
    """A migrated database that is thrown away, as the owner of its tables."""
    name = f"medcab_migrated_{uuid4().hex}"
    yield servers.new_database(name)["DATABASE_OWNER_URL"]
    servers.drop_database(name)


def test_tables_are_as_the_code_describes_them(owner_url: str) -> None:
    """A table or column changed without a migration is found here."""
    engine = create_engine(driver_url(owner_url))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []
    engine.dispose()


def test_migrations_can_be_undone(owner_url: str) -> None:
    """Down to nothing and up again."""
    config = Config()
    config.set_main_option("script_location", str(CHECKOUT / "models" / "migrations"))
    config.set_main_option("sqlalchemy.url", owner_url.replace("%", "%%"))
    command.downgrade(config, "base")
    engine = create_engine(driver_url(owner_url))
    assert inspect(engine).get_table_names() == ["alembic_version"]
    command.upgrade(config, "head")
    assert "case" in inspect(engine).get_table_names()
    engine.dispose()
