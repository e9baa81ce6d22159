"""Bring database, Temporal namespace and buckets to what this version needs. Safe to repeat."""

import asyncio

from alembic import command
from alembic.config import Config

from crypto.key_ring import UndecryptableError
from ops.local.buckets import prepare_buckets
from ops.local.home import CHECKOUT
from ops.local.servers.temporal import prepare_namespace
from settings import Settings


class NotMigratedError(RuntimeError):
    """Something that is stored cannot be brought to what this version needs; says what and why."""


def migrate(settings: Settings) -> None:
    """Migrate all three, tables and buckets as their owners. Raises NotMigratedError."""
    migrate_database(settings)
    asyncio.run(prepare_namespace(settings.temporal_address, settings.temporal_namespace))
    prepare_buckets(settings)


def migrate_database(settings: Settings) -> None:
    """Run the migrations that are still to run. Raises NotMigratedError."""
    url = settings.database_owner_url or settings.database_url
    config = Config()
    config.set_main_option("script_location", str(CHECKOUT / "models" / "migrations"))
    config.set_main_option("sqlalchemy.url", url.get_secret_value().replace("%", "%%"))
    config.attributes["settings"] = settings
    try:
        command.upgrade(config, "head")
    except UndecryptableError as error:
        raise NotMigratedError(f"The database is not up to date: {error}") from error
