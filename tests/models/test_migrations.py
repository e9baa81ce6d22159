"""The migrations make exactly the tables that the code describes, and can be undone."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from pydantic import SecretStr
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import SQLModel, select

import models.tables  # noqa: F401  (completes the metadata)
from clients.database import driver_url
from crypto.key_ring import key_ring
from models.tables.people import Person
from ops.local.home import CHECKOUT
from ops.upkeep.migrate import NotMigratedError, migrate, migrate_database
from services.journal.checkpoint_files import CHECKPOINTS_FILE, checkpoints_folder
from settings import Settings
from tests.shared.servers import Servers


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


def test_no_tables_are_made_in_place_of_those_that_are_lost(
    servers: Servers, settings: Settings, tmp_path: Path
) -> None:
    """A server of one's own, whose data is gone, is empty: what is left of the old one says so."""
    name = f"medcab_lost_{uuid4().hex}"
    with psycopg.connect(servers.superuser_url, autocommit=True) as superuser:
        superuser.execute(f'create database "{name}"')
    checkpoints_folder(tmp_path).mkdir()
    (checkpoints_folder(tmp_path) / CHECKPOINTS_FILE).write_text('{"body": {"number": 1}}\n')
    url = SecretStr(servers.superuser_url.rpartition("/")[0] + f"/{name}")
    own = settings.model_copy(update={"home": tmp_path, "database_owner_url": url})
    with pytest.raises(NotMigratedError, match="medcab restore"):
        migrate(own)
    with psycopg.connect(url.get_secret_value()) as left:
        assert left.execute("select from pg_tables where schemaname = 'public'").fetchall() == []
    servers.drop_database(name)


@pytest.fixture
def config(owner_url: str, settings: Settings) -> Config:
    """Alembic's, over that database."""
    made = Config()
    made.set_main_option("script_location", str(CHECKOUT / "models" / "migrations"))
    made.set_main_option("sqlalchemy.url", owner_url.replace("%", "%%"))
    made.attributes["settings"] = settings
    return made


def test_values_from_before_are_bound_to_their_rows(
    owner_url: str, config: Config, settings: Settings
) -> None:
    """In several transactions; cut off, it goes on; none that is bound to no row comes after."""
    command.downgrade(config, "0013")
    unit, people = uuid4(), sorted(uuid4() for _ in range(1100))
    with psycopg.connect(owner_url) as owner, owner.cursor() as cursor:
        cursor.execute("insert into unit values (%s, 'И', 'Институт', null, 'UTC')", [unit])
        cursor.executemany(
            "insert into person (id, unit_id, position, name, email, language, created_at)"
            " values (%s, %s, '', %s, %s, 'ru', now())",
            [
                (one, unit, old(f"Имя {one}", "person.name"), old("a@b", "person.email"))
                for one in people
            ],
        )
        cursor.execute(
            "update person set email = %s where id = %s", [old("a@b", "person.name"), people[-1]]
        )
    own = settings.model_copy(update={"database_owner_url": SecretStr(owner_url)})
    with pytest.raises(NotMigratedError, match=f"person.email of the row {people[-1]} opens"):
        migrate_database(own)
    with psycopg.connect(owner_url) as owner:
        assert owner.execute(
            "select version_num, count(*) from alembic_version, person"
            " where substr(name, 1, 1) = '\\x02' group by 1"
        ).fetchall() == [("0013", 1000)]
        owner.execute("update person set email = '\\x00' where id = %s", [people[-1]])
    migrate_database(own)
    engine = create_engine(driver_url(owner_url))
    with engine.connect() as connection:
        named = connection.execute(select(Person.id, Person.name))
        assert {row.id: row.name for row in named} == {one: f"Имя {one}" for one in people}
        with pytest.raises(IntegrityError, match="person_inn_bound"):
            connection.execute(
                text("update person set inn = :inn"), {"inn": old("7707083893", "person.inn")}
            )
    engine.dispose()


def old(value: str, place: str) -> bytes:
    """A value as it stood before it was bound to its row."""
    return key_ring().encrypt(value.encode(), place.encode())


def test_an_index_by_an_even_key_moves_to_its_place(owner_url: str, config: Config) -> None:
    """What the oldest key of a ring of before has indexed is found where that key looks."""
    command.downgrade(config, "0027")
    even = base64.b64encode(bytes(32)).decode()
    settings: Settings = config.attributes["settings"]
    config.attributes["settings"] = settings.model_copy(
        update={"keys": SecretStr(f"2027:{even},2026:{even}"), "home": Path("none")}
    )
    person, unit = uuid4(), uuid4()
    with psycopg.connect(owner_url) as owner:
        owner.execute("insert into unit values (%s, 'И', 'Институт', null, 'UTC')", [unit])
        owner.execute(
            "insert into person (id, unit_id, position, name, email, language, created_at,"
            " snils_blind) values (%s, %s, '', '\\x02', '\\x02', 'ru', now(), 'hash')",
            [person, unit],
        )
    for revision, wanted in (("0034", ".hash"), ("0027", "hash")):
        move = command.upgrade if revision == "0034" else command.downgrade
        move(config, revision)
        with psycopg.connect(owner_url) as owner:
            assert owner.execute("select snils_blind from person").fetchone() == (wanted,)


def test_migrations_can_be_undone(owner_url: str, config: Config) -> None:
    """Down to nothing and up again."""
    command.downgrade(config, "base")
    engine = create_engine(driver_url(owner_url))
    assert inspect(engine).get_table_names() == ["alembic_version"]
    command.upgrade(config, "head")
    assert "case" in inspect(engine).get_table_names()
    engine.dispose()


def test_an_auditor_who_had_no_end_gets_one(owner_url: str, config: Config) -> None:
    """Access that lasted longer ends now, and its beginning stays; nobody gets more (I13)."""
    command.downgrade(config, "0026")
    unit, person, grants = uuid4(), uuid4(), [uuid4() for _ in range(3)]
    begun = (
        "insert into role_grant (id, person_id, role, unit_id, valid_from)"
        " values (%s, %s, %s, %s, now() - %s::interval)"
    )
    with psycopg.connect(owner_url) as owner:
        owner.execute("insert into unit values (%s, 'И', 'Институт', null, 'UTC')", [unit])
        owner.execute(
            "insert into person (id, unit_id, position, name, email, language, created_at)"
            " values (%s, %s, '', '', '', 'ru', now())",
            [person, unit],
        )
        for grant, role, since in zip(
            grants,
            ("auditor", "auditor", "doctor"),
            ("400 days", "30 days", "400 days"),
            strict=True,
        ):
            owner.execute(begun, [grant, person, role, unit, since])
    command.upgrade(config, "head")
    with psycopg.connect(owner_url) as owner:
        ends: dict[Any, Any] = dict(
            owner.execute(
                "select id, extract(day from valid_until - valid_from)::int from role_grant"
            ).fetchall()
        )
        assert [ends[grant] for grant in grants] == [400, 90, None]
        for until in ("null", "now() + interval '91 days'"):
            with pytest.raises(psycopg.errors.CheckViolation), owner.transaction():
                owner.execute(
                    "insert into role_grant (id, person_id, role, unit_id, valid_from,"  # noqa: S608
                    f" valid_until) values (%s, %s, 'auditor', %s, now(), {until})",
                    [uuid4(), person, unit],
                )
