"""The process from which the Python servers of an installation are forked.

Importing what Medcab is made of takes two seconds and more than a hundred megabytes. Here it is
done once: a server forked from this process starts at once and shares that memory with the others.
The process has one thread, opens no connection and knows no secret: the variables of a server come
with the request to start it, and only its child keeps them.

Requests and answers are described in `ops.local.servers.forking`, the other end of the line.
"""

import ctypes
import fcntl
import gc
import importlib
import json
import os
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

FORKED = (
    "ops.cli",
    "ops.furnishing",
    "simulators.gov_service",
    "simulators.together",
)
"""The modules that are forked; each has a `main`."""
MORE = (
    "api.http.protocol",
    "ops.backup.commands",
    "ops.data.seed",
    "server",
    "uvicorn.lifespan.on",
    "uvicorn.protocols.http.httptools_impl",
    "uvloop",
    "worker",
)
"""What the servers import only when they run."""

LONGEST = 128 * 1024
UNKNOWN = 255
"""The exit code of a process that outlived its fork server, whom alone the system tells it."""


def run(line: socket.socket, imported: Sequence[str]) -> None:
    """Import modules, and fork servers until the other end of the line is closed.

    In a child, be the server.
    """
    _show([sys.executable, "-m", "ops.local.servers.fork_server"])
    sys.stdout = os.fdopen(1, "w", buffering=1, closefd=False)
    # Compiled files are kept: the sandbox imports the module of a workflow anew for every run.
    sys.dont_write_bytecode = False
    gc.disable()
    for name in imported:
        importlib.import_module(name)
    # Otherwise the first garbage collection of a child would write to every page that it shares.
    gc.freeze()
    module = _serve(line)
    if module is not None:
        gc.enable()
        importlib.import_module(module).main()


def _serve(line: socket.socket) -> str | None:
    """Answer requests. In a child, the name of its module; None when the line was closed."""
    while True:
        message, descriptors, _, _ = socket.recv_fds(line, LONGEST, 16)
        if not message:
            return None
        request: dict[str, Any] = json.loads(message)
        if "ended" in request:
            line.send(str(_exit_code(request["ended"])).encode())
            continue
        settled, settling = os.pipe()
        pid = os.fork()
        if pid == 0:
            line.close()
            os.close(settled)
            _become(request, descriptors, settling)
            return str(request["module"])
        os.close(settling)
        for each in descriptors:
            os.close(each)
        # Nobody learns of the child before it has a process group, by which it is ended.
        os.read(settled, 1)
        os.close(settled)
        line.send(str(pid).encode())


def _become(request: dict[str, Any], descriptors: Sequence[int], settling: int) -> None:
    """Be what a program would be that was started anew with this request."""
    os.setsid()
    os.umask(0o077)
    os.chdir(request["directory"])
    # All out of the way first: their numbers here may be those by which others are known there.
    numbers = [1, *request["inherited"]]
    before, above = (settling, *descriptors), max(*numbers, 2) + 1
    settling, *moved = (fcntl.fcntl(each, fcntl.F_DUPFD_CLOEXEC, above) for each in before)
    for each in before:
        os.close(each)
    for each, number in zip(moved, numbers, strict=True):
        os.dup2(each, number)
        os.close(each)
    os.dup2(1, 2)
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()
    sys.argv = [request["module"], *request["arguments"]]
    _show([sys.executable, "-m", *sys.argv])
    os.close(settling)


def _exit_code(pid: int) -> int:
    try:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    except ChildProcessError:
        return UNKNOWN  # A child of the fork server before this one.


def _show(command: Sequence[str]) -> None:
    """Have lists of processes show this command, as far as there is room for it."""
    begin, end = map(int, Path("/proc/self/stat").read_text().rpartition(")")[2].split()[45:47])
    shown = "\0".join(command).encode()[: end - begin - 1]
    ctypes.memmove(begin, shown.ljust(end - begin, b"\0"), end - begin)


if __name__ == "__main__":
    run(socket.socket(fileno=int(sys.argv[1])), sys.argv[2:-1])
