"""What stands encrypted opens in its own row and nowhere else."""

import re
from collections.abc import AsyncIterator, Iterable
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import (
    JSON,
    Column,
    Integer,
    LargeBinary,
    String,
    Table,
    Uuid,
    bindparam,
    insert,
    inspect,
    or_,
    select,
    text,
)
from sqlalchemy import update as change
from sqlalchemy.exc import InvalidRequestError, StatementError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, create_async_engine
from sqlalchemy.schema import CreateTable, MetaData
from sqlmodel import SQLModel, col

import models.tables  # noqa: F401  (completes the metadata)
from clients.database import driver_url
from crypto.key_ring import FOR_ROW, UndecryptableError, key_ring
from models.blind_indexes import BlindIndex
from models.encrypted_columns import (
    EncryptedColumn,
    UnboundError,
    bound,
    bound_row,
)
from models.tables.cases import CaseVersion
from models.tables.people import Person
from rules.clock import now
from rules.ids import new_id
from settings import Settings

TABLES = [
    table
    for table in SQLModel.metadata.sorted_tables
    if any(isinstance(one.type, EncryptedColumn) for one in table.c)
]

_ID = col(Person.id)


def encrypted(table: Table) -> list[Column[Any]]:
    """The encrypted columns of a table."""
    return [one for one in table.c if isinstance(one.type, EncryptedColumn)]


@pytest.fixture
async def connection(settings: Settings) -> AsyncIterator[AsyncConnection]:
    """A transaction that is undone, in which tables are hidden by empty ones without demands."""
    assert settings.database_owner_url is not None
    engine = create_async_engine(driver_url(settings.database_owner_url.get_secret_value()))
    async with engine.connect() as opened:
        for table in TABLES:
            bare = [
                Column(one.name, one.type, primary_key=one.primary_key, nullable=True)
                for one in table.c
            ]
            await opened.execute(
                CreateTable(Table(table.name, MetaData(), *bare, prefixes=["temporary"]))
            )
        yield opened
        await opened.rollback()
    await engine.dispose()


def a_key(table: Table) -> dict[str, Any]:
    """The primary key of a new row."""
    return {one.key: new_id() if isinstance(one.type, Uuid) else 7 for one in table.primary_key}


def of(table: Table, key: dict[str, Any]) -> Iterable[Any]:
    """The condition of being this row."""
    return (table.c[name] == part for name, part in key.items())


def test_each_column_names_itself_and_has_a_row_to_be_bound_to() -> None:
    """A column that is declared under another's name, or with a key that is not known, is found."""
    assert [
        f"{one}"
        for table in TABLES
        for one in encrypted(table)
        if getattr(one.type, "place", None) != f"{table.name}.{one.name}"
    ] == []
    keys = [[type(one.type) for one in table.primary_key] for table in TABLES]
    assert all(first is Uuid and set(rest) <= {Integer} for first, *rest in keys)


PERSONAL = re.compile(
    r"(?:^|_)(?:e?mail|phone|snils|inn|passport|policy|birth\w*|born\w*|surname|patronymic|blind"
    r"|login|personnel\w*|reason|comment|remarks?|text|diagnos\w*|seed|secret)(?:$|_(?!hash))"
)
"""Names of columns that say something of a person, or that a person has written."""
PLAIN = {
    "account.locked_reason": "a word of the program",
    "export.reason": "a word of the program",
    "login_attempt.login": "a blind index that nothing is looked up by after a rotation",
    "notice.failure_reason": "a word of the program",
    "notice_attempt.reason": "a word of the program",
    "icd10_code.search_text": "the dictionary of diagnoses, which is public",
    "programme.search_text": "the catalogue, which is public",
    "reason.text": "the catalogue, which is public",
}

SHARED = {"patient.name_blind", "patient.birth_blind"}
"""Blind indexes of what several people have in common: a name, a birth date."""


@pytest.mark.asvs("14.2.4")
def test_a_column_about_a_person_is_encrypted_or_a_blind_index() -> None:
    """Also one of a table that comes tomorrow: by its name, or it is said why not (I10)."""
    plain = {
        f"{table.name}.{one.name}"
        for table in SQLModel.metadata.sorted_tables
        for one in table.c
        if PERSONAL.search(one.name)
        and isinstance(getattr(one.type, "impl_instance", one.type), String | JSON | LargeBinary)
        and not isinstance(one.type, EncryptedColumn | BlindIndex)
    }
    assert plain == set(PLAIN)


def test_each_place_of_a_blind_index_is_unique() -> None:
    """So a value is taken once while a key replaces another, and it is the index of something.

    What people share is named here, and each of its places has an index all the same.
    """
    for table in SQLModel.metadata.sorted_tables:
        for one in table.c:
            if isinstance(one.type, BlindIndex):
                alone = {str(index.name): index.unique for index in table.indexes}
                names = [f"{table.name}_{one.name}_{place}" for place in ("first", "second")]
                assert [alone[name] for name in names] == [one.type.alone] * 2
                assert one.type.alone or f"{table.name}.{one.name}" in SHARED
                source, _, column = one.type.of.partition(".")
                indexed = SQLModel.metadata.tables[source].c[column]
                assert isinstance(indexed.type, EncryptedColumn)


