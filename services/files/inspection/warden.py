"""The process that checks and reads files: `python -m services.files.inspection.warden SOCKET_FD`.

It loads the readers of PDF and JPEG once, then forks children, so that a check starts in
milliseconds. A child has limits of memory and time, no network, no environment and no file but its
own. It checks a few files of one person, one after the other, as long as they are good and come
soon; nothing that a file leaves behind ever meets a file of somebody else. The warden itself reads
no file but a page that it has made: it watches the time, kills, and reports how each child ended.

A request is one packet with JSON and the descriptors of the file, of a pipe for the answer and, for
drawing, of a file for the picture. The answer is two lines of JSON in the pipe: the child's report,
if it wrote one, and how the child ended, with code 0 where it waits for more.
"""

import ctypes
import gc
import json
import math
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
FILES_EACH = 8
"""How many files of one person a child checks at most."""
WAITS = 5.0
"""Seconds that a child waits for another file of its person."""
WAITING = 4
"""How many children wait at the same time at most."""
_WORN = 64 * 1024
"""KiB in memory from which a child does not wait: the next file shall have all that is allowed."""
_PICTURE_LIMIT = 64 * 1024 * 1024
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_PR_SET_NO_NEW_PRIVS = 38


_TABLES = ("sheet", "patients")
_NOBODY = -1
_DONE = b"."


@dataclass
class Child:
    """A process that checks a file, or waits for another file of the same person."""

    pid: int
    pidfd: int
    line: socket.socket
    giver: str | None
    answer: int = _NOBODY
    """The pipe of whoever asked; `_NOBODY` while it waits."""
    deadline: float = math.inf
    files: int = 0
    """How many files it was given."""
    late: bool = False

    @property
    def waits(self) -> bool:
        """Whether it can be given another file."""
        return self.answer == _NOBODY and not self.late

    def give(self, packet: bytes, descriptors: list[int]) -> bool:
        """Give it a file. False if it is gone."""
        try:
            socket.send_fds(self.line, [packet], descriptors)
        except OSError:
            self.late = True
            return False
        self.files += 1
        return True

    def tell(self, how: dict[str, Any]) -> None:
        """Tell whoever asked how it ended."""
        if self.answer != _NOBODY:
            with suppress(OSError):  # The caller may be gone.
                os.write(self.answer, json.dumps(how).encode() + b"\n")
            os.close(self.answer)
            self.answer = _NOBODY

    def kill(self) -> None:
        """End it, because its time is over."""
        self.late = True
        os.kill(self.pid, signal.SIGKILL)


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
    """Limit what the next file may take. Its seconds count from now."""
    seconds = int(limits.seconds) + 1
    for what, most in (
        (resource.RLIMIT_AS, limits.memory),
        (resource.RLIMIT_FSIZE, _PICTURE_LIMIT),
        (resource.RLIMIT_NOFILE, 32),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))
    used = resource.getrusage(resource.RUSAGE_SELF)
    until = int(used.ru_utime + used.ru_stime) + seconds
    # At the hard limit of seconds the kernel kills without saying why.
    resource.setrlimit(resource.RLIMIT_CPU, (until, FILES_EACH * seconds + 1))


def _in_child(line: socket.socket) -> int:
    """Serve a request, and more of the same person. Returns the exit code."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    while True:
        packet, descriptors, _, _ = socket.recv_fds(line, PACKET, 3)
        if not packet:
            return 0
        request = json.loads(packet)
        _confine(FileLimits(**request["limits"]))
        clean = _serve(request, descriptors)
        worn = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > _WORN
        if request["giver"] is None or not clean or worn:
            return 0
        for descriptor in descriptors:
            os.close(descriptor)
        line.send(_DONE)


def _serve(request: dict[str, Any], descriptors: list[int]) -> bool:
    """Do one request and write the report. Returns whether a good file was checked."""
    try:
        with open(descriptors[0], "rb", closefd=False) as file:
            file.seek(0)
            if request["task"] == "draw":
                with open(descriptors[2], "wb", closefd=False) as out:
                    report = draw(file, request, out)
            elif request["task"] in _TABLES:
                # Imported here: few files are tables, and every fork copies what the warden holds.
                from services.files.inspection import sheets

                told = sheets.told if request["task"] == "sheet" else sheets.told_patients
                report = told(file.read())
            else:
                report = examine(file, request)
    except MemoryError:
        heavy = {"media_type": None, "findings": [Finding(Code.TOO_HEAVY).stored()]}
        report = {} if request["task"] in _TABLES else heavy
    with open(descriptors[1], "wb", closefd=False) as answer:
        answer.write(json.dumps(report).encode() + b"\n")
    return request["task"] == "examine" and not report["findings"]


def _close_all_but(descriptors: list[int]) -> None:
    """Close all other descriptors: if a child held another check's pipe, that would never end."""
    below = 2
    for descriptor in sorted(descriptors):
        os.closerange(below + 1, descriptor)
        below = descriptor
    os.closerange(below + 1, 4096)


