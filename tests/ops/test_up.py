"""`medcab up` and what belongs to it, with all real servers (O3)."""

import io
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from minio import Minio

from ops.home import CHECKOUT, Home
from ops.servers.postgres import data_folder_aside
from ops.servers.process import Running
from ops.system import GIVEN_BY
from tests.clients.waiting import PATIENCE

pytestmark = pytest.mark.installation

USUAL_PORT = 8000


class Installation:
    """A home of its own, and the command in it."""

    def __init__(self, folder: Path) -> None:
        self.home = Home(folder)
        self.environment = {
            key: value
            for key, value in os.environ.items()
            if key not in GIVEN_BY.values() and not key.startswith(("MEDCAB_", "S3_", "DATABASE_"))
        } | {"MEDCAB_HOME": str(folder), "COLUMNS": "200"}

    def command(self, *arguments: str) -> list[str]:
        """The command as a program."""
        return [sys.executable, "-m", "ops.cli", *arguments]

    def run(self, *arguments: str, code: int = 0) -> str:
        """Run a command to its end; its output."""
        done = subprocess.run(
            self.command(*arguments),
            cwd=CHECKOUT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=900,
            check=False,
        )
        assert done.returncode == code, done.stdout
        return done.stdout

    def servers(self) -> dict[str, dict[str, Any]]:
        """What is recorded of each server."""
        return {each["name"]: each for each in self.home.recorded()["servers"]}

    def running(self) -> list[Running]:
        """All recorded processes, the supervisor last."""
        recorded = self.home.recorded()
        each = [*recorded["servers"], recorded["supervisor"]]
        return [Running(one["pid"], one["started"]) for one in each]

    def objects(self) -> Minio:
        """The object store."""
        told = self.home.recorded()["environment"]
        endpoint = told["S3_ENDPOINT"].removeprefix("http://")
        return Minio(endpoint, told["S3_ACCESS_KEY"], told["S3_SECRET_KEY"], secure=False)


@pytest.fixture
def installation() -> Iterator[Installation]:
    """An installation in a new home, stopped and removed in the end."""
    folder = Path(tempfile.mkdtemp(prefix="medcab-up-"))
    folder.chmod(0o711)
    made = Installation(folder / "home")
    yield made
    made.run("down")
    shutil.rmtree(data_folder_aside(made.home), ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


def within(seconds: float, happened: Callable[[], bool]) -> bool:
    """Whether something happens in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if happened():
            return True
        time.sleep(0.1)
    return False


def test_an_installation_survives_its_supervisor(installation: Installation) -> None:
    """Start, lose a worker, then the supervisor, start again with the data, stop: none is left."""
    with ExitStack() as stack:
        with suppress(OSError):  # somebody else has it: just as well
            stack.enter_context(socket.create_server(("127.0.0.1", USUAL_PORT)))
        told = installation.run("up", "--detach", "--workers", "2", "--api", "2")

    for title, codes in {
        "Cabinet": {200},
        "API docs": {200},
        "Temporal UI": {200, 401},
        "Mail": {200},
    }.items():
        found = re.search(rf"{title}\s+(http://127\.0\.0\.1:\d+\S*)", told)
        assert found, f"{title} is not among the addresses:\n{told}"
        answer = httpx.get(found[1], follow_redirects=True, timeout=10, trust_env=False)
        assert answer.status_code in codes, found[1]
        assert f":{USUAL_PORT}/" not in found[1] + "/", "the usual port was taken"

    told = installation.run("status")
    for name in ("postgres", "temporal", "minio", "worker-2", "api-2"):
        assert re.search(rf"{name}\s+runs", told), told
    assert "already running" in installation.run("up")

    worker = Running(*(installation.servers()["worker-1"][key] for key in ("pid", "started")))
    os.kill(worker.pid, signal.SIGKILL)
    assert within(PATIENCE, lambda: installation.servers()["worker-1"]["restarts"] == 1)
    assert installation.servers()["worker-1"]["pid"] != worker.pid

    installation.objects().put_object("medcab", "planted", io.BytesIO(b"kept"), 4)
    before = installation.running()
    os.kill(before[-1].pid, signal.SIGKILL)
    assert within(PATIENCE, lambda: not before[-1].alive)
    assert "down" not in installation.run("status", code=0)
    told = installation.run("up", "--detach")
    assert "left over" in told
    assert not any(each.alive for each in before)
    with installation.objects().get_object("medcab", "planted") as kept:
        assert kept.read() == b"kept"

    last = installation.running()
    assert all(each.alive for each in last)
    installation.run("down")
    assert not any(each.alive for each in last)
    assert "Nothing of Medcab" in installation.run("status", code=1)
    assert "Nothing of Medcab" in installation.run("down")

    installation.run("reset", "--yes")
    assert not installation.home.folder.exists()


def test_the_story_is_told_and_ctrl_c_stops_all_in_reverse_order(
    installation: Installation,
) -> None:
    """The demo holds in every step; the terminal interrupts the supervisor, which stops its
    children in order and says so (O3)."""
    supervisor = subprocess.Popen(
        installation.command("up"),
        cwd=CHECKOUT,
        env=installation.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert supervisor.stdout is not None
    before = ""
    for line in supervisor.stdout:
        before += line
        if "Ctrl-C" in line:
            break
    assert "Cabinet" in before, before
    assert re.search(r"All [0-9]{2,} steps went as they should", installation.run("demo"))
    running = installation.running()
    os.killpg(supervisor.pid, signal.SIGINT)
    after, _ = supervisor.communicate(timeout=90)
    assert supervisor.returncode == 0
    stopped = re.findall(r"(\S+) +stopping", after)
    outside = ["push", "sms", "mail", "gov_service", "register"]
    assert stopped == ["archiver", "api-1", "worker-1", *outside, "minio", "temporal", "postgres"]
    assert not any(each.alive for each in running)


def test_an_interrupted_start_leaves_nothing(installation: Installation) -> None:
    """Ctrl-C while the servers start stops those that have been started."""
    supervisor = subprocess.Popen(
        installation.command("up"),
        cwd=CHECKOUT,
        env=installation.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert supervisor.stdout is not None
    for line in supervisor.stdout:
        if "ready" in line:
            break
    os.killpg(supervisor.pid, signal.SIGINT)
    supervisor.communicate(timeout=90)
    assert _commands(str(installation.home.folder)) == []
    assert installation.home.recorded() == {}


def _commands(naming: str) -> list[str]:
    """The commands of all processes that name something."""
    found = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            found.append(each.read_text().replace("\0", " "))
    return [command for command in found if naming in command]