@pytest.mark.asvs("11.2.1")
@pytest.mark.asvs("11.3.2")
async def test_another_rows_value_is_refused(connection: AsyncConnection) -> None:
    """Every encrypted column: copied from one row into another, its value opens no more."""
    for table in TABLES:
        mine, theirs = a_key(table), a_key(table)
        values = {one.name: f"{one}" for one in encrypted(table)}
        await connection.execute(insert(table), [mine | values, theirs | values])
        for one in encrypted(table):
            read = select(one).where(*of(table, mine))
            assert await connection.scalar(read) == f"{one}"
            await connection.execute(
                text(
                    f'update "{table.name}" set {one.name} ='  # noqa: S608
                    f' (select {one.name} from "{table.name}" other where '
                    + " and ".join(f"other.{name} = :their_{name}" for name in theirs)
                    + ") where "
                    + " and ".join(f"{name} = :my_{name}" for name in mine)
                ),
                {f"their_{name}": part for name, part in theirs.items()}
                | {f"my_{name}": part for name, part in mine.items()},
            )
            with pytest.raises(UndecryptableError, match=str(next(iter(mine.values())))):
                await connection.scalar(read)


async def test_a_value_from_before_is_refused(connection: AsyncConnection) -> None:
    """One that is bound to its column only is not opened, however it came here."""
    old = key_ring().encrypt(b"001-001-998 77", b"person.snils")
    await connection.execute(
        text("insert into person (id, snils) values (:id, :snils)"), {"id": uuid4(), "snils": old}
    )
    with pytest.raises(UndecryptableError, match=f"version 1, not {FOR_ROW}"):
        await connection.scalar(select(col(Person.snils)))


async def test_values_go_in_with_their_row(connection: AsyncConnection) -> None:
    """By the ORM, by parameters, and by what says it; objects keep their plain values."""
    version = CaseVersion(
        case_id=new_id(),
        number=-1,
        data={"purpose": "Отпуск"},
        salt=b"",
        digest="",
        submitted_at=now(),
        submitted_by=new_id(),
    )
    async with AsyncSession(connection, join_transaction_mode="create_savepoint") as session:
        session.add(version)
        await session.flush()
        assert version.data == {"purpose": "Отпуск"}
        version.data, version.findings = {"purpose": "Учёба"}, [{"code": "x"}]
        await session.flush()
        await session.refresh(version)
        assert (version.data, version.findings) == ({"purpose": "Учёба"}, [{"code": "x"}])
        key = version.case_id, version.number
        changed = await session.execute(
            change(CaseVersion)
            .where(CaseVersion.case_id == key[0])  # type: ignore[arg-type]
            .values(data=bound({"purpose": "Суд"}, *key), findings=bound(None, *key))
            .returning(CaseVersion.data, CaseVersion.findings)  # type: ignore[call-overload]
            .execution_options(synchronize_session=False)
        )
        assert changed.one() == ({"purpose": "Суд"}, None)
        await session.execute(insert(CaseVersion).values(bound_row(version) | {"number": 2}))
        wrong = select(CaseVersion.data).where(CaseVersion.number == 2)  # type: ignore
        with pytest.raises(UndecryptableError, match=r"case_version\.data of the row"):
            await session.scalar(wrong)


@pytest.mark.parametrize(
    ("statement", "more"),
    [
        (insert(Person).values(id=uuid4(), snils="001-001-998 77"), {}),
        (change(Person).values(snils="001-001-998 77"), {}),
        (change(Person).where(or_(bindparam("one") == _ID, _ID.is_not(None))), {"one": uuid4()}),
    ],
)
async def test_a_value_without_its_row_is_refused(
    connection: AsyncConnection, statement: Any, more: dict[str, Any]
) -> None:
    """Nothing is written that its reader would have to refuse."""
    with pytest.raises(StatementError) as refused:
        await connection.execute(statement, more | {"snils": "001-001-998 77"} if more else {})
    assert isinstance(refused.value.orig, UnboundError)


async def test_a_key_goes_along_through_subqueries(connection: AsyncConnection) -> None:
    """Whatever the key is called there; without it nothing is read."""
    table, key = Person.__table__, new_id()  # type: ignore[attr-defined]
    await connection.execute(insert(table), {"id": key, "name": "Иванова Анна"})
    found = select(table.c.name.label("who"), table.c.id.label("person_id")).cte("found")
    assert await connection.scalar(select(found.c.who)) == "Иванова Анна"
    for name in (
        select(select(table.c.name).subquery().c.name),
        select(select(table.c.name).scalar_subquery()),
    ):
        with pytest.raises(InvalidRequestError, match="from a subquery that exports the key"):
            await connection.execute(name)


async def test_the_database_takes_no_value_from_before(settings: Settings) -> None:
    """Each encrypted column has its constraint, new ones too: old processes must not write on."""
    engine = create_async_engine(driver_url(settings.database_url.get_secret_value()))
    async with engine.connect() as opened:
        checks = await opened.run_sync(
            lambda plain: {
                (table.name, one["name"])
                for table in TABLES
                for one in inspect(plain).get_check_constraints(table.name)
            }
        )
    await engine.dispose()
    assert {
        (table.name, f"{table.name}_{one.name}_bound")
        for table in TABLES
        for one in encrypted(table)
    } <= checks
