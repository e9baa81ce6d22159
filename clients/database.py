"""The client of PostgreSQL: a pool of connections, and the unit of work."""

import select
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cached_property
from types import SimpleNamespace
from typing import Any, Self, cast

import psycopg
from psycopg import _queries
from psycopg.pq import TransactionStatus
from sqlalchemy import Dialect, Select, event, text
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.exc import (
    DBAPIError,
    InterfaceError,
    InvalidatePoolError,
    NoResultFound,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import Mapper
from sqlalchemy.orm.attributes import instance_state
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.util import greenlet_spawn
from sqlmodel.ext.asyncio.session import AsyncSession

from crypto.key_ring import KeyRing, use_key_ring
from settings import Settings

# The driver remembers how to send a statement only up to 4 KiB and 50 parameters. What writes an
# act with journal and notices is longer, and taking it apart each time costs half a millisecond.
_queries.MAX_CACHED_STATEMENT_LENGTH = 16 * 1024
_queries.MAX_CACHED_STATEMENT_PARAMS = 250

DatabaseSession = AsyncSession
"""A unit of work, as routes and pages receive it and pass it on to services."""

DatabaseError = SQLAlchemyError
"""The base of all errors that database calls raise."""
SERVER_ERRORS: tuple[type[Exception], ...] = (DBAPIError, PoolTimeoutError)
"""Errors raised when the server refuses a statement, cannot be reached, or the pool is full."""

CONNECT_WITHIN = 5


def is_passing(error: Exception) -> bool:
    """Whether the database is only away for a moment: the same request may succeed later."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    return isinstance(error, OperationalError | InterfaceError | PoolTimeoutError)


def is_contended(error: Exception) -> bool:
    """Whether others held for too long what a statement needed, or each waited for the other."""
    held = psycopg.errors.LockNotAvailable | psycopg.errors.DeadlockDetected
    return isinstance(error, DBAPIError) and isinstance(error.orig, held)


def driver_url(url: str) -> str:
    """The same URL with the driver named, as SQLAlchemy needs it."""
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


class Database:
    """A pool of connections. If the server is lost, calls raise SQLAlchemy's `OperationalError`."""

    def __init__(self, url: str, pool: int = 10) -> None:
        self._url = url
        self.engine = create_async_engine(
            driver_url(url),
            pool_size=pool,
            max_overflow=pool,
            # Many people at once are a queue, not an outage.
            pool_timeout=20,
            # Units of work end by themselves, and `line` looks: nothing is left to be rolled back.
            pool_reset_on_return=None,
            hide_parameters=True,
            connect_args={
                "connect_timeout": CONNECT_WITHIN,
                "options": "-c timezone=UTC -c lock_timeout=5s -c statement_timeout=15s"
                " -c idle_in_transaction_session_timeout=30s",
            },
        )
        event.listen(self.engine.sync_engine, "checkout", _refuse_dead)
        self.reading_engine = self.engine.execution_options(isolation_level="AUTOCOMMIT")

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The database of this installation, as the application's role, with the keys of its rows.

        Without keys in the settings nothing encrypted can be read or written. Raises ValueError for
        keys of another shape.
        """
        if keys := settings.keys.get_secret_value():
            use_key_ring(KeyRing.installed(keys, settings.home))
        return cls(settings.database_url.get_secret_value(), settings.database_pool)

    @asynccontextmanager
    async def work(self) -> AsyncIterator[DatabaseSession]:
        """One unit of work: committed on leaving, rolled back on any error."""
        async with AsyncSession(self.engine, expire_on_commit=False) as session:
            try:
                yield session
                await session.commit()
            except BaseException:
                await session.rollback()
                raise

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[DatabaseSession]:
        """For statements that are transactions by themselves, each in one round trip.

        Nothing is committed on leaving: objects that were added or changed are not written.
        """
        async with AsyncSession(self.reading_engine, expire_on_commit=False) as session:
            yield session

    @asynccontextmanager
    async def line(self) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """A driver connection for one short plain query, where SQLAlchemy's overhead would show.

        It comes out of the same pool; each statement is its own transaction. If the server is lost,
        this raises SQLAlchemy's `OperationalError` too.
        """
        try:
            pooled: Any = await self.engine.raw_connection()
        except psycopg.OperationalError as error:
            raise _as_sqlalchemy_says(error) from error
        line: psycopg.AsyncConnection[Any] = pooled.driver_connection
        try:
            await line.set_autocommit(True)
            yield line
        except psycopg.OperationalError as error:
            raise _as_sqlalchemy_says(error) from error
        finally:
            if line.info.transaction_status is TransactionStatus.IDLE:
                await line.set_autocommit(False)
            else:
                # Lost, or left in the middle of a query: nobody else may get this connection.
                await greenlet_spawn(pooled.invalidate)
            pooled.close()

    async def connect(self) -> psycopg.AsyncConnection[Any]:
        """A driver connection of one's own, outside the pool. Raises psycopg.OperationalError."""
        return await psycopg.AsyncConnection.connect(
            self._url, autocommit=True, connect_timeout=CONNECT_WITHIN
        )

    async def ping(self) -> None:
        """Raise OperationalError unless the server answers."""
        async with self.engine.connect() as connection:
            await connection.execute(text("select 1"))

    async def close(self) -> None:
        """Close all connections."""
        await self.engine.dispose()


_DIALECT: Dialect = PGDialect_psycopg()  # type: ignore[no-untyped-call]


class DirectStatement:
    """A statement that is compiled once and goes past SQLAlchemy: for what each case sends.

    Its values are written as SQLAlchemy would write them; one for an encrypted column is `bound`.
    """

    def __init__(self, statement: Any) -> None:
        self._statement = statement

    @cached_property
    def _made(self) -> SQLCompiler:
        made: SQLCompiler = self._statement.compile(dialect=_DIALECT)
        return made

    @cached_property
    def _writers(self) -> Mapping[str, Callable[[Any], Any]]:
        types = {
            name: one.type.dialect_impl(_DIALECT) for one, name in self._made.bind_names.items()
        }
        found = {name: one.bind_processor(_DIALECT) for name, one in types.items()}
        return {name: write for name, write in found.items() if write is not None}

    @cached_property
    def _sent(self) -> tuple[bytes, dict[str, Any]]:
        # Lists of constants are written out, each value as a parameter.
        written = self._made.construct_expanded_state(self._made.params)
        asked = {n for one, n in self._made.bind_names.items() if one.required or one.callable}
        fixed = {name: one for name, one in written.parameters.items() if name not in asked}
        return written.statement.encode(), fixed

    @cached_property
    def _found(self) -> Mapping[str, Callable[[], Any]]:
        named = self._made.bind_names.items()
        return {name: one.callable for one, name in named if one.callable is not None}

    def with_values(self, values: Mapping[str, Any]) -> tuple[bytes, dict[str, Any]]:
        """The text as the driver takes it, and its parameters."""
        text, fixed = self._sent
        given = {**fixed, **values}
        for name, find in self._found.items():
            if name not in given:
                given[name] = find()
        return text, given | {name: write(given[name]) for name, write in self._writers.items()}

    async def run(
        self, session: DatabaseSession, values: Mapping[str, Any]
    ) -> psycopg.AsyncCursor[Any]:
        """Send it within a unit of work. Rows are as the driver reads them.

        Raises what SQLAlchemy would raise. Objects that were changed are not written before it.
        """
        connection = await session.connection()
        line: Any = (await connection.get_raw_connection()).driver_connection
        try:
            return cast(psycopg.AsyncCursor[Any], await line.execute(*self.with_values(values)))
        except psycopg.Error as error:
            if line.closed:
                await connection.invalidate(error)
            raise DBAPIError.instance(
                None,
                None,
                error,
                psycopg.Error,
                hide_parameters=True,
                connection_invalidated=line.closed,
            ) from error


class DirectQuery(DirectStatement):
    """A query that finds at most one row: for what is asked again and again.

    The columns of the row are read as SQLAlchemy would read them.
    """

    def __init__(self, query: Select[Any]) -> None:
        super().__init__(query)
        self._columns = [
            (name, one.type.dialect_impl(_DIALECT).result_processor(_DIALECT, None) or _as_it_is)
            for name, one in query.selected_columns.items()
        ]

    async def one_or_none(self, database: Database, values: Mapping[str, Any]) -> Any:
        """The row that is found, with its columns as attributes. It is a transaction of its own."""
        async with database.line() as line:
            found = await line.execute(*self.with_values(values))
            row = await found.fetchone()
        if row is None:
            return None
        told = zip(self._columns, row, strict=True)
        return SimpleNamespace(**{name: read(value) for (name, read), value in told})


Read = Callable[[DatabaseSession, Sequence[Any]], Any]
"""Makes one element out of a row as the driver gives it."""


class DirectRows(DirectStatement):
    """A query of a unit of work that goes past SQLAlchemy: for what each case reads.

    Its objects belong to the unit of work like those that it reads itself: one row is one object,
    and what is changed in it is written at the commit. Of several elements a row is a tuple.

    It takes parameters alone, and no options of the ORM.
    """

    async def all(self, session: DatabaseSession, values: Mapping[str, Any]) -> list[Any]:
        """All rows. What was changed before is written first, as before any query."""
        if not session.sync_session._is_clean():
            await session.flush()
        rows = await (await self.run(session, values)).fetchall()
        reads = self._reads
        if len(reads) == 1:
            return [reads[0](session, row) for row in rows]
        return [tuple(read(session, row) for read in reads) for row in rows]

    async def one(self, session: DatabaseSession, values: Mapping[str, Any]) -> Any:
        """The only row, which exists. Raises NoResultFound."""
        rows = await self.all(session, values)
        if not rows:
            raise NoResultFound
        return rows[0]

    async def one_or_none(self, session: DatabaseSession, values: Mapping[str, Any]) -> Any:
        """The only row, or None; for a query that finds no more."""
        rows = await self.all(session, values)
        return rows[0] if rows else None

    @cached_property
    def _reads(self) -> list[Read]:
        at, reads = 0, []
        for one in self._statement.column_descriptions:
            mapper = getattr(one["entity"], "__mapper__", None)
            if mapper is not None and one["expr"] is one["entity"]:
                width = len(mapper.columns)
                reads.append(self._of_object(mapper, at))
            else:
                width = 1
                reads.append(self._of_value(at))
            at += width
        return reads

    def _value_at(self, at: int) -> Callable[[Any], Any]:
        """How SQLAlchemy would read the value of this column."""
        kind = self._made._result_columns[at].type
        found: Any = kind.dialect_impl(_DIALECT).result_processor(_DIALECT, None)
        return found or _as_it_is

    def _of_value(self, at: int) -> Read:
        value = self._value_at(at)
        return lambda _, row: value(row[at])

    def _of_object(self, mapper: Mapper[Any], first: int) -> Read:
        columns = self._made._result_columns[first : first + len(mapper.columns)]
        own: dict[Any, str] = {
            one: mapper.get_property_by_column(one).key for one in mapper.columns
        }
        places = {}
        for number, one in enumerate(columns, first):
            [name] = {own[column] for column in one.objects if column in own}
            places[name] = number
        key = [places[own[column]] for column in mapper.primary_key]
        values = [(name, at, self._value_at(at)) for name, at in places.items()]
        identified, make = mapper.identity_key_from_primary_key, mapper.class_manager.new_instance

        def read(session: DatabaseSession, row: Sequence[Any]) -> Any:
            primary_key = tuple(row[at] for at in key)
            if None in primary_key:
                return None
            identity, known = identified(primary_key), session.sync_session.identity_map
            found = known.get(identity) or make()
            state: Any = instance_state(found)
            if state.key is None:
                state.key, state.session_id = identity, session.sync_session.hash_key
                known._add_unpresent(state, identity)
            # What the unit of work knows already, and may have changed, stays.
            read = {name: do(row[at]) for name, at, do in values if name not in state.dict}
            state.dict.update(read)
            state._commit(state.dict, read)
            return found

        return read


def _as_it_is(value: Any) -> Any:
    return value


def _as_sqlalchemy_says(error: psycopg.OperationalError) -> OperationalError:
    return OperationalError(None, None, error, hide_parameters=True)


def _refuse_dead(connection: Any, record: Any, proxy: Any) -> None:
    """Make the pool replace a connection on which the server has hung up.

    The server sends nothing on an idle connection, so if something can be read, the connection has
    ended. Asking the socket costs no round trip; a ping would cost every unit of work one.
    """
    del record, proxy
    waiting = select.poll()
    waiting.register(connection.driver_connection.fileno(), select.POLLIN)
    if waiting.poll(0):
        raise InvalidatePoolError("the server has hung up")
