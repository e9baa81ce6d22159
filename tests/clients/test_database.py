"""The line to PostgreSQL."""

import asyncio
from typing import Any

import psycopg
import pytest
from psycopg import _queries
from psycopg.pq import TransactionStatus
from sqlalchemy import Integer, bindparam, func
from sqlalchemy import select as choose
from sqlalchemy.exc import DataError, OperationalError, ProgrammingError
from sqlmodel import select

from clients.database import Database, DirectStatement, is_passing
from settings import Settings


async def test_lost_server_is_told_alike_on_the_drivers_own_line(settings: Settings) -> None:
    """Whoever asks in plain SQL gets the error that is answered with 503, and a new line next."""
    url = settings.database_url.get_secret_value()
    database = Database(url)

    async def asks_in_vain() -> None:
        async with database.line() as line:
            found = await (await line.execute("select pg_backend_pid()")).fetchone()
            assert found is not None
            async with await psycopg.AsyncConnection.connect(url, autocommit=True) as other:
                await other.execute("select pg_terminate_backend(%s, 5000)", found)
            await line.execute("select 1")

    with pytest.raises(OperationalError):
        await asks_in_vain()
    async with database.line() as line:
        assert await (await line.execute("select 2")).fetchone() == (2,)
    async with database.work() as session:
        raw = await (await session.connection()).get_raw_connection()
        assert raw.driver_connection is not None
        assert not raw.driver_connection.autocommit
    await database.close()


async def test_line_given_up_in_the_middle_of_a_query_goes_to_nobody(settings: Settings) -> None:
    """A request that is cut off leaves neither a half-done query nor autocommit to the next."""
    database = Database(settings.database_url.get_secret_value(), pool=1)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2), database.line() as line:
            await line.execute("select pg_sleep(5)")
    for _ in range(3):
        async with database.line() as line:
            assert await (await line.execute("select 2")).fetchone() == (2,)
    async with database.work() as session:
        raw = await (await session.connection()).get_raw_connection()
        assert raw.driver_connection is not None
        assert not raw.driver_connection.autocommit
    await database.close()


async def test_a_statement_as_long_as_that_of_an_act_is_parsed_once(database: Database) -> None:
    """An act writes some hundred values in one statement, under the lock of its case."""
    names = [f"value_{number}" for number in range(120)]
    asked = f"select {', '.join(f'%({name})s::integer as {name}' for name in names)}"
    asked += f" -- {' ' * 6_000}"
    before = _queries._query2pg.cache_info().hits
    async with database.line() as line:
        for _ in range(3):
            found = await line.execute(asked.encode(), dict.fromkeys(names, 7))
            assert await found.fetchone() == (7,) * 120
    assert _queries._query2pg.cache_info().hits >= before + 2


_DIVIDED = choose(bindparam("given", type_=Integer()) / bindparam("by", type_=Integer()))


async def test_a_direct_statement_raises_what_sqlalchemy_raises(settings: Settings) -> None:
    """A refusal of the server, a value that was forgotten, and a lost server, in a unit of work."""
    database = Database(settings.database_url.get_secret_value())
    divided = DirectStatement(_DIVIDED)

    async def asks_in_vain() -> None:
        async with database.work() as session:
            raw: Any = await (await session.connection()).get_raw_connection()
            pid = raw.driver_connection.info.backend_pid
            async with await database.connect() as other:
                await other.execute("select pg_terminate_backend(%s, 5000)", (pid,))
            await divided.run(session, {"given": 6, "by": 2})

    async with database.work() as session:
        assert await (await divided.run(session, {"given": 6, "by": 2})).fetchone() == (3,)
    with pytest.raises(DataError) as refused:
        async with database.work() as session:
            await divided.run(session, {"given": 6, "by": 0})
    assert "6" not in str(refused.value)
    with pytest.raises(ProgrammingError):
        async with database.work() as session:
            await divided.run(session, {"given": 6})
    with pytest.raises(OperationalError) as lost:
        await asks_in_vain()
    assert is_passing(lost.value)
    async with database.work() as session:
        assert await (await divided.run(session, {"given": 8, "by": 2})).fetchone() == (4,)
    await database.close()


async def test_nothing_is_open_on_a_connection_that_is_given_back(settings: Settings) -> None:
    """The pool rolls nothing back: whoever had the connection has ended its transaction."""
    database = Database(settings.database_url.get_secret_value(), pool=1)

    async def given_up() -> None:
        async with database.reading() as session:
            await session.exec(select(func.now()))
            raise ValueError("given up")

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2), database.work() as session:
            await session.exec(select(func.pg_sleep(5)))
    with pytest.raises(ValueError, match="given up"):
        await given_up()
    await database.ping()
    for _ in range(2):
        async with database.line() as line:
            assert line.info.transaction_status is TransactionStatus.IDLE
    await database.close()
