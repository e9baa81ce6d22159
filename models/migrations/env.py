"""How Alembic reaches the database: as the owner of the tables, with a lock timeout."""

from alembic import context
from sqlalchemy import create_engine, text
from sqlmodel import SQLModel

import models.tables  # noqa: F401  (completes the metadata)
from settings import get_settings


def _url() -> str:
    given = context.config.get_main_option("sqlalchemy.url")
    if given:
        return given
    settings = get_settings()
    secret = settings.database_owner_url or settings.database_url
    return secret.get_secret_value()


def _run() -> None:
    url = _url().replace("postgresql://", "postgresql+psycopg://", 1)
    engine = create_engine(url, connect_args={"options": "-c lock_timeout=5s"})
    try:
        with engine.connect() as connection:
            # One migration at a time, whichever process comes first.
            connection.execute(text("select pg_advisory_lock(7205759403792)"))
            connection.commit()
            context.configure(
                connection=connection,
                target_metadata=SQLModel.metadata,
                # A migration that commits in between must not commit half of another one.
                transaction_per_migration=True,
            )
            with context.begin_transaction():
                context.run_migrations()
    finally:
        # A migration that failed must not block the next one.
        engine.dispose()


_run()
