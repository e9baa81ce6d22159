"""The process that checks and reads files: `python -m services.files.inspection.warden SOCKET_FD`.

It loads the readers of PDF and JPEG once, then forks a child for every file, so that a check starts
in milliseconds and no file leaves anything behind for the next one. A child has limits of memory
and time, no network, no environment and no file but its own. The warden itself reads no file but a
page that it has made: it watches the time, kills, and reports how each child ended.

A request is one packet with JSON and the descriptors of the file, of a pipe for the answer and, for
drawing, of a file for the picture. The answer is two lines of JSON in the pipe: the child's report,
if it wrote one, and how the child ended.
"""

import ctypes
import gc
import json
import os
import resource
import selectors
import signal
import socket
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO

import puremagic
from PIL import Image, PdfImagePlugin  # noqa: F401 - it saves as PDF

from rules.files.checks import (
    LIMITS,
    START,
    Code,
    FileLimits,
    Finding,
    MediaType,
    resolution_finding,
    type_of,
)
from services.files.inspection import jpeg, pdf

PACKET = 8192
_PICTURE_LIMIT = 64 * 1024 * 1024
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_PR_SET_NO_NEW_PRIVS = 38


@dataclass
class Child:
    """One running check."""

    pid: int
    pidfd: int
    answer: int
    deadline: float
    late: bool = False


def examine(file: BinaryIO, request: dict[str, Any]) -> dict[str, Any]:
    """Check one file: its type, its contents, its resolution."""
    limits = FileLimits(**request["limits"])
    start = file.read(START)
    true_type = type_of(start, frozenset(MediaType(claim) for claim in request["claims"]))
    if isinstance(true_type, Finding):
        return {"media_type": None, "findings": [true_type.stored()]}
    guess = _looks_like(start)
    if guess is not None and guess != true_type.value:
        mismatch = [Finding(Code.TYPE_MISMATCH).stored()]
        return {"media_type": true_type.value, "findings": mismatch}
    file.seek(0)
    report = (pdf if true_type is MediaType.PDF else jpeg).examine(file, limits)
    low = resolution_finding(report["dpi"], request["minimum_dpi"])
    if low is not None and not report["findings"]:
        report["findings"] = [low]
    findings = [finding.stored() for finding in report["findings"]]
    return {**report, "media_type": true_type.value, "findings": findings}


def _looks_like(start: bytes) -> str | None:
    """The most likely media type by the first bytes; None if it is unknown."""
    try:
        return puremagic.magic_string(start)[0].mime_type or "application/octet-stream"
    except (puremagic.PureError, ValueError, IndexError):
        return None


def draw(file: BinaryIO, request: dict[str, Any], out: BinaryIO) -> dict[str, Any]:
    """Make the picture of a page."""
    try:
        if request["media_type"] == MediaType.PDF.value:
            return {"media_type": pdf.render(file, request["page"], request["longest"], out)}
        if request["page"] != 1:
            raise IndexError(request["page"])
        return {"media_type": jpeg.render(file, request["longest"], out)}
    except IndexError:
        return {"media_type": None}


def _confine(limits: FileLimits) -> None:
    seconds = int(limits.seconds) + 1
    for what, most in (
        (resource.RLIMIT_AS, limits.memory),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, _PICTURE_LIMIT),
        (resource.RLIMIT_NOFILE, 32),
        (resource.RLIMIT_CORE, 0),
    ):
        # At the hard limit of seconds the kernel kills without saying why.
        resource.setrlimit(what, (most, most + 1 if what == resource.RLIMIT_CPU else most))


def _in_child(request: dict[str, Any], descriptors: list[int]) -> int:
    """Do one request and write the report. Returns the exit code."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _confine(FileLimits(**request["limits"]))
    try:
        with open(descriptors[0], "rb", closefd=False) as file:
            file.seek(0)
            if request["task"] == "draw":
                with open(descriptors[2], "wb", closefd=False) as out:
                    report = draw(file, request, out)
            elif request["task"] == "sheet":
                # Imported here: few files are tables, and every fork copies what the warden holds.
                from services.files.inspection import sheets

                report = sheets.told(file.read())
            else:
                report = examine(file, request)
    except MemoryError:
        heavy = {"media_type": None, "findings": [Finding(Code.TOO_HEAVY).stored()]}
        report = {} if request["task"] == "sheet" else heavy
    with open(descriptors[1], "wb", closefd=False) as answer:
        answer.write(json.dumps(report).encode() + b"\n")
    return 0


def _close_all_but(descriptors: list[int]) -> None:
    """Close all other descriptors: if a child held another check's pipe, that would never end."""
    below = 2
    for descriptor in sorted(descriptors):
        os.closerange(below + 1, descriptor)
        below = descriptor
    os.closerange(below + 1, 4096)


def _fork(request: dict[str, Any], descriptors: list[int]) -> Child:
    pid = os.fork()
    if pid == 0:
        code = 70
        try:
            _close_all_but(descriptors)
            code = _in_child(request, descriptors)
        finally:
            os._exit(code)
    answer = descriptors[1]
    for descriptor in descriptors:
        if descriptor != answer:
            os.close(descriptor)
    deadline = time.monotonic() + float(request["limits"]["seconds"])
    return Child(pid, os.pidfd_open(pid), answer, deadline)


def _ended(child: Child) -> None:
    _, status = os.waitpid(child.pid, 0)
    by_clock = child.late or (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU)
    how = {"code": os.waitstatus_to_exitcode(status), "late": by_clock}
    with suppress(OSError):  # The caller may be gone.
        os.write(child.answer, json.dumps(how).encode() + b"\n")
    os.close(child.answer)
    os.close(child.pidfd)


def watch(line: socket.socket) -> None:
    """Serve requests until the other end of the connection is closed."""
    children: dict[int, Child] = {}
    with selectors.DefaultSelector() as selector:
        selector.register(line, selectors.EVENT_READ)
        while True:
            now = time.monotonic()
            for child in children.values():
                if now >= child.deadline and not child.late:
                    child.late = True
                    os.kill(child.pid, signal.SIGKILL)
            waits = [c.deadline - now for c in children.values() if not c.late]
            for key, _ in selector.select(max(0.0, min(waits)) if waits else None):
                if key.fileobj is line:
                    packet, descriptors, _, _ = socket.recv_fds(line, PACKET, 3)
                    if not packet:
                        for child in children.values():
                            os.kill(child.pid, signal.SIGKILL)
                        return
                    child = _fork(json.loads(packet), list(descriptors))
                    children[child.pidfd] = child
                    selector.register(child.pidfd, selectors.EVENT_READ)
                else:
                    child = children.pop(key.fd)
                    selector.unregister(key.fd)
                    _ended(child)


def _leave_the_network() -> None:
    """Move into an empty network of our own, if the kernel allows it; otherwise go on without."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)


def warm_up() -> None:
    """Check a page of our own as PDF and as JPEG, so that no check of a child is the first one.

    What the readers load, look up and remember at the first, every child would do again.
    """
    request: dict[str, Any] = {"limits": asdict(LIMITS), "claims": [], "minimum_dpi": None}
    page = Image.effect_noise((300, 400), 50)
    for form in ("PDF", "JPEG"):
        with os.fdopen(os.memfd_create(form), "w+b") as file:
            page.save(file, format=form)
            file.seek(0)
            examine(file, request)


def main() -> None:
    """Serve on the socket whose descriptor is the first argument."""
    line = socket.socket(fileno=int(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    warm_up()
    _leave_the_network()
    gc.collect()
    gc.freeze()
    line.send(b"ready")
    watch(line)


if __name__ == "__main__":
    main()
