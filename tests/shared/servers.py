"""Real servers for the tests: one PostgreSQL, Temporal and MinIO for all processes of a test run.

The first test that needs them starts them, as a program of their own that watches the run: when the
run ends, however it ends, they are stopped and their data is removed. Every process of the run gets
a database made from a migrated template, a bucket, a task queue and simulators of its own.
"""

import base64
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from minio import Minio

from ops.local.buckets import prepare_buckets
from ops.local.home import CHECKOUT, Home, write_private
from ops.local.servers.postgres import data_folder_aside, make_database
from ops.local.servers.process import Running, ServerProcess
from ops.local.servers.simulators import (
    MailSimulator,
    Simulator,
    Together,
    accreditation_centre,
    accreditation_register,
    education_portal,
    gov_service,
    identity,
    laboratory,
    mail,
    patient_registry,
    personnel,
    push,
    register,
    sms,
    subscriber,
)
from ops.local.system import GIVEN_BY, System, settings_from
from ops.upkeep.migrate import migrate_database
from settings import Settings

TEMPLATE = "medcab_template"
KEYS = "test:" + base64.b64encode(bytes(range(32))).decode()
"""The key ring of the whole run: what one test encrypted, another may read."""
SHARED = ("postgres", "temporal", "minio")
START_WITHIN = 900.0
NOWHERE = "127.0.0.1:1"
"""An address at which nobody listens."""

EMPTY = """
do $$
declare
    one regclass;
begin
    -- Foreign keys are not asked: in the end nothing is left that they could lead to.
    set local session_replication_role = replica;
    for one in
        select oid from pg_class
        where relnamespace = 'public'::regnamespace and relkind = 'r'
            and relname != 'alembic_version'
    loop
        execute format('delete from %s', one);
    end loop;
    for one in select seqrelid from pg_sequence loop
        execute format('alter sequence %s restart', one);
    end loop;
end $$
"""
"""A table that was emptied costs a tenth of one made anew."""


