"""The line to the fork server: asks it to fork a server, and how one ended.

A request is one message of JSON. To start: the module, its arguments, its whole environment, its
directory, and the numbers of the files that it inherits; these files come along, after the log. The
answer is the process id. To ask how a process ended: its id; the answer is its exit code.
"""

import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from ops.local.home import CHECKOUT
from ops.local.servers import Launch
from ops.local.servers.fork_server import FORKED, LONGEST, MORE, UNKNOWN, run

ANSWERS_WITHIN = 120.0
"""Seconds; the first answer comes when all is imported."""
ROOM = "-" * 200
"""An argument of the fork server, in whose place each of its children shows its own command."""
NOT_FOR_IT = ("MEDCAB_", "DATABASE_", "S3_", "SMTP_", "TEMPORAL_")
"""Beginnings of variables that the fork server does not get: some are the secret of one server."""


class Forked:
    """A forked process, with what is used of `subprocess.Popen`."""

    def __init__(self, pid: int, exit_code: Callable[[int], int]) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._exit_code = exit_code
        self._lock = threading.Lock()
        self._handle = os.pidfd_open(pid)

    def poll(self) -> int | None:
        """Its exit code; None while it runs."""
        with suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code. Raises subprocess.TimeoutExpired where it runs longer."""
        ended = select.poll()
        ended.register(self._handle, select.POLLIN)
        if self.returncode is None and not ended.poll(
            timeout if timeout is None else timeout * 1000
        ):
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        with self._lock:
            if self.returncode is None:
                self.returncode = self._exit_code(self.pid)
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send it a signal; nothing where it has ended."""
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._handle, number)

    def __del__(self) -> None:
        os.close(self._handle)


class ForkServer:
    """The fork server of a system, started with its first child, and again where it ended.

    It forks some modules, and imports more of what these use when they run.
    """

    def __init__(
        self, logs: Path, forked: Sequence[str] = FORKED, more: Sequence[str] = MORE
    ) -> None:
        self.log = logs / "fork-server.log"
        self._forked = forked
        self._imported = (*forked, *more)
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | Forked | None = None
        self._line: socket.socket | None = None

    @classmethod
    def possible(
        cls, logs: Path, forked: Sequence[str] = FORKED, more: Sequence[str] = MORE
    ) -> "ForkServer | None":
        """A fork server that is a program of its own; None where the system has no pidfds."""
        try:
            os.close(os.pidfd_open(os.getpid()))
        except (AttributeError, OSError):
            return None
        return cls(logs, forked, more)

    @classmethod
    def of_this_process(
        cls, logs: Path, forked: Sequence[str] = FORKED, more: Sequence[str] = MORE
    ) -> "ForkServer | None":
        """A fork server that shares what this process has imported; in a server, run it and end.

        To be called while there is one thread. Where this process was given variables that are not
        for all servers, the fork server is a program of its own, since a child could find them in
        its memory. None where the system cannot fork servers.
        """
        made = cls.possible(logs, forked, more)
        if made is None:
            return None
        given = {name for name in os.environ if name.startswith(NOT_FOR_IT)}
        if threading.active_count() == 1 and given <= {"MEDCAB_HOME"}:
            made._fork_itself()
        return made

    def _fork_itself(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        sys.stdout.flush()
        gc.freeze()
        with self.log.open("wb") as log, Path(os.devnull).open() as nothing:
            self.log.chmod(0o600)
            if (pid := os.fork()) == 0:
                os.setsid()
                for file, number in ((nothing, 0), (log, 1), (log, 2)):
                    os.dup2(file.fileno(), number)
        if pid == 0:
            ours.close()
            run(theirs, self._imported)
            sys.exit()
        theirs.close()
        self._process = Forked(pid, _exit_code_of_child)
        self._use(ours)

    def fork(self, launch: Launch, log: BinaryIO) -> Forked | None:
        """Fork a server. None where it is to be started as a program of its own."""
        python, module, arguments = launch.command[:2], launch.command[2:3], launch.command[3:]
        if python != [sys.executable, "-m"] or module[0] not in self._forked:
            return None
        request = {
            "module": module[0],
            "arguments": arguments,
            "environment": dict(launch.environment),
            "directory": str(launch.directory),
            "inherited": launch.inherited,
        }
        files = [log.fileno(), *launch.inherited]
        with self._lock:
            # The second time it is a new one: that before may have been killed.
            for _ in range(2):
                line = self._line or self._start()
                if (pid := self._ask(line, request, files)) is not None:
                    return Forked(pid, self._exit_code)
        return None

    def close(self) -> None:
        """End it; its children stay."""
        with self._lock:
            self._end()

    def _exit_code(self, pid: int) -> int:
        with self._lock:
            code = self._ask(self._line, {"ended": pid}) if self._line else None
        return UNKNOWN if code is None else code

    def _ask(
        self, line: socket.socket, request: dict[str, Any], files: Sequence[int] = ()
    ) -> int | None:
        """The answer; None from a fork server that has ended."""
        try:
            socket.send_fds(line, [json.dumps(request).encode()], files)
            return int(line.recv(LONGEST))
        except (OSError, ValueError):
            self._end()
            return None

    def _end(self) -> None:
        if self._line is not None and self._process is not None:
            self._line.close()
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._line = None

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        kept = {k: v for k, v in os.environ.items() if not k.startswith(NOT_FOR_IT)}
        module, line = "ops.local.servers.fork_server", str(theirs.fileno())
        with theirs, self.log.open("wb") as log:
            self.log.chmod(0o600)
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, line, *self._imported, ROOM],
                env=kept | {"PYTHONUNBUFFERED": "1"},
                cwd=CHECKOUT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=[theirs.fileno()],
            )
        return self._use(ours)

    def _use(self, line: socket.socket) -> socket.socket:
        line.settimeout(ANSWERS_WITHIN)
        self._line = line
        return line


def _exit_code_of_child(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
