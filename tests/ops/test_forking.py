"""Servers forked from one process that has imported everything (O3)."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ops.local.home import CHECKOUT
from ops.local.servers import Launch, forking
from ops.local.servers.fork_server import FORKED, UNKNOWN
from ops.local.servers.forking import Forked, ForkServer
from ops.local.servers.process import Running, kill_group
from tests.shared.waiting import PATIENCE

PROGRAM = "tests.ops.forked"
PLANTED = "planted-word"
SUPERVISOR = f"""
import sys
from pathlib import Path
from ops.local.servers import Launch
from ops.local.servers.forking import ForkServer
folder = Path(sys.argv[1])
forks = ForkServer.of_this_process(folder, ["{PROGRAM}"], [])
with (folder / "log").open("wb") as log:
    process = forks.fork(Launch([sys.executable, "-m", "{PROGRAM}"], {{}}, folder), log)
print(process.pid, flush=True)
sys.stdin.read()
process.send_signal(15)
print(process.wait())
forks.close()
"""


@pytest.fixture(scope="module")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkServer]:
    """A fork server, which forks the program too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_OWNER_URL", PLANTED)
        patch.setenv("MEDCAB_KEYS", PLANTED)
        made = ForkServer(tmp_path_factory.mktemp("logs"), (*FORKED, PROGRAM))
        yield made
        made.close()


@pytest.fixture
def quick(tmp_path: Path) -> Iterator[ForkServer]:
    """A fork server of the program alone, which is there at once."""
    made = ForkServer(tmp_path, [PROGRAM], [])
    yield made
    made.close()


def forked(forks: ForkServer, log: Path, *arguments: str, **options: Any) -> Forked:
    """The program, forked, once it has written what it found."""
    command = [sys.executable, "-m", PROGRAM, *arguments]
    launch = Launch(command, options.pop("environment", {}), CHECKOUT, **options)
    with log.open("wb") as output:
        process = forks.fork(launch, output)
    assert process is not None
    deadline = time.monotonic() + PATIENCE
    while log.read_text().count("\n") < 2:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return process


def test_a_forked_server_is_as_if_started_anew(forks: ForkServer, tmp_path: Path) -> None:
    """It has its own arguments, variables, group and log, and of our files only those it is to
    inherit; a list of processes shows its command."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        process = forked(
            forks,
            tmp_path / "log",
            "--port",
            "7",
            environment={"ONE": "1", "TZ": "Asia/Omsk"},
            inherited=(door.fileno(),),
        )
        line, *others = (tmp_path / "log").read_text().splitlines()
        found = json.loads(line)
        assert others == ["to the log too"]
        assert found["arguments"] == ["--port", "7"]
        assert found["environment"] == {"ONE": "1", "TZ": "Asia/Omsk"}
        assert found["directory"] == str(CHECKOUT)
        assert found["leads"] == [True, True]
        assert found["files"] == sorted({0, 1, 2, door.fileno()})
        command = Path(f"/proc/{process.pid}/cmdline").read_text().rstrip("\0").split("\0")
        assert command == [sys.executable, "-m", PROGRAM, "--port", "7"]
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == 3
    process.send_signal(signal.SIGTERM)


def test_how_a_forked_server_ended_is_known(forks: ForkServer, tmp_path: Path) -> None:
    """A kill shows as with any other process, and is told again and again."""
    process = forked(forks, tmp_path / "log")
    assert process.poll() is None
    kill_group(process.pid)
    assert process.wait(PATIENCE) == -signal.SIGKILL
    assert process.poll() == process.returncode == -signal.SIGKILL


def test_no_two_servers_draw_the_same(forks: ForkServer, tmp_path: Path) -> None:
    """Neither ids nor numbers nor secrets: what they are drawn from is each process's own."""
    drawn = []
    for name in ("one", "two"):
        process = forked(forks, tmp_path / name)
        kill_group(process.pid)
        drawn += json.loads((tmp_path / name).read_text().splitlines()[0])["drawn"]
    assert len(set(drawn)) == len(drawn) == 6


def test_the_fork_server_knows_no_secret(forks: ForkServer, tmp_path: Path) -> None:
    """Whoever breaks into a server finds in its memory no variable that only others are given."""
    process = forked(forks, tmp_path / "log")
    try:
        began = Path(f"/proc/{process.pid}/environ").read_bytes()
        assert PLANTED.encode() not in began
        assert b"PATH=" in began
    finally:
        kill_group(process.pid)


def test_servers_outlive_their_fork_server(quick: ForkServer, tmp_path: Path) -> None:
    """They go on, their end is noticed, and the next is forked from a new one."""
    process = forked(quick, tmp_path / "one")
    lost = _parent(process.pid)
    os.kill(lost, signal.SIGKILL)
    assert process.poll() is None
    again = forked(quick, tmp_path / "two")
    assert _parent(again.pid) != lost
    assert process.poll() is None
    kill_group(process.pid)
    assert process.wait(PATIENCE) == UNKNOWN
    kill_group(again.pid)
    assert again.wait(PATIENCE) == -signal.SIGKILL


@pytest.mark.parametrize("given", [{}, {"DATABASE_OWNER_URL": PLANTED}])
def test_a_supervisor_forks_itself_unless_it_was_given_secrets(
    given: dict[str, str], tmp_path: Path
) -> None:
    """Its servers are then as all others, hold none of its files, and have none of its secrets."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(forking.NOT_FOR_IT)}
    supervisor = subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, str(tmp_path)],
        cwd=CHECKOUT,
        env=kept | given,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert supervisor.stdout is not None
    pid = int(supervisor.stdout.readline())
    server = Running.of(pid)
    while (tmp_path / "log").read_text().count("\n") < 2:
        assert server.alive
        time.sleep(0.01)
    found = json.loads((tmp_path / "log").read_text().splitlines()[0])
    assert found["environment"] == {}
    assert found["files"] == [0, 1, 2]
    assert found["leads"] == [True, True]
    assert PLANTED.encode() not in Path(f"/proc/{pid}/environ").read_bytes()
    assert (_parent(_parent(pid)), _parent(pid)) == (supervisor.pid, os.getsid(_parent(pid)))
    told, _ = supervisor.communicate(timeout=PATIENCE)
    assert (told, supervisor.returncode) == ("3\n", 0)
    assert not server.alive


def test_a_fork_server_ends_and_its_servers_stay(quick: ForkServer, tmp_path: Path) -> None:
    """It ends when nobody can ask it any more, such as after its supervisor was killed."""
    process = forked(quick, tmp_path / "log")
    lost = Running.of(_parent(process.pid))
    quick.close()
    assert not lost.alive
    assert process.poll() is None
    kill_group(process.pid)
    assert process.wait(PATIENCE) == UNKNOWN


def test_nothing_is_forked_where_ends_are_not_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sandbox without pidfds runs each server as a program of its own."""
    monkeypatch.setattr(os, "pidfd_open", lambda _: os.close(-1))
    assert ForkServer.possible(tmp_path) is None
    assert ForkServer.of_this_process(tmp_path) is None


def test_other_programs_are_not_forked(forks: ForkServer, tmp_path: Path) -> None:
    """Neither are modules that it does not know."""
    for command in (["/bin/true"], [sys.executable, "-m", "json.tool"], [sys.executable, "-c", ""]):
        with (tmp_path / "log").open("wb") as log:
            assert forks.fork(Launch(command, {}), log) is None


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
