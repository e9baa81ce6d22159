"""One running server: started in its own process group, awaited, watched and stopped."""

import os
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ops.local.servers import Launch, Server, ServerFailed
from ops.local.servers.forking import Forked, ForkServer

LAST_LINES = 25


class Interrupted(Exception):
    """The start was called off."""


@dataclass(frozen=True)
class Running:
    """A process with its start time: a later one with the same id is not mistaken for it."""

    pid: int
    started: str

    @classmethod
    def of(cls, pid: int) -> "Running":
        """The process with this id as it is now."""
        return cls(pid, _started(pid))

    @property
    def alive(self) -> bool:
        """Whether it is still the same process."""
        return self.started != "" and _started(self.pid) == self.started

    def stop(self, first: signal.Signals = signal.SIGTERM, within: float = 20.0) -> None:
        """Ask the process to end; after the deadline kill its whole group."""
        if not self.alive:
            return
        os.kill(self.pid, first)
        deadline = time.monotonic() + within
        while self.alive:
            if time.monotonic() > deadline:
                kill_group(self.pid)
                break
            time.sleep(0.02)


def _started(pid: int) -> str:
    """When a process began, as the system tells it; empty when there is none or it is a zombie."""
    stat = Path(f"/proc/{pid}/stat")
    if stat.parent.parent.joinpath("self").exists():
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            return ""
        return "" if fields[0] in "ZX" else fields[19]
    told = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.strip()
    return "" if told.startswith("Z") else told.partition(" ")[2].strip()


def kill_group(pid: int) -> None:
    """End a process and all of its group at once."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    except PermissionError:
        os.kill(pid, signal.SIGKILL)


def begin(
    launch: Launch, log: BinaryIO, forks: ForkServer | None = None
) -> subprocess.Popen[bytes] | Forked:
    """Run a program, in a process group of its own; forked, where that is possible."""
    if forks is not None and (forked := forks.fork(launch, log)) is not None:
        return forked
    account = launch.account
    return subprocess.Popen(
        launch.command,
        env=dict(launch.environment),
        cwd=launch.directory,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        pass_fds=launch.inherited,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
        umask=0o077,
    )


class ServerProcess:
    """A server's process, with its log."""

    def __init__(self, server: Server, logs: Path, forks: ForkServer | None = None) -> None:
        self.server = server
        self.log = logs / f"{server.name}.log"
        self.restarts = 0
        self.replaced = 0
        self.disturbed = threading.Event()
        """Set when the process ends; whoever waits for that may set it to be let go."""
        self._forks = forks
        self._popen: subprocess.Popen[bytes] | Forked | None = None
        self._launch: Launch | None = None

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        return self._popen.pid if self._popen and self._popen.poll() is None else None

    @property
    def stop_signal(self) -> signal.Signals:
        """The signal that ends it in order."""
        return self._launch.stop_signal if self._launch else signal.SIGTERM

    @property
    def exit_code(self) -> int | None:
        """How it ended; None while it runs or before it was started."""
        return self._popen.poll() if self._popen else None

    def start(self, environment: Mapping[str, str]) -> None:
        """Run the program. The log of the run before is kept beside as `.previous`."""
        self._launch = launch = self.server.launch(environment)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists():
            self.log.replace(self.log.with_suffix(".log.previous"))
        with self.log.open("wb") as log:
            self.log.chmod(0o600)
            self._popen = begin(launch, log, self._forks)
        threading.Thread(target=self._await_end, args=[self._popen], daemon=True).start()

    def _await_end(self, popen: subprocess.Popen[bytes] | Forked) -> None:
        popen.wait()
        self.disturbed.set()

    def await_ready(self, called_off: threading.Event | None = None) -> None:
        """Wait until the server does its work.

        Raises ServerFailed, with its last log lines, when it ends or is not ready in time, and
        Interrupted when the start is called off.
        """
        deadline = time.monotonic() + self.server.ready_within
        pause = 0.02
        while True:
            if called_off is not None and called_off.is_set():
                raise Interrupted
            if self.exit_code is not None:
                raise ServerFailed(self._failure(f"ended with exit code {self.exit_code}"))
            if self._popen is not None and self.server.ready(self._popen.pid):
                break
            if time.monotonic() > deadline:
                seconds = f"{self.server.ready_within:.0f} s"
                raise ServerFailed(self._failure(f"is not ready after {seconds}"))
            time.sleep(pause)
            pause = min(pause * 1.5, 0.25)
        self.server.settle()

    def stop(self) -> None:
        """End it in order, or by force after its time limit."""
        if self._popen is None or self._launch is None:
            return
        if self._popen.poll() is None:
            self._popen.send_signal(self._launch.stop_signal)
            try:
                self._popen.wait(self._launch.stop_within)
            except subprocess.TimeoutExpired:
                self.kill()
        # Processes that it left behind in its group are ended too.
        kill_group(self._popen.pid)

    def kill(self) -> None:
        """End it and its group at once, as a power cut would."""
        if self._popen is not None and self._popen.poll() is None:
            kill_group(self._popen.pid)
            self._popen.wait()

    def works(self, within: float) -> bool:
        """Whether its server says that it works; no answer within so many seconds counts as no."""
        pid = self.pid
        if pid is None:
            return False
        told: list[bool] = []
        asking = threading.Thread(target=lambda: told.append(self._says_it_works(pid)), daemon=True)
        asking.start()
        asking.join(within)
        return told == [True]

    def _says_it_works(self, pid: int) -> bool:
        try:
            return self.server.works(pid)
        except Exception:  # whatever the error, the server does not work
            return False

    def last_lines(self, count: int = LAST_LINES) -> list[str]:
        """The end of its log."""
        try:
            with self.log.open(errors="replace") as log:
                return [line.rstrip() for line in deque(log, count)]
        except OSError:
            return []

    def _failure(self, what: str) -> str:
        lines = "\n".join(f"    {line}" for line in self.last_lines()) or "    (its log is empty)"
        return f"{self.server.name} {what}. The last lines of {self.log}:\n{lines}"
