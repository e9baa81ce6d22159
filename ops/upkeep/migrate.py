"""Bring database, Temporal namespace and buckets to what this version needs. Safe to repeat."""

import asyncio

from sqlalchemy import create_engine, inspect

from clients.database import driver_url
from crypto.key_ring import UndecryptableError
from ops.local.buckets import prepare_buckets
from ops.local.home import CHECKOUT
from ops.local.servers.temporal import prepare_namespace
from services.journal.checkpoint_files import checkpoints_folder, has_checkpoints
from settings import Settings


class NotMigratedError(RuntimeError):
    """Something that is stored cannot be brought to what this version needs; says what and why."""


def migrate(settings: Settings) -> None:
    """Migrate all three, tables and buckets as their owners. Raises NotMigratedError.

    Also for an empty database where there was another one: numbers and checkpoints would begin
    again beside what is left of it.
    """
    if has_checkpoints(settings.home) and _is_empty(settings):
        raise NotMigratedError(
            "The database is empty, and there was another one: its checkpoints are in "
            f"{checkpoints_folder(settings.home)}. Nothing was made. Bring it back with `medcab "
            "restore`, see docs/backup.md; to begin anew beside what is left, move that folder away"
        )
    migrate_database(settings)
    asyncio.run(prepare_namespace(settings.temporal_address, settings.temporal_namespace))
    prepare_buckets(settings)


def _is_empty(settings: Settings) -> bool:
    engine = create_engine(driver_url(_owner_url(settings)))
    try:
        return not inspect(engine).has_table("alembic_version")
    finally:
        engine.dispose()


def _owner_url(settings: Settings) -> str:
    return (settings.database_owner_url or settings.database_url).get_secret_value()


def migrate_database(settings: Settings) -> None:
    """Run the migrations that are still to run. Raises NotMigratedError."""
    # Not imported at the top: servers that never migrate would keep it in memory.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(CHECKOUT / "models" / "migrations"))
    config.set_main_option("sqlalchemy.url", _owner_url(settings).replace("%", "%%"))
    config.attributes["settings"] = settings
    try:
        command.upgrade(config, "head")
    except UndecryptableError as error:
        raise NotMigratedError(f"The database is not up to date: {error}") from error