@dataclass(frozen=True)
class Servers:
    """The servers that all processes of a test run share."""

    folder: Path
    environment: dict[str, str]
    superuser_url: str

    @classmethod
    def of_run(cls, folder: Path, run: int) -> "Servers":
        """The servers of the test run with this process id, started at the first call."""
        begin(folder, run)
        told, log = folder / "servers.json", folder / "servers.log"
        keeper = Running(**json.loads((folder / "keeper.json").read_text()))
        deadline = time.monotonic() + START_WITHIN
        while not told.exists():
            if not keeper.alive or time.monotonic() > deadline:
                last = "\n".join(log.read_text().splitlines()[-40:])
                raise RuntimeError(f"the servers of the tests did not start:\n{last}")
            time.sleep(0.1)
        content = json.loads(told.read_text())
        return cls(folder, content["environment"], content["superuser_url"])

    def new_database(self, name: str) -> dict[str, str]:
        """A migrated, empty database: its `DATABASE_URL` and `DATABASE_OWNER_URL`."""
        with psycopg.connect(self.superuser_url, autocommit=True) as connection:
            make_database(connection, name, TEMPLATE)
        return {
            key: urlunsplit(urlsplit(self.environment[key])._replace(path=f"/{name}"))
            for key in ("DATABASE_URL", "DATABASE_OWNER_URL")
        }

    def empty_database(self, name: str) -> None:
        """Make a database as it was when it was new, and throw out whoever is still connected."""
        address = urlunsplit(urlsplit(self.superuser_url)._replace(path=f"/{name}"))
        with psycopg.connect(address) as connection:
            connection.execute(
                "select pg_terminate_backend(pid, 10000) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            )
            connection.execute(EMPTY)

    def drop_database(self, name: str) -> None:
        """Remove a database with whoever is still connected to it."""
        with psycopg.connect(self.superuser_url, autocommit=True) as connection:
            connection.execute(f'drop database if exists "{name}" with (force)')


def owner_of_objects(settings: Settings) -> Minio:
    """The object store as its administrator, whom no policy stops."""
    return Minio(
        urlsplit(settings.s3_endpoint).netloc,
        settings.s3_owner_access_key.get_secret_value(),
        settings.s3_owner_secret_key.get_secret_value(),
        secure=False,
    )


def hide_copy(settings: Settings, key: str) -> None:
    """Make a locked object look as if it were gone: the most that the administrator can do."""
    owner_of_objects(settings).remove_object(settings.s3_locked_bucket, key)


@dataclass(frozen=True)
class Simulators:
    """The outside world of one process of the test run."""

    register: Simulator
    mail: MailSimulator
    sms: Simulator
    push: Simulator
    gov_service: Simulator
    identity: Simulator
    personnel: Simulator
    laboratory: Simulator
    accreditation_register: Simulator
    education_portal: Simulator
    accreditation_centre: Simulator
    patient_registry: Simulator
    subscriber: Simulator
    processes: tuple[ServerProcess, ...]
    secrets: dict[str, str]

    @classmethod
    def start(cls, home: Home) -> "Simulators":
        """Start them side by side."""
        world = (
            register(home, None),
            mail(home, None, None),
            sms(home, None),
            push(home, None),
            gov_service(home, None),
            identity(home, None),
            personnel(home, None),
            laboratory(home, None),
            accreditation_register(home, None),
            education_portal(home, None),
            accreditation_centre(home, None),
            patient_registry(home, None),
            subscriber(home, None),
        )
        # Tests kill the module of gov services by itself.
        of_their_own = [one for one in world if one.name == "gov_service"]
        together = Together(*(one for one in world if one not in of_their_own))
        processes = (
            ServerProcess(together, home.logs),
            *(ServerProcess(one, home.logs) for one in of_their_own),
        )
        secrets = {
            "MEDCAB_PERSONNEL_TOKEN": home.secrets().personnel_token,
            "MEDCAB_PERSONNEL_SECRET": home.secrets().personnel_secret,
            "MEDCAB_LABORATORY_TOKEN": home.secrets().laboratory_token,
            "MEDCAB_LABORATORY_SECRET": home.secrets().laboratory_secret,
            "MEDCAB_SMS_TOKEN": home.secrets().sms_token,
            "MEDCAB_SMS_SECRET": home.secrets().sms_secret,
            "MEDCAB_MAIL_CALLBACK_SECRET": home.secrets().mail_callback_secret,
            "MEDCAB_VAPID_KEY": home.secrets().vapid_key,
            "MEDCAB_GOV_SERVICE_CALLBACK_SECRET": home.secrets().gov_service_secret,
        }
        for process in processes:
            process.server.prepare()
            process.start({"PATH": os.defpath, **secrets})
        running = [asdict(Running.of(process.pid)) for process in processes if process.pid]
        write_private(home.folder / "processes.json", running)
        for process in processes:
            process.await_ready()
        return cls(*world, processes, secrets)

    @property
    def variables(self) -> dict[str, str]:
        """Where they are, and what they know us by."""
        servers = (
            self.register,
            self.mail,
            self.sms,
            self.push,
            self.gov_service,
            self.identity,
            self.personnel,
            self.laboratory,
            self.accreditation_register,
            self.education_portal,
            self.accreditation_centre,
            self.patient_registry,
            self.subscriber,
        )
        return self.secrets | {k: v for one in servers for k, v in one.variables().items()}

    def stop(self) -> None:
        """Stop them all."""
        for process in self.processes:
            process.stop()


def worker_settings(servers: Servers, simulators: Simulators, name: str, home: Home) -> Settings:
    """The settings of one process of the run: everything that can be its own is its own."""
    own = {
        **servers.environment,
        **servers.new_database(f"medcab_{name}"),
        **simulators.variables,
        "S3_BUCKET": f"medcab-{name}",
        "MEDCAB_TASK_QUEUE": f"medcab-{name}",
        "MEDCAB_HOME": str(home.folder),
    }
    settings = settings_from(own)
    prepare_buckets(settings)
    return settings


def stop_servers(folder: Path) -> None:
    """At the end of the run: stop what was started and remove the data."""
    keeper = folder / "keeper.json"
    if keeper.exists():
        Running(**json.loads(keeper.read_text())).stop(within=60)
    shutil.rmtree(folder, ignore_errors=True)


def begin(folder: Path, run: int) -> None:
    """Start the servers of a test run, without waiting for them; nothing where that was done."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (folder / "keeper.json").exists():
            return
        with (folder / "servers.log").open("wb") as output:
            keeper = subprocess.Popen(
                [sys.executable, "-m", "tests.shared.servers", str(folder), str(run)],
                cwd=CHECKOUT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        write_private(folder / "keeper.json", asdict(Running.of(keeper.pid)))


def _keep(folder: Path, run: Running) -> None:
    """Run the servers until the test run has ended or this program is told to stop."""
    given = {
        key: value
        for key, value in os.environ.items()
        if key not in GIVEN_BY.values() and not key.startswith(("MEDCAB_", "DATABASE_", "S3_"))
    }
    home = Home(folder / "home")
    system = System(home, given=given, usual=False, hasty=True, say=_print)
    told_to_stop = threading.Event()

    def stop(*_: object) -> None:
        told_to_stop.set()
        system.stopping.set()

    signal.signal(signal.SIGTERM, stop)
    # Simulators are each process's own.
    system.outer = [each for each in system.outer if each.name in SHARED]
    # A store with a folder gets its account here, not from a server of its own before this one.
    (home.folder / "minio").mkdir(mode=0o700)
    try:
        system.obtain()
        system.start_outer()
        superuser = urlunsplit(
            urlsplit(system.environment["DATABASE_URL"])._replace(
                netloc=f"postgres:{home.secrets().postgres_superuser}"
                f"@{urlsplit(system.environment['DATABASE_URL']).netloc.rpartition('@')[2]}",
                path="/postgres",
            )
        )
        with psycopg.connect(superuser, autocommit=True) as connection:
            make_database(connection, TEMPLATE)
        urls = {
            key: urlunsplit(urlsplit(system.environment[key])._replace(path=f"/{TEMPLATE}"))
            for key in ("DATABASE_URL", "DATABASE_OWNER_URL")
        }
        settings = settings_from({**system.environment, **urls})
        migrate_database(settings)
        prepare_buckets(settings)
        ours = {k: v for k, v in system.environment.items() if k not in given}
        ours["MEDCAB_KEYS"] = KEYS
        write_private(folder / "servers.json", {"environment": ours, "superuser_url": superuser})
        while run.alive and not told_to_stop.wait(0.5):
            pass
    finally:
        system.stop()
        for left in folder.glob("*/processes.json"):
            for running in json.loads(left.read_text()):
                Running(**running).stop()
        shutil.rmtree(data_folder_aside(home), ignore_errors=True)
        if not run.alive:
            shutil.rmtree(folder, ignore_errors=True)


def _print(name: str, text: str) -> None:
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {name}: {text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    _keep(Path(sys.argv[1]), Running.of(int(sys.argv[2])))
