"""All servers of an installation on one machine: started, kept running, stopped in reverse."""

import math
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ops.local.certificates import door_folder
from ops.local.home import Home
from ops.local.servers import Server, ServerFailed
from ops.local.servers.forking import ForkServer
from ops.local.servers.medcab import Api, Door, Own, Worker
from ops.local.servers.minio import Minio
from ops.local.servers.ports import LOOPBACK, is_free
from ops.local.servers.postgres import Postgres
from ops.local.servers.process import Interrupted, Running, ServerProcess
from ops.local.servers.simulators import (
    Together,
    accreditation_centre,
    accreditation_register,
    education_portal,
    gov_service,
    identity,
    laboratory,
    mail,
    oidc,
    patient_registry,
    personnel,
    push,
    register,
    sms,
    subscriber,
)
from ops.local.servers.temporal import CODEC_PATH, Temporal
from settings import Settings

Say = Callable[[str, str], None]
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
STEADY_AFTER = 60.0
LOOK_EVERY = 15.0
LOOK_WITHIN = 15.0
NOES = 4
"""A server that fails so many checks in a row, by saying no or by not answering, is replaced."""

# A server whose address is given in the environment is somebody else's and is not started.
GIVEN_BY = {
    "postgres": "DATABASE_URL",
    "temporal": "TEMPORAL_ADDRESS",
    "minio": "S3_ENDPOINT",
    "register": "MEDCAB_REGISTER_URL",
    "accreditation_register": "MEDCAB_ACCREDITATION_REGISTER_URL",
    "education_portal": "MEDCAB_EDUCATION_PORTAL_URL",
    "identity": "MEDCAB_IDENTITY_URL",
    "personnel": "MEDCAB_PERSONNEL_URL",
    "patient_registry": "MEDCAB_PATIENT_REGISTRY_URL",
    "laboratory": "MEDCAB_LABORATORY_URL",
    "accreditation_centre": "MEDCAB_ACCREDITATION_CENTRE_URL",
    "oidc": "MEDCAB_OIDC_ISSUER",
    "subscriber": "MEDCAB_SUBSCRIBER_NETWORKS",
    "gov_service": "MEDCAB_GOV_SERVICE_URL",
    "mail": "SMTP_URL",
    "sms": "MEDCAB_SMS_URL",
    "push": "MEDCAB_PUSH_URL",
}


