"""The local PostgreSQL: roles, logs, and the account it runs under (O3, I9, I10)."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from ops.local.home import Home
from ops.local.servers import ServerFailed, postgres
from ops.local.servers.postgres import APP, OWNER, Postgres
from ops.local.servers.process import ServerProcess

PLANTED = "Planted-Secret-112-233-445-95"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server of its own, with the configuration that people run."""
    home = Home(tmp_path_factory.mktemp("home"))
    home.make()
    process = ServerProcess(Postgres(home, None), home.logs)
    process.server.obtain(print)
    process.server.prepare()
    process.start({})
    process.await_ready()
    yield process
    process.stop()
    shutil.rmtree(postgres.data_folder_aside(home), ignore_errors=True)


def url(server: ServerProcess, role: str) -> str:
    """The address of the database as a role."""
    assert isinstance(server.server, Postgres)
    return server.server.url(role, "medcab")


def test_it_is_not_root(server: ServerProcess) -> None:
    """PostgreSQL runs under an unprivileged account, also when we are root."""
    owner = Path(f"/proc/{server.pid}").stat().st_uid
    assert owner != 0
    assert (owner == os.geteuid()) == (os.geteuid() != 0)


def test_it_is_durable_and_on_loopback_only(server: ServerProcess) -> None:
    """What is committed is on the disk, and nobody reaches it from outside the machine."""
    with psycopg.connect(url(server, "postgres")) as connection:
        asked = ("fsync", "synchronous_commit", "listen_addresses", "unix_socket_directories")
        told = [connection.execute(f"show {name}").fetchone() for name in asked]
        data = connection.execute("show data_checksums").fetchone()
    assert told == [("on",), ("on",), ("127.0.0.1",), ("",)]
    assert data == ("on",)


def test_a_wrong_password_opens_nothing(server: ServerProcess) -> None:
    """Being on the machine is not enough."""
    wrong = url(server, APP).replace(":", ":x", 2).replace(":x//", "://")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)


@pytest.mark.asvs("13.2.2")
def test_the_application_is_not_the_owner(server: ServerProcess) -> None:
    """Tables are made by the owner; the application may not make nor alter any (I9)."""
    with psycopg.connect(url(server, OWNER)) as connection:
        connection.execute("create table kept (id int primary key, name text)")
        connection.execute(f"grant select, insert on kept to {APP}")
    for refused in ("create table mine (id int)", "drop table kept", "delete from kept"):
        with (
            pytest.raises(psycopg.errors.InsufficientPrivilege),
            psycopg.connect(url(server, APP)) as connection,
        ):
            connection.execute(refused.encode())


@pytest.mark.asvs("16.2.5")
def test_its_log_holds_no_values(server: ServerProcess) -> None:
    """Neither statements nor parameters nor details of errors reach the log (O1, I10)."""
    with psycopg.connect(url(server, OWNER), autocommit=True) as connection:
        connection.execute("create table letters (name text primary key)")
        connection.execute("insert into letters values (%s)", [PLANTED])
        for statement, said in (
            ("insert into letters values ('{}')", "already exists"),
            ("select '{}'::int", "invalid input syntax"),
            ("select * from nowhere where name = '{}'", "does not exist"),
        ):
            with pytest.raises(psycopg.Error, match=said):
                connection.execute(statement.format(PLANTED).encode())
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("insert into letters values (%s)", [PLANTED])
    log = server.log.read_text()
    assert "ready to accept connections" in log
    assert PLANTED not in log


def test_programs_that_its_account_cannot_reach_are_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As root, with the checkout in a closed folder, a copy runs, libraries included."""
    programs = postgres.find_programs()
    can_run = postgres.can_run
    monkeypatch.setattr(postgres, "REACHABLE", tmp_path)
    monkeypatch.setattr(
        postgres, "can_run", lambda folder, runner: folder != programs and can_run(folder, runner)
    )
    copy = postgres.reachable_programs(programs, None)
    assert copy.is_relative_to(tmp_path)
    assert postgres.run_as(None, copy / "initdb", "--version").returncode == 0
    assert postgres.reachable_programs(programs, None) == copy


def test_data_of_another_account_is_refused_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that somebody else put there is not trusted with medical data."""
    home = Home(tmp_path / "home")
    home.make()
    (home.folder / "postgres").symlink_to(tmp_path)
    with pytest.raises(ServerFailed, match="remove it and start again"):
        postgres.data_folder(home, None)
