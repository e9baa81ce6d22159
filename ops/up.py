"""`medcab up`, `down`, `status` and `reset`: one supervisor per home."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from ops.local.home import CHECKOUT, RESTORED, Home
from ops.local.progress import Board
from ops.local.running import running_of, stop_leftovers
from ops.local.servers import ServerFailed
from ops.local.servers.forking import ForkServer
from ops.local.servers.process import Interrupted

# A start in the background is given up after so many seconds without output.
SILENT_FOR = 1800.0
DOWN_WITHIN = 120.0


def up(home: Home, console: Console, *, workers: int, apis: int) -> int:
    """Start everything, print the addresses, keep it running until told to stop."""
    # Here, since reading backups takes more libraries than `status` needs.
    from ops.local.lost import refusal

    with home.taken() as mine:
        if not mine:
            return already_running(home, console)
    # Before there are threads, and while the place is not held: every server would hold it too.
    forks = ForkServer.of_this_process(home.logs)
    try:
        with home.taken() as mine:
            if not mine:
                return already_running(home, console)
            stop_leftovers(home, console)
            if (home.folder / RESTORED).exists():
                console.print("This home was restored: `medcab reconcile` comes first.")
                return 1
            if (reason := refusal(home)) is not None:
                console.print(reason, markup=False, highlight=False)
                return 1
            return _Supervisor(home, console, workers, apis, forks).run()
    finally:
        if forks is not None:
            forks.close()


def up_detached(home: Home, console: Console, *, workers: int, apis: int) -> int:
    """Like `up`, in the background: return when everything is ready."""
    with home.taken() as mine:
        if not mine:
            return already_running(home, console)
    log = home.logs / "up.log"
    command = [sys.executable, "-m", "ops.cli", "up"]
    command += ["--workers", str(workers), "--api", str(apis)]
    with log.open("wb") as output:
        log.chmod(0o600)
        supervisor = subprocess.Popen(
            command,
            cwd=CHECKOUT,
            env=os.environ | {"MEDCAB_HOME": str(home.folder), "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        return _follow(supervisor, home, log, console)
    except KeyboardInterrupt:
        console.print("Cancelled.")
        return 1
    finally:
        if supervisor.poll() is None and home.recorded().get("state") != "ready":
            supervisor.terminate()
            supervisor.wait(DOWN_WITHIN)


def _follow(supervisor: subprocess.Popen[bytes], home: Home, log: Path, console: Console) -> int:
    """Print what a supervisor in the background says until it is ready or has ended."""
    heard = time.monotonic()
    with log.open() as told:
        while time.monotonic() - heard < SILENT_FOR:
            ended = supervisor.poll() is not None
            recorded = home.recorded()
            ready = recorded.get("state") == "ready"
            ready = ready and recorded["supervisor"]["pid"] == supervisor.pid
            if said := told.read():
                heard = time.monotonic()
                console.print(said, end="", markup=False, highlight=False)
            if ended:
                return supervisor.returncode or 1
            if ready:
                return 0
            time.sleep(0.1)
    console.print(
        f"The start has printed nothing for {SILENT_FOR / 60:.0f} minutes: see {log}. What was"
        " downloaded or built is kept; start again."
    )
    return 1


def down(home: Home, console: Console) -> int:
    """Stop what `up` started here, in order."""
    recorded = home.recorded()
    supervisor = running_of(recorded.get("supervisor"))
    if supervisor is None or not supervisor.alive:
        if not stop_leftovers(home, console):
            console.print("Nothing of Medcab is running here.")
        return 0
    with console.status("Stopping"):
        supervisor.stop(within=DOWN_WITHIN)
    stop_leftovers(home, console)
    console.print("Stopped. The data is kept; `make up` goes on with it.")
    return 0


def status(home: Home, console: Console) -> int:
    """Print what runs, and where. Exit code 0 when all of it does, otherwise 1."""
    # Here, since reading backups takes more libraries than `up` itself.
    from ops.backup.freshness import age
    from settings import Settings

    recorded = home.recorded()
    servers: list[dict[str, Any]] = recorded.get("servers", [])
    alive = [running is not None and running.alive for running in map(running_of, servers)]
    supervisor = running_of(recorded.get("supervisor"))
    if not any(alive) and supervisor is not None and supervisor.alive:
        console.print(f"Medcab is starting here ({recorded['state']}).")
        return 1
    if not any(alive):
        console.print("Nothing of Medcab is running here. `make up` starts it.")
        return 1
    table = Table("server", "state", "process", "address", "restarts", "log", box=None)
    replaced = {each["name"]: each["replaced"] for each in servers if each["replaced"]}
    for server, lives in zip(servers, alive, strict=True):
        state = "[green]runs" if lives else "[red]down"
        table.add_row(
            server["name"],
            state,
            str(server["pid"] or ""),
            server["address"],
            str(server["restarts"]),
            os.path.relpath(server["log"]),
        )
    console.print(table)
    for name, times in replaced.items():
        console.print(f"{name} ran without working, and was replaced: {times}", highlight=False)
    console.print(f"State: {recorded['state']}")
    console.print(f"Backup: {age(home, Settings()).text}", highlight=False)
    return 0 if all(alive) and recorded["state"] == "ready" else 1


def reset(home: Home, console: Console) -> int:
    """Remove the data, the keys and the logs of this home; what others run is left alone."""
    from ops.local.servers.postgres import data_folder_aside

    with home.taken() as mine:
        if not mine:
            console.print("Medcab is running here: `medcab down` first.")
            return 1
        stop_leftovers(home, console)
        shutil.rmtree(data_folder_aside(home), ignore_errors=True)
        shutil.rmtree(home.folder)
    console.print(f"Removed {home.folder}: data, keys and logs.")
    return 0


def already_running(home: Home, console: Console) -> int:
    """Print that another supervisor holds the home, and what runs there."""
    console.print("Medcab is already running here (`medcab down` stops it):")
    return status(home, console)


class _Supervisor:
    def __init__(
        self,
        home: Home,
        console: Console,
        workers: int,
        apis: int,
        forks: ForkServer | None,
    ) -> None:
        from ops.local.system import System

        self.console = console
        self.board = Board(console)
        self.workers, self.apis = workers, apis
        self.system = System(home, say=self.board.say, forks=forks)
        self._told = threading.Event()
        self._at_work = False

    def run(self) -> int:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._tell)
        try:
            with self.board:
                accounts = self._start()
            self._welcome(accounts)
            # `up --detach` stops following now, so everything is printed before.
            self.system.record("ready")
            self._told.wait()
        except Interrupted:
            pass
        except ServerFailed as reason:
            self.console.print(f"\n{reason}", markup=False, highlight=False)
            return 1
        finally:
            self._stop()
        return 0

    def _start(self) -> list[str]:
        from ops.furnishing import furnish
        from ops.local.servers.medcab import Archiver

        self.system.record("obtaining the programs")
        with self._main_thread_works():
            self.system.obtain()
        self.system.record("starting")
        self.system.start_outer()
        self.system.record("starting")
        with self._main_thread_works():
            tell = partial(self.console.print, markup=False, highlight=False)
            accounts = furnish(self.system, tell)
        self.system.start_own(self.workers, self.apis)
        if "DATABASE_BACKUP_URL" in self.system.environment:
            self.system.start([Archiver()])
        return accounts

    def _stop(self) -> None:
        self.console.print("Stopping; the data is kept.")
        self.system.stop()
        self.system.home.forget()

    def _tell(self, *_: object) -> None:
        if self._told.is_set():
            self.console.print("Already stopping, a moment please.")
            return
        self._told.set()
        self.system.stopping.set()
        if self._at_work:
            raise Interrupted

    @contextmanager
    def _main_thread_works(self) -> Iterator[None]:
        """Within this, a signal interrupts the main thread; elsewhere it only sets the flag."""
        if self._told.is_set():
            raise Interrupted
        self._at_work = True
        try:
            yield
        finally:
            self._at_work = False

    def _welcome(self, accounts: list[str]) -> None:
        environment = self.system.environment
        cabinet = environment["MEDCAB_PUBLIC_URL"]
        addresses = Table(box=None, show_header=False)
        for title, address in (
            ("Cabinet", cabinet),
            ("HR desk", f"{cabinet}/desk"),
            ("API docs", f"{cabinet}/api/docs"),
            ("Temporal UI", f"{cabinet}/temporal"),
            ("Gov service", environment.get("MEDCAB_GOV_SERVICE_URL", "")),
            ("Mail", environment.get("MEDCAB_MAIL_PAGE_URL", "")),
            ("SMS", environment.get("MEDCAB_SMS_URL", "")),
        ):
            addresses.add_row(title, address)
        self.console.print()
        self.console.print(addresses)
        if lost := self.system.lost_addresses():
            self.console.print(
                f"The cabinet was open at {' and '.join(lost)} before: QR codes and links given out"
                f" then do not lead to {cabinet}. To keep them, end the program that has that port"
                " and start again.",
                markup=False,
                highlight=False,
            )
        if authority := self.system.door.authority:
            self.console.print(f"A browser trusts it once it knows {authority}", highlight=False)
        for account in accounts:
            self.console.print(account, markup=False, highlight=False)
        self.console.print("\nCtrl-C here, or `make down`, stops everything; the data is kept.")