class System:
    """The servers of one home.

    `usual` asks for the usual ports, falling back to free ones; otherwise ports are drawn. `hasty`
    trades durability for speed and keeps Temporal in memory: for tests only.
    """

    def __init__(
        self,
        home: Home,
        *,
        given: Mapping[str, str] | None = None,
        usual: bool = True,
        hasty: bool = False,
        say: Say = lambda name, text: None,
        forks: ForkServer | None = None,
    ) -> None:
        home.make()
        self.home = home
        self.say = say
        # A server that ran so long before it ended is started again without a longer pause.
        self.steady_after = STEADY_AFTER
        # In a test run a slow server is busy, and one that is replaced loses what is in memory.
        self.look_every = math.inf if hasty else LOOK_EVERY
        self.stopping = threading.Event()
        self.processes: dict[str, ServerProcess] = {}
        self.forks = forks or ForkServer.possible(home.logs)
        given = os.environ if given is None else given
        tls = door_folder(home) if settings_from(given).tls else None
        self.door = Door(*home.ports(), 8000 if usual else None, tls=tls)
        self._keepers: list[threading.Thread] = []
        self._lock = threading.Lock()
        demo = str("DATABASE_URL" not in given).lower()
        self.environment = {
            "MEDCAB_DEMO": demo,
            # Whoever tries a demo may register in it.
            "MEDCAB_REGISTRATION": demo,
            "MEDCAB_KEYS": home.secrets().keys,
            "MEDCAB_SEAL_PASSWORD": home.secrets().seal_password,
            "MEDCAB_GOV_SERVICE_CALLBACK_SECRET": home.secrets().gov_service_secret,
            "MEDCAB_PERSONNEL_TOKEN": home.secrets().personnel_token,
            "MEDCAB_PERSONNEL_SECRET": home.secrets().personnel_secret,
            "MEDCAB_LABORATORY_TOKEN": home.secrets().laboratory_token,
            "MEDCAB_LABORATORY_SECRET": home.secrets().laboratory_secret,
            "MEDCAB_SMS_TOKEN": home.secrets().sms_token,
            "MEDCAB_SMS_SECRET": home.secrets().sms_secret,
            "MEDCAB_MAIL_CALLBACK_SECRET": home.secrets().mail_callback_secret,
            "MEDCAB_VAPID_KEY": home.secrets().vapid_key,
            "MEDCAB_BACKUP_KEY": home.secrets().backup_key,
            **self.door.variables(),
            **given,
            # Absolute, whatever was given: our processes work in another folder.
            "MEDCAB_HOME": str(home.folder),
        }

        def port(number: int) -> int | None:
            return number if usual else None

        module = gov_service(home, port(8091), settings_from(self.environment).module_crypto)
        self.outer: list[Server] = [
            Postgres(home, port(54329), hasty=hasty),
            Temporal(home, port(7233), port(8233), in_memory=hasty, codec=CODEC_PATH),
            Minio(home, port(9000)),
            # Proofs kill it, and count what it uses, by itself.
            *([] if usual else [module]),
        ]
        self.outer = [each for each in self.outer if GIVEN_BY[each.name] not in given]
        together = (
            *([module] if usual else []),
            register(home, port(8090)),
            identity(home, port(8092)),
            personnel(home, port(8093)),
            laboratory(home, port(8098)),
            accreditation_register(home, port(8094)),
            education_portal(home, port(8095)),
            accreditation_centre(home, port(8096)),
            patient_registry(home, port(8099)),
            mail(home, port(8025), port(1025)),
            sms(home, port(8026)),
            push(home, port(8027)),
            subscriber(home, port(8097)),
            # Whoever tries a demo is offered a provider, which says that it is simulated.
            *([oidc(home, port(8028))] if usual and settings_from(self.environment).demo else []),
        )
        self.simulators = [each for each in together if GIVEN_BY[each.name] not in given]
        if self.simulators:
            self.outer.append(Together(*self.simulators))

    @property
    def settings(self) -> Settings:
        """The settings that our processes read from the system's variables."""
        return settings_from(self.environment)

    def address_of(self, name: str) -> str:
        """The address of a server that runs here. Raises KeyError."""
        return {each.name: each.address for each in (*self.outer, *self.simulators)}[name]

    def lost_addresses(self) -> list[str]:
        """Addresses that letters and QR codes lead to, and at which nobody answers now."""
        if self.environment["MEDCAB_PUBLIC_URL"] != self.door.address:
            return []
        scheme = self.door.address.partition(":")[0]
        ports = (port for port in self.home.ports() if port != self.door.port)
        return [f"{scheme}://{LOOPBACK}:{port}" for port in ports]

    def obtain(self) -> None:
        """Get all programs onto this machine; takes minutes the first time."""
        for server in self.outer:
            server.obtain(lambda text, name=server.name: self.say(name, text))  # type: ignore[misc]

    def start_outer(self) -> None:
        """Start PostgreSQL, Temporal, MinIO and the simulators, all at once."""
        self.start(self.outer)

    def start_own(self, workers: int = 1, apis: int = 1) -> None:
        """Start our processes; the tables must be migrated."""
        self.home.keep_port(self.door.port)
        own: list[Server] = [Worker(f"worker-{n}") for n in range(1, workers + 1)]
        own += [Api(f"api-{n}", self.door) for n in range(1, apis + 1)]
        self.start(own)

    def start(self, servers: Sequence[Server]) -> None:
        """Start servers side by side and wait until all are ready, then keep them running.

        Raises ServerFailed with the log of the first that failed, or Interrupted.
        """
        # They are stopped in the reverse of this order, whichever is ready first.
        for each in servers:
            self.processes[each.name] = ServerProcess(each, self.home.logs, self.forks)
        with ThreadPoolExecutor(max_workers=max(1, len(servers))) as together:
            started = [together.submit(self._start_one, server) for server in servers]
        errors = [error for error in (each.exception() for each in started) if error]
        # One that failed interrupts the others: the cause is raised, not its consequence.
        errors.sort(key=lambda error: isinstance(error, Interrupted))
        if errors:
            raise errors[0]
        for server in servers:
            self.environment.update(
                {k: v for k, v in server.variables().items() if k not in self.environment}
            )
            keeper = threading.Thread(target=self._keep, args=[self.processes[server.name]])
            keeper.daemon = True
            keeper.start()
            self._keepers.append(keeper)

    def stop(self) -> None:
        """Stop everything, the last started first."""
        self.stopping.set()
        for process in self.processes.values():
            process.disturbed.set()
        # None of them may start again what is being stopped.
        for keeper in self._keepers:
            keeper.join(timeout=10)
        for process in reversed(list(self.processes.values())):
            if process.pid is not None:
                self.say(process.server.name, "stopping")
            process.stop()
        if self.forks is not None:
            self.forks.close()
        self.door.close()

    def kill(self, name: str) -> None:
        """End a server as a power cut would. It is started again by itself."""
        self.processes[name].kill()

    def record(self, state: str) -> None:
        """Store what runs, for `status`, `down` and the next start."""
        servers: list[dict[str, Any]] = []
        for name, process in list(self.processes.items()):
            pid = process.pid
            running = Running.of(pid) if pid else None
            servers.append(
                {
                    "name": name,
                    "pid": pid,
                    "started": running.started if running else "",
                    "stop_signal": int(process.stop_signal),
                    "address": process.server.address,
                    "restarts": process.restarts,
                    "replaced": process.replaced,
                    "log": str(process.log),
                }
            )
        ours = set(os.environ)
        variables = {k: v for k, v in self.environment.items() if k not in ours}
        # Other commands may be called from another folder, or without the variable.
        variables["MEDCAB_HOME"] = str(self.home.folder)
        supervisor = Running.of(os.getpid())
        # Servers that come back at the same moment are written down one after another.
        with self._lock:
            self.home.record_targets(self._targets())
            self.home.record(
                {
                    "state": state,
                    "supervisor": {"pid": supervisor.pid, "started": supervisor.started},
                    "servers": servers,
                    "simulators": {each.name: each.address for each in self.simulators},
                    "environment": variables,
                }
            )

    def _targets(self) -> list[dict[str, Any]]:
        """Our processes in the form of Prometheus' `file_sd_configs`."""
        own = [each.server for each in self.processes.values() if isinstance(each.server, Own)]
        return [
            {"targets": [each.metrics], "labels": {"job": each.job, "process": each.name}}
            for each in own
            if each.metrics
        ]

    def _start_one(self, server: Server) -> None:
        for tries_left in (2, 1, 0):
            if self.stopping.is_set():
                raise Interrupted
            self.say(server.name, "starting")
            server.prepare()
            process = self.processes[server.name]
            process.start(self.environment)
            try:
                process.await_ready(self.stopping)
            except ServerFailed:
                port = getattr(server, "port", 0)
                process.stop()
                # Another program took the port between our check and the start: choose another.
                if tries_left and port and not is_free(port):
                    self.say(server.name, f"{LOOPBACK}:{port} was taken meanwhile, trying another")
                    continue
                self.stopping.set()
                raise
            self.say(server.name, f"ready {server.address}".rstrip())
            return

    def _keep(self, process: ServerProcess) -> None:
        """Start the server again whenever it ends, with longer and longer pauses.

        One that runs and does no work is ended first, and ops are told.
        """
        pause = FIRST_PAUSE
        name = process.server.name
        began = looked = time.monotonic()
        noes, untold = 0, False
        while True:
            left = looked + self.look_every - time.monotonic()
            process.disturbed.wait(min(max(left, 0.0), threading.TIMEOUT_MAX))
            process.disturbed.clear()
            if self.stopping.is_set():
                return
            if process.exit_code is None:
                if time.monotonic() - looked < self.look_every:
                    continue
                noes = 0 if process.works(LOOK_WITHIN) else noes + 1
                looked = time.monotonic()
                if untold and not noes:
                    untold = not self._told_of_replacing(name)
                if noes < NOES or self.stopping.is_set():
                    continue
                noes, untold = 0, True
                self.say(name, "runs and does no work: replacing it")
                process.replaced += 1
                process.kill()
            if time.monotonic() - began > self.steady_after:
                pause = FIRST_PAUSE
            told = "".join(f"\n    {line}" for line in process.last_lines(5))
            self.say(name, f"ended with {process.exit_code}, again in {pause:g} s{told}")
            if self.stopping.wait(pause):
                return
            pause = min(pause * 2, LONGEST_PAUSE)
            began = time.monotonic()
            process.restarts += 1
            try:
                process.start(self.environment)
                process.await_ready(self.stopping)
            except Interrupted:
                return
            except ServerFailed as reason:
                self.say(name, str(reason))
                process.kill()
                continue
            looked = time.monotonic()
            self.say(name, "ready again")
            self.record("ready")
            untold = untold and not self._told_of_replacing(name)

    def _told_of_replacing(self, name: str) -> bool:
        """Journal the replacement, so that the ops desk shows it.

        False where that cannot be done now.
        """
        from ops.local.replacing import journal_replacing

        if "DATABASE_URL" not in self.environment:
            return True
        try:
            journal_replacing(self.settings, name)
        except Exception as error:
            self.say(name, f"was replaced, which is not journaled: {type(error).__name__}")
            return False
        return True


def settings_from(environment: Mapping[str, str]) -> Settings:
    """The settings as a process with these variables reads them.

    Other variables are left out: `HOME` would be taken for the setting of that name.
    """
    prefix = "MEDCAB_"
    unprefixed = {field.validation_alias for field in Settings.model_fields.values()}
    named = {
        key.removeprefix(prefix).lower() if key.startswith(prefix) else key: value
        for key, value in environment.items()
        if key.startswith(prefix) or key in unprefixed
    }
    return Settings(**named)  # type: ignore[arg-type]
