"""The line to PostgreSQL: a pool, and the unit of work."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel.ext.asyncio.session import AsyncSession

from settings import Settings


def driver_url(url: str) -> str:
    """The same address with the driver named, as SQLAlchemy wants it."""
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


class Database:
    """A pool of connections. A lost server is SQLAlchemy's `OperationalError`."""

    def __init__(self, url: str, pool: int = 10) -> None:
        self.engine = create_async_engine(
            driver_url(url),
            pool_size=pool,
            max_overflow=pool,
            pool_timeout=10,
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args={
                "connect_timeout": 5,
                "options": "-c timezone=UTC -c lock_timeout=5s -c statement_timeout=15s"
                " -c idle_in_transaction_session_timeout=30s",
            },
        )

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The database of this installation, as the application's role."""
        return cls(settings.database_url.get_secret_value(), settings.database_pool)

    @asynccontextmanager
    async def work(self) -> AsyncIterator[AsyncSession]:
        """One unit of work: committed on leaving, rolled back on any error."""
        async with AsyncSession(self.engine, expire_on_commit=False) as session:
            try:
                yield session
                await session.commit()
            except BaseException:
                await session.rollback()
                raise

    async def ping(self) -> None:
        """Raise OperationalError unless the server answers."""
        async with self.engine.connect() as connection:
            await connection.execute(text("select 1"))

    async def close(self) -> None:
        """Give the connections back."""
        await self.engine.dispose()
