"""Starting, awaiting and stopping one server (O3)."""

import os
import threading
import time
from pathlib import Path

import pytest

from ops.local.servers import ServerFailed
from ops.local.servers.process import Interrupted, Running, ServerProcess
from tests.ops.programs import LISTENS, Program
from tests.shared.waiting import PATIENCE

STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)" + LISTENS.replace(
    "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))", ""
)
WITH_CHILD = (
    "import subprocess; child = subprocess.Popen(['sleep', '600']); print(child.pid, flush=True)"
    + LISTENS
)


def started(program: Program, folder: Path) -> ServerProcess:
    """The process of a program, started."""
    process = ServerProcess(program, folder)
    program.prepare()
    process.start({})
    return process


def test_a_server_is_ready_when_it_answers(tmp_path: Path) -> None:
    """Readiness is what the server says, and what must be arranged then is arranged once."""
    program = Program("good")
    process = started(program, tmp_path)
    process.await_ready()
    assert program.settled == 1
    assert process.pid is not None
    process.stop()
    assert process.exit_code == 0
    assert process.pid is None


def test_a_server_that_fails_shows_its_last_log_lines(tmp_path: Path) -> None:
    """People read why it failed without looking for the log."""
    process = started(
        Program("bad", "print('line one'); raise SystemExit('no such disk')"), tmp_path
    )
    with pytest.raises(ServerFailed) as failure:
        process.await_ready()
    told = str(failure.value)
    assert "bad ended with exit code 1" in told
    assert "line one" in told
    assert "no such disk" in told
    assert str(process.log) in told


def test_a_server_that_is_not_ready_in_time_has_failed(tmp_path: Path) -> None:
    """Waiting ends at the deadline, even when the process lives."""
    code = "import time; print('thinking', flush=True); time.sleep(600)"
    process = started(Program("slow", code, ready_within=1.0), tmp_path)
    with pytest.raises(ServerFailed, match=r"slow is not ready after 1 s[\s\S]*thinking"):
        process.await_ready()
    process.kill()


def test_a_start_can_be_called_off(tmp_path: Path) -> None:
    """Ctrl-C during a start does not wait for the deadline."""
    process = started(Program("slow", "import time; time.sleep(600)"), tmp_path)
    called_off = threading.Event()
    called_off.set()
    with pytest.raises(Interrupted):
        process.await_ready(called_off)
    process.kill()


def test_a_server_that_will_not_stop_is_killed(tmp_path: Path) -> None:
    """After the deadline of an orderly end comes the kill."""
    process = started(Program("stubborn", STUBBORN), tmp_path)
    process.await_ready()
    began = time.monotonic()
    process.stop()
    assert process.exit_code == -9
    assert time.monotonic() - began >= 1.0


def test_what_a_server_started_is_stopped_with_it(tmp_path: Path) -> None:
    """Nothing of ours is left running."""
    process = started(Program("parent", WITH_CHILD), tmp_path)
    process.await_ready()
    child = Running.of(int(process.last_lines()[0]))
    assert child.alive
    process.stop()
    deadline = time.monotonic() + PATIENCE
    while child.alive and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not child.alive


def test_the_log_before_is_kept_and_is_private(tmp_path: Path) -> None:
    """After a restart one still reads why the server ended before."""
    process = started(Program("twice", "print('first life')"), tmp_path)
    with pytest.raises(ServerFailed):
        process.await_ready()
    process.start({})
    assert "first life" in (tmp_path / "twice.log.previous").read_text()
    assert (tmp_path / "twice.log").stat().st_mode & 0o077 == 0
    process.stop()


def test_another_process_with_the_same_id_is_not_ours() -> None:
    """A recorded id that now belongs to somebody else is never stopped."""
    us = Running.of(os.getpid())
    assert us.alive
    other = Running(us.pid, "another time")
    assert not other.alive
    other.stop()
    assert us.alive