def _fork(giver: str | None) -> Child:
    """A child that serves what it will be given."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pid = os.fork()
    if pid == 0:
        code = 70
        try:
            _close_all_but([theirs.fileno()])
            code = _in_child(theirs)
        finally:
            os._exit(code)
    theirs.close()
    return Child(pid, os.pidfd_open(pid), ours, giver)


class Warden:
    """Serves the requests of one connection."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._children: list[Child] = []
        self._selector = selectors.DefaultSelector()
        self._selector.register(line, selectors.EVENT_READ)

    def watch(self) -> None:
        """Serve until the other end of the connection is closed."""
        with self._selector:
            while True:
                now = time.monotonic()
                for child in self._children:
                    if now >= child.deadline and not child.late:
                        child.kill()
                ends = [child.deadline - now for child in self._children if not child.late]
                for key, _ in self._selector.select(max(0.0, min(ends)) if ends else None):
                    if key.data is None:
                        if not self._ask():
                            return
                    elif key.fd == key.data.pidfd:
                        self._ended(key.data)
                    elif key.data in self._children:
                        self._done(key.data)

    def _ask(self) -> bool:
        """Take the next request. False at the end of the connection: then all children end."""
        packet, descriptors, _, _ = socket.recv_fds(self._line, PACKET, 3)
        if not packet:
            for child in self._children:
                child.kill()
            return False
        request = json.loads(packet)
        waiting = self._waiting_for(request["giver"])
        if waiting is not None and waiting.give(packet, descriptors):
            child = waiting
        else:
            child = self._forked(request["giver"])
            child.give(packet, descriptors)
        child.answer = descriptors[1]
        child.deadline = time.monotonic() + float(request["limits"]["seconds"])
        for descriptor in descriptors:
            if descriptor != child.answer:
                os.close(descriptor)
        return True

    def _waiting_for(self, giver: str | None) -> Child | None:
        if giver is None:
            return None
        return next((one for one in self._children if one.waits and one.giver == giver), None)

    def _forked(self, giver: str | None) -> Child:
        child = _fork(giver)
        self._children.append(child)
        for readable in (child.pidfd, child.line):
            self._selector.register(readable, selectors.EVENT_READ, child)
        return child

    def _done(self, child: Child) -> None:
        """Let a child that has done its file wait for more; end one that says anything else."""
        try:
            said = child.line.recv(len(_DONE) + 1)
        except ConnectionError:  # It died before it read what it was given.
            said = b""
        if said == _DONE and not child.waits:
            child.tell({"code": 0, "late": False})
            child.deadline = time.monotonic() + WAITS
            waiting = [one for one in self._children if one.waits]
            if child.files == FILES_EACH:
                child.kill()
            elif len(waiting) > WAITING:
                min(waiting, key=lambda one: one.deadline).kill()
            return
        self._selector.unregister(child.line)
        if said:
            child.kill()

    def _ended(self, child: Child) -> None:
        self._children.remove(child)
        self._selector.unregister(child.pidfd)
        with suppress(KeyError):
            self._selector.unregister(child.line)
        _, status = os.waitpid(child.pid, 0)
        by_clock = child.late or (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU)
        child.tell({"code": os.waitstatus_to_exitcode(status), "late": by_clock})
        os.close(child.pidfd)
        child.line.close()


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
    Warden(line).watch()


if __name__ == "__main__":
    main()
