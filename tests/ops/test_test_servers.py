"""The servers that the tests stand on."""

from collections.abc import Callable
from uuid import uuid4

import psycopg
import pytest
from minio import Minio
from psycopg import sql
from temporalio.client import Client

from settings import Settings
from tests.shared.servers import Servers


def test_the_application_role_cannot_make_tables(settings: Settings) -> None:
    """The role of the application may not change the schema (I9)."""
    url = settings.database_url.get_secret_value()
    with psycopg.connect(url) as connection:
        assert connection.execute("select current_user").fetchone() == ("medcab",)
        try:
            connection.execute("create table planted (id int)")
        except psycopg.errors.InsufficientPrivilege:
            return
    raise AssertionError("the application's role made a table")


def test_each_test_can_have_databases_of_its_own(
    servers: Servers, new_database: Callable[[], dict[str, str]]
) -> None:
    """Two databases of one test are two, and both are migrated."""
    found = set()
    for urls in (new_database(), new_database()):
        with psycopg.connect(urls["DATABASE_URL"]) as connection:
            name, version = connection.execute(
                "select current_database(), (select count(*) from alembic_version)"
            ).fetchone() or ("", 0)
            assert version == 1
            found.add(name)
    assert len(found) == 2


def test_a_database_that_was_emptied_is_as_good_as_new(servers: Servers) -> None:
    """No row is left, whatever leads to it, and numbers begin again; nobody is inside."""
    name = f"medcab_emptied_{uuid4().hex}"
    urls = servers.new_database(name)
    try:
        with psycopg.connect(urls["DATABASE_OWNER_URL"], autocommit=True) as inside:
            new = _told(inside)
            inside.execute("select nextval('case_number')")
            root, ward = uuid4(), uuid4()
            for unit, above in ((root, None), (ward, root)):
                inside.execute(
                    "insert into unit (id, code, name, parent_id, time_zone)"
                    " values (%s, %s, 'A', %s, 'Europe/Moscow')",
                    [unit, unit.hex, above],
                )
            inside.execute("insert into journal_seal_copy (place, number) values ('file', 1)")
            assert _told(inside) != new
            servers.empty_database(name)
            with pytest.raises(psycopg.OperationalError):
                inside.execute("select 1")
        with psycopg.connect(urls["DATABASE_OWNER_URL"]) as inside:
            assert _told(inside) == new
    finally:
        servers.drop_database(name)


def _told(connection: psycopg.Connection) -> dict[str, object]:
    """How many rows each table has, and where the numbers stand."""
    tables = connection.execute("select tablename from pg_tables where schemaname = 'public'")
    told: dict[str, object] = {}
    for (name,) in tables.fetchall():
        count = sql.SQL("select count(*) from {}").format(sql.Identifier(name))
        told[name] = connection.execute(count).fetchone()
    told["numbers"] = connection.execute("select last_value, is_called from case_number").fetchone()
    return told


async def test_temporal_knows_the_attributes_cases_are_searched_by(settings: Settings) -> None:
    """Ops can search by status and by whom a case waits for (O1)."""
    client = await Client.connect(settings.temporal_address)
    nowhere = "MedcabUnit = 'nowhere' and MedcabStatus = 'in_review' and MedcabType = 'none'"
    found = [each async for each in client.list_workflows(f"{nowhere} and MedcabKind = 'none'")]
    found += [each async for each in client.list_workflows("MedcabDue < '2020-01-01T00:00:00Z'")]
    assert found == []


def test_the_bucket_is_private(settings: Settings) -> None:
    """Nobody reads objects without the secret."""
    endpoint = settings.s3_endpoint.removeprefix("http://")
    secret = settings.s3_secret_key.get_secret_value()
    inside = Minio(endpoint, settings.s3_access_key.get_secret_value(), secret, secure=False)
    assert inside.bucket_exists(settings.s3_bucket)
    outside = Minio(endpoint, secure=False)
    try:
        list(outside.list_objects(settings.s3_bucket))
    except Exception as refusal:
        assert "AccessDenied" in str(refusal)  # noqa: PT017
    else:
        raise AssertionError("a stranger listed the bucket")
